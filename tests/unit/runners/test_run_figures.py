"""A one-shot run pushes its figures: after its work began, at its end, and whatever becomes of that, it exits as ever."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from canary.instruments import metrics
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.progress import Silent
from runners.telemetry.families import Snapshot
from runners.telemetry.process_figures import ProcessFigures
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, email_path, prober_of
from tests.unit.runners.telemetry.test_every_state import values
from tests.unit.runners.telemetry.test_pushing import Way

ROOT = Path(__file__).parents[3]
Run = Callable[..., tuple[RunResult, list[Snapshot]]]


@pytest.fixture
def run() -> Run:
    def go(
        *, refusal: str = "", ticket_after_seconds: float | None = 2.0, deadline_seconds: float = 60.0
    ) -> tuple[RunResult, list[Snapshot]]:
        clock = FakeClock()
        world = World(clock, ticket_after_seconds=ticket_after_seconds)
        way = Way(clock, refusal=refusal)
        prober = replace(
            prober_of(world, email_path(deadline_seconds=deadline_seconds)),
            routes=lambda: [way],
            figures=ProcessFigures("test", systems=["desk"]),
        )
        shot = OneShot(prober, MemoryStore(prober="test"), clock=clock, progress=Silent())

        async def main() -> RunResult:
            result = await shot.run(RunOptions())
            await shot.push()
            return result

        return run_jumping(clock, main()), way.taken

    return go


def test_closed_way__changes_neither_the_verdict_nor_the_exit(run: Run) -> None:
    result, taken = run(refusal="it is closed.")

    assert result.exit_code == 0
    assert taken == []


def test_run__pushes_its_own_verdict_and_its_heartbeat(run: Run) -> None:
    _, [snapshot] = run()

    assert values(snapshot, metrics.CANARY_VERDICTS)["support-email", "email", "confirmed"] == 1
    assert values(snapshot, metrics.PROBER_HEARTBEAT)["test",] == snapshot.at.timestamp()
    assert values(snapshot, metrics.PROBER_WATCHER_UP) == {("desk", "test"): 1}


def test_run_that_waits_long__pushes_meanwhile_with_its_canary_in_flight(run: Run) -> None:
    _, taken = run(ticket_after_seconds=None, deadline_seconds=150.0)

    in_flight = [values(one, metrics.PATH_IN_FLIGHT)["support-email",] for one in taken]
    assert in_flight[:2] == [1, 1]
    assert in_flight[-1] == 0


@pytest.mark.parametrize(
    "module", ["runners.oneshot", "runners.wiring", "runners.ways_out", "runners.cli.once"]
)
def test_nothing_that_exports__is_loaded_before_it_is_used(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(sys.modules))"
    loaded = subprocess.run(  # noqa: S603 -- ourselves
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()

    heavy = ("opentelemetry", "prometheus_client", "requests", "google.protobuf", "playwright.async_api")
    assert [one for one in loaded if one.startswith(heavy)] == []
    assert "runners.telemetry.pushing" not in loaded
    assert "runners.telemetry.exposition" not in loaded
