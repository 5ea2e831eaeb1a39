"""One look-up for all canaries: what it reports, when it looks, and what it never touches."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from canary.ticket import Attachment
from probes.contracts import Blind, Budget, Disposal, DisposalAction, RemovalState
from probes.masking import Masker
from probes.servers import SecretUnavailable
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import BODY, KEY, PATH, SENDER, STRANGER, TAG, new_canary
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.desk import FakeDesk

T = TypeVar("T")

FORWARDER = "relay@forwarder.test"


@dataclass(slots=True)
class Scene:
    """A watcher of a fake desk, and what it reported."""

    clock: FakeClock = field(default_factory=FakeClock)
    disposal: Disposal | None = field(default_factory=lambda: Disposal(DisposalAction.CLOSE, TAG))
    seen: list[Observation] = field(default_factory=list)
    desk: FakeDesk = field(init=False)
    watcher: TicketWatcher = field(init=False)

    def __post_init__(self) -> None:
        self.desk = FakeDesk(self.clock)
        settings = TicketWatcherSettings(
            recognise=SignedPaths([KEY], [PATH]).recognise,
            expectation=lambda canary: Expectation(
                ExpectedContent(f"{canary.subject_prefix} hello", BODY),
                forwarders=frozenset({FORWARDER}),
                target="support@acme.test",
            ),
            disposal=self.disposal,
            own_addresses=(SENDER, FORWARDER),
        )
        self.watcher = TicketWatcher(self.desk, settings, clock=self.clock, masker=Masker())

    def canary(self) -> Canary:
        return new_canary(self.clock.now())

    def ticket(
        self,
        canary: Canary,
        *,
        requester: str = SENDER,
        body: str = BODY,
        cause: str | None = None,
        channel: str | None = None,
        attachments: tuple[Attachment, ...] = (),
    ) -> str:
        return self.desk.open_ticket(
            f"{canary.subject_prefix} hello",
            body,
            requester,
            cause=cause,
            channel=channel,
            attachments=attachments,
        )

    async def report(self, observation: Observation, /) -> None:
        self.seen.append(observation)

    def look(self, *canaries: Canary, depth: Depth = Depth.DEADLINE) -> list[Observation]:
        self.seen.clear()
        self.run(self.watcher.look(canaries, depth, self.report))
        return self.seen

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return run_jumping(self.clock, work)


def told(seen: Sequence[Observation]) -> list[tuple[Hop, Outcome, Reason | None]]:
    return [(one.hop, one.outcome, one.reason) for one in seen]


OK_CREATED = (Hop.TICKET_CREATED, Outcome.OK, None)


def test_intact_ticket__is_created_and_of_good_content_with_the_remotes_time_and_skew() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.skew_seconds = 2.5
    scene.ticket(canary)
    created_at = scene.clock.now()
    scene.clock.advance(7)

    seen = scene.look(canary)

    assert told(seen) == [OK_CREATED, (Hop.TICKET_CONTENT, Outcome.OK, None)]
    for one in seen:
        assert one.remote_at == created_at
        assert one.skew_seconds == 2.5
        assert one.began_at == created_at + timedelta(seconds=7)
        assert one.ticket is not None
        assert one.ticket.body is None
        assert one.place == "desk"


@pytest.mark.parametrize("depth", list(Depth))
def test_nothing_there__is_a_look_in_vain_for_each_canary(depth: Depth) -> None:
    scene = Scene()
    canaries = [scene.canary() for _ in range(3)]
    scene.desk.lag_seconds = 12.0

    seen = scene.look(*canaries, depth=depth)

    assert told(seen) == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN)] * 3
    assert {one.canary_id for one in seen} == {one.id for one in canaries}
    look = seen[0].look
    assert look is not None
    assert (look.depth, look.is_complete, look.is_blind, look.lag_seconds) == (depth, True, False, 12.0)


def test_incomplete_look__never_says_absence() -> None:
    scene = Scene()
    scene.desk.is_complete = False

    (seen,) = scene.look(scene.canary())

    assert seen.look is not None
    assert not seen.look.is_complete


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (Blind("desk: no", status=401), Reason.CREDENTIALS_REJECTED),
        (Blind("desk: no", status=403), Reason.CREDENTIALS_REJECTED),
        (Blind("desk: slow", status=429, retry_after_seconds=30), Reason.RATE_LIMITED),
        (Blind("desk: down", status=503), Reason.TICKET_API_UNREADABLE),
        (Blind("desk: silent"), Reason.TICKET_API_UNREADABLE),
        (SecretUnavailable("DESK_TOKEN is not set"), Reason.CREDENTIALS_REJECTED),
    ],
    ids=["401", "403", "429", "503", "silent", "no secret"],
)
def test_unreadable_system__is_a_blind_look_for_each_canary_and_never_raised(
    raised: Exception, reason: Reason
) -> None:
    scene = Scene()
    scene.desk.raises = raised

    seen = scene.look(scene.canary(), scene.canary())

    assert told(seen) == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, reason)] * 2
    assert all(one.look is not None and one.look.is_blind for one in seen)


def test_diverted_ticket__is_a_failure_of_created_with_the_vendors_cause_and_still_looked_for() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, cause="suspended as auto_mailer")

    seen = scene.look(canary)

    assert told(seen) == [
        (Hop.TICKET_CREATED, Outcome.FAILED, Reason.DIVERTED),
        (Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN),
    ]
    assert "auto_mailer" in seen[0].detail


def test_two_tickets_of_one_canary__are_both_reported() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)
    scene.ticket(canary)

    seen = scene.look(canary)

    assert told(seen) == [OK_CREATED, (Hop.TICKET_CONTENT, Outcome.OK, None)] * 2


@pytest.mark.parametrize(
    ("requester", "outcome", "reason"),
    [
        (SENDER, Outcome.OK, None),
        (FORWARDER, Outcome.OK, Reason.REQUESTER_REWRITTEN),
        ("support@acme.test", Outcome.OK, Reason.REQUESTER_REWRITTEN),
        ("srs0=x=y=probe.test=canary@fwd.test", Outcome.OK, Reason.REQUESTER_REWRITTEN),
        (STRANGER, Outcome.FAILED, Reason.WRONG_REQUESTER),
    ],
)
def test_requester__decides_about_the_content(
    requester: str, outcome: Outcome, reason: Reason | None
) -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, requester=requester)

    seen = scene.look(canary)

    assert told(seen)[1] == (Hop.TICKET_CONTENT, outcome, reason)


def test_strangers_ticket_with_our_token__leaves_no_word_of_the_stranger_in_any_report() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, requester=STRANGER, body="a customer's own words")

    seen = scene.look(canary)

    assert STRANGER not in repr(seen)
    assert "own words" not in repr(seen)


def test_damaged_body__is_the_worst_first_with_all_in_the_detail() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40], channel="portal")

    content = scene.look(canary)[1]

    assert (content.outcome, content.reason) == (Outcome.FAILED, Reason.BODY_TRUNCATED)
    assert "cut after" in content.detail
    assert "portal" in content.detail


def test_token_of_another_key_or_nearly_right__counts_for_nothing() -> None:
    scene = Scene()
    canary = scene.canary()
    forged = new_canary(scene.clock.now(), key=b"somebody else's signing key")
    scene.desk.open_ticket(f"x {canary.token[:-1]}{'a' if canary.token[-1] != 'a' else 'b'}", BODY, SENDER)
    scene.ticket(forged)

    seen = scene.look(canary, replace(forged, id=canary.id))

    assert {one.outcome for one in seen} == {Outcome.UNKNOWN}


def test_tickets_of_a_canary_that_was_not_asked_for__are_not_reported() -> None:
    scene = Scene()
    asked, other = scene.canary(), scene.canary()
    scene.desk.open_ticket(f"{other.subject_prefix} about {asked.token}", BODY, SENDER)

    seen = scene.look(asked)

    assert [one.reason for one in seen] == [Reason.NOT_SEEN]


# how often it looks


async def looking(scene: Scene, canaries: Sequence[Canary], seconds: float) -> None:
    """What the runner does: look, wait for news, look again."""
    ends = scene.clock.monotonic() + seconds
    while scene.clock.monotonic() < ends:
        await scene.watcher.look(canaries, Depth.POLL, scene.report)
        try:
            async with scene.clock.timeout(max(0.0, ends - scene.clock.monotonic()) + 0.001):
                await scene.watcher.news()
        except TimeoutError:
            return


@pytest.mark.parametrize("count", [1, 10, 200])
def test_fresh_canaries__however_many__cost_one_look_a_second(count: int) -> None:
    scene = Scene()
    scene.desk.look_seconds = 0.2
    canaries = [scene.canary() for _ in range(count)]

    scene.run(looking(scene, canaries, 60))

    began = [at for _, at, _ in scene.desk.looks]
    assert {after - before for before, after in itertools.pairwise(began)} == {timedelta(seconds=1)}
    assert {number for _, _, number in scene.desk.looks} == {count}


def test_looks_called_at_the_same_time__keep_a_second_between_their_begins() -> None:
    scene = Scene()
    canary = scene.canary()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(scene.watcher.look([canary], Depth.POLL, scene.report))

    scene.run(main())

    began = [at for _, at, _ in scene.desk.looks]
    assert [(after - before).total_seconds() for before, after in itertools.pairwise(began)] == [1.0] * 4


def test_old_canary__is_looked_for_less_and_less_often() -> None:
    scene = Scene()
    old = new_canary(scene.clock.now() - timedelta(hours=1))

    scene.run(looking(scene, [old], 300))

    assert 9 <= len(scene.desk.looks) <= 11


def test_old_canary_beside_a_fresh_one__does_not_slow_it() -> None:
    scene = Scene()
    old, fresh = new_canary(scene.clock.now() - timedelta(hours=1)), scene.canary()

    scene.run(looking(scene, [old, fresh], 30))

    assert len(scene.desk.looks) >= 29


def never_returns(scene: Scene, wait: Callable[[], Awaitable[None]]) -> bool:
    async def main() -> bool:
        try:
            async with scene.clock.timeout(86400):
                await wait()
        except TimeoutError:
            return True
        return False

    return scene.run(main())


def test_nothing_outstanding__is_no_news() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)
    scene.look(canary)

    assert never_returns(scene, scene.watcher.news)


def test_throttled_system__is_not_asked_again_before_its_time_and_each_look_is_told_as_blind() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.raises = Blind("desk: slow down", status=429, retry_after_seconds=20)

    scene.look(canary)
    scene.desk.raises = None
    during = told(scene.look(canary))
    removed = scene.run(scene.watcher.remove([canary]))
    scene.run(scene.watcher.news())
    after = told(scene.look(canary))

    assert during == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.RATE_LIMITED)]
    assert [one.state for one in removed] == [RemovalState.FAILED]
    assert after == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN)]
    assert [at - scene.desk.looks[0][1] for _, at, _ in scene.desk.looks] == [
        timedelta(0),
        timedelta(seconds=20),
    ]


def test_failing_system__is_asked_less_often_but_often_enough_to_settle() -> None:
    scene = Scene()
    scene.desk.raises = Blind("desk: down", status=500)

    scene.run(looking(scene, [scene.canary()], 60))

    assert 5 <= len(scene.desk.looks) <= 10


def test_scarce_budget__slows_the_looks_and_keeps_a_reserve() -> None:
    scene = Scene()
    scene.desk.budgets = (
        Budget("account", left=30, limit=50, resets_at=scene.clock.now() + timedelta(seconds=60)),
    )
    scene.look(scene.canary())
    began = scene.clock.monotonic()

    scene.run(scene.watcher.news())

    assert scene.clock.monotonic() - began == pytest.approx(3.0)


# what it removes


def test_remove__closes_ours_and_the_listed_forwarders_and_nothing_else() -> None:
    scene = Scene()
    canary = scene.canary()
    ours = scene.ticket(canary)
    forwarded = scene.ticket(canary, requester=FORWARDER)
    others = [
        scene.ticket(canary, requester=STRANGER),
        scene.ticket(canary, requester="support@acme.test"),
        scene.ticket(canary, requester="srs0=x=y=probe.test=canary@fwd.test"),
        scene.desk.open_ticket("only tagged", "x", SENDER, tags=frozenset({TAG})),
    ]
    before = [scene.desk.tickets[one] for one in others]

    removed = scene.run(scene.watcher.remove([canary]))

    assert [(one.what, one.state) for one in removed] == [
        (ours, RemovalState.DONE),
        (forwarded, RemovalState.DONE),
    ]
    assert [scene.desk.tickets[one] for one in others] == before


def test_remove__twice__finds_it_gone() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)

    scene.run(scene.watcher.remove([canary]))
    removed = scene.run(scene.watcher.remove([canary]))

    assert [one.state for one in removed] == [RemovalState.ABSENT]
    assert scene.desk.disposals == ["1"]


def test_remove__a_ticket_that_is_held_aside__too() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, cause="spam")

    removed = scene.run(scene.watcher.remove([canary]))

    assert [one.state for one in removed] == [RemovalState.DONE]


def test_remove__promised_only__is_accepted_until_a_later_look_shows_it_closed() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.accepts_only = True
    scene.ticket(canary)

    first = scene.run(scene.watcher.remove([canary]))
    scene.desk.work_off()
    second = scene.run(scene.watcher.remove([canary]))

    assert [one.state for one in first] == [RemovalState.ACCEPTED]
    assert [one.state for one in second] == [RemovalState.ABSENT]


def test_remove__a_refused_ticket__is_failed_and_the_others_are_done() -> None:
    scene = Scene()
    first, second = scene.canary(), scene.canary()
    scene.desk.refuses.add(scene.ticket(first))
    scene.ticket(second)

    removed = scene.run(scene.watcher.remove([first, second]))

    assert {one.canary.id: one.state for one in removed} == {
        first.id: RemovalState.FAILED,
        second.id: RemovalState.DONE,
    }


@pytest.mark.parametrize(
    "raised", [Blind("down", status=500), SecretUnavailable("not set")], ids=["down", "secret"]
)
def test_remove__unreadable__is_failed_for_each_canary(raised: Exception) -> None:
    scene = Scene()
    canaries = [scene.canary(), scene.canary()]
    scene.desk.raises = raised

    removed = scene.run(scene.watcher.remove(canaries))

    assert [(one.canary, one.what, one.state) for one in removed] == [
        (one, "", RemovalState.FAILED) for one in canaries
    ]


def test_remove__not_read_whole__does_not_say_that_nothing_is_left() -> None:
    scene = Scene()
    found, hidden = scene.canary(), scene.canary()
    scene.ticket(found)
    scene.desk.is_complete = False

    removed = scene.run(scene.watcher.remove([found, hidden]))

    assert {one.canary.id: one.state for one in removed} == {
        found.id: RemovalState.DONE,
        hidden.id: RemovalState.FAILED,
    }


def test_cleanup_none__neither_looks_nor_writes() -> None:
    scene = Scene(disposal=None)
    canary = scene.canary()
    scene.ticket(canary)

    removed = scene.run(scene.watcher.remove([canary]))
    found = scene.run(scene.watcher.orphans(launched_before=scene.clock.now() + timedelta(seconds=1)))
    disposed = scene.run(scene.watcher.remove_orphans(found))

    assert list(removed) == []
    assert len(found) == 1
    assert list(disposed) == []
    assert scene.desk.disposals == []


def test_orphans__are_ours_by_token_and_requester_open_and_old_enough() -> None:
    scene = Scene()
    lost, stolen, young = scene.canary(), scene.canary(), new_canary(scene.clock.now() + timedelta(hours=1))
    forged = new_canary(scene.clock.now(), key=b"somebody else's signing key")
    number = scene.ticket(lost)
    for one, requester in ((stolen, STRANGER), (young, SENDER), (forged, SENDER)):
        scene.ticket(one, requester=requester)

    found = scene.run(scene.watcher.orphans(launched_before=scene.clock.now() + timedelta(minutes=1)))
    disposed = scene.run(scene.watcher.remove_orphans(found))

    assert [(one.canary_id, one.ticket.ref.id) for one in found] == [(lost.id, number)]
    assert [one.state for one in disposed] == [RemovalState.DONE]
    assert scene.desk.disposals == [number]


def test_orphans__altered_between_looking_and_removing__are_verified_once_more() -> None:
    scene = Scene()
    scene.ticket(scene.canary())
    (found,) = scene.run(scene.watcher.orphans(launched_before=scene.clock.now() + timedelta(minutes=1)))

    forged = replace(found, ticket=replace(found.ticket, requester=STRANGER))
    disposed = scene.run(scene.watcher.remove_orphans([forged]))

    assert list(disposed) == []


def test_attachment_that_should_not_be_needed__is_no_finding() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, attachments=(Attachment("email_html_body.html", "ab" * 32),))

    assert told(scene.look(canary))[1] == (Hop.TICKET_CONTENT, Outcome.OK, None)
