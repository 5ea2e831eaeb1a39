"""What all portal paths share: one browser, the folder of evidence, the log-ins that are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from probes.contracts import Probe
from probes.portal.settings import ArtifactSettings, PortalSettings
from probes.selfcheck import SideJudge
from runners.site import Site

if TYPE_CHECKING:
    from probes.portal.artifacts import Artifacts
    from probes.portal.browser import Browsers
    from probes.portal.sessions import Sessions


class Portals:
    """Makes the probes of portal paths."""

    def __init__(
        self, site: Site, browsers: "Browsers", artifacts: "Artifacts", sessions: "Sessions"
    ) -> None:
        self._site = site
        self.browsers = browsers
        self.artifacts = artifacts
        self._sessions = sessions

    def probe(self, settings: PortalSettings, controls: SideJudge | None) -> Probe:
        """The probe of one path."""
        from probes.portal.probe import PortalProbe

        return PortalProbe(
            settings,
            clock=self._site.clock,
            resolver=self._site.resolver,
            masker=self._site.masker,
            browsers=self.browsers,
            artifacts=self.artifacts,
            sessions=self._sessions,
            contexts=self._site.contexts,
            controls=controls,
        )


@asynccontextmanager
async def open_portals(
    site: Site, *, is_headed: bool = False, slow_seconds: float = 0.0
) -> AsyncIterator[Portals | None]:
    """What the portal paths share, or None where there are none; the browser ends with the scope.

    Args:
        site: of the configuration.
        is_headed: with a window, for a person to watch.
        slow_seconds: a pause before each of the browser's actions.
    """
    browser, artifacts = site.config.prober.browser, site.config.prober.artifacts
    has_portals = any(isinstance(one.sending, PortalSettings) for one in site.config.paths.values())
    if not has_portals or browser is None or artifacts is None:
        yield None
        return
    from probes.portal.artifacts import Artifacts
    from probes.portal.browser import Browsers
    from probes.portal.sessions import Sessions

    shown = replace(browser, is_headed=is_headed, slow_seconds=slow_seconds)
    browsers = Browsers(shown, clock=site.clock)
    sessions = Sessions(_session_folder(artifacts), key=site.signed.keys[0])
    try:
        yield Portals(site, browsers, Artifacts(artifacts, clock=site.clock), sessions)
    finally:
        await browsers.aclose()


def _session_folder(artifacts: ArtifactSettings) -> Path:
    """Beside the evidence, and not in it: it is not evidence, and is forgotten by other rules."""
    return artifacts.directory.parent / f"{artifacts.directory.name}-sessions"
