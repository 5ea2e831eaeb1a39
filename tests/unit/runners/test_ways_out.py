"""What a daemon pushes: replicas of one name are instances of their own, and none overwrites another's figures."""

import asyncio
import os
import socket
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from canary.instruments import metrics
from probes.masking import Masker
from probes.request_outcome import RequestOutcome
from runners.config.config import Config
from runners.config.load import load
from runners.prober import Prober
from runners.telemetry.families import Snapshot
from runners.telemetry.otlp_metrics import OtlpMetrics
from runners.telemetry.process_figures import ProcessFigures
from runners.telemetry.pushing import PUSH_SECONDS
from runners.telemetry.routes import Route
from runners.telemetry.snapshot import Snapshots
from runners.ways_out import one_shot_routes, pushing_loops, serving_routes
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


def configured(tmp_path: Path) -> Config:
    old = 'telemetry: {otlp: "http://collector:4318", metrics: {listen: "127.0.0.1:9464"}}\n'
    (tmp_path / "intake.yaml").write_text(
        changed(old, 'telemetry: {otlp: "http://collector:4318", metrics: {otlp: always}}\n')
    )
    return load(tmp_path / "intake.yaml", environ=ENVIRON)


def instances(routes: Sequence[Route] | None) -> list[str]:
    return [one.otlp.resource["service.instance.id"] for one in routes or () if isinstance(one, OtlpMetrics)]


def test_replicas_of_one_name__send_each_its_own_figures_and_none_overwrites_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(tmp_path)
    clock, store = FakeClock(), MemoryStore(prober=PROBER)
    sent: dict[str, list[Snapshot]] = {}

    async def push(self: OtlpMetrics, snapshot: Snapshot) -> None:
        sent.setdefault(self.otlp.resource["service.instance.id"], []).append(snapshot)

    monkeypatch.setattr(OtlpMetrics, "push", push)
    several = [ProcessFigures(PROBER, build=every_state.BUILD, systems=["desk"]) for _ in range(2)]
    loops = []
    for pid, (figures, requests) in enumerate(zip(several, (5, 2), strict=True), 41):
        for _ in range(requests):
            figures.api_request("desk", RequestOutcome.OK)
        figures.blind("dns", is_blind=pid == 41)
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        page = Snapshots(store, figures, paths=every_state.PATHS, clock=clock)
        loops.append(
            pushing_loops(page, cast("Prober", Replica(figures)), config, store, clock=clock)["metrics"]
        )

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(cast("Coroutine[object, object, None]", one())) for one in loops]
            await clock.sleep(1.5 * PUSH_SECONDS)
            several[0].api_request("desk", RequestOutcome.OK)
            await clock.sleep(PUSH_SECONDS)
            for one in running:
                one.cancel()

    run_jumping(clock, main())

    first, second = sent.values()
    assert [values(one, metrics.TICKET_API_REQUESTS)["desk", "ok", PROBER] for one in first] == [5, 6]
    assert [values(one, metrics.TICKET_API_REQUESTS)["desk", "ok", PROBER] for one in second] == [2, 2]
    assert [values(one, metrics.PROBER_BLIND)[PROBER, "dns"] for one in first] == [1, 1]
    assert [values(one, metrics.PROBER_BLIND)[PROBER, "dns"] for one in second] == [0, 0]


def test_instance__is_of_the_process_where_it_lasts_and_of_the_prober_in_a_run(tmp_path: Path) -> None:
    config = configured(tmp_path)
    made = one_shot_routes(config, clock=FakeClock())
    name = config.prober.name

    assert instances(serving_routes(config)) == [f"{name}/{socket.gethostname()}/{os.getpid()}"]
    assert made is not None
    assert instances(made()) == [name]
    assert config.telemetry.otlp_traces is not None
    assert config.telemetry.otlp_traces.resource["service.instance.id"] == name
