"""The runbook that comes with the program: a page for each reason, found wherever the program is installed."""

from pathlib import Path
from typing import Final

_PACKAGED: Final = Path(__file__).parent / "runbook_pages"
_FOLDERS: Final = (_PACKAGED, Path(__file__).parent.parent / "docs" / "runbook")
"""Within an installed package, and in a clone."""


def runbook_place(reason: str) -> str:
    """Where whoever is at this machine finds a reason's page: in the package that is installed, else in the clone."""
    packaged = _PACKAGED / f"{reason}.md"
    return str(packaged) if packaged.is_file() else f"docs/runbook/{reason}.md"


def runbook_text(reason: str) -> str | None:
    """The page of a reason, of an alert's rule, or ``README``, in Markdown; None: there is none of that name."""
    for folder in _FOLDERS:
        for pages in (folder, folder / "alerts"):
            known = {one.stem: one for one in pages.glob("*.md")} if pages.is_dir() else {}
            if reason in known:
                return known[reason].read_text(encoding="utf-8")
    return None
