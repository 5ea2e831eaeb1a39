"""Whether there is a browser for the demonstration, known before anything has started."""

import os
from pathlib import Path

from probes.portal import executable


def missing_browser() -> str | None:
    """What to say where no browser is to be found; None: there is one."""
    if executable.find(None, _playwrights_own()) is not None:
        return None
    return f"{executable.missing(None)}. {executable.remedy(None)}"


def _playwrights_own() -> str:
    """Playwright's own Chromium, where it usually lies; asking Playwright itself would start its driver."""
    home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright"
    return next((str(file) for file in sorted(Path(home).glob("chromium-*/chrome-linux*/chrome"))), "")
