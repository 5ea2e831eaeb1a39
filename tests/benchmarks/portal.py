"""What a portal canary costs beside a bare Playwright script with a warm browser and the same steps."""

import asyncio
import random
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from playwright.async_api import Browser, async_playwright

from canary.canary import Canary, Token, new_canary
from canary.hop import Channel, Hop, route
from canary.observation import Observation, Outcome
from canary.path import Path as PortalPath
from canary.path import PathName, Slo
from canary.signature import RANDOM_BYTES, mint_id, mint_token
from probes.dns import Resolver
from probes.masking import Masker
from probes.message.compose import DEFAULT_BODY, DEFAULT_SUBJECT
from probes.portal.arguments import arguments
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Browsers
from probes.portal.executable import find
from probes.portal.probe import PortalProbe
from probes.portal.processes import family
from probes.portal.sessions import Sessions
from probes.portal.settings import ArtifactSettings, BrowserSettings, PortalSettings
from probes.portal.steps import By, Confirm, Fill, Locator, Step, Submit, Template
from runners.clock import SystemClock
from tests.benchmarks.report import Table, ratio
from tests.fakes.world import SENDER
from tests.sandbox import Sandbox

ROUNDS = 25
WALL_AIM, CPU_AIM = 1.15, 1.25
SEALED = ("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",)
"""Chromium's own look-ups would reach for servers elsewhere."""
_CONFIRMED = re.compile(r"/view/\?ticket=(?P<ticket>[\w-]+)")
_KEY = b"benchmark" * 4


