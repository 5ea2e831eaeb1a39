"""The browser's processes: who they are, how much memory they hold, and how they surely end."""

import contextlib
import os
from collections.abc import Iterable

import psutil

from probes.contracts import Clock

_POLL_SECONDS = 0.02


def family(pid: int) -> list[psutil.Process]:
    """A process and all below it; empty if it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def children() -> set[int]:
    """The pids of our own children."""
    return {one.pid for one in psutil.Process().children()}


def driver_among(pids: Iterable[int]) -> int | None:
    """Which of these is Playwright's driver."""
    for pid in pids:
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            continue
        if any("run-driver" in word for word in command):
            return pid
    return None


def memory_bytes(pid: int) -> int:
    """What a process and all below it hold, each shared page counted for its share (PSS; RSS where it can't be had)."""
    total = 0
    for process in family(pid):
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


async def end(processes: Iterable[psutil.Process], *, clock: Clock, within_seconds: float) -> list[int]:
    """Kill these processes and wait for their ends, for at most the time given. Returns who still lives.

    The browsers first, while the driver above them can still reap them. What became an orphan of ours (where this
    program is the first process of a container) is reaped here, so that no zombie stays.
    """
    wanted = list(processes)
    for process in reversed(wanted):  # psutil lists parents before their children
        with contextlib.suppress(psutil.Error):
            process.kill()
    until = clock.monotonic() + within_seconds
    while True:
        _reap(wanted[1:])  # the first, the driver, is asyncio's to reap
        alive = [one for one in wanted if _is_alive(one)]
        if not alive or clock.monotonic() >= until:
            return [one.pid for one in alive]
        await clock.sleep(_POLL_SECONDS)


def _reap(processes: Iterable[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(ChildProcessError, psutil.Error):
            if process.ppid() == os.getpid():
                os.waitpid(process.pid, os.WNOHANG)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
