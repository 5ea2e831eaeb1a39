"""Find the browser: the configured one, Playwright's own Chromium, or the system's; and what installs one."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

VARIABLE: Final = "INTAKE_PROBER_CHROMIUM"
"""The environment variable that names the browser's program."""
NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL: Final = "apt-get install -y --no-install-recommends chromium fonts-dejavu-core"


@dataclass(frozen=True, slots=True)
class Found:
    """A browser's program, and how it was found (for people)."""

    path: str
    source: str


def find(configured: str | None, own: str) -> Found | None:
    """The browser to use, or None where there is none.

    Args:
        configured: `prober.browser.executable`; it is not replaced by another one if it is missing.
        own: where Playwright's own Chromium would be.
    """
    named = configured or os.environ.get(VARIABLE)
    if named:
        path = shutil.which(named)
        source = "prober.browser.executable" if configured else VARIABLE
        return Found(path, source) if path is not None else None
    if own and Path(own).is_file():
        return Found(own, "Playwright's own")
    for name in NAMES:
        path = shutil.which(name)
        if path is not None:
            return Found(path, "the system's")
    return None


def missing(configured: str | None) -> str:
    """What to say where `find` has found nothing."""
    named = configured or os.environ.get(VARIABLE)
    if named:
        where = "prober.browser.executable" if configured else VARIABLE
        return f"there is no browser at {named}, which {where} names"
    return f"no browser is installed: neither Playwright's own Chromium nor any of {', '.join(NAMES)}"


def remedy(configured: str | None) -> str:
    """How to get one."""
    if configured or os.environ.get(VARIABLE):
        return "Correct the path, or remove it to take the system's browser."
    return f"As root: {INSTALL}"
