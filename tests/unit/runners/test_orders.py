"""What a run launches, and that what it does not launch is kept as missed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.canary import Canary
from canary.path import PathName
from canary.slot import MissedCause
from runners.contracts import AuditEntry, CanaryQuery, RemovalKind, StoreError, TriedRemoval
from runners.oneshot import OneShot, RunOptions
from runners.prober import Prober
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import SENDER, World, email_path, prober_of

PATH = PathName("support-email")
INTERVAL = 600.0


class Notes(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def notes() -> Notes:
    return Notes()


def due(prober: Prober, store: MemoryStore, clock: FakeClock, notes: Notes) -> None:
    shot = OneShot(prober, store, clock=clock, progress=notes)
    run_jumping(clock, shot.run(RunOptions(only_due=True)))


def missed(store: MemoryStore, clock: FakeClock) -> Sequence[MissedCause]:
    async def asked() -> Sequence[MissedCause]:
        since = clock.now() - timedelta(days=90)
        return [one.cause for one in await store.missed(PATH, since=since)]

    return run_jumping(clock, asked())


def test_first_run_ever__nothing_is_missed(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    due(prober_of(world), store, clock, notes)

    assert missed(store, clock) == []
    assert notes.texts == []


def test_machine_off_for_an_hour__next_run__keeps_the_five_slots_between_and_says_so(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    prober = prober_of(world)
    began_at = clock.now()
    due(prober, store, clock, notes)
    clock.advance(6 * INTERVAL - (clock.now() - began_at).total_seconds())

    due(prober, store, clock, notes)
    due(prober, store, clock, notes)

    assert missed(store, clock) == [MissedCause.NOT_RUNNING] * 5
    assert len(world.sent) == 2
    assert [text for text in notes.texts if "5 slots were missed" in text and "not_running" in text]
    assert len(notes.texts) == 1


def test_path_at_its_cap__due_slot__is_kept_as_missed_for_the_cap(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    prober = replace(prober_of(world), cap_per_hour={"desk": 1})
    due(prober, store, clock, notes)
    clock.advance(INTERVAL)

    due(prober, store, clock, notes)

    assert missed(store, clock) == [MissedCause.CAP]
    assert len(world.sent) == 1


def test_sender_at_its_cap__passes_the_turn_to_the_next_one_and_no_slot_is_missed(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    busy, path = replace(email_path("busy"), interval_seconds=300.0), email_path()
    both = (SENDER, "second@probe.example")
    prober = replace(
        prober_of(world, busy, path),
        senders={busy.name: (SENDER,), path.name: both},
        cap_per_hour={"desk": 6},
    )
    for _ in range(24):
        clock.advance(300)
        due(prober, store, clock, notes)

    launched = run_jumping(clock, store.canaries(CanaryQuery(path=path.name, limit=50)))
    assert missed(store, clock) == []
    assert {one.canary.sender for one in launched} == set(both)
    assert len(launched) >= 11


def test_all_senders_at_their_cap__due_slot__is_kept_as_missed_for_the_cap(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    both = (SENDER, "second@probe.example")
    prober = replace(prober_of(world), senders={PATH: both}, cap_per_hour={"desk": 1})
    for _ in range(2):
        due(prober, store, clock, notes)
        clock.advance(INTERVAL)

    due(prober, store, clock, notes)

    assert missed(store, clock) == [MissedCause.CAP]
    assert len(world.sent) == 2


def test_path_with_many_leftovers__due_slot__is_kept_as_missed_for_them(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    prober = prober_of(world)
    due(prober, store, clock, notes)
    clock.advance(INTERVAL)
    canary = next(iter(world.sent.values()))
    run_jumping(clock, _leave(store, canary, 21, clock))

    due(prober, store, clock, notes)

    assert missed(store, clock) == [MissedCause.LEFTOVERS]
    assert len(world.sent) == 1


def test_process_that_died_between_claim_and_record__its_slot_is_kept_as_missed(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: object, **__: object) -> None:
        raise StoreError("gone")

    prober = prober_of(world)
    with monkeypatch.context() as patch:
        patch.setattr(store, "record", dies)
        due(prober, store, clock, notes)
    clock.advance(INTERVAL)

    due(prober, store, clock, notes)

    assert missed(store, clock) == [MissedCause.STOPPED]
    assert len(world.sent) == 1


def test_launch_by_hand__claims_no_slot_and_misses_none(
    world: World, store: MemoryStore, clock: FakeClock, notes: Notes
) -> None:
    prober = prober_of(world, email_path(interval_seconds=None))
    shot = OneShot(prober, store, clock=clock, progress=notes)
    run_jumping(clock, shot.run(RunOptions()))
    clock.advance(10 * INTERVAL)

    due(prober, store, clock, notes)

    assert missed(store, clock) == []
    assert len(world.sent) == 1


async def _leave(store: MemoryStore, canary: Canary, count: int, clock: FakeClock) -> None:
    for number in range(count):
        entry = AuditEntry(
            at=clock.now(),
            prober="test",
            canary_id=canary.id,
            kind=RemovalKind.TICKET,
            place="desk",
            what=str(number),
            action="remove",
            outcome="failed",
            detail="locked",
        )
        await store.note_removed(TriedRemoval(entry, next_at=clock.now() + timedelta(hours=1)))
