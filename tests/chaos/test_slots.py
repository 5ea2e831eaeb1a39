"""Killed or stopped between the claim of a slot and the record of its canary: another launches it, once."""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from canary.path import PathName
from canary.slot import MissedSlot
from canary.verdict import Verdict
from runners.clock import SystemClock
from runners.contracts import CanaryQuery, Record
from runners.launch import LEASE
from runners.store import open_store
from tests.chaos.children import begin, wait_for, wait_until_past
from tests.chaos.points import main as points_main
from tests.processes import run
from tests.real.intake import Intake, new_intake
from tests.real.servers.postgresql import running_postgresql
from tests.real.servers.process import free_port
from tests.sandbox import Sandbox, start_sandbox

PATH = PathName("support-email")
SCHEDULED: Mapping[str, Any] = {"every": "7d", "deadline": "20s", "horizon": "60s"}
KILLED = -signal.SIGKILL
SLOWLY = 180.0
"""Five scenes side by side on a busy machine begin their processes slowly."""


@dataclass(frozen=True, slots=True)
class Played:
    """What was there in the end; ``said``: the answer of whoever woke up late, if anybody did."""

    canaries: list[Record]
    missed: list[MissedSlot]
    tickets: int
    said: dict[str, Any] | None = None


def struck(intake: Intake, point: str) -> int:
    """A run that ends itself at a point; returns its exit status."""
    words = [f"kill:{point}", str(intake.directory / point), "--", *intake.words("--json", "run", "--due")]
    return run(points_main, words, seconds=120).status


def lease_ran_out() -> None:
    wait_until_past(LEASE.total_seconds() + 1)


def daemon_beside_a_killed_run(intake: Intake) -> None:
    """The daemon stands still just before it would claim; a run claims meanwhile, and dies."""
    reached = intake.directory / "reached"
    with begin("stop:store.claim:1:before", reached, intake.words("serve")) as daemon:
        wait_for(reached.exists, seconds=SLOWLY)
        assert struck(intake, "store.record:1:before") == KILLED
        daemon.send_signal(signal.SIGCONT)
        wait_for(lambda: settled(intake), seconds=SLOWLY)
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=60)


def run_that_stands_still(intake: Intake) -> dict[str, Any]:
    """A run claims and stands still; the next one launches, and then the first one goes on."""
    reached = intake.directory / "reached"
    with begin("stop:store.record:1:before", reached, intake.words("--json", "run", "--due")) as frozen:
        wait_for(reached.exists, seconds=SLOWLY)
        lease_ran_out()
        intake.tell("run", "--due")
        frozen.send_signal(signal.SIGCONT)
        said, _ = frozen.communicate(timeout=60)
    answer: dict[str, Any] = json.loads(said)
    return answer


def taker_that_is_killed_too(intake: Intake) -> None:
    """A run dies with its claim, the next one right after it took over; the third one launches."""
    assert struck(intake, "store.record:1:before") == KILLED
    lease_ran_out()
    assert struck(intake, "store.take_slot:1:after") == KILLED
    lease_ran_out()
    intake.tell("run", "--due")


SCENES: Mapping[str, tuple[Callable[[Intake], dict[str, Any] | None], str]] = {
    "daemon on sqlite": (daemon_beside_a_killed_run, "sqlite"),
    "daemon on postgresql": (daemon_beside_a_killed_run, "postgresql"),
    "standstill on sqlite": (run_that_stands_still, "sqlite"),
    "standstill on postgresql": (run_that_stands_still, "postgresql"),
    "two dead": (taker_that_is_killed_too, "sqlite"),
}


def kept(intake: Intake) -> tuple[list[Record], list[MissedSlot]]:
    async def ask() -> tuple[list[Record], list[MissedSlot]]:
        clock = SystemClock()
        async with open_store(intake.store, clock=clock, read_only=True) as store:
            missed = await store.missed(PATH, since=clock.now() - timedelta(days=30))
            return list(await store.canaries(CanaryQuery())), list(missed)

    return asyncio.run(ask())


def settled(intake: Intake) -> bool:
    return [one.verdict for one in kept(intake)[0]] not in ([], [Verdict.PENDING])


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("slots") / "sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def played(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Played]:
    """All scenes side by side: most of their time is the lease's."""
    with ExitStack() as stack:
        server = stack.enter_context(running_postgresql())
        pool = stack.enter_context(ThreadPoolExecutor(len(SCENES)))
        running = {}
        for name, (play, store) in SCENES.items():
            changes: dict[str, Any] = {
                "paths": {PATH: dict(SCHEDULED)},
                "web": {"listen": f"127.0.0.1:{free_port()}"},
            }
            if store == "postgresql":
                changes["prober"] = {"store": server.new_database()}
            intake = new_intake(tmp_path_factory.mktemp("slot"), sandbox.endpoints, changes)
            running[name] = pool.submit(_end_of, play, intake, sandbox)
        return {name: one.result() for name, one in running.items()}


def _end_of(play: Callable[[Intake], dict[str, Any] | None], intake: Intake, sandbox: Sandbox) -> Played:
    said = play(intake)
    canaries, missed = kept(intake)
    titles = [str(one["title"]) for one in sandbox.tickets()]
    tickets = sum(any(one.canary.id in title for one in canaries) for title in titles)
    return Played(canaries, missed, tickets, said)


@pytest.mark.parametrize("scene", SCENES)
def test_process_that_ends_or_stands_still_after_its_claim__its_slot_has_one_canary_and_is_not_missed(
    played: Mapping[str, Played], scene: str
) -> None:
    one = played[scene]

    assert [(record.verdict, record.canary.by_hand) for record in one.canaries] == [
        (Verdict.CONFIRMED, False)
    ]
    assert one.canaries[0].canary.slot_at is not None
    assert one.missed == []
    assert one.tickets == 1


def test_all_of_them_together__sent_no_request_that_no_store_knows(
    played: Mapping[str, Played], sandbox: Sandbox
) -> None:
    assert len(sandbox.tickets()) == len(played)


@pytest.mark.parametrize("scene", [name for name in SCENES if "standstill" in name])
def test_run_that_wakes_up_to_a_slot_of_another__ends_well_and_names_no_canary(
    played: Mapping[str, Played], scene: str
) -> None:
    said = played[scene].said

    assert said is not None
    assert (said["canaries"], said["exit"]) == ([], 0)
