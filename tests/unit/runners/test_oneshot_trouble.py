"""A run in trouble: a store that fails, a clock that jumps, places that answer slowly or not at all."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest

from canary.gauge import Gauge
from canary.hop import Hop
from canary.observation import Observation
from canary.path import Path
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Verdict
from probes.contracts import RemovalState
from runners.contracts import Settlement, StoreError, TriedRemoval
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.prober import GaugedPlace, Place, Prober
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeDeskWatcher, World, email_path, prober_of
from tests.unit.runners.test_gauging import Reader

Answer = TypeVar("Answer")

FULL = "intake.db: the disk is full. Free some space."
LOCKED = "intake.db: it is locked by another process."


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def ran(prober: Prober, store: MemoryStore, clock: FakeClock, options: RunOptions | None = None) -> RunResult:
    shot = OneShot(prober, store, clock=clock, progress=Silent())
    return run_jumping(clock, shot.run(options or RunOptions()))


def with_two_desks(world: World, *paths: Path) -> Prober:
    prober = prober_of(world, *paths)
    other = Place(FakeDeskWatcher(world, "other"), Hop.TICKET_CONTENT)
    return replace(prober, places={**prober.places, "other": other})


def reasons(result: RunResult) -> list[Reason | None]:
    judgements = [one.judgement for one in result.records]
    return [one.stop.reason if one is not None and one.stop is not None else None for one in judgements]


def test_store_that_is_locked__is_not_waited_for_once_a_canary(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = clock.monotonic()

    async def locked(*_: Settlement) -> None:
        await clock.sleep(5.0)
        raise StoreError(LOCKED)

    monkeypatch.setattr(store, "settle", locked)
    paths = [email_path(f"path-{number}", deadline_seconds=600.0) for number in range(10)]

    result = ran(prober_of(world, *paths), store, clock)

    assert result.problem == LOCKED
    assert clock.monotonic() - began < 30


@pytest.mark.parametrize("ticket_after_seconds", [5.0, None])
def test_store_that_fails_for_good__ends_the_run_long_before_the_deadline(
    world: World,
    store: MemoryStore,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    ticket_after_seconds: float | None,
) -> None:
    world.ticket_after_seconds = ticket_after_seconds
    began_at = clock.now()
    append = store.append

    async def appended(*observations: Observation) -> Sequence[bool]:
        if clock.now() - began_at > timedelta(seconds=3):
            raise StoreError(FULL)
        return await append(*observations)

    monkeypatch.setattr(store, "append", appended)

    result = ran(prober_of(world, email_path(deadline_seconds=3000.0)), store, clock)

    assert result.exit_code == 3
    assert result.problem == FULL
    assert clock.now() - began_at < timedelta(seconds=60)


def fails_once(work: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    failed: list[bool] = []

    async def once(*args: object, **kwargs: object) -> Answer:
        if not failed:
            failed.append(True)
            raise StoreError(LOCKED)
        return await work(*args, **kwargs)

    return once


@pytest.mark.parametrize("verb", ["observations_of", "settle", "progress"])
def test_store_that_fails_once_while_it_judges__judges_again_and_confirms(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    monkeypatch.setattr(store, verb, fails_once(getattr(store, verb)))
    began_at = clock.now()

    result = ran(prober_of(world, email_path(deadline_seconds=600.0)), store, clock)

    assert [one.verdict for one in result.records] == [Verdict.CONFIRMED]
    assert result.exit_code == 0
    assert clock.now() - began_at < timedelta(seconds=60), "the deadline was waited for"


def test_place_whose_audit_fails__tears_no_removal_that_another_place_has_begun(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.removal_seconds = 3.0
    path = email_path()
    note = store.note_removed

    async def fail_for_the_other(*tried: TriedRemoval) -> None:
        if any(one.entry.place == "other" for one in tried):
            raise StoreError(FULL)
        await clock.sleep(1.0)
        await note(*tried)

    monkeypatch.setattr(store, "note_removed", fail_for_the_other)
    prober = replace(with_two_desks(world, replace(path, mailbox="other")))

    result = ran(prober, store, clock)

    lines = run_jumping(clock, store.audit(since=None, limit=9))
    assert [one.outcome for one in lines if one.place == "desk"] == [RemovalState.DONE, "begun"]
    assert result.problem == FULL


def test_clock_stepped__is_noticed_once_and_spoils_every_canary_that_is_out(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.ticket_after_seconds = None
    clock.call_at(10, lambda: clock.step(600))
    paths = [email_path("one", deadline_seconds=900), replace(email_path("two"), ticketing="other")]

    result = ran(with_two_desks(world, *paths), store, clock)

    assert reasons(result) == [Reason.CLOCK_STEPPED] * 2


def test_slots_due_together__are_held_to_the_cap_of_their_sender(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    paths = [email_path(f"path-{number}") for number in range(5)]
    prober = replace(prober_of(world, *paths), cap_per_hour={"desk": 2})

    ran(prober, store, clock, RunOptions(only_due=True))

    assert len(world.sent) == 2


def test_leftover_that_was_only_feared__is_gone_when_the_place_can_be_seen_and_has_nothing(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.desk_is_blind, world.ticket_after_seconds = True, None
    prober = prober_of(world)
    ran(prober, store, clock)
    assert [one.what for one in run_jumping(clock, store.leftovers())] == [""]
    world.desk_is_blind = False

    ran(prober, store, clock, RunOptions(launches=False))

    assert run_jumping(clock, store.leftovers()) == []


@dataclass
class CountingReader(Reader):
    readings: int = 0

    async def read(self) -> Sequence[Gauge]:
        self.readings += 1
        return await super().read()


def test_many_breaches_of_one_mailbox__read_its_gauge_once_and_keep_nobody_from_being_seen(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.ticket_after_seconds = 70.0
    broken = [replace(email_path(f"broken-{number}"), mailbox="support") for number in range(20)]
    slow = email_path("slow", deadline_seconds=75.0)
    reader = CountingReader(clock, value=1000.0, seconds=15.0)
    prober = replace(prober_of(world, *broken, slow), gauges=(GaugedPlace(reader),))

    result = ran(prober, store, clock)

    verdicts = {one.canary.path: one.verdict for one in result.records}
    assert verdicts.pop(slow.name) is Verdict.CONFIRMED
    assert set(verdicts.values()) <= {Verdict.BREACHED, Verdict.LATE}
    assert reader.readings <= 3, "once for the run, and once for the breaches that come together"


def test_verdict_that_others_keep_changing__is_judged_again_until_it_holds(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = store.settle
    conflicts: list[CanaryId] = []

    async def ten_conflicts(settlement: Settlement) -> None:
        if len(conflicts) < 10:
            conflicts.append(settlement.judgement.canary_id)
            await settle(replace(settlement, progress_version=99))
        await settle(settlement)

    monkeypatch.setattr(store, "settle", ten_conflicts)
    began_at = clock.now()

    result = ran(prober_of(world, email_path(deadline_seconds=600.0)), store, clock)

    assert [one.verdict for one in result.records] == [Verdict.CONFIRMED]
    assert clock.now() - began_at < timedelta(seconds=60), "the deadline was waited for"


def test_canary_that_never_left__is_clean_without_a_look_and_leaves_no_leftover(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.no_connection, world.desk_is_blind = True, True

    ran(prober_of(world), store, clock)
    clock.advance(2 * 3600.0)
    ran(prober_of(world), store, clock, RunOptions(launches=False))

    assert run_jumping(clock, store.leftovers()) == []
    assert run_jumping(clock, store.outstanding(clock.now())) == []
    assert world.removed == []


def test_canary_whose_rows_can_not_be_read__keeps_no_other_from_its_verdict(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = store.observations_of

    async def unreadable_for_one(
        canary_ids: Sequence[CanaryId],
    ) -> Mapping[CanaryId, Sequence[Observation]]:
        if any(world.sent[one].path == "torn" for one in canary_ids if one in world.sent):
            raise StoreError("intake.db: a row can't be read.")
        return await read(canary_ids)

    monkeypatch.setattr(store, "observations_of", unreadable_for_one)

    result = ran(prober_of(world, email_path("torn"), email_path("whole")), store, clock)

    assert {one.canary.path: one.verdict for one in result.records} == {
        "torn": Verdict.PENDING,
        "whole": Verdict.CONFIRMED,
    }
    assert result.problem == "intake.db: a row can't be read."
