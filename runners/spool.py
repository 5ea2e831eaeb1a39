"""The spool: what was seen while the store could not be written, kept on disk until it can."""

import asyncio
import itertools
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from canary.observation import Observation
from runners.contracts import Store
from runners.store import codec

MOST_BYTES = 16 * 1024 * 1024
AT_ONCE = 200
"""So many observations go into the store in one transaction."""

_log = logging.getLogger(__name__)


class Spool:
    """Observations in a file, one JSON text a line, in the order in which they were seen.

    Each line is flushed to the disk before `add` returns. A line that a crash tore is passed over. Whoever comes next
    stores what is left: an observation that the store has already is not counted twice.

    Args:
        file: made when it is first needed, readable by its owner alone.
        most_bytes: above that nothing more is kept, and that is said.
    """

    def __init__(self, file: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self._file = file
        self._most_bytes = most_bytes
        self._why_lost: str | None = None
        self._turn = asyncio.Lock()

    @property
    def has_some(self) -> bool:
        """Whether anything waits."""
        return self._size() > 0 or bool(self._set_aside())

    @property
    def why_lost(self) -> str | None:
        """Why something was lost since it was last emptied; None: nothing was."""
        return self._why_lost

    def add(self, observations: Sequence[Observation]) -> bool:
        """Keep observations; False where the disk or the bound doesn't allow it, and they are lost."""
        # Each begins on a line of its own, whatever a full disk made of the one before.
        text = "".join("\n" + codec.dumps(one) for one in observations).encode() + b"\n"
        if self._size() + len(text) > self._most_bytes:
            why: str | None = f"the spool {self._file} is full ({self._most_bytes / 2**20:g} MiB)"
        else:
            why = self._write(text)
        self._why_lost = self._why_lost or why
        return why is None

    def _write(self, text: bytes) -> str | None:
        """Write at once; returns why it could not be."""
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                written = os.write(descriptor, text)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            why = f"the spool {self._file} can't be written: {error.strerror or error}"
            _log.warning("spool_failed", extra={"detail": why})
            return why
        return None if written == len(text) else f"the disk of the spool {self._file} is full"

    async def drain(self, store: Store) -> int:
        """Store what waits; returns how many observations were new to the store.

        What is being stored lies aside meanwhile, so that nothing that is added is lost with it; what a crash left
        aside is stored too, by whoever comes next.

        Raises:
            StoreError: the store can't be written yet; nothing is removed.
        """
        async with self._turn:
            if self._size() > 0:
                self._file.rename(self._free_name())
            new = 0
            for file in self._set_aside():
                waiting = _read(file)
                for start in range(0, len(waiting), AT_ONCE):
                    new += await self._store_some(store, waiting[start : start + AT_ONCE])
                file.unlink(missing_ok=True)
            self._why_lost = None
            return new

    def _free_name(self) -> Path:
        """A name beside the file that nothing has: a crash may have left one, and in a container all have one pid."""
        numbers = itertools.count(1)
        names = (self._file.with_name(f"{self._file.name}.{os.getpid()}-{number}") for number in numbers)
        return next(one for one in names if not one.exists())

    def _set_aside(self) -> list[Path]:
        return sorted(self._file.parent.glob(f"{self._file.name}.*"))

    def _size(self) -> int:
        try:
            return self._file.stat().st_size
        except OSError:
            return 0

    async def _store_some(self, store: Store, some: Sequence[Observation]) -> int:
        known = await store.known([one.canary_id for one in some])
        kept = [one for one in some if one.canary_id in known]
        return sum(await store.append(*kept)) if kept else 0


def _read(file: Path) -> list[Observation]:
    try:
        lines = file.read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        if not line:
            continue
        try:
            found.append(codec.loads(Observation, line.decode()))
        except (codec.Unreadable, UnicodeDecodeError):
            _log.warning("spool_line_torn")
    return found
