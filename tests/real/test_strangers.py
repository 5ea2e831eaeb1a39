"""Our canaries among a thousand strangers: nothing that is not provably ours is ever touched."""

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from canary.signature import mint_token
from probes.contracts import Disposal, DisposalAction, RemovalState, Removed, TicketingSystem
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import Orphan, TicketWatcher
from runners.clock import SystemClock
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import BODY, KEY, MARKER, PATH, SENDER, TAG, new_canary
from tests.real.desks import HelpdeskBench, Stranger, TrackerBench
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import running_mail
from tests.real.servers.process import server_directory, unprivileged_account
from tests.real.servers.request_tracker import running_request_tracker
from tests.sandbox import start_sandbox

CUSTOMERS = 1000
SECRET_WORD = "customers-own-word"  # what must never come out of the watcher


def nearly(token: str) -> str:
    """The token with its last letter changed."""
    return token[:-1] + ("a" if token[-1] != "a" else "b")


def strangers(canaries: Sequence[Canary], count: int) -> list[Stranger]:
    """What else is in the queue: customers, thieves of tokens, forgers, and people who use our words."""
    first, second = canaries[0], canaries[1]
    forged = mint_token(first.id, PATH, b"a key that is somebody else's")
    foreign_path = mint_token(first.id, "another-path", KEY)
    odd = [
        Stranger(f"{first.subject_prefix} stolen", f"{SECRET_WORD} {BODY}", "thief@customer.test"),
        Stranger("stolen into the body", f"{SECRET_WORD}\n{second.token}", "thief@customer.test"),
        Stranger(f"Fwd: {first.subject_prefix} replayed", f"{SECRET_WORD} {BODY}", "replay@customer.test"),
        Stranger(f"{MARKER} {nearly(first.token)} nearly", SECRET_WORD, SENDER),
        Stranger(f"{MARKER} {forged} forged", SECRET_WORD, SENDER),
        Stranger(f"{MARKER} {foreign_path} of a path that we don't have", SECRET_WORD, SENDER),
        Stranger(f"{MARKER} without any token", SECRET_WORD, SENDER),
        Stranger("only tagged", SECRET_WORD, "tagger@customer.test", resolution=f"{TAG}: not by us"),
        Stranger(f"{MARKER} only tagged", SECRET_WORD, SENDER, resolution=f"{TAG}: not by us"),
        Stranger(f"{first.subject_prefix} like ours", SECRET_WORD, f"x{SENDER}"),
        Stranger(f"{first.subject_prefix} elsewhere", SECRET_WORD, f"{SENDER}.evil.test"),
        Stranger(f"{first.subject_prefix} srs", SECRET_WORD, "srs0=ab=cd=customer.test=jane@fwd.test"),
        Stranger("token in an id", SECRET_WORD, "id@customer.test", message_id=f"<{first.token}@evil.test>"),
    ]
    customers = [
        Stranger(f"question {number}", f"{SECRET_WORD} {number}: ü", f"customer{number}@customer.test")
        for number in range(count - len(odd))
    ]
    return [*odd, *customers]


class Session:
    """A watcher over one system, as a prober with its keys, and what it told."""

    def __init__(self, system: TicketingSystem) -> None:
        settings = TicketWatcherSettings(
            recognise=SignedPaths([KEY], [PATH]).recognise,
            expectation=lambda _: Expectation(),
            disposal=Disposal(DisposalAction.CLOSE, TAG),
            own_addresses=(SENDER,),
        )
        self.watcher = TicketWatcher(system, settings, clock=SystemClock(), masker=Masker())
        self.seen: list[Observation] = []

    async def report(self, *observations: Observation) -> None:
        self.seen.extend(observations)

    async def everything(
        self, known: Sequence[Canary]
    ) -> tuple[Sequence[Removed], Sequence[Orphan], list[RemovalState]]:
        """Look both ways, clean what is known, then sweep as a prober with an empty store."""
        for depth in Depth:
            await self.watcher.look(known, depth, self.report)
        removed = await self.watcher.remove(known, at_most=5000)
        found, _ = await self.watcher.orphans()
        disposed = await self.watcher.remove_orphans(found)
        again, _ = await self.watcher.orphans()
        assert list(again) == []
        return removed, found, [one.state for one in disposed]


def check_session(
    opened: Callable[[], AbstractAsyncContextManager[TicketingSystem]],
    known: Sequence[Canary],
    lost: Canary,
) -> None:
    """Run everything, and hold it to have found ours, said what strangers did, and kept their words to itself."""

    async def main() -> tuple[Session, Sequence[Removed], Sequence[Orphan], list[RemovalState]]:
        async with opened() as system:
            session = Session(system)
            return session, *await session.everything(known)

    session, removed, found, disposed = asyncio.run(main())
    good = {
        one.canary_id for one in session.seen if one.hop is Hop.TICKET_CONTENT and one.outcome is Outcome.OK
    }
    wrong = [one for one in session.seen if one.reason is Reason.WRONG_REQUESTER]
    assert good == {one.id for one in known}
    assert wrong
    assert {one.canary.id for one in removed} == {one.id for one in known}
    assert {one.state for one in removed} == {RemovalState.DONE}
    assert [one.canary_id for one in found] == [lost.id]
    assert disposed == [RemovalState.DONE]
    told = repr(session.seen) + repr(removed)
    assert SECRET_WORD not in told
    assert "customer.test" not in told


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield HelpdeskBench(sandbox)


def test_a_thousand_strangers_in_the_helpdesk__stay_as_they_were__byte_by_byte(desk: HelpdeskBench) -> None:
    now = desk.now()
    known = [new_canary(now) for _ in range(3)]
    lost = new_canary(now)
    desk.insert(strangers(known, CUSTOMERS // 2))
    ours = {int(desk.open_ticket(f"{one.subject_prefix} hello", BODY, SENDER)) for one in (*known, lost)}
    desk.insert(strangers(known, CUSTOMERS // 2))
    before = {number: row for number, row in desk.content().items() if number not in ours}

    check_session(desk.opened, known, lost)

    after = {number: row for number, row in desk.content().items() if number not in ours}
    assert len(before) >= CUSTOMERS
    assert json.dumps(after, default=str) == json.dumps(before, default=str)


@pytest.fixture(scope="module")
def tracker() -> Iterator[TrackerBench]:
    with (
        server_directory("certificates", unprivileged_account()) as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail) as running,
    ):
        yield TrackerBench(running, mail)


def test_strangers_in_request_tracker__stay_as_they_were(tracker: TrackerBench) -> None:
    now = tracker.now()
    known = [new_canary(now) for _ in range(2)]
    lost = new_canary(now)
    others = [
        tracker.open_ticket(one.subject, one.body, one.requester)
        for one in strangers(known, 18)
        if not one.message_id
    ]
    for one in (*known, lost):
        tracker.open_ticket(f"{one.subject_prefix} hello", BODY, SENDER)
    before = {one: tracker.raw(one) for one in others}

    check_session(tracker.opened, known, lost)

    assert {one: tracker.raw(one) for one in others} == before
