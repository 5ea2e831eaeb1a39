"""The browser's processes: who they are, how much memory they hold, and how they surely end."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import psutil

from probes.contracts import Clock

_POLL_SECONDS: Final = 0.02
_FOLDER_VARIABLE: Final = "TMPDIR"


def family(root: psutil.Process) -> list[psutil.Process]:
    """A process and all below it; empty if it is gone, also where another one has its number by now."""
    try:
        return [root, *root.children(recursive=True)] if root.is_running() else []
    except psutil.Error:
        return []


def of_folder(folder: Path) -> list[psutil.Process]:
    """All whose folder for temporary files is this one: also those whose parent died before them."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(_FOLDER_VARIABLE) == str(folder):
                found.append(process)
    return found


def driver_of(folder: Path) -> psutil.Process | None:
    """Playwright's driver that was started with this folder: a child of ours."""
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.Error, OSError):
            if child.environ().get(_FOLDER_VARIABLE) == str(folder):
                return child
    return None


def memory_bytes(root: psutil.Process) -> int:
    """What a process and all below it hold, each shared page counted for its share (PSS; RSS where it can't be had)."""
    total = 0
    for process in family(root):
        try:
            total += _held(process)
        except psutil.Error:
            continue
    return total


def _held(process: psutil.Process) -> int:
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


async def end(
    processes: Iterable[psutil.Process], *, driver: psutil.Process | None, clock: Clock, within_seconds: float
) -> list[int]:
    """Kill these processes and wait for their ends, for at most the time given. Returns who still lives.

    What became an orphan of ours (where this program is the first process of a container) is reaped here, so that no
    zombie stays; but for the driver, which is asyncio's to reap.
    """
    wanted = list(processes)
    for process in wanted:
        with contextlib.suppress(psutil.Error):
            process.kill()
    until = clock.monotonic() + within_seconds
    while True:
        _reap(one for one in wanted if one != driver)
        alive = [one for one in wanted if is_alive(one) or (one == driver and one.is_running())]
        if not alive or clock.monotonic() >= until:
            return [one.pid for one in alive]
        await clock.sleep(_POLL_SECONDS)


def _reap(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(ChildProcessError, psutil.Error):
            if process.ppid() == os.getpid():
                os.waitpid(process.pid, os.WNOHANG)


def is_alive(process: psutil.Process) -> bool:
    """Whether it has not ended; one that only waits to be reaped has."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
