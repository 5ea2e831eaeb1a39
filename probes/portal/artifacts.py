"""The evidence of failed canaries on disk: a folder a canary, kept by number, age and size."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from canary.canary import Canary
from probes.contracts import Clock
from probes.portal.settings import ArtifactSettings

_PART: Final = ".part"


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
        return await asyncio.to_thread(self._save, canary, files, self._clock.now())

    def _save(
        self, canary: Canary, files: Mapping[str, bytes], now: datetime
    ) -> tuple[Mapping[str, str], str]:
        folder = self._settings.directory / canary.path / canary.id
        written: dict[str, str] = {}
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, content in files.items():
                part = folder / f"{name}{_PART}"
                with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                    file.write(content)
                part.replace(folder / name)
                written[name] = f"{canary.path}/{canary.id}/{name}"
            os.utime(folder, (now.timestamp(), now.timestamp()))
        except OSError as error:
            trouble = f"evidence can't be kept in {self._settings.directory}: {error.strerror}"
        else:
            trouble = ""
        with contextlib.suppress(OSError):
            self._forget(now)
        return written, trouble

    def _forget(self, now: datetime) -> None:
        kept = sorted(self._kept(), key=lambda one: one.written_at, reverse=True)  # the newest first
        total = 0
        for position, one in enumerate(kept):
            total += one.size_bytes
            is_old = now.timestamp() - one.written_at > self._settings.age_seconds
            if is_old or position >= self._settings.most or total > self._settings.most_bytes:
                shutil.rmtree(one.folder, ignore_errors=True)
                with contextlib.suppress(OSError):
                    one.folder.parent.rmdir()  # the path's, if that was its last

    def _kept(self) -> list[Kept]:
        found = []
        for folder in self._settings.directory.glob("*/*"):
            with contextlib.suppress(OSError):  # another prober forgets at the same time
                size = sum(file.stat().st_size for file in folder.iterdir())
                found.append(Kept(folder, folder.stat().st_mtime, size))
        return found
