"""The evidence of failed canaries on disk: a folder a canary, kept by number, age and size."""

import asyncio
import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from canary.canary import Canary
from probes.contracts import Clock
from probes.portal.settings import ArtifactSettings

_PART: Final = ".part"
_CANARY: Final = re.compile(r"[a-z2-7]{16}")
_FILES: Final = re.compile(r"(?:screenshot\.png|trace\.zip|network\.har|console\.txt)(?:\.part)?")
"""What we write, and nothing else is ever removed: the directory may be one that others use too."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One canary's folder."""

    folder: Path
    written_at: float
    size_bytes: int


class Artifacts:
    """Writes and forgets; a disk that is full costs the evidence, never the canary."""

    def __init__(self, settings: ArtifactSettings, *, clock: Clock) -> None:
        """Keep where and how much; touches nothing."""
        self._settings = settings
        self._clock = clock

    async def save(self, canary: Canary, files: Mapping[str, bytes]) -> tuple[Mapping[str, str], str]:
        """Write the files of a canary, then forget what is too old, too many or too large.

        Returns:
            The ids of what was written (``path/canary/file``), by file name; and why the rest was not, or nothing.
        """
        if not files:
            return {}, ""
        return await asyncio.to_thread(self._save, canary, files, self._clock.now())

    async def forget(self) -> None:
        """Forget what is too old, too many or too large; never raises for a disk."""
        await asyncio.to_thread(self._forget, self._clock.now())

    def _save(
        self, canary: Canary, files: Mapping[str, bytes], now: datetime
    ) -> tuple[Mapping[str, str], str]:
        folder = self._settings.directory / canary.path / canary.id
        written: dict[str, str] = {}
        trouble = ""
        try:
            for one in reversed((folder, *folder.parents)):
                if not one.exists():
                    one.mkdir(mode=0o700, exist_ok=True)
            for name, content in files.items():
                _write(folder / name, content)
                written[name] = f"{canary.path}/{canary.id}/{name}"
            os.utime(folder, (now.timestamp(), now.timestamp()))
        except OSError as error:
            trouble = f"evidence can't be kept in {self._settings.directory}: {error.strerror}"
        self._forget(now, newest=folder)
        if written and not folder.exists():
            limit = self._settings.most_bytes
            return {}, f"evidence can't be kept: it is larger than {limit} bytes, or none is to be kept"
        return written, trouble

    def _forget(self, now: datetime, newest: Path | None = None) -> None:
        kept = sorted(
            self._kept(), key=lambda one: (one.folder == newest, one.written_at), reverse=True
        )  # the newest first
        total = 0
        for position, one in enumerate(kept):
            total += one.size_bytes
            is_old = now.timestamp() - one.written_at > self._settings.age_seconds
            if is_old or position >= self._settings.most or total > self._settings.most_bytes:
                total -= one.size_bytes
                shutil.rmtree(one.folder, ignore_errors=True)
                with contextlib.suppress(OSError):
                    one.folder.parent.rmdir()  # the path's, if that was its last

    def _kept(self) -> Iterator[Kept]:
        with contextlib.suppress(OSError):
            for folder in list(self._settings.directory.glob("*/*")):
                with contextlib.suppress(OSError):  # another prober forgets at the same time
                    if not _CANARY.fullmatch(folder.name) or folder.is_symlink():
                        continue
                    files = list(folder.iterdir())
                    if all(_FILES.fullmatch(file.name) for file in files):
                        size = sum(file.lstat().st_size for file in files)
                        yield Kept(folder, folder.stat().st_mtime, size)


def _write(file: Path, content: bytes) -> None:
    """Write a whole file, or none.

    Raises:
        OSError: it can't be written.
    """
    part = file.with_name(f"{file.name}{_PART}")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
            opened.write(content)
        part.replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
