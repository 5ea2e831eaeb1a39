"""The daemon on a pretend intake: it launches each slot once, settles, cleans, alerts, and ends in good order."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from canary.alert import AlertTransition
from canary.canary import Canary
from canary.incident import Bisected
from canary.path import Path, PathName, bisect_name
from canary.slot import Slot, due_slot
from canary.verdict import Verdict
from runners.contracts import CanaryQuery, StoreError
from runners.daemon import Daemon
from runners.leases import Held
from runners.notices import Notices
from runners.prober import Prober
from runners.progress import Silent
from runners.situation import AlertRules
from runners.surroundings import Surroundings
from runners.telemetry.process_figures import ProcessFigures, this_build
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.timer import ClockTimer
from tests.fakes.world import World, email_path, prober_of

PATH = email_path()
MINUTE = 60.0
JUST_AFTER_A_SLOT = START + timedelta(seconds=11)
"""The path's slots are ten seconds after each tenth minute."""


class Figures(ProcessFigures):
    def __init__(self) -> None:
        super().__init__("test", build=this_build())
        self.lags: list[float] = []
        self.beats: list[datetime] = []

    def beat(self, at: datetime) -> None:
        super().beat(at)
        self.beats.append(at)

    def note_lag(self, seconds: float) -> None:
        super().note_lag(seconds)
        self.lags.append(seconds)


class Everyone:
    """Routes all to one sink."""

    def sinks_for(self, *_: object) -> tuple[str, ...]:
        return ("pager",)


@dataclass
class Scene:
    clock: FakeClock
    world: World
    store: MemoryStore
    figures: Figures = field(default_factory=Figures)
    notices: Notices = field(default_factory=Notices)
    boot_offset: float = 0.0

    def prober(self, *paths: Path) -> Prober:
        known = paths or (PATH,)
        made = prober_of(self.world, *known)
        return replace(
            made,
            timetable={path.name: _next_due(path) for path in known if path.interval_seconds},
            alerts=AlertRules("test", Everyone()),
        )

    def daemon(self, *paths: Path, holder: str = "a") -> Daemon:
        around = Surroundings(
            store=self.store,
            clock=self.clock,
            progress=Silent(),
            timer=ClockTimer(self.clock),
            since_boot=lambda: self.clock.monotonic() + self.boot_offset,
            notices=self.notices,
            figures=self.figures,
        )
        return Daemon(self.prober(*paths), around, holder=holder)


def _next_due(path: Path) -> Callable[[datetime], datetime]:
    interval = timedelta(seconds=path.interval_seconds or 0)
    return lambda now: due_slot(path.name, interval, now).at + interval


def scene() -> Scene:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    return Scene(clock, World(clock), MemoryStore(prober="test"))


def play(
    scene: Scene, seconds: float, *daemons: Daemon, then: Callable[[], Awaitable[None]] | None = None
) -> None:
    """Run daemons for so long, then stop them in good order."""

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.run()) for one in daemons]
            await scene.clock.sleep(seconds)
            if then is not None:
                await then()
            for one in daemons:
                one.stop()
            await asyncio.wait(tasks)

    run_jumping(scene.clock, main())


def launched(store: MemoryStore, path: PathName = PATH.name) -> list[tuple[datetime | None, Verdict]]:
    records = asyncio.run(store.canaries(CanaryQuery(path=path, limit=500)))
    return sorted((one.canary.slot_at, one.verdict) for one in records if one.canary.slot_at is not None)


def test_an_hour_of_ten_minute_slots__is_one_confirmed_and_clean_canary_a_slot() -> None:
    s = scene()

    play(s, 59 * MINUTE, s.daemon())

    found = launched(s.store)
    assert len(found) == 6  # the slot that was due at the start, and five more
    slots = [at for at, _ in found if at is not None]
    assert {later - earlier for earlier, later in itertools.pairwise(slots)} == {timedelta(minutes=10)}
    assert {verdict for _, verdict in found} == {Verdict.CONFIRMED}
    assert len(s.world.removed) >= len(found) - 1
    assert asyncio.run(s.store.leftovers()) == []
    assert max(s.figures.lags) < 1.0


