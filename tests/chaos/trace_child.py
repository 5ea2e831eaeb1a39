"""`python -m tests.chaos.trace_child JSON`: one run of a prober over a pretend intake, at a time of its own, that sends
its traces, and dies by SIGKILL where it is told to. It prints what of OpenTelemetry was loaded while a canary left."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from canary.canary import Canary
from canary.path import Path, Slo
from probes.contracts import Report
from runners.clock import SystemClock
from runners.config.telemetry import OtlpConfig
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from runners.store import open_store
from runners.store.store import SqlStore
from runners.telemetry.exporting import Exporter
from runners.telemetry.traces import OtlpSender
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeProbe, World, email_path, prober_of

HEAVY = ("opentelemetry", "google.protobuf", "requests")


class Shifted(SystemClock):
    """The machine's clock, some hours on: as it will be for a process that is begun then."""

    def __init__(self, hours: float) -> None:
        super().__init__()
        self._shift = timedelta(hours=hours)

    def now(self) -> datetime:
        return super().now() + self._shift


def path() -> Path:
    return replace(email_path(), slo=Slo(deadline_seconds=4 * 3600.0, horizon_seconds=86_400.0))


def dies_at(verb: str, side: str) -> None:
    """Kill this process just before or after a verb of the store."""
    real: Callable[..., Awaitable[Any]] = getattr(SqlStore, verb)

    async def struck(*some: Any, **named: Any) -> Any:  # noqa: ANN401 -- whatever the verb takes
        answer = await real(*some, **named) if side == "after" else None
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(SqlStore, verb, struck)


async def main(asked: dict[str, Any]) -> dict[str, Any]:
    clock = Shifted(asked["hours"])
    world = World(clock=cast("FakeClock", clock), launch_seconds=0.0)
    loaded: list[str] = []
    launch = FakeProbe.launch

    async def noticed(probe: FakeProbe, canary: Canary, report: Report) -> None:
        loaded.extend(one for one in HEAVY if one in sys.modules)
        await launch(probe, canary, report)

    FakeProbe.launch = noticed  # type: ignore[method-assign, assignment]
    async with open_store(asked["store"], clock=clock, prober="test") as store:
        for record in await store.outstanding(clock.now()):
            world.sent[record.canary.id] = record.canary
        shot = OneShot(prober_of(world, path()), store, clock=clock, progress=Silent())
        result = await shot.run(RunOptions(detach=True) if asked["launches"] else RunOptions(launches=False))
        if asked["dies"]:
            dies_at(*asked["dies"])
        exporter = Exporter(
            store=store,
            sender=OtlpSender(OtlpConfig(asked["receiver"], timeout_seconds=5.0), clock=clock),
            clock=clock,
            holder=f"test/{os.getpid()}",
            chance=lambda: 0.5,
            redact=str,
            resource={"service.name": "intake-prober"},
            version="1",
        )
        await exporter.drain()
    return {
        "verdicts": [one.verdict.value for one in result.records],
        "loaded_at_launch": loaded,
        "loaded_at_end": [one for one in HEAVY if one in sys.modules],
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))  # noqa: T201 -- its answer
