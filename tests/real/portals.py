"""What the tests of the portal probe share: a canary, a probe, and what it reported."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, Hop, route
from canary.path import Path as CanaryPath
from canary.path import PathName, Slo
from canary.signature import mint_id, mint_token
from probes.dns import Resolver
from probes.masking import Masker
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Browsers
from probes.portal.probe import PortalProbe
from probes.portal.sessions import Sessions
from probes.portal.settings import ArtifactSettings, BrowserSettings, PortalLimits, PortalSettings
from probes.selfcheck import SideJudge
from probes.tls import Contexts
from runners.clock import SystemClock
from tests.fakes.world import KEY, SENDER
from tests.real.forms import Seen

PATIENT = PortalLimits(
    dns_seconds=5,
    load_seconds=25,
    login_seconds=25,
    form_seconds=25,
    submit_seconds=25,
    confirmation_seconds=25,
    step_seconds=15,
)
"""So long that a busy machine passes them; a fault that is to run into one shortens that one."""
_CONTEXTS = Contexts()
HOSTS = frozenset({"127.0.0.1", "support.acme.test"})
ARGUMENTS = (
    "--host-resolver-rules=MAP *.acme.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)
"""Chromium finds the tests' own names on this machine, and asks for nothing outside it."""


@asynccontextmanager
async def browsers(*arguments: str) -> AsyncIterator[Browsers]:
    """The one browser of a module's tests."""
    running = Browsers(
        BrowserSettings(recycle_after=1000, arguments=(*ARGUMENTS, *arguments)), clock=SystemClock()
    )
    try:
        yield running
    finally:
        await running.aclose()


def portal_path(deadline_seconds: float = 300.0, *, logs_in: bool = False) -> CanaryPath:
    without = (Hop.REPLY_RECEIVED,) if logs_in else (Hop.REPLY_RECEIVED, Hop.PORTAL_LOGIN)
    return CanaryPath(
        name=PathName("support-portal"),
        channel=Channel.PORTAL,
        route=route(Channel.PORTAL, without=without),
        slo=Slo(deadline_seconds=deadline_seconds, horizon_seconds=3600.0),
        interval_seconds=600.0,
        ticketing="desk",
    )


def new(*, logs_in: bool = False) -> Canary:
    now = SystemClock().now()
    path = portal_path(logs_in=logs_in)
    canary_id = mint_id(now, Random().randbytes(4))  # noqa: S311 -- told apart from others, no more
    made = new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender=SENDER,
        prober="fra-1",
    )
    return replace(made, deadline_at=now + timedelta(seconds=path.slo.deadline_seconds))


def settings(url: str, **changes: Any) -> PortalSettings:  # noqa: ANN401 -- the fields of PortalSettings
    standard: Mapping[str, Any] = MappingProxyType(
        {
            "path": "support-portal",
            "url": url,
            "expect_hosts": HOSTS,
            "limits": PATIENT,
            "pace_seconds": 0.0,
        }
    )
    return PortalSettings(**{**standard, **changes})


def probe(
    of: PortalSettings,
    *,
    browser: Browsers,
    directory: Path,
    names_port: int | None = None,
    masker: Masker | None = None,
    controls: SideJudge | None = None,
    sessions: Sessions | None = None,
) -> PortalProbe:
    clock = SystemClock()
    server = "system" if names_port is None else f"127.0.0.1:{names_port}"
    return PortalProbe(
        of,
        clock=clock,
        resolver=Resolver(server, clock=clock, random=Random(7), try_seconds=0.5, limit_seconds=1.5),  # noqa: S311 -- an order
        masker=masker or Masker(),
        browsers=browser,
        artifacts=Artifacts(ArtifactSettings(directory / "artifacts"), clock=clock),
        sessions=sessions or Sessions(directory / "sessions", key=KEY),
        contexts=_CONTEXTS,
        controls=controls,
    )


async def launched(of: PortalSettings, canary: Canary, **parts: Any) -> Seen:  # noqa: ANN401 -- of `probe`
    """Launch one canary; what was reported."""
    seen = Seen()
    await probe(of, **parts).launch(canary, seen)
    return seen
