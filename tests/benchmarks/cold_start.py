"""Cold start: `--help` and `status` beside the bare interpreter, each as a process of its own."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from canary.path import PathName
from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.store import open_store
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.scene import Cost
from tests.contracts.store_cases import judged, make_canary, settlement
from tests.real.intake import new_intake
from tests.sandbox import ROOT, Sandbox

ROUNDS = 21
CANARIES = 2_000


def tables(sandbox: Sandbox) -> Iterator[Table]:
    with tempfile.TemporaryDirectory(prefix="intake-bench-") as directory:
        intake = new_intake(Path(directory), sandbox.endpoints)
        asyncio.run(_fill(intake.store))
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "intake-prober --help": intake.command("--help"),
            f"intake-prober status ({CANARIES:,} canaries)": intake.command("status"),
        }
        for command in commands.values():
            started(command)  # leaves the bytecode behind that an installation has
        costs: dict[str, list[Cost]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                costs[name].append(started(command))
    bare = median(one.wall_seconds for one in costs["python -c pass"])
    rows = []
    for name, found in costs.items():
        wall, cpu = median(one.wall_seconds for one in found), median(one.cpu_seconds for one in found)
        rows.append((name, f"{wall:.3f} s", f"{cpu:.3f} s", f"+{wall - bare:.3f} s", ratio(wall, bare)))
    yield Table(
        "Cold start",
        ("command", "wall", "CPU", "over the interpreter", "ratio"),
        rows,
        f"Medians of {ROUNDS} starts of each, alternating. Aim: `status` under 0.5 s over the bare interpreter.",
    )


async def _fill(address: str) -> None:
    clock = SystemClock()
    async with open_store(address, clock=clock) as store:
        for number in range(CANARIES):
            canary = make_canary(number, path=PathName("support-email"))
            await store.record(canary, holder="bench", lease_until=clock.now())
            await store.launch_ended(canary.id)
            _, version = await store.progress(canary.path)
            await store.settle(settlement(judged(canary, Verdict.CONFIRMED), version=version))


def started(command: Sequence[str]) -> Cost:
    """What a command costs from its start to its end; whatever its exit status."""
    before, began = os.times(), time.perf_counter()
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, check=False, env=environment
    )
    wall, after = time.perf_counter() - began, os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(wall, cpu)
