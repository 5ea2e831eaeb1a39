"""What `intake-prober check` tries of a portal path: name, certificate, browser and the first page."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Page

from canary.reason import Reason
from probes.checklist import Checklist, StepFailed
from probes.contracts import Check, CheckState, Clock
from probes.dns import Resolver
from probes.masking import Masker
from probes.portal.browser import Browsers
from probes.portal.connection import Reach
from probes.portal.elements import awaited_first, find
from probes.portal.failures import fault_of
from probes.portal.settings import PortalSettings
from probes.portal.sight import look
from probes.portal.steps import Script
from probes.portal.traffic import shown
from probes.portal.visiting import context_options, equip_headers
from probes.reasons import Failure

_BROWSER_SECONDS: Final = 60.0
_CONNECT_SECONDS: Final = 10.0
_ELEMENT_MS: Final = 5000.0
_REMEDIES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.DNS_NO_RECORD: "Correct the path's `url`: no such name is known.",
        Reason.REFUSED: "Correct the path's `url`, or look at the portal's server.",
        Reason.JOURNEY_INVALID: "Correct the path's settings, then `intake-prober portal try PATH`.",
    }
)


async def check_path(
    settings: PortalSettings,
    *,
    browsers: Browsers,
    resolver: Resolver,
    reach: Reach,
    clock: Clock,
    masker: Masker,
) -> Sequence[Check]:
    """Everything up to the first element that a step needs; nothing is typed or sent."""
    parts = urlsplit(settings.url)
    host = parts.hostname or ""
    checklist = Checklist(settings.path, clock=clock, masker=masker, remedies=_REMEDIES)
    try:
        async with checklist.step("dns", settings.limits.dns_seconds) as step:
            if reach.has_proxy:
                step.finding = "the browser's proxy looks the name up"
            else:
                route = await resolver.host(host)
                step.finding = ", ".join(address for one in route.hosts for address in one.addresses)
        if parts.scheme == "https" and not reach.has_proxy:
            async with checklist.step("portal.tls", _CONNECT_SECONDS) as step:
                facts = await reach.connect(settings.url)
                step.finding = (
                    f"TLS {facts.get('tls.protocol.version', '')}, {facts.get('tls.server.subject', '')}"
                )
            checklist.certificate(dict(facts), clock.now())
        await _check_page(settings, browsers, checklist, verifies=not await reach.needs_own_authorities())
    except StepFailed:
        pass
    return checklist.checks


async def _check_page(
    settings: PortalSettings, browsers: Browsers, checklist: Checklist, *, verifies: bool
) -> None:
    async with checklist.step("portal.browser", _BROWSER_SECONDS) as step:
        options = await context_options(settings, verifies=verifies)
        async with browsers.visit(options) as visit:
            step.finding = f"Chromium {visit.version}, its sandbox {'on' if visit.is_sandboxed else 'off'}"
            if not visit.is_sandboxed:
                step.finding += " (it refuses root, and needs user namespaces)"
    async with (
        checklist.step("portal.load", settings.limits.load_seconds + _ELEMENT_MS / 1000) as step,
        browsers.visit(options) as visit,
    ):
        page = await _opened(visit.context, settings)
        step.finding, is_right = await _first_page(page, settings)
        if not is_right:
            step.state = CheckState.WARN
            step.remedy = f"Try the steps: intake-prober portal try {settings.path}"


async def _opened(context: Any, settings: PortalSettings) -> Page:  # noqa: ANN401 -- Playwright's BrowserContext
    try:
        page: Page = await context.new_page()
        await equip_headers(page, settings)
        await page.goto(
            settings.url, wait_until="domcontentloaded", timeout=settings.limits.load_seconds * 1000
        )
    except PlaywrightError as error:
        fault = fault_of(error)
        if fault is not None:
            raise Failure.of(fault) from error
        raise Failure(Reason.PAGE_TIMEOUT, "the page did not come in time") from error
    return page


async def _first_page(page: Page, settings: PortalSettings) -> tuple[str, bool]:
    """What is to be seen, and whether a canary would get on from there."""
    wanted = awaited_first(settings.login or settings.steps)
    where = f"{shown(page.url)} ({(await look(page)).words})"
    host = (urlsplit(page.url).hostname or "").lower()
    if host not in settings.expect_hosts:
        return f"it goes elsewhere: {where}", False
    if wanted is None:
        first = (settings.login or settings.steps)[0].action
        return f"{where}; {'a script' if isinstance(first, Script) else 'the first step'} is not tried", True
    try:
        await find(page, wanted).first.wait_for(state="visible", timeout=_ELEMENT_MS)
    except PlaywrightError:
        return f"{wanted} is not there: {where}", False
    return where, True
