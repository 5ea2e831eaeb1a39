"""What telemetry costs a canary and a one-shot run: traces, metrics and textfile on, against off, alternating."""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from statistics import median
from typing import Any

from runners.clock import SystemClock
from runners.config.load import load
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from runners.store import open_store
from runners.tracing import exporter_of
from runners.wiring import wired
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.scene import PATH, Cost, costing
from tests.real.intake import Intake, new_intake
from tests.sandbox import ROOT, Sandbox

ROUNDS = 9
SEVERAL = 10
"""So many paths run at once: what a run pushes at its end is shared by their canaries."""
STARTS = 5
_PARTS = {
    "textfile only": (),
    "OTLP, traces and metrics": (
        "opentelemetry.exporter.otlp.proto.http.trace_exporter",
        "opentelemetry.exporter.otlp.proto.http.metric_exporter",
        "opentelemetry.sdk.trace.export",
        "opentelemetry.sdk.metrics.export",
    ),
}


def tables(sandbox: Sandbox) -> Iterator[Table]:
    with tempfile.TemporaryDirectory(prefix="intake-bench-") as directory, _receiving() as url:
        rows = [
            row
            for count in (1, SEVERAL)
            for row in _rows(count, *_costs(sandbox, Path(directory) / str(count), url, count))
        ]
        yield _canary(rows)
        yield _imports()


@contextmanager
def _receiving() -> Iterator[str]:
    """The address of a receiver in a process of its own: what it does is no cost of ours."""
    words = [sys.executable, "-m", "tests.real.otlp_receiver"]
    with subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.stdin.close()


async def _life(intake: Intake) -> None:
    """One run, wired anew as a process of its own is: a canary a path, their traces, the figures."""
    config, clock = load(intake.configuration, allow_literal_secrets=True), SystemClock()
    async with open_store(intake.store, clock=clock, prober=config.prober.name) as store:
        async with wired(config, clock=clock, store=store, progress=Silent()) as prober:
            shot = OneShot(prober, store, clock=clock, progress=Silent())
            result = await shot.run(RunOptions())
        assert result.exit_code == 0, result.records
        exporter = exporter_of(config, store, clock=clock, failed=lambda: None, is_oneshot=True)
        if exporter is not None:
            await exporter.drain()
        await shot.push()


def _costs(sandbox: Sandbox, folder: Path, url: str, count: int) -> tuple[list[Cost], list[Cost]]:
    """Of runs of so many canaries without telemetry and with it, alternating."""
    paths: dict[str, Any] = {f"support-{number:03}": deepcopy(PATH) for number in range(count)}
    several = {"paths": {"support-email": None, **paths}}
    on = {"telemetry": {"otlp": url, "metrics": {"textfile": "figures.prom"}}}
    quiet = new_intake(folder / "off", sandbox.endpoints, several)
    loud = new_intake(folder / "on", sandbox.endpoints, {**several, **on})
    off, with_it = [], []
    with asyncio.Runner() as loop:
        for intake in (quiet, loud):
            loop.run(_life(intake))  # the first of each loads what it needs
        for _ in range(ROUNDS):
            off.append(_cost(loop, quiet))
            with_it.append(_cost(loop, loud))
    return off, with_it


def _cost(loop: asyncio.Runner, intake: Intake) -> Cost:
    with costing() as cost:
        loop.run(_life(intake))
    return cost[0]


def _rows(count: int, off: list[Cost], on: list[Cost]) -> Iterator[tuple[str, ...]]:
    for name, of, aim in (
        ("wall", lambda one: one.wall_seconds, "1.05"),
        ("CPU of this process", lambda one: one.cpu_seconds, "1.15"),
    ):
        without, with_it = median(map(of, off)) / count, median(map(of, on)) / count
        yield str(count), name, f"{without:.3f} s", f"{with_it:.3f} s", ratio(with_it, without), aim


def _canary(rows: list[tuple[str, ...]]) -> Table:
    return Table(
        "A canary with telemetry beside one without",
        ("canaries a run", "per canary", "off", "on", "ratio", "aim"),
        rows,
        f"Medians of {ROUNDS} runs of each, alternating, in one process that has loaded its libraries: OTLP traces and metrics to a"
        " receiver on loopback, and the textfile. All of it follows the verdicts and the answer; the figures are"
        " pushed once a run.",
    )


def _imports() -> Table:
    rows = [("before the first byte left", *_before_the_first_byte(), "0")]
    for name, modules in _PARTS.items():
        aim = "100 ms" if name == "textfile only" else ""
        rows.append((name, *_added(modules), aim))
    return Table(
        "Import time that telemetry adds to a one-shot run",
        ("when", "added", "modules", "aim"),
        rows,
        f"Medians of {STARTS} starts of each, alternating, over an interpreter that has loaded what a run needs anyway.",
    )


_BASE = "import runners.cli.once, runners.oneshot, runners.wiring, runners.store.store, runners.telemetry.process_figures"
_TIMED = """
import json, sys, time
{base}
before, began = len(sys.modules), time.perf_counter()
{more}
print(json.dumps([time.perf_counter() - began, len(sys.modules) - before]))
"""


def _added(modules: tuple[str, ...]) -> tuple[str, str]:
    more = "import " + ", ".join(("runners.telemetry.pushing", "runners.telemetry.textfile", *modules))
    found = [_timed(_TIMED.format(base=_BASE, more=more)) for _ in range(STARTS)]
    return f"{median(one[0] for one in found) * 1000:.0f} ms", str(int(found[0][1]))


def _before_the_first_byte() -> tuple[str, str]:
    """What of the exporters' libraries is loaded once a configuration with all of it is wired."""
    code = f"{_BASE}; import json, sys; print(json.dumps([0, len([one for one in sys.modules if one.startswith({_HEAVY!r})])]))"
    return "0 ms", str(int(_timed(code)[1]))


_HEAVY = ("opentelemetry", "prometheus_client", "requests", "google.protobuf", "runners.telemetry.pushing")


def _timed(code: str) -> Any:  # noqa: ANN401 -- whatever it prints
    given = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env=given,
    )
    return json.loads(done.stdout)
