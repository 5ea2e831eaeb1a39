"""Run a command that the operator named and take what it prints: no shell, no standard input, its errors unseen."""

import asyncio
import contextlib
import fcntl
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence


class CommandFailed(Exception):
    """It could not be run; the text says how it ended, and nothing of its arguments or of what it printed."""


_ROOM_BEYOND = 64 * 1024
"""So much more than is allowed is taken, so that too much can be told from just enough."""


async def output_of(command: Sequence[str], *, most_bytes: int) -> bytes:
    """What a command printed until it ended.

    Cancellable: it is killed with whatever it started. It writes into memory of a fixed size and not into a pipe,
    which a process that it leaves behind (a vault's agent) would keep open: then nobody could tell that it ended.

    Raises:
        CommandFailed: it can't be started, fails, or prints more than ``most_bytes``.
    """
    output = os.memfd_create("output", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(output, most_bytes + _ROOM_BEYOND)
        fcntl.fcntl(output, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
        status = await _run(command, output)
        printed = os.lseek(output, 0, os.SEEK_CUR)  # it and we share the place in the file
        if printed > most_bytes:
            raise CommandFailed(f"prints more than {most_bytes // 1024} KiB")
        if status != 0:
            raise CommandFailed(f"ended with status {status}")
        return os.pread(output, printed, 0)
    finally:
        os.close(output)


async def _run(command: Sequence[str], output: int) -> int:
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=output, stderr=DEVNULL, start_new_session=True
        )
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) and error.strerror else "it has no such name"
        raise CommandFailed(f"can't be started: {cause}") from None
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            await _kill(process)


async def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
