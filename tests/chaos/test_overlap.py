"""Runs of one configuration at the same time: each slot one canary, each canary settled once, nobody fails."""

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from runners.clock import SystemClock
from runners.contracts import CanaryQuery, Sample
from runners.launch import LEASE
from runners.store import open_store
from tests.chaos.children import begin, wait_for, wait_until_past
from tests.real.intake import Intake, new_intake, tell_until_clean
from tests.real.servers.postgresql import running_postgresql
from tests.sandbox import Sandbox, start_sandbox

RUNS = 8
SCHEDULED: Mapping[str, Any] = {"every": "7d", "deadline": "10s", "horizon": "30s"}


@dataclass(frozen=True, slots=True)
class Stopped:
    """How a run ended that had stood still, what the one that took it over said, and how many tickets came of all."""

    status: int
    answer: dict[str, Any]
    taken_over: list[dict[str, Any]]
    tickets: int = 0


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("overlap") / "sandbox") as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def intake(request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox) -> Iterator[Intake]:
    changes: dict[str, Any] = {"paths": {"support-email": dict(SCHEDULED)}}
    if request.param == "sqlite":
        yield new_intake(tmp_path, sandbox.endpoints, changes)
        return
    with running_postgresql() as server:
        changes["prober"] = {"store": server.new_database()}
        yield new_intake(tmp_path, sandbox.endpoints, changes)


def samples_of(intake: Intake) -> list[Sample]:
    async def ask() -> list[Sample]:
        async with open_store(intake.store, clock=SystemClock(), read_only=True) as store:
            assert len(await store.canaries(CanaryQuery(limit=100))) == 1
            return list(await store.samples())

    return asyncio.run(ask())


def counted(samples: list[Sample], name: str, **labels: str) -> float:
    found = [one.value for one in samples if one.name == name and labels.items() <= one.labels.items()]
    return sum(found)


def test_eight_runs_at_once__launch_one_canary_and_settle_it_once(intake: Intake, sandbox: Sandbox) -> None:
    before = len(sandbox.tickets())
    with ThreadPoolExecutor(RUNS) as pool:
        answers = list(pool.map(lambda _: intake.tell("run", "--due"), range(RUNS)))
    tell_until_clean(intake)

    assert [one.exit for one in answers] == [0] * RUNS
    assert len(sandbox.tickets()) - before == 1
    samples = samples_of(intake)
    assert counted(samples, "intake.canary.launched") == 1
    assert counted(samples, "intake.canary.verdicts", verdict="confirmed") == 1
    assert counted(samples, "intake.slo.eligible") == 1


POINTS = ("smtp.open:1:before", "smtp.login:1:before", "smtp.command.mail:1:before")


@pytest.fixture(scope="module")
def stopped(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Stopped]:
    """Runs that stand still beyond their lease, each at another point; they wait side by side."""
    before = len(sandbox.tickets())
    folders = {point: tmp_path_factory.mktemp("stopped") for point in POINTS}
    with ThreadPoolExecutor(len(POINTS)) as pool:
        runs = {point: pool.submit(_stopped, sandbox, folder, point) for point, folder in folders.items()}
    more = len(sandbox.tickets()) - before
    return {point: replace(run.result(), tickets=more) for point, run in runs.items()}


def _stopped(sandbox: Sandbox, folder: Path, point: str) -> Stopped:
    intake = new_intake(folder, sandbox.endpoints, {"paths": {"support-email": dict(SCHEDULED)}})
    file = folder / "stopped"
    with begin(f"stop:{point}", file, intake.words("--json", "run", "--due")) as frozen:
        wait_for(file.exists)
        wait_until_past(LEASE.total_seconds() + 1)
        taken_over = intake.tell("sweep")
        frozen.send_signal(signal.SIGCONT)
        said, _ = frozen.communicate(timeout=60)
    tell_until_clean(intake)
    return Stopped(frozen.returncode, json.loads(said), taken_over.said["canaries"])


@pytest.mark.parametrize("point", POINTS)
def test_run_that_was_stopped_beyond_its_lease__goes_on_without_sending(
    stopped: Mapping[str, Stopped], point: str
) -> None:
    run = stopped[point]

    assert [(one["verdict"], one["reason"]) for one in run.taken_over] == [("inconclusive", "prober_stopped")]
    assert run.tickets == 0
    assert run.answer["exit"] == run.status
