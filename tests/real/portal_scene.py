"""What the tests of the portal's browser share: a portal of two pages, a canary, a probe, what it reported."""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psutil

from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, Hop, route
from canary.observation import Observation, Outcome
from canary.path import Path as IntakePath
from canary.path import PathName, Slo
from canary.reason import Reason
from canary.signature import RANDOM_BYTES, mint_id, mint_token
from probes.dns import Resolver
from probes.masking import Masker, Secret
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Browsers
from probes.portal.probe import PortalProbe
from probes.portal.sessions import Sessions
from probes.portal.settings import ArtifactSettings, BrowserSettings, PortalLimits, PortalSettings
from probes.portal.steps import By, Confirm, Fill, Locator, Step, Submit, Template
from runners.clock import SystemClock
from tests.fakes.world import KEY, SENDER
from tests.real.scripted_http import Reply, Request, Site

SEALED = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",)
"""Chromium asks for nothing outside this machine."""
LIMITS = PortalLimits(
    dns_seconds=5,
    load_seconds=15,
    login_seconds=10,
    form_seconds=10,
    submit_seconds=10,
    confirmation_seconds=10,
    step_seconds=5,
)
BROWSER_WORDS = ("chrom", "run-driver", "headless")

FORM = """<!doctype html><html><head><title>Submit a request</title></head><body><h1>Submit a request</h1>
<form method="post" action="/requests"><label>Subject <input name="subject" required></label>
<label>Description <textarea name="body"></textarea></label><button>Send</button></form></body></html>"""
THANKS = "<!doctype html><html><head><title>Thanks</title></head><body><h1>Thank you</h1><p>Request #4711</p></body></html>"


@dataclass
class Source:
    """A secret of the configuration."""

    value: str

    async def read(self, *, renew: bool = False) -> Secret:  # noqa: ARG002
        return Secret(self.value)


@dataclass
class Seen:
    """What was reported; `then` is called after each observation, to break something in the middle."""

    observations: list[Observation] = field(default_factory=list)
    then: Callable[[Observation], None] | None = None

    async def __call__(self, *observations: Observation) -> None:
        for one in observations:
            self.observations.append(one)
            if self.then is not None:
                self.then(one)

    @property
    def end(self) -> Observation:
        return self.observations[-1]

    def last(self, hop: Hop) -> Observation:
        return [one for one in self.observations if one.hop is hop][-1]

    def story(self) -> list[tuple[Hop, Outcome, Reason | None]]:
        return [(one.hop, one.outcome, one.reason) for one in self.observations]

    @property
    def is_confirmed(self) -> bool:
        return (self.end.hop, self.end.outcome) == (Hop.PORTAL_CONFIRMATION, Outcome.OK)


def css(selector: str) -> Locator:
    return Locator(By.CSS, selector)


FILLED = (
    Step(1, Fill(Locator(By.LABEL, "Subject"), Template("{{ subject }}"))),
    Step(2, Fill(Locator(By.LABEL, "Description"), Template("{{ body }}"))),
)
SENT = (
    Step(3, Submit(Locator(By.ROLE, "button", name="Send"))),
    Step(4, Confirm(text="Thank you")),
)


def settings(url: str, **changes: Any) -> PortalSettings:  # noqa: ANN401 -- the fields of PortalSettings
    standard: Mapping[str, Any] = {
        "path": "support-portal",
        "url": url,
        "expect_hosts": frozenset({"127.0.0.1", "localhost"}),
        "steps": (*FILLED, *SENT),
        "pace_seconds": 0.0,
        "limits": LIMITS,
    }
    return PortalSettings(**{**standard, **changes})


def portal_path() -> IntakePath:
    return IntakePath(
        name=PathName("support-portal"),
        channel=Channel.PORTAL,
        route=route(Channel.PORTAL, without=(Hop.REPLY_RECEIVED,)),
        slo=Slo(deadline_seconds=300.0, horizon_seconds=3600.0),
        interval_seconds=600.0,
        ticketing="desk",
    )


def new(deadline_seconds: float = 300.0) -> Canary:
    now, path = SystemClock().now(), portal_path()
    canary_id = mint_id(now, os.urandom(RANDOM_BYTES))
    made = new_canary(
        path,
        canary_id=canary_id,
        token=Token(mint_token(canary_id, path.name, KEY)),
        marker="intakecanary",
        sender=SENDER,
        prober="fra-1",
    )
    return replace(made, deadline_at=now + timedelta(seconds=deadline_seconds))


def small_portal() -> Site:
    """The form, and thanks for what is sent."""
    return Site({"GET /": Reply(body=FORM), "POST /requests": Reply(body=THANKS)})


def slow_after(request_path: str, seconds: float) -> Callable[[Request], Reply]:
    """A page that comes late."""
    return lambda _: Reply(body=THANKS if request_path == "/requests" else FORM, late_seconds=seconds)


@dataclass
class Stage:
    """A browser and where its prober keeps things; several canaries may be sent through it."""

    browsers: Browsers
    artifacts: Artifacts
    sessions: Sessions
    directory: Path
    masker: Masker = field(default_factory=Masker)

    def probe(self, of: PortalSettings) -> PortalProbe:
        clock = SystemClock()
        return PortalProbe(
            of,
            clock=clock,
            resolver=Resolver(clock=clock, random=Random(7)),  # noqa: S311 -- an order
            masker=self.masker,
            browsers=self.browsers,
            artifacts=self.artifacts,
            sessions=self.sessions,
        )

    async def launched(
        self,
        of: PortalSettings,
        canary: Canary | None = None,
        *,
        then: Callable[[Observation], None] | None = None,
    ) -> Seen:
        """Launch one canary; what was reported."""
        seen = Seen(then=then)
        await self.probe(of).launch(canary or new(), seen)
        return seen


@asynccontextmanager
async def staged(directory: Path, **browser: Any) -> AsyncIterator[Stage]:  # noqa: ANN401 -- of BrowserSettings
    """A prober's browser (not yet started), ended with the scope."""
    clock = SystemClock()
    browsers = Browsers(BrowserSettings(**{"arguments": SEALED, **browser}), clock=clock)
    try:
        yield Stage(
            browsers,
            Artifacts(ArtifactSettings(directory / "artifacts"), clock=clock),
            Sessions(directory / "sessions", key=KEY),
            directory,
        )
    finally:
        await browsers.aclose()


def family_of(pid: int) -> list[psutil.Process]:
    """All below a process, zombies too."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def browser_family() -> list[psutil.Process]:
    """Driver, browser, renderers, helpers of this process; zombies too."""
    return [one for one in family_of(os.getpid()) if "multiprocessing" not in " ".join(_command(one))]


def main_browser() -> psutil.Process:
    """The browser's first process."""
    return next(
        one
        for one in browser_family()
        if any("--remote-debugging-pipe" in word for word in _command(one))
        and not any(word.startswith("--type=") for word in _command(one))
    )


def renderers() -> list[psutil.Process]:
    """The processes of pages."""
    return [one for one in browser_family() if "--type=renderer" in _command(one)]


def driver() -> psutil.Process:
    """Playwright's driver."""
    return next(one for one in browser_family() if "run-driver" in _command(one))


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def homes(folder: Path) -> list[Path]:
    """What browsers and traces left in a folder for temporary files."""
    return sorted(folder.glob("*"))
