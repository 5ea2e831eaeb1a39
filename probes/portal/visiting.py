"""Arrange a browser's context as one path wants it, and a page in it that is listened to."""

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Locator as PageLocator
from playwright.async_api import Page

from canary.canary import Canary
from canary.reason import Reason
from probes.contracts import Clock
from probes.masking import Masker
from probes.message.request import words_of
from probes.portal.acts import Hand
from probes.portal.artifacts import Artifacts
from probes.portal.browser import Browsers, Visit
from probes.portal.customer import Customer
from probes.portal.elements import find
from probes.portal.evidence import Collector
from probes.portal.failures import is_gone
from probes.portal.headers import origin_of, send_headers
from probes.portal.settings import PortalSettings
from probes.portal.traffic import Traffic
from probes.reasons import Failure
from probes.servers import SecretUnavailable

_ARRANGE_SECONDS: Final = 30.0
_DISMISS_MS: Final = 5000.0


@dataclass(frozen=True, slots=True)
class Arrangement:
    """One canary's place in the browser."""

    visit: Visit
    hand: Hand
    traffic: Traffic
    collector: Collector


@asynccontextmanager
async def arranged(
    settings: PortalSettings,
    canary: Canary,
    *,
    browsers: Browsers,
    artifacts: Artifacts,
    masker: Masker,
    clock: Clock,
    storage_state: Any | None,  # noqa: ANN401 -- Playwright's
    verifies: bool,
) -> AsyncIterator[Arrangement]:
    """A fresh context with a page, closed at the end of the scope.

    Args:
        settings: the path's.
        canary: whose words are typed.
        browsers: the one browser.
        artifacts: takes the evidence of a failure.
        masker: for the evidence.
        clock: times and limits.
        storage_state: the log-in of an earlier canary; None: none.
        verifies: whether the browser verifies certificates; else the caller does in its place.

    Raises:
        Failure: no browser, or it died or hangs.
        SecretUnavailable: a secret of the path can't be had.
    """
    options = await context_options(settings, verifies=verifies)
    if storage_state is not None:
        options["storage_state"] = storage_state
    async with AsyncExitStack() as stack:
        visit = await stack.enter_async_context(browsers.visit(options))
        try:
            async with clock.timeout(_ARRANGE_SECONDS):
                arrangement = await _arrange(
                    settings, canary, visit, artifacts=artifacts, masker=masker, clock=clock
                )
        except TimeoutError:
            raise Failure(Reason.BROWSER_UNRESPONSIVE, "the browser opens no page") from None
        except PlaywrightError as error:
            reason = Reason.BROWSER_CRASHED if is_gone(error) else Reason.JOURNEY_INVALID
            raise Failure(reason, f"the browser opens no page: {error.message.splitlines()[0]}") from error
        yield arrangement


async def _arrange(
    settings: PortalSettings,
    canary: Canary,
    visit: Visit,
    *,
    artifacts: Artifacts,
    masker: Masker,
    clock: Clock,
) -> Arrangement:
    await visit.context.tracing.start(snapshots=True, screenshots=False, sources=False)
    page = await visit.context.new_page()
    traffic = Traffic(clock.monotonic, canary.token, settings.expect_hosts)
    traffic.watch(visit.context)
    traffic.watch_page(page)
    customer = Customer(words_of(canary, settings.request), settings.request.attachment)
    hand = Hand(page, customer, settings.url, clock, visit.is_alive)
    traffic.is_on = hand.is_on

    trace = (lambda: canary.traceparent(traffic.hop)) if settings.propagate else None

    async def equip(window: Page) -> None:
        for locator in settings.dismiss:
            await window.add_locator_handler(find(window, locator).first, _click_away)
        await equip_headers(window, settings, trace=trace)

    async def follow(opened: Page) -> None:
        traffic.watch_page(opened)
        hand.follow(opened)
        with contextlib.suppress(
            PlaywrightError, SecretUnavailable
        ):  # it is closed already, or was told of before
            await equip(opened)

    await equip(page)
    visit.context.on("page", follow)
    configured = [one for one in settings.headers.values() if not isinstance(one, str)]
    if settings.http_login is not None:
        configured.append(settings.http_login.secret)
    collector = Collector(canary, visit, hand, traffic, artifacts, masker, clock, configured)
    return Arrangement(visit, hand, traffic, collector)


async def equip_headers(
    page: Page, settings: PortalSettings, *, trace: Callable[[], str] | None = None
) -> None:
    """From now on, have a page send the path's extra header fields.

    Args:
        page: the page.
        settings: the path's.
        trace: the trace context of the moment, for the portal's own origin; None: none.

    Raises:
        playwright.async_api.Error: the browser is gone.
        SecretUnavailable: a secret among them can't be had, or sent.
    """
    if not settings.headers and trace is None:
        return
    plain = {name: value for name, value in settings.headers.items() if isinstance(value, str)}
    secret = {
        name: (await value.read()).reveal()
        for name, value in settings.headers.items()
        if not isinstance(value, str)
    }
    await send_headers(
        page, plain, secret, hosts=settings.expect_hosts, origin=origin_of(settings.url), trace=trace
    )


async def _click_away(element: PageLocator) -> None:
    with contextlib.suppress(
        PlaywrightError
    ):  # what lies over the page still is told by the step that it stops
        await element.click(timeout=_DISMISS_MS)


async def context_options(settings: PortalSettings, *, verifies: bool) -> dict[str, Any]:
    """The options of Playwright's `Browser.new_context` for this path.

    Args:
        settings: the path's.
        verifies: whether the browser verifies certificates.

    Raises:
        SecretUnavailable: a secret of the path can't be had.
    """
    width, height = settings.viewport
    options: dict[str, Any] = {
        "viewport": {"width": width, "height": height},
        "accept_downloads": False,
        # Chromium takes no file of authorities: where one is needed, the chains are verified by ourselves
        "ignore_https_errors": not verifies,
    }
    named = {"locale": settings.locale, "timezone_id": settings.time_zone, "user_agent": settings.user_agent}
    options |= {name: value for name, value in named.items() if value is not None}
    if settings.http_login is not None:
        options["http_credentials"] = {
            "username": settings.http_login.username,
            "password": (await settings.http_login.secret.read()).reveal(),
            "origin": origin_of(settings.url),
        }
    if settings.client_certificate is not None:
        certificate = settings.client_certificate
        options["client_certificates"] = [
            {
                "origin": certificate.origin,
                "certPath": certificate.certificate,
                "key": (await certificate.key.read()).reveal().encode(),
            }
        ]
    return options
