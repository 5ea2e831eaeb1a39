"""Every fault of the table, made on the running intake: verdict, blame, exit status, and nothing left behind."""

import queue
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.faults.fault import Fault
from tests.real.faults.table import FAULTS
from tests.real.intake import Answer, Intake, left_of, new_intake, tell_until_clean
from tests.sandbox import Sandbox, start_sandbox

AT_ONCE = 6
"""Intakes side by side: most of the time is spent waiting for deadlines."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one fault: at the first verdict, after it was healed, and what was left in the end."""

    first: Answer
    verdict_at_last: str
    tickets: int
    left: Sequence[str]


def try_out(fault: Fault, sandbox: Sandbox, directory: Path) -> Outcome:
    """Make the fault, run, heal it, run on until nothing is left to do."""
    intake = new_intake(directory, sandbox.endpoints, fault.changes)
    before = {one["id"] for one in sandbox.tickets()}
    sandbox.faults(**fault.switches)
    if fault.prepare is not None:
        fault.prepare(sandbox)
    first = intake.tell("run")
    # The page of the API may be one of the faults.
    sandbox.faults(**{name: HEALTHY[name] for name in fault.switches if name.startswith("desk_api")})
    tickets = [one for one in sandbox.tickets() if one["id"] not in before]
    heal(sandbox)
    verdict = run_on(intake, first)
    return Outcome(first, verdict, len(tickets), left_of(sandbox, [first.canary["id"]]))


HEALTHY: Mapping[str, object] = {
    "desk_api_status": None,
    "desk_api_retry_after_seconds": None,
    "desk_api_html": False,
    "desk_api_garbled": False,
    "desk_api_hang": False,
    "desk_api_delay_seconds": 0.0,
}


def heal(sandbox: Sandbox) -> None:
    sandbox.clear_faults()
    sandbox.quota(sandbox.support.address)
    sandbox.empty(sandbox.support.address)
    sandbox.flush_queue()


def run_on(intake: Intake, first: Answer) -> str:
    """Sweep until nothing is outstanding, beyond the horizon if need be; returns the canary's last verdict."""
    if first.canary["verdict"] == "breached":
        intake.tell("sweep", "--until-horizon")
    tell_until_clean(intake)
    [canary] = intake.tell("canaries").said["canaries"]
    return str(canary["verdict"])


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Future[Outcome]]]:
    """All faults, each tried on one of several intakes."""
    home = tmp_path_factory.mktemp("faults")
    free: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()

    def attempt(fault: Fault, number: int) -> Outcome:
        sandbox = free.get()
        try:
            return try_out(fault, sandbox, home / f"{number:02}")
        finally:
            heal(sandbox)
            sandbox.empty(sandbox.support.address, everything=True)
            sandbox.empty(sandbox.canary.address, everything=True)
            free.put(sandbox)

    with ExitStack() as stack:
        for number in range(AT_ONCE):
            free.put(stack.enter_context(start_sandbox(home / f"sandbox-{number}")))
        pool = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        longest_first = sorted(FAULTS, key=lambda one: one.verdict != "inconclusive")
        yield {fault.name: pool.submit(attempt, fault, number) for number, fault in enumerate(longest_first)}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.name)
def test_fault__gets_its_verdict_and_leaves_nothing(
    fault: Fault, outcomes: Mapping[str, Future[Outcome]]
) -> None:
    outcome = outcomes[fault.name].result()

    canary = outcome.first.canary
    said = (canary["verdict"], canary["blame"], canary["reason"], canary["side"], outcome.first.exit)
    assert said == (fault.verdict, fault.blame, fault.reason, fault.side, fault.exit)
    assert tuple(f"{one['hop']} {one['reason']}" for one in canary["flaws"]) == fault.flaws
    assert outcome.verdict_at_last == (fault.becomes or outcome.verdict_at_last)
    if fault.tickets is not None:
        assert outcome.tickets == fault.tickets
    assert outcome.left == []
