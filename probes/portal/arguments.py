"""The browser's command line beside Playwright's own: what the configuration adds, and what is switched off."""

from collections.abc import Sequence
from typing import Final

_OFF: Final = "--disable-features="
PLAYWRIGHTS: Final = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)
"""What Playwright 1.65 switches off; Chromium takes the last such argument only, so ours has to say it again."""
_OURS: Final = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup")
"""Pages behind the address bar that nobody sees: a process each, and half of a context's CPU (Chromium 156)."""


def arguments(configured: Sequence[str]) -> list[str]:
    """The arguments to add to Playwright's."""
    wished = [
        name for one in configured if one.startswith(_OFF) for name in one.removeprefix(_OFF).split(",")
    ]
    off = dict.fromkeys((*PLAYWRIGHTS, *_OURS, *filter(None, wished)))
    return [*(one for one in configured if not one.startswith(_OFF)), _OFF + ",".join(off)]
