"""SIGTERM and Ctrl-C: within 5 s the run hands over, says what it knows, and the next one goes on from there."""

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("at", ["canary_launched", '"hop": "smtp.connect"', '"hop": "mailbox.arrival"'])
def test_signal_while_a_canary_is_out__ends_within_5_s_and_the_next_run_settles(
    intake: Intake, sandbox: Sandbox, number: signal.Signals, at: str
) -> None:
    sandbox.faults(desk_poller_paused=True)

    status, said, seconds = interrupted(intake, number, at=at)

    assert status == CODES[number]
    assert seconds < WITHIN_SECONDS
    answer = json.loads(said)
    assert (answer["exit"], [one["verdict"] for one in answer["canaries"]]) == (status, ["pending"])
    sandbox.clear_faults()
    tell_until_clean(intake)
    [canary] = intake.tell("canaries").said["canaries"]
    assert canary["verdict"] in {"confirmed", "inconclusive"}
    assert left_of(sandbox, [canary["id"]]) == []


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
