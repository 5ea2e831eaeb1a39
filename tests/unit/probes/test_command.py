"""Commands that the operator names: what they print, and that none of them can hold the prober up."""

import asyncio
import contextlib
import sys
from pathlib import Path

import psutil
import pytest

from probes.command import CommandFailed, output_of
from runners.clock import SystemClock

LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(child.pid, flush=True)
"""


def printed(code: str, *, limit_seconds: float = 30.0) -> bytes:
    async def run() -> bytes:
        async with SystemClock().timeout(limit_seconds):
            return await output_of([sys.executable, "-c", code], most_bytes=64 * 1024)

    return asyncio.run(run())


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_what_it_prints__is_taken_and_its_errors_are_not() -> None:
    assert printed("import sys; print('word'); print('hush', file=sys.stderr)") == b"word\n"


def test_as_much_as_is_allowed__is_taken() -> None:
    assert printed("print('x' * (64 * 1024), end='')") == b"x" * 64 * 1024


@pytest.mark.parametrize("code", ["print('x' * (64 * 1024))", "while True: print('x' * 1000)"])
def test_more_than_is_allowed__is_an_error(code: str) -> None:
    with pytest.raises(CommandFailed, match="prints more than 64 KiB"):
        printed(code)


def test_failure__is_told_by_its_status() -> None:
    with pytest.raises(CommandFailed, match="ended with status 3"):
        printed("import sys; print('hush'); sys.exit(3)")


def test_command_that_leaves_a_process_behind__is_not_waited_for_longer_than_it_runs() -> None:
    clock = SystemClock()
    began = clock.monotonic()

    child = int(printed(LEAVES_A_CHILD))

    left = psutil.Process(child)
    assert left.is_running()
    left.kill()
    assert clock.monotonic() - began < 20, "it waited for what was left behind"


def test_command_that_takes_too_long__is_killed_with_what_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = f"""
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path({str(file)!r}).write_text(str(child.pid))
time.sleep(60)
"""

    with pytest.raises(TimeoutError):
        printed(code, limit_seconds=5.0)

    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(file.read_text())).wait(timeout=10)


def test_many_runs__leave_no_descriptor_open() -> None:
    printed("print(1)")
    before = descriptors()
    for _ in range(3):
        printed("print(1)")

    assert descriptors() == before
