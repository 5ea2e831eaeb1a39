"""The runbook that comes with the program: a page for each reason, found wherever the program is installed."""

from pathlib import Path
from typing import Final

_FOLDERS: Final = (
    Path(__file__).parent / "runbook_pages",
    Path(__file__).parent.parent / "docs" / "runbook",
)
"""Within an installed package, and in a clone."""


def runbook_text(reason: str) -> str | None:
    """The page of a reason, or ``README``, in Markdown; None: there is none of that name."""
    for folder in _FOLDERS:
        known = {one.stem: one for one in folder.glob("*.md")} if folder.is_dir() else {}
        if reason in known:
            return known[reason].read_text(encoding="utf-8")
    return None
