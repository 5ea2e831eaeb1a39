"""The evidence of a failed canary: which files are there, and one of them, from nowhere but the artifacts' folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from canary.canary import Canary

_TYPES: Final = {
    "screenshot.png": "image/png",
    "console.txt": "text/plain; charset=utf-8",
    "network.har": "application/octet-stream",
    "trace.zip": "application/zip",
}
"""All that a probe writes; a file of any other name is not ours to show."""
SCREENSHOT: Final = "screenshot.png"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One file of a canary."""

    name: str
    file: Path
    media_type: str
    size_bytes: int

    @property
    def is_screenshot(self) -> bool:
        """Whether it is shown on the page; all else is only to be downloaded."""
        return self.name == SCREENSHOT


def evidence_of(folder: Path | None, canary: Canary) -> tuple[Evidence, ...]:
    """The files that are there, the screenshot first; blocks for a few file names."""
    found = (evidence(folder, canary, name) for name in _TYPES)
    return tuple(one for one in found if one is not None)


def evidence(folder: Path | None, canary: Canary, name: str) -> Evidence | None:
    """One file by its name; None where it is none of ours, is not there, or leads out of the folder."""
    if folder is None or name not in _TYPES:
        return None
    try:
        whole = folder.resolve(strict=True)
        file = (whole / canary.path / canary.id / name).resolve(strict=True)
        # A link, or a path called "..": what it leads to must still be that very file.
        if file != whole / canary.path / canary.id / name or not file.is_relative_to(whole):
            return None
        if not file.is_file():
            return None
        return Evidence(name, file, _TYPES[name], file.stat().st_size)
    except (OSError, ValueError):
        return None
