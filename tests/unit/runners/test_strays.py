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


def orphan(at: datetime, number: int) -> Orphan:
    canary_id = mint_id(at, bytes([0, 0, 0, number]))
    return Orphan(canary_id, launched_at_of(canary_id), Ticket(TicketRef("desk", TicketId(str(number)))))


def test_young_ticket_that_no_store_knows__stays_and_is_told_with_when_to_come_again() -> None:
    clock = FakeClock()
    now = clock.now()
    world = World(clock)
    prober = prober_of(world, email_path())
    deadline = timedelta(seconds=email_path().slo.deadline_seconds)
    old, young = orphan(now - deadline - timedelta(minutes=2), 1), orphan(now - timedelta(seconds=30), 2)
    watcher = Found(old, young)
    place = replace(prober.places["desk"], tickets=watcher, may_write=True)
    heard = Heard()

    strays = Strays(
        replace(prober, places={"desk": place}), MemoryStore(prober="test"), clock=clock, progress=heard
    )
    run_jumping(clock, strays.remove())

    assert watcher.removed == [old.canary_id]
    (said,) = [one for one in heard.notes if "another prober's" in one]
    assert said.startswith("desk: 1 ticket of ours")
    assert "intake-prober sweep" in said
