"""SIGTERM and Ctrl-C: within 5 s the run hands over, says what it knows, and the next one goes on from there."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.real.intake import Intake, left_of, new_intake, tell_until_clean
from tests.sandbox import Sandbox, start_sandbox

WITHIN_SECONDS = 5.0
CODES = {signal.SIGTERM: 143, signal.SIGINT: 130}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("signals") / "sandbox") as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    yield running
    running.clear_faults()


@pytest.fixture
def intake(tmp_path: Path, sandbox: Sandbox) -> Intake:
    changes = {"paths": {"support-email": {"deadline": "20s", "horizon": "40s"}}}
    return new_intake(tmp_path, sandbox.endpoints, changes)


def interrupted(
    intake: Intake, number: signal.Signals, *, at: str, twice: bool = False
) -> tuple[int, str, float]:
    """Begin a run, send it a signal when its log has a line with these words; its status, answer and seconds."""
    process = intake.start("--json", "run")
    log: list[str] = []
    assert process.stderr is not None
    for line in process.stderr:
        log.append(line)
        if at in line:
            break
    assert process.poll() is None, log
    began = time.perf_counter()
    process.send_signal(number)
    if twice:
        process.send_signal(number)
    try:
        said, rest = process.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert "Traceback" not in "".join(log) + rest
    return process.returncode, said, time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class Aftermath:
    """How an interrupted run ended, and what became of its canary."""

    status: int
    seconds: float
    answer: dict[str, Any]
    verdict: str
    left: list[str]


CASES = [
    (number, at)
    for number in (signal.SIGTERM, signal.SIGINT)
    for at in ("canary_launched", '"hop": "smtp.connect"', '"hop": "mailbox.arrival"')
]


@pytest.fixture(scope="module")
def aftermaths(
    running: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[signal.Signals, str], Aftermath]:
    """One run interrupted after the other; their canaries' horizons are waited for side by side."""
    changes = {"paths": {"support-email": {"deadline": "20s", "horizon": "30s"}}}
    intakes = [new_intake(tmp_path_factory.mktemp("signal"), running.endpoints, changes) for _ in CASES]
    running.faults(desk_poller_paused=True)
    ends = [interrupted(intake, number, at=at) for intake, (number, at) in zip(intakes, CASES, strict=True)]
    running.clear_faults()
    with ThreadPoolExecutor(len(CASES)) as pool:
        list(pool.map(tell_until_clean, intakes))
    return {
        case: _aftermath(running, intake, *end)
        for case, intake, end in zip(CASES, intakes, ends, strict=True)
    }


def _aftermath(sandbox: Sandbox, intake: Intake, status: int, said: str, seconds: float) -> Aftermath:
    [canary] = intake.tell("canaries").said["canaries"]
    return Aftermath(status, seconds, json.loads(said), canary["verdict"], left_of(sandbox, [canary["id"]]))


@pytest.mark.parametrize("case", CASES)
def test_signal_while_a_canary_is_out__ends_within_5_s_and_the_next_run_settles(
    aftermaths: dict[tuple[signal.Signals, str], Aftermath], case: tuple[signal.Signals, str]
) -> None:
    end = aftermaths[case]

    assert end.status == CODES[case[0]]
    assert end.seconds < WITHIN_SECONDS
    assert (end.answer["exit"], [one["verdict"] for one in end.answer["canaries"]]) == (
        end.status,
        ["pending"],
    )
    assert end.verdict in {"confirmed", "inconclusive"}
    assert end.left == []


@pytest.mark.parametrize(
    "switches",
    [
        {"imap_silent": True},
        {"smtp_banner_silent": True},
        {"smtp_silent_after_data": "delivered"},
        {"desk_api_hang": True},
    ],
    ids=lambda one: next(iter(one)),
)
def test_signal_while_a_server_is_silent__ends_within_5_s(
    intake: Intake, sandbox: Sandbox, switches: dict[str, object]
) -> None:
    sandbox.faults(**switches)

    status, _, seconds = interrupted(intake, signal.SIGTERM, at="canary_launched")

    assert status == CODES[signal.SIGTERM]
    assert seconds < WITHIN_SECONDS


def test_second_ctrl_c__changes_nothing(intake: Intake, sandbox: Sandbox) -> None:
    sandbox.faults(desk_poller_paused=True)

    status, said, seconds = interrupted(intake, signal.SIGINT, at='"hop": "mailbox.arrival"', twice=True)

    assert (status, json.loads(said)["exit"]) == (130, 130)
    assert seconds < WITHIN_SECONDS


@pytest.fixture
def heeds_ctrl_c() -> Iterator[None]:
    """Whatever a shell starts in the background ignores Ctrl-C, and so do its children unless told otherwise."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeds_ctrl_c")
def test_ctrl_c_while_the_program_is_being_loaded__is_an_interruption_without_traceback(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python then tells each module that it has loaded: the front is loading when its library for commands is.
    monkeypatch.setenv("PYTHONPROFILEIMPORTTIME", "1")
    process = intake.start("--json", "run")
    assert process.stderr is not None
    for line in process.stderr:
        if line.rpartition("|")[2].strip().startswith("typer."):
            break
    process.send_signal(signal.SIGINT)
    said, notes = process.communicate(timeout=60)

    assert (process.returncode, said) == (130, "")
    assert "Traceback" not in notes
