"""A slot whose claimer is gone is launched by another, once; one that wakes up late sends nothing."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.canary import Canary
from canary.path import bisect_name, is_bisect
from canary.slot import MissedCause, Slot, due_slot
from canary.verdict import Verdict
from runners.contracts import CanaryQuery, StoreError
from runners.launch import LEASE
from runners.oneshot import LAUNCHES_AT_ONCE, OneShot, RunOptions, RunResult
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, email_path, prober_of
from tests.unit.runners.test_daemon import JUST_AFTER_A_SLOT, MINUTE, PATH, Scene, launched, play

SLOT = due_slot(PATH.name, timedelta(minutes=10), JUST_AFTER_A_SLOT)


class Troubled(MemoryStore):
    """A store to which one holder's first record comes late, or not for a while."""

    def __init__(self, clock: FakeClock, *, late_seconds: float = 0.0, away_seconds: float = 0.0) -> None:
        super().__init__(prober="test")
        self._clock = clock
        self._late_seconds = late_seconds
        self._back_at = clock.now() + timedelta(seconds=away_seconds)

    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        if self._clock.now() < self._back_at:
            raise StoreError("store: the disk is full. Free space where the store lies.")
        late_seconds, self._late_seconds = self._late_seconds, 0.0
        await self._clock.sleep(late_seconds)
        await super().record(*several, holder=holder, lease_until=lease_until)


class Robbed(MemoryStore):
    """A store in which the slot is taken over just before its canary is recorded."""

    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        now = several[0].launched_at
        assert await self.take_slot(SLOT, holder="thief", claimed_before=now + LEASE, at=now)
        await super().record(*several, holder=holder, lease_until=lease_until)


class Notes(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


def scene(store: MemoryStore | None = None, clock: FakeClock | None = None) -> Scene:
    at = clock or FakeClock(JUST_AFTER_A_SLOT)
    return Scene(at, World(at), store or MemoryStore(prober="test"))


def claimed_by_one_that_is_gone(s: Scene, slot: Slot = SLOT) -> None:
    assert asyncio.run(s.store.claim(slot, holder="gone", at=s.clock.now()))


def missed(store: MemoryStore) -> Sequence[MissedCause]:
    return [one.cause for one in asyncio.run(store.missed(PATH.name, since=SLOT.at - timedelta(days=1)))]


def due(s: Scene, notes: Notes | None = None) -> RunResult:
    shot = OneShot(s.prober(), s.store, clock=s.clock, progress=notes or Notes())
    return run_jumping(s.clock, shot.run(RunOptions(only_due=True)))


# the daemon
def test_process_that_died_after_its_claim__replica__launches_the_slot_when_the_lease_has_run_out() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)

    play(s, 29.0, daemon := s.daemon())
    assert launched(s.store) == []
    play(s, 5 * MINUTE, s.daemon(holder="b"))

    assert daemon.outstanding == 0
    assert launched(s.store) == [(SLOT.at, Verdict.CONFIRMED)]
    assert missed(s.store) == []
    [lag_seconds] = s.figures.lags
    assert 30.0 < lag_seconds < 40.0


def test_three_replicas_beside_a_dead_one__launch_its_slot_once() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)

    play(s, 5 * MINUTE, *(s.daemon(holder=holder) for holder in "abc"))

    assert launched(s.store) == [(SLOT.at, Verdict.CONFIRMED)]
    assert len(s.world.sent) == 1
    assert missed(s.store) == []


def test_process_that_stood_still_after_its_claim__wakes_up_to_a_slot_of_another_and_sends_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    s = scene(Troubled(clock, late_seconds=100.0), clock)

    with caplog.at_level(logging.WARNING):
        play(s, 5 * MINUTE, s.daemon(holder="a"), s.daemon(holder="b"))

    assert launched(s.store) == [(SLOT.at, Verdict.CONFIRMED)]
    assert len(s.world.sent) == 1
    events = [one.message for one in caplog.records]
    assert events.count("slot_taken_over") == 1
    assert events.count("launch_dropped") == 1
    assert s.notices.all() == []


@pytest.mark.parametrize("seconds", [50.0, 100.0])
def test_store_that_takes_no_record_for_longer_than_the_lease__slot_is_launched_once_when_it_does(
    seconds: float,
) -> None:
    clock = FakeClock(JUST_AFTER_A_SLOT)
    s = scene(Troubled(clock, away_seconds=seconds), clock)

    play(s, 5 * MINUTE, s.daemon())

    assert launched(s.store) == [(SLOT.at, Verdict.CONFIRMED)]
    assert len(s.world.sent) == 1
    assert missed(s.store) == []