def test_three_daemons_on_one_store__launch_each_slot_once_and_settle_each_canary_once() -> None:
    s = scene()
    paths = [email_path(f"path-{n}", interval_seconds=60.0) for n in range(5)]

    play(s, 10 * MINUTE, *(s.daemon(*paths, holder=holder) for holder in "abc"))

    for path in paths:
        slots = [at for at, _ in launched(s.store, path.name)]
        assert len(slots) == len(set(slots)) == 11
    counted = sum(one.value for one in asyncio.run(s.store.samples()) if one.name == "intake.canary.verdicts")
    assert counted == 55


def test_daemon_that_is_gone__has_its_canaries_taken_over_and_judged() -> None:
    s = scene()
    s.world.ticket_after_seconds = 45.0
    first, second = s.daemon(holder="a"), s.daemon(holder="b")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            dying = group.create_task(first.run())
            await s.clock.sleep(20)
            dying.cancel()  # as killed: it gives nothing back
            await asyncio.wait([dying])
            living = group.create_task(second.run())
            await s.clock.sleep(120)
            second.stop()
            await living

    run_jumping(s.clock, main())

    assert [verdict for _, verdict in launched(s.store)] == [Verdict.CONFIRMED]


def test_two_breaches__open_one_incident_and_one_alert_and_the_recovery_resolves_it() -> None:
    s = scene()
    s.world.ticket_after_seconds = None
    path = email_path(interval_seconds=120.0)

    async def heal() -> None:
        taken = await s.store.claim_alerts(
            s.clock.now(), sinks=["pager"], holder="x", lease_until=s.clock.now(), limit=9
        )
        assert [(one.alert.transition, one.alert.concern.paths) for one in taken] == [
            (AlertTransition.OPENED, (path.name,))
        ]
        await s.store.alert_delivered(taken[0].alert.id, at=s.clock.now())
        s.world.ticket_after_seconds = 2.0
        await s.clock.sleep(10 * MINUTE)

    play(s, 8 * MINUTE, s.daemon(path), then=heal)

    (incident,) = asyncio.run(s.store.incidents(path=None, since=None, limit=9))
    assert not incident.is_open
    left = asyncio.run(
        s.store.claim_alerts(s.clock.now(), sinks=["pager"], holder="x", lease_until=s.clock.now(), limit=9)
    )
    assert [one.alert.transition for one in left] == [AlertTransition.RESOLVED]


def test_breached_canary__is_looked_for_until_its_ticket_makes_it_late() -> None:
    s = scene()
    s.world.ticket_after_seconds = 300.0

    play(s, 9 * MINUTE, s.daemon())

    assert [verdict for _, verdict in launched(s.store)] == [Verdict.LATE]


def test_process_that_stood_still__launches_one_canary_and_keeps_the_slots_between_as_missed() -> None:
    s = scene()
    daemon = s.daemon()

    async def freeze() -> None:
        s.clock.advance(3600.0)  # nobody ran meanwhile
        await s.clock.sleep(30)

    play(s, 25 * MINUTE, daemon, then=freeze)

    assert len(launched(s.store)) == 3 + 1
    missed = asyncio.run(s.store.missed(PATH.name, since=s.clock.now() - timedelta(hours=3)))
    assert len(missed) == 5
    assert any("stood still for" in one for one in s.notices.all())


def test_clock_that_is_set_back__launches_no_slot_twice_and_is_told() -> None:
    s = scene()
    daemon = s.daemon()

    async def set_back() -> None:
        s.clock.step(-1800.0)
        await s.clock.sleep(10 * MINUTE)

    play(s, 35 * MINUTE, daemon, then=set_back)

    slots = [at for at, _ in launched(s.store)]
    assert len(slots) == len(set(slots)) == 4
    assert any("set back by 1800 s" in one for one in s.notices.all())


def test_machine_that_slept__is_told_from_one_whose_clock_was_set() -> None:
    s = scene()
    daemon = s.daemon()

    async def sleep() -> None:
        s.boot_offset += 1200.0
        s.clock.step(1200.0)
        await s.clock.sleep(30)

    play(s, 5 * MINUTE, daemon, then=sleep)

    assert any("suspended for 1200 s" in one for one in s.notices.all())
    assert not any("set forward" in one for one in s.notices.all())


