"""Every fault of the table, made on the running intake: verdict, blame, exit status, and nothing left behind."""

import asyncio
import imaplib
import queue
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.clock import SystemClock
from runners.contracts import Record
from runners.store import open_store
from tests.real.faults.fault import Fault
from tests.real.faults.table import FAULTS
from tests.real.intake import Answer, Intake, new_intake
from tests.sandbox import Sandbox, start_sandbox

CLOSED = {3, 4}
"""Of the helpdesk's states: resolved, closed."""
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
    return Outcome(first, verdict, len(tickets), left_of(sandbox, before))


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
    if asyncio.run(outstanding(intake)):
        wait_for_horizon(intake)
        swept = intake.tell("sweep")
        left = asyncio.run(outstanding(intake))
        assert not left, f"not clean after its horizon: {left[0].verdict} {swept.said['canaries']}"
    [canary] = intake.tell("canaries").said["canaries"]
    return str(canary["verdict"])


def wait_for_horizon(intake: Intake) -> None:
    """Nothing can be asked whether it is that time yet."""
    horizon_at = max(one.canary.horizon_at for one in asyncio.run(outstanding(intake)))
    seconds = (horizon_at - SystemClock().now()).total_seconds()
    threading.Event().wait(max(0.0, seconds))


async def outstanding(intake: Intake) -> Sequence[Record]:
    """The canaries with which the prober has not done yet."""
    clock = SystemClock()
    async with open_store(
        f"sqlite:///{intake.directory / 'intake.db'}", clock=clock, read_only=True
    ) as store:
        return await store.outstanding(clock.now())


def left_of(sandbox: Sandbox, before: set[int]) -> list[str]:
    """What lies about: open tickets, and mails that bear our marker."""
    fresh = [one for one in sandbox.tickets() if one["id"] not in before]
    left = [f"ticket {one['title']}" for one in fresh if one["status"] not in CLOSED]
    for account in (sandbox.support, sandbox.canary):
        with imaplib.IMAP4(sandbox.endpoints.host, sandbox.endpoints.imap_port) as imap:
            imap.starttls(ssl.create_default_context(cafile=sandbox.endpoints.ca_file))
            imap.login(account.address, account.password)
            for folder in ("INBOX", "Junk"):
                imap.select(folder, readonly=True)
                _, [found] = imap.search(None, "SUBJECT", "intakecanary")
                left += [
                    f"{account.address} {folder}: mail {number}" for number in (found or b"").decode().split()
                ]
    return left


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
