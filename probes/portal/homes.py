"""The folder of one browser's run: all that driver and browser write lies in it, and it goes with them."""

import os
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from probes.contracts import Clock

_PREFIX: Final = "intake-browser-"
_LOCK: Final = "lock"
_MOST_CHARACTERS: Final = 52
"""Chromium makes a Unix socket in it, whose path may have 107 characters (unix(7)) and ends in 45 of its own."""
_ELSEWHERE: Final = "/tmp"  # noqa: S108 -- the folder made in it is only ours to enter
_UNLOCKED_SECONDS: Final = 3600.0
"""A folder without a lock is so young at most, if somebody is just making it."""
_REMOVE_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Home:
    """A folder that only we may enter, and the lock by which others see that it is in use."""

    folder: Path
    lock: FileLock

    def kept(self, name: str) -> Path:
        """A folder in it."""
        folder = self.folder / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    async def remove(self, *, clock: Clock) -> None:
        """Remove it. A process that is just dying may still write: then again, for two seconds at most."""
        self.lock.release()
        until = clock.monotonic() + _REMOVE_SECONDS
        while True:
            shutil.rmtree(self.folder, ignore_errors=True)
            if not self.folder.exists() or clock.monotonic() >= until:
                return
            await clock.sleep(_AGAIN_SECONDS)


def make_home() -> Home:
    """Make one among the system's temporary files; where TMPDIR is too long for it, in /tmp.

    Raises:
        OSError: it can't be made.
    """
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_place()))
    lock = FileLock(folder / _LOCK)
    lock.acquire(blocking=False)
    return Home(folder, lock)


def _place() -> str:
    place = tempfile.gettempdir()
    return place if len(place) + len(_PREFIX) <= _MOST_CHARACTERS else _ELSEWHERE


def remove_left(clock: Clock) -> None:
    """Remove the folders of probers that were killed: nobody holds their lock any more."""
    try:
        folders = list(Path(_place()).glob(f"{_PREFIX}*"))
    except OSError:
        return
    for folder in folders:
        if _is_left(folder, now=clock.now().timestamp()):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left(folder: Path, *, now: float) -> bool:
    try:
        found = folder.lstat()
        # anybody may make a folder of this name: one that is not ours is neither entered nor removed
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            return False
        if not (folder / _LOCK).exists():
            return now - found.st_mtime > _UNLOCKED_SECONDS
        lock = FileLock(folder / _LOCK)
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        return False
    lock.release()
    return True