def test_no_more_than_a_bounded_number_outstanding__and_the_rest_is_missed() -> None:
    s = scene()
    s.world.desk_is_blind = True
    path = email_path(interval_seconds=10.0, deadline_seconds=60.0)

    async def count() -> None:
        pending = await s.store.canaries(CanaryQuery(verdict=Verdict.PENDING, limit=500))
        assert len(pending) <= 8

    play(s, 5 * MINUTE, s.daemon(path), then=count)


def test_stop__launches_nothing_more_and_lets_what_is_under_way_end() -> None:
    s = scene()
    s.world.launch_seconds = 20.0

    play(s, 5.0, s.daemon())

    (record,) = asyncio.run(s.store.canaries(CanaryQuery()))
    assert record.launch_ended


def test_stop__cuts_off_what_takes_too_long_and_another_takes_it_over() -> None:
    s = scene()
    s.world.launch_seconds = 300.0

    play(s, 5.0, s.daemon(holder="a"))
    s.world.launch_seconds = 0.5
    play(s, 90.0, s.daemon(holder="b"))

    verdicts = [verdict for _, verdict in launched(s.store)]
    assert verdicts == [Verdict.INCONCLUSIVE]


@pytest.mark.parametrize(
    ("ticket_after_seconds", "verdict"), [(2.0, Verdict.CONFIRMED), (None, Verdict.BREACHED)]
)
def test_incident_past_the_mail_server__gets_one_bisect_canary_whose_word_stands_in_it(
    ticket_after_seconds: float | None, verdict: Verdict
) -> None:
    s = scene()
    s.world.ticket_after_seconds = None
    path = email_path(interval_seconds=120.0)
    hidden = replace(path, name=bisect_name(path.name), interval_seconds=None)

    async def bisect() -> None:
        s.world.ticket_after_seconds = ticket_after_seconds
        await s.clock.sleep(3 * MINUTE)

    play(s, 185.0, s.daemon(path, hidden, holder="a"), s.daemon(path, hidden, holder="b"), then=bisect)

    sent = asyncio.run(s.store.canaries(CanaryQuery(path=hidden.name)))
    assert len(sent) == 1
    (incident,) = asyncio.run(s.store.incidents(path=None, since=None, limit=9))
    assert incident.path == path.name
    assert incident.bisected == Bisected(sent[0].canary.id, verdict)
    eligible = [
        one
        for one in asyncio.run(s.store.samples())
        if one.name == "intake.slo.eligible" and one.labels["path"] == hidden.name
    ]
    assert sum(one.value for one in eligible) == 0


def test_launches_that_take_longer_than_their_interval__wait_in_no_queue_and_none_is_called_missed_that_was_sent() -> (
    None
):
    s = scene()
    s.world.launch_seconds = 120.0
    paths = [email_path(f"path-{n:02}", interval_seconds=60.0, deadline_seconds=600.0) for n in range(20)]

    play(s, 10 * MINUTE, s.daemon(*paths))

    for path in paths:
        launched_at = {at for at, _ in launched(s.store, path.name)}
        missed = asyncio.run(s.store.missed(path.name, since=START))
        assert not {one.slot.at for one in missed} & launched_at
    ages = [
        (one.canary.launched_at - one.canary.slot_at).total_seconds()
        for one in asyncio.run(s.store.canaries(CanaryQuery(limit=500)))
        if one.canary.slot_at is not None
    ]
    assert max(ages) <= 61.0


def test_slot_that_becomes_due_while_many_catch_up__does_not_wait_behind_them() -> None:
    s = scene()
    s.world.launch_seconds = 1.0
    paths = [email_path(f"path-{n:03}", interval_seconds=60.0) for n in range(120)]
    begin = s.clock.now()

    play(s, 20.0, s.daemon(*paths))

    lags = [
        (one.canary.launched_at - one.canary.slot_at).total_seconds()
        for one in asyncio.run(s.store.canaries(CanaryQuery(limit=1000)))
        if one.canary.slot_at is not None and one.canary.slot_at > begin
    ]
    assert len(lags) > 20
    assert max(lags) <= 2.0


def test_stop__launches_nothing_of_what_was_still_waiting_for_its_turn() -> None:
    s = scene()
    s.world.launch_seconds = 20.0
    paths = [email_path(f"path-{n:02}", interval_seconds=600.0) for n in range(25)]

    play(s, 5.0, s.daemon(*paths))

    assert len(asyncio.run(s.store.canaries(CanaryQuery(limit=500)))) == 10


