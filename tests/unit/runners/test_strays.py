"""Strays: what is old enough is removed; what may be another prober's is left alone, and said to be."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from canary.signature import launched_at_of, mint_id
from canary.ticket import Ticket, TicketId, TicketRef
from probes.contracts import Disposed, RemovalState
from probes.ticketing.watcher import Orphan, TicketWatcher
from runners.progress import Silent
from runners.strays import Strays
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, email_path, prober_of


class Found(TicketWatcher):
    """Shows what it was given, and notes what is removed."""

    def __init__(self, *orphaned: Orphan) -> None:
        self.orphaned = orphaned
        self.removed: list[str] = []

    async def orphans(self) -> tuple[Sequence[Orphan], bool]:
        return self.orphaned, True

    async def remove_orphans(self, orphans: Sequence[Orphan]) -> Sequence[Disposed]:
        self.removed += [one.canary_id for one in orphans]
        return [Disposed(one.ticket.ref, RemovalState.DONE) for one in orphans]


class Heard(Silent):
    """What was noted."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def orphan(at: datetime, number: int, *, is_trial: bool = False) -> Orphan:
    canary_id = mint_id(at, bytes([0, 0, 0, number]))
    return Orphan(
        canary_id, launched_at_of(canary_id), Ticket(TicketRef("desk", TicketId(str(number)))), is_trial
    )


def swept(*orphans: Orphan, clock: FakeClock) -> tuple[list[str], list[str]]:
    """What a sweep removes of these, and what it notes."""
    prober = prober_of(World(clock), email_path())
    watcher, heard = Found(*orphans), Heard()
    place = replace(prober.places["desk"], tickets=watcher, may_write=True)
    strays = Strays(
        replace(prober, places={"desk": place}), MemoryStore(prober="test"), clock=clock, progress=heard
    )
    run_jumping(clock, strays.remove())
    return watcher.removed, heard.notes


def test_young_ticket_that_no_store_knows__stays_and_is_told_with_when_to_come_again() -> None:
    clock = FakeClock()
    deadline = timedelta(seconds=email_path().slo.deadline_seconds)
    old = orphan(clock.now() - deadline - timedelta(minutes=2), 1)
    young = orphan(clock.now() - timedelta(seconds=30), 2)

    removed, notes = swept(old, young, clock=clock)

    assert removed == [old.canary_id]
    (said,) = [one for one in notes if "young" in one]
    assert said.startswith("desk: 1 ticket of ours is so young that another prober may still be at it")
    assert "intake-prober sweep" in said


def test_ticket_of_a_trial__is_a_stray_after_five_minutes_however_long_a_deadline_is() -> None:
    clock = FakeClock()
    young = orphan(clock.now() - timedelta(minutes=4), 1, is_trial=True)
    old = orphan(clock.now() - timedelta(minutes=6), 2, is_trial=True)

    assert swept(young, old, clock=clock)[0] == [old.canary_id]
