"""Commands of the program as processes of their own that begin warm: forked from one that has loaded everything.

A cold start takes most of a second of work, and the servers' tests begin a thousand of them. What is about starting
itself (`tests.benchmarks`, `tests.chaos.test_signals`) begins cold.
"""

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from tempfile import TemporaryDirectory

from runners.cli.app import COMMANDS

_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload(
    [
        "__main__",
        "tests.chaos.points",
        "runners.answers",
        "runners.cli.live",
        "runners.cli.once",
        "runners.oneshot",
        "runners.store",
        "runners.wiring",
        "sqlalchemy.dialects.postgresql.psycopg",
        *(f"runners.cli.{name}" for name in COMMANDS),
    ]
)
# Beginning a process looks after those that have ended, and two threads that read one's status would lose it.
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended: its exit status, negative for a signal, and what it wrote."""

    status: int
    said: str
    notes: str


def run(main: Callable[[list[str]], int], words: Sequence[str], *, seconds: float) -> Ended:
    """Run a function of a module with these words in a process of its own, to its end.

    Raises:
        TimeoutError: it did not end in that time; it was killed.
    """
    with TemporaryDirectory(prefix="intake-prober-") as directory:
        said, notes = Path(directory, "stdout"), Path(directory, "stderr")
        process = _FORKING.Process(target=_begun, args=(main, list(words), str(said), str(notes)))
        with _ONE_AT_A_TIME:
            process.start()
        in_time = bool(wait([process.sentinel], seconds))
        if not in_time:
            process.kill()
        with _ONE_AT_A_TIME:
            process.join()
        if not in_time:
            raise TimeoutError(f"{list(words)} did not end within {seconds:g} s: {notes.read_text()}")
        assert process.exitcode is not None
        return Ended(process.exitcode, said.read_text(), notes.read_text())


def _begun(main: Callable[[list[str]], int], words: list[str], said: str, notes: str) -> None:
    for number, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, said, os.O_WRONLY | os.O_CREAT),
        (2, notes, os.O_WRONLY | os.O_CREAT),
    ):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.exit(main(words))