@dataclass
class _Costs:
    """Seconds of each round: by the clock, and of all processors, the browser's processes included."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def tables(sandbox: Sandbox) -> Iterator[Table]:
    """Rounds alternate, so that all meet the same portal, with the same number of tickets."""
    yield asyncio.run(_measured(f"{sandbox.endpoints.desk_url}/tickets/submit/"))


async def _measured(url: str) -> Table:
    theirs, lean, ours = _Costs(), _Costs(), _Costs()
    clock = SystemClock()
    browsers = Browsers(BrowserSettings(arguments=SEALED, recycle_after=10_000), clock=clock)
    with TemporaryDirectory(prefix="intake-bench-") as folder:
        probe = PortalProbe(
            _settings(url),
            clock=clock,
            resolver=Resolver(clock=clock, random=random.Random(7)),  # noqa: S311 -- the order of addresses
            masker=Masker(),
            browsers=browsers,
            artifacts=Artifacts(ArtifactSettings(Path(folder)), clock=clock),
            sessions=Sessions(Path(folder), key=_KEY),
        )
        before = _drivers()
        async with async_playwright() as playwright:
            found = find(None, playwright.chromium.executable_path)
            assert found is not None
            browser = await playwright.chromium.launch(executable_path=found.path, args=list(SEALED))
            (bare_driver,) = _drivers() - before
            before = _drivers()
            await _canary(probe, clock)  # the first of each starts and loads what it needs
            (our_driver,) = _drivers() - before
            await _bare(browser, url)
            async with async_playwright() as another:
                before = _drivers() - {bare_driver, our_driver}
                as_ours = await another.chromium.launch(executable_path=found.path, args=arguments(SEALED))
                (lean_driver,) = before
                await _bare(as_ours, url)
                try:
                    for _ in range(ROUNDS):
                        await _cost(theirs, bare_driver, lambda: _bare(browser, url))
                        await _cost(ours, our_driver, lambda: _canary(probe, clock))
                        await _cost(lean, lean_driver, lambda: _bare(as_ours, url))
                finally:
                    await as_ours.close()
                    await browser.close()
                    await browsers.aclose()
    return _table(ours, theirs, lean)


async def _bare(browser: Browser, url: str) -> None:
    """The same steps with the same library: no limits, no evidence, nothing told."""
    token = f"x{secrets.token_hex(16)}"
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    page = await context.new_page()
    await page.goto(url)
    await page.locator("input[name=title]").fill(f"bare {token} {DEFAULT_SUBJECT}")
    await page.get_by_label("Description of your issue").fill(f"Reference: {token}\n\n{DEFAULT_BODY}")
    await page.locator("input[name=submitter_email]").fill(SENDER)
    await page.get_by_role("button", name="Submit Ticket").click()
    await page.wait_for_url(_CONFIRMED)
    await context.close()


async def _canary(probe: PortalProbe, clock: SystemClock) -> None:
    told: list[Observation] = []

    async def report(*observations: Observation) -> None:
        told.extend(observations)

    await probe.launch(_new(clock), report)
    assert told[-1].outcome is Outcome.OK, told[-1].detail


def _new(clock: SystemClock) -> Canary:
    path = PortalPath(
        name=PathName("support-portal"),
        channel=Channel.PORTAL,
        route=route(Channel.PORTAL, without=[Hop.PORTAL_LOGIN, Hop.REPLY_RECEIVED]),
        slo=Slo(600.0),
    )
    canary_id = mint_id(clock.now(), secrets.token_bytes(RANDOM_BYTES))
    token = Token(mint_token(canary_id, path.name, _KEY))
    return new_canary(
        path, canary_id=canary_id, token=token, marker="intakecanary", sender=SENDER, prober="bench"
    )


def _settings(url: str) -> PortalSettings:
    def css(selector: str) -> Locator:
        return Locator(By.CSS, selector)

    return PortalSettings(
        path="support-portal",
        url=url,
        expect_hosts=frozenset({"127.0.0.1"}),
        steps=(
            Step(1, Fill(css("input[name=title]"), Template("{{ subject }}"))),
            Step(2, Fill(Locator(By.LABEL, "Description of your issue"), Template("{{ body }}"))),
            Step(3, Fill(css("input[name=submitter_email]"), Template("{{ sender }}"))),
            Step(4, Submit(Locator(By.ROLE, "button", name="Submit Ticket"))),
            Step(5, Confirm(url=_CONFIRMED)),
        ),
        pace_seconds=0.0,
    )


async def _cost(costs: _Costs, driver: int, work: Callable[[], Awaitable[None]]) -> None:
    began, cpu = time.perf_counter(), _cpu_seconds(driver)
    await work()
    costs.wall.append(time.perf_counter() - began)
    costs.cpu.append(_cpu_seconds(driver) - cpu)


def _drivers() -> set[int]:
    """The pids of Playwright's drivers among our children."""
    return {one.pid for one in psutil.Process().children() if "run-driver" in one.cmdline()}


def _cpu_seconds(driver: int) -> float:
    """Of this process and of the browser's; a page's process that has ended counts with the one that reaped it."""
    total = time.process_time()
    for process in family(psutil.Process(driver)):
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _table(ours: _Costs, theirs: _Costs, lean: _Costs) -> Table:
    rows = [
        (
            name,
            f"{median(other) * 1000:.0f} ms",
            f"{median(mine) * 1000:.0f} ms",
            ratio(median(mine), median(other)),
            aim,
        )
        for name, mine, other, aim in (
            ("wall", ours.wall, theirs.wall, str(WALL_AIM)),
            ("CPU of all processes", ours.cpu, theirs.cpu, str(CPU_AIM)),
            ("wall, with our browser's arguments", ours.wall, lean.wall, ""),
            ("CPU, with our browser's arguments", ours.cpu, lean.cpu, ""),
        )
    ]
    return Table(
        "A portal canary beside a bare script",
        ("per canary", "bare Playwright", "intake-prober", "ratio", "aim"),
        rows,
        f"Medians of {ROUNDS} rounds of each, alternating, each with a warm browser of its own, on the helpdesk's public form: a fresh"
        " context, the page, three fields, the submit, the confirmation. A canary records a trace all the while, in case that it fails; its"
        " browser is started without the pages behind the address bar, and the last two rows give the bare script such a browser, too.",
    )