def test_breached_canary__gets_its_last_look_before_it_is_cleaned_and_is_lost() -> None:
    s = scene()
    s.world.ticket_after_seconds = None
    paths = [email_path(f"path-{n}", interval_seconds=7200.0) for n in range(6)]

    play(s, 3600 + 10 * MINUTE, s.daemon(*paths))

    over = [
        one
        for one in asyncio.run(s.store.canaries(CanaryQuery(limit=500)))
        if one.canary.horizon_at < s.clock.now() - timedelta(minutes=3)
    ]
    assert len(over) >= 6
    assert {one.verdict for one in over} == {Verdict.LOST}


def test_inconclusive_canary__is_looked_for_to_be_cleaned_hourly_and_not_all_the_time() -> None:
    s = scene()
    s.world.desk_is_blind = True

    play(s, 50 * MINUTE, s.daemon(email_path(interval_seconds=7200.0)))

    assert len(asyncio.run(s.store.audit(since=None, limit=500))) <= 4


def test_store_that_hangs__is_a_problem_and_the_heartbeat_stops() -> None:
    s = scene()
    daemon = s.daemon()
    problems: list[str] = []

    async def hang(*_: object, **__: object) -> list[Held]:
        await asyncio.Event().wait()
        raise AssertionError("it never returns")

    async def look() -> None:
        s.store.hold = hang  # type: ignore[method-assign]
        await s.clock.sleep(120)
        problems.extend(daemon.problems())

    play(s, 30.0, daemon, then=look)

    assert any(one.startswith("the store was not written since 12:00:") for one in problems)


def test_page_that_no_sink_takes__is_a_problem_that_the_heartbeat_tells() -> None:
    s = scene()
    s.world.ticket_after_seconds = None
    daemon = s.daemon(email_path(interval_seconds=120.0))

    play(s, 15 * MINUTE, daemon)

    (words,) = daemon.problems()
    assert words.startswith("no sink took the page of 12:")
    # It watches all the same: that nobody does would be said by another rule, and be false.
    assert s.figures.beats[-1] >= s.clock.now() - timedelta(seconds=30)


class Failing(MemoryStore):
    """A store that is gone for a while."""

    is_gone = False

    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        if self.is_gone:
            raise StoreError("store: no connection. Look whether the server is up.")
        return await super().claim(slot, holder=holder, at=at)


def test_store_that_is_gone__launches_nothing_says_so_and_goes_on_when_it_is_back() -> None:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    store = Failing(prober="test")
    s = Scene(clock, World(clock), store)
    store.is_gone = True
    said: list[str] = []

    async def come_back() -> None:
        said.extend(s.notices.all())
        assert await store.canaries(CanaryQuery()) == []
        store.is_gone = False
        await clock.sleep(20)

    play(s, 20.0, s.daemon(), then=come_back)

    assert said == [
        "store: no connection. Look whether the server is up. Nothing is launched that can't be recorded."
    ]
    assert len(launched(store)) == 1
    assert s.notices.all() == []


class Forgetting(MemoryStore):
    """A store whose connection is cut right after the first claim is committed."""

    has_answered = False

    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        is_ours = await super().claim(slot, holder=holder, at=at)
        if not self.has_answered:
            self.has_answered = True
            raise StoreError("store: the connection was lost.")
        return is_ours


def test_claim_whose_answer_was_lost__is_known_again_and_its_slot_launched_once() -> None:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    store = Forgetting(prober="test")
    s = Scene(clock, World(clock), store)

    async def look() -> None:
        await clock.sleep(20)

    play(s, 20.0, s.daemon(), then=look)

    assert len(launched(store)) == 1


class ForgettingRecords(MemoryStore):
    """A store whose connection is cut right after the first canary is committed, whoever of a batch asks."""

    answers_lost = 0

    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        await super().record(*several, holder=holder, lease_until=lease_until)
        self.answers_lost += 1
        if self.answers_lost <= 1:
            raise StoreError("store: the connection was lost.")


def test_record_whose_answer_was_lost__is_repeated_with_the_same_canary_and_the_slot_has_one() -> None:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    store = ForgettingRecords(prober="test")
    s = Scene(clock, World(clock), store)

    async def look() -> None:
        await clock.sleep(20)

    play(s, 20.0, s.daemon(), then=look)

    assert store.answers_lost == 2
    assert len(launched(store)) == 1
