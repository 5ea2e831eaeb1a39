"""How a one-shot run ends: what it removed, what it leaves, and what is out when it is interrupted."""

import asyncio
import signal
from collections.abc import Sequence
from dataclasses import replace

import pytest

from canary.canary import Canary
from canary.path import PathName
from canary.verdict import Verdict
from probes.contracts import Report
from runners.contracts import Leftover, StoreError
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeProbe, World, email_path, prober_of


class Interrupting(FakeProbe):
    """Somebody presses Ctrl-C once the mail is out."""

    def __init__(self, world: World, store: "Silenced") -> None:
        super().__init__(world)
        self._store = store

    async def launch(self, canary: Canary, report: Report) -> None:
        await super().launch(canary, report)
        self._store.is_broken = self._store.breaks
        signal.raise_signal(signal.SIGINT)
        await asyncio.Event().wait()


class Silenced(MemoryStore):
    """A store that fails, where it ``breaks``, from the interruption on when it is asked what is left over."""

    def __init__(self, *, breaks: bool) -> None:
        super().__init__()
        self.breaks = breaks
        self.is_broken = False

    async def leftovers(self) -> Sequence[Leftover]:
        if self.is_broken:
            raise StoreError("the disk is full")
        return await super().leftovers()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock, ticket_after_seconds=None)


def ran(
    world: World, store: MemoryStore, options: RunOptions | None = None, probe: FakeProbe | None = None
) -> RunResult:
    prober = prober_of(world, email_path())
    if probe is not None:
        prober = replace(prober, probes={PathName("support-email"): probe})
    shot = OneShot(prober, store, clock=world.clock, progress=Silent())
    return run_jumping(world.clock, shot.run(options or RunOptions()))


@pytest.mark.parametrize("breaks", [False, True])
def test_interrupted_run__says_which_canary_is_out_whether_the_store_answers_or_not(
    world: World, *, breaks: bool
) -> None:
    store = Silenced(breaks=breaks)

    result = ran(world, store, probe=Interrupting(world, store))

    assert result.exit_code == 130
    assert [(one.verdict, one.canary.id in world.sent) for one in result.waiting] == [(Verdict.PENDING, True)]


def test_sweep_after_the_horizon__tells_what_it_removed_and_leaves_nothing(world: World) -> None:
    store = MemoryStore()
    first = ran(world, store)
    assert [one.verdict for one in first.waiting] == [Verdict.BREACHED]
    assert first.removed == ()

    world.ticket_after_seconds = 0.0
    late = ran(world, store, RunOptions(launches=False))

    assert [(one.canary_id, one.outcome) for one in late.removed] == [(first.records[0].canary.id, "done")]
    assert late.waiting == ()


def test_confirmed_run__removed_its_ticket_and_waits_for_nothing(world: World) -> None:
    world.ticket_after_seconds = 2.0

    result = ran(world, MemoryStore())

    assert [one.what for one in result.removed] != []
    assert result.waiting == ()
