"""Children with fault points in them, surely ended."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.sandbox import ROOT

_LIMIT_SECONDS = 60.0
_PAUSE = threading.Event()


@contextmanager
def begin(action: str, file: Path, words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """Begin `intake-prober` with the points of `tests.chaos.points` in it; it is killed if it does not end itself."""
    command = [sys.executable, "-m", "tests.chaos.points", action, str(file), "--", *words]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def wait_for(condition: Callable[[], object], *, seconds: float = _LIMIT_SECONDS) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: it does not in that time.
    """
    ends_at = time.perf_counter() + seconds
    while not condition():
        if time.perf_counter() > ends_at:
            raise AssertionError(f"not met within {seconds} s")
        _PAUSE.wait(0.02)


def wait_until_past(seconds: float) -> None:
    """Let time pass where only the clock of the machine tells that something is over."""
    _PAUSE.wait(seconds)
