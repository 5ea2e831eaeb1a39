"""django-helpdesk in the sandbox: the contract, and every way in which its API can be unreadable."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.contracts import Blind, CheckState, Disposal, DisposalAction, RemovalState, TicketingSystem
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clock import SystemClock
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import (
    BODY,
    KEY,
    PATH,
    SENDER,
    STRANGER,
    TAG,
    TicketingContract,
    new_canary,
    with_system,
)
from tests.real.desks import HelpdeskBench
from tests.real.sandbox_mail import mail, send
from tests.sandbox import start_sandbox

CLOSE = Disposal(DisposalAction.CLOSE, TAG)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.poller(running=True, interval_seconds=0.1)
        yield HelpdeskBench(sandbox)


@pytest.fixture
def desk(started: HelpdeskBench) -> Iterator[HelpdeskBench]:
    started.sandbox.clear_faults()
    yield started
    started.sandbox.clear_faults()


class TestHelpdesk(TicketingContract):
    @pytest.fixture
    def bench(self, desk: HelpdeskBench) -> HelpdeskBench:
        return desk


def looked(
    desk: HelpdeskBench, canaries: Sequence[Canary], *, token: str | None = None, limit_seconds: float = 20.0
) -> list[Observation]:
    """What one look of the watcher reports."""
    seen: list[Observation] = []

    async def report(*observations: Observation) -> None:
        seen.extend(observations)

    async def main() -> None:
        good = desk.sandbox.endpoints.desk_token
        async with desk.connected(token or good, total_seconds=limit_seconds) as system:
            settings = TicketWatcherSettings(
                recognise=SignedPaths([KEY], [PATH]).recognise,
                expectation=lambda _: Expectation(),
                disposal=CLOSE,
                own_addresses=(SENDER,),
            )
            watcher = TicketWatcher(system, settings, clock=SystemClock(), masker=Masker())
            await watcher.look(canaries, Depth.DEADLINE, report)

    asyncio.run(main())
    return seen


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"desk_api_status": 401}, Reason.CREDENTIALS_REJECTED),
        ({"desk_api_status": 403}, Reason.CREDENTIALS_REJECTED),
        ({"desk_api_status": 404}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_status": 429, "desk_api_retry_after_seconds": 7}, Reason.RATE_LIMITED),
        ({"desk_api_status": 500}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_status": 503}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_html": True}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_garbled": True}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_hang": True}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_delay_seconds": 30.0}, Reason.TICKET_API_UNREADABLE),
    ],
)
def test_unreadable_api__is_a_blind_look_and_blames_nobody_else(
    desk: HelpdeskBench, switches: dict[str, object], reason: Reason
) -> None:
    canary = new_canary(desk.now())
    desk.sandbox.faults(**switches)

    (seen,) = looked(desk, [canary], limit_seconds=2.0)

    assert (seen.hop, seen.outcome, seen.reason) == (Hop.TICKET_CREATED, Outcome.UNKNOWN, reason)
    assert seen.look is not None
    assert seen.look.is_blind
    assert not seen.look.is_complete


def test_garbled_answer__names_the_missing_field(desk: HelpdeskBench) -> None:
    desk.sandbox.faults(desk_api_garbled=True)

    (seen,) = looked(desk, [new_canary(desk.now())])

    assert "has no field `" in seen.detail


def test_throttled__carries_the_wish_to_be_left_alone(desk: HelpdeskBench) -> None:
    desk.sandbox.faults(desk_api_status=429, desk_api_retry_after_seconds=7)

    with pytest.raises(Blind) as caught:
        with_system(desk, lambda system: system.find([new_canary(desk.now())], Depth.POLL))

    assert caught.value.retry_after_seconds == 7


def test_wrong_token__is_tried_again_once_and_never_shown(desk: HelpdeskBench) -> None:
    (seen,) = looked(desk, [new_canary(desk.now())], token="f00dfeed" * 5)

    assert seen.reason is Reason.CREDENTIALS_REJECTED
    assert "f00dfeed" not in seen.detail


def test_desk_that_refuses_connections__is_blind(desk: HelpdeskBench) -> None:
    async def main() -> Blind:
        async with desk.connected("x" * 40, url="http://127.0.0.1:1") as system:
            with pytest.raises(Blind) as caught:
                await system.find([new_canary(desk.now())], Depth.POLL)
            return caught.value

    assert "could not be reached" in str(asyncio.run(main()))


def test_mailed_canary__is_a_ticket_with_its_message_id_and_channel(desk: HelpdeskBench) -> None:
    canary = new_canary(desk.now())
    message = mail(desk.sandbox, f"{canary.subject_prefix} Grüße", body=BODY, attachment=True)
    message.replace_header("Message-ID", canary.message_id)
    send(desk.sandbox, message)

    async def main() -> tuple[str | None, str | None, str | None, list[str | None]]:
        async with desk.opened() as system, asyncio.timeout(15):
            while True:
                look = await system.find([canary], Depth.POLL)
                for one in look.tickets:
                    digests = [file.sha256 for file in one.attachments or ()]
                    return one.channel, one.message_id, one.requester, digests
                await asyncio.sleep(0.1)

    channel, message_id, requester, digests = asyncio.run(main())

    assert channel == "email"
    assert message_id == canary.message_id
    assert requester == desk.sandbox.canary.address
    assert digests
    assert all(digests)


def test_more_pages_than_one__are_walked_back_to_the_oldest_launch(desk: HelpdeskBench) -> None:
    canary = new_canary(desk.now() - timedelta(minutes=1))
    ticket_id = desk.open_ticket(f"{canary.subject_prefix} early", BODY, SENDER)
    for number in range(7):
        desk.open_ticket(f"later {number}", "x", STRANGER)

    async def main() -> tuple[bool, list[str], bool]:
        async with desk.connected(desk.sandbox.endpoints.desk_token, page_size=2) as system:
            narrow = await system.find([canary], Depth.POLL)
            wide = await system.find([canary], Depth.DEADLINE)
            return narrow.is_complete, [one.ref.id for one in wide.tickets], wide.is_complete

    narrow_is_complete, found, wide_is_complete = asyncio.run(main())

    assert not narrow_is_complete
    assert found == [ticket_id]
    assert wide_is_complete


def test_skewed_clock_of_the_desk__is_known_and_keeps_creation_comparable(desk: HelpdeskBench) -> None:
    desk.sandbox.faults(desk_clock_skew_seconds=90.0)
    canary = new_canary(desk.now())
    desk.open_ticket(f"{canary.subject_prefix} skewed", BODY, SENDER)

    look = with_system(desk, lambda system: system.find([canary], Depth.DEADLINE))
    checks = with_system(desk, lambda system: system.check())

    assert look.skew_seconds == pytest.approx(90.0, abs=2.0)
    assert {one.name: one.state for one in checks}["clock.skew"] is CheckState.WARN


async def until_it_answers(system: TicketingSystem, canary: Canary, *, is_good: bool) -> None:
    """Ask until a switch of the sandbox has reached the helpdesk's own process."""
    for _ in range(100):
        try:
            await system.find([canary], Depth.DEADLINE)
        except Blind:
            if not is_good:
                return
        else:
            if is_good:
                return
        await asyncio.sleep(0.05)
    raise TimeoutError("the helpdesk never took the switch over")


def test_disposal__while_the_api_fails__is_answered_failed_and_works_when_it_is_back(
    desk: HelpdeskBench,
) -> None:
    canary = new_canary(desk.now())
    desk.open_ticket(f"{canary.subject_prefix} later", BODY, SENDER)

    async def main() -> tuple[RemovalState, RemovalState]:
        async with desk.opened() as system:
            look = await system.find([canary], Depth.DEADLINE)
            desk.sandbox.faults(desk_api_status=500)
            await until_it_answers(system, canary, is_good=False)
            (failed,) = await system.dispose(look.tickets, CLOSE)
            desk.sandbox.clear_faults()
            await until_it_answers(system, canary, is_good=True)
            (done,) = await system.dispose(look.tickets, CLOSE)
            return failed.state, done.state

    assert asyncio.run(main()) == (RemovalState.FAILED, RemovalState.DONE)
