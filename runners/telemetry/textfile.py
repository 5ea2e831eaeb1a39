"""A file for the node exporter's textfile collector: replaced as a whole, so that no reader sees half of it.

The collector reads whatever ends in `.prom`, takes no timestamps, and tells a file's age by its mtime
(node_exporter README, "Textfile Collector", read on 2026-11-30).
"""

import asyncio
import contextlib
import errno
import os
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from probes.mailbox.worker import Worker
from runners.telemetry.families import Snapshot
from runners.telemetry.plain_text import plain_text
from runners.telemetry.routes import NotPushed

KEY = "telemetry.metrics.textfile"
MODE = 0o644
"""The node exporter runs as somebody else."""
LEFT_SECONDS = 3600.0
"""What another run left half written for so long belongs to nobody any more."""


class Textfile:
    """Satisfies `runners.telemetry.routes.Route`."""

    name = KEY
    needs_order = True

    def __init__(self, file: Path) -> None:
        self._file = file

    async def push(self, snapshot: Snapshot) -> None:
        """Write the file anew, in a thread; cancelled, the old or the new one is there whole.

        Raises:
            NotPushed: it could not be written; the old one stays.
        """
        # No thread of the loop's own: those are waited for at the end, also behind a disk that hangs.
        worker = Worker("textfile")
        is_left = threading.Event()
        try:
            await asyncio.wrap_future(worker.submit(partial(self._write, snapshot, is_left)))
        finally:
            # A thread that hung until now must not put its older snapshot over what came meanwhile.
            is_left.set()
            worker.stop()

    def _write(self, snapshot: Snapshot, is_left: threading.Event) -> None:
        body = plain_text(snapshot)
        try:
            replace_file(self._file, body, is_left.is_set)
            _remove_left(self._file, before=snapshot.at.timestamp() - LEFT_SECONDS)
        except OSError as error:
            raise NotPushed(f"{self._file} can't be written: {why(error)}") from error


def _never() -> bool:
    return False


def replace_file(file: Path, body: bytes, is_too_late: Callable[[], bool] = _never) -> None:
    """Write beside it, to the disk, and put it in its place; nothing is left where that fails. Raises `OSError`.

    Args:
        file: what is replaced.
        body: its new content.
        is_too_late: asked just before: nobody wants it in its place any more.
    """
    # Two containers that share the folder may have the same process id: so it is not all of the name.
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.{os.getpid()}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as beside:
            beside.write(body)
            beside.flush()
            os.fchmod(beside.fileno(), MODE)
            os.fsync(beside.fileno())
        if is_too_late():
            Path(name).unlink()
            return
        Path(name).replace(file)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def why(error: OSError) -> str:
    """Cause and remedy, for people."""
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return "its folder does not exist. Make it, or correct telemetry.metrics.textfile."
        case errno.ENOSPC | errno.EDQUOT:
            return "the disk is full. Free some of it; what was written before stays."
        case errno.EACCES | errno.EPERM:
            return "this user may not write into its folder. Give it to the prober's user, or to a group of both."
        case errno.EROFS:
            return "it lies on a file system that is mounted for reading only. Name a folder that can be written."
        case errno.EISDIR:
            return "it is a folder. Name a file in it that ends in .prom."
        case _:
            return f"{(error.strerror or type(error).__name__).lower()}. Look at its folder."


def _remove_left(file: Path, *, before: float) -> None:
    """Remove what killed runs left half written beside it."""
    for one in file.parent.glob(f"{file.name}.[0-9]*.*"):
        with contextlib.suppress(OSError):
            if one.stat().st_mtime < before:
                one.unlink()