def test_slot_in_vain_after_which_another_is_due__is_missed_and_not_caught_up() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)
    s.clock.advance(10 * MINUTE)

    play(s, 5 * MINUTE, s.daemon())

    assert [at for at, _ in launched(s.store)] == [SLOT.at + timedelta(minutes=10)]
    assert missed(s.store) == [MissedCause.STOPPED]


def test_slot_in_vain_of_a_path_that_is_disabled_or_unknown__is_left_alone() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)
    claimed_by_one_that_is_gone(s, Slot(email_path("elsewhere").name, SLOT.at))

    play(s, 5 * MINUTE, s.daemon(replace(PATH, is_enabled=False)))

    assert launched(s.store) == []
    assert s.world.sent == {}


def test_clock_set_back_by_an_hour_after_the_claim__nothing_is_launched_twice() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)
    s.clock.step(-3600)

    play(s, 75 * MINUTE, s.daemon(holder="a"), s.daemon(holder="b"))

    slots = [at for at, _ in launched(s.store)]
    assert len(slots) == len(set(slots)) == len(s.world.sent)
    assert SLOT.at in slots


# one shot
def test_run_beside_a_claim_that_is_young__leaves_the_slot_to_it() -> None:
    s = scene()
    claimed_by_one_that_is_gone(s)
    s.clock.advance(30)

    result = due(s)

    assert result.records == ()
    assert result.exit_code == 0


def test_run_after_one_that_was_killed_at_its_claim__launches_the_slot_and_says_so() -> None:
    s, notes = scene(), Notes()
    claimed_by_one_that_is_gone(s)
    s.clock.advance(31)

    result = due(s, notes)
    due(s)

    assert launched(s.store) == [(SLOT.at, Verdict.CONFIRMED)]
    assert result.exit_code == 0
    assert missed(s.store) == []
    assert [one for one in notes.texts if "claimed the slot of 2026-03-02 12:00 UTC" in one]


def test_slot_in_vain_of_a_path_at_its_cap__is_taken_over_and_kept_as_missed_for_the_cap() -> None:
    s = scene()
    prober = replace(s.prober(), cap_per_hour={"desk": 0})
    claimed_by_one_that_is_gone(s)
    s.clock.advance(31)

    shot = OneShot(prober, s.store, clock=s.clock, progress=Silent())
    run_jumping(s.clock, shot.run(RunOptions(only_due=True)))

    assert missed(s.store) == [MissedCause.CAP]
    assert s.world.sent == {}


def test_run_whose_slot_was_taken_over__sends_nothing_and_is_no_failure() -> None:
    s = scene(Robbed(prober="test"))

    result = due(s)

    assert (result.records, result.problem, result.exit_code) == ((), None, 0)
    assert s.world.sent == {}
    assert asyncio.run(s.store.claimed_in_vain(None, before=s.clock.now() + LEASE)) == [SLOT]


def test_slots_that_wait_for_their_turn_in_a_run__are_not_taken_over_by_the_next_run() -> None:
    s, notes = scene(), Notes()
    s.world.launch_seconds = 50.0
    paths = [email_path(f"path-{n}", deadline_seconds=300.0) for n in range(LAUNCHES_AT_ONCE + 2)]
    s.clock.advance(10 * MINUTE)

    async def main() -> None:
        first, second = [
            OneShot(prober_of(s.world, *paths), s.store, clock=s.clock, progress=progress)
            for progress in (Silent(), notes)
        ]
        async with asyncio.TaskGroup() as group:
            group.create_task(first.run(RunOptions(only_due=True)))
            await s.clock.sleep(LEASE.total_seconds() + 5)
            group.create_task(second.run(RunOptions(only_due=True)))

    run_jumping(s.clock, main())

    assert len(s.world.sent) == len(paths)
    assert [one for one in notes.texts if "claimed the slot" in one] == []


class Overtaken(MemoryStore):
    """A store in which somebody who then dies is always the first to claim a bisect canary's slot."""

    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        if is_bisect(slot.path):
            await super().claim(slot, holder="gone" if slot not in self._slots else holder, at=at)
        return await super().claim(slot, holder=holder, at=at)


def test_bisect_canary_whose_claimer_died__is_sent_by_another() -> None:
    s = scene(Overtaken(prober="test"))
    s.world.ticket_after_seconds = None
    path = email_path(interval_seconds=120.0)
    hidden = replace(path, name=bisect_name(path.name), interval_seconds=None)

    play(s, 6 * MINUTE, s.daemon(path, hidden, holder="a"), s.daemon(path, hidden, holder="b"))

    sent = asyncio.run(s.store.canaries(CanaryQuery(path=hidden.name)))
    assert len(sent) == 1
