"""What a daemon pushes: replicas of one name send the same series, and none resets the counters of another."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from canary.instruments import metrics
from probes.masking import Masker
from probes.request_outcome import RequestOutcome
from runners.config.load import load
from runners.prober import Prober
from runners.telemetry.families import Snapshot
from runners.telemetry.otlp_metrics import OtlpMetrics
from runners.telemetry.process_figures import ProcessFigures, StoreErrorKind
from runners.telemetry.pushing import PUSH_SECONDS
from runners.telemetry.snapshot import Snapshots
from runners.ways_out import pushing_loops
from tests.fakes import every_state
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.unit.runners.config.examples import ENVIRON, changed
from tests.unit.runners.telemetry.test_every_state import values

PROBER = every_state.PROBER


@dataclass
class Replica:
    """As much of a prober as is asked here."""

    figures: ProcessFigures
    name: str = PROBER
    masker: Masker = Masker()  # noqa: RUF009 -- it masks nothing


def test_replicas_of_one_name__send_what_all_of_them_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = 'telemetry: {otlp: "http://collector:4318", metrics: {listen: "127.0.0.1:9464"}}\n'
    (tmp_path / "intake.yaml").write_text(
        changed(old, 'telemetry: {otlp: "http://collector:4318", metrics: {otlp: always}}\n')
    )
    config = load(tmp_path / "intake.yaml", environ=ENVIRON)
    clock, store = FakeClock(), MemoryStore(prober=PROBER)
    sent: list[Snapshot] = []

    async def push(_: OtlpMetrics, snapshot: Snapshot) -> None:
        sent.append(snapshot)

    monkeypatch.setattr(OtlpMetrics, "push", push)
    several = [ProcessFigures(PROBER, build=every_state.BUILD, systems=["desk"]) for _ in range(2)]
    pages = [Snapshots(store, one, paths=every_state.PATHS, clock=clock) for one in several]
    for figures, requests in zip(several, (5, 2), strict=True):
        for _ in range(requests):
            figures.api_request("desk", RequestOutcome.OK)
        figures.note_lag(0.7)
    several[1].store_error(StoreErrorKind.WRITE)

    async def replica(page: Snapshots, figures: ProcessFigures) -> None:
        prober = cast("Prober", Replica(figures))
        await pushing_loops(page, prober, config, store, clock=clock)["metrics"]()

    async def main() -> list[Snapshot]:
        async with asyncio.TaskGroup() as group:
            loops = [
                group.create_task(replica(page, figures))
                for page, figures in zip(pages, several, strict=True)
            ]
            await clock.sleep(1.5 * PUSH_SECONDS)
            several[0].api_request("desk", RequestOutcome.OK)
            await clock.sleep(2 * PUSH_SECONDS)
            for one in loops:
                one.cancel()
        return [await one.fresh() for one in pages]

    shown = run_jumping(clock, main())

    assert len(sent) == 6
    assert [values(one, metrics.TICKET_API_REQUESTS)["desk", "ok", PROBER] for one in sent[2:]] == [8] * 4
    assert [values(one, metrics.PROBER_STORE_ERRORS)[PROBER, "write"] for one in sent[2:]] == [1] * 4
    assert [values(one, metrics.PROBER_SCHEDULER_LAG)[PROBER,] for one in sent[2:]] == [2] * 4
    # Each page goes on to show its own process's.
    assert [values(one, metrics.TICKET_API_REQUESTS)["desk", "ok", PROBER] for one in shown] == [6, 2]
