"""Why a journey stopped: from the call's error, the network and what the page shows."""

from dataclasses import replace
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal.acts import Hand
from probes.portal.failures import fault_of, is_gone
from probes.portal.findings import Case, Situation, conclude, is_network
from probes.portal.settings import PortalSettings
from probes.portal.sight import NOTHING, Sight, look
from probes.portal.traffic import Traffic
from probes.reasons import Failure, Fault

_LOOK_SECONDS: Final = 6.0
_OTHER_PAGE_SECONDS: Final = 8.0
_EVENT_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.1


async def diagnose(
    error: Exception,
    situation: Situation,
    *,
    hand: Hand,
    traffic: Traffic,
    settings: PortalSettings,
    clock: Clock,
) -> Failure:
    """The failure behind an error of a journey; bounded, never raises for what the page does."""
    if isinstance(error, Failure):
        known = error.fault
        return Failure.of(replace(known, detail=f"{_lead(situation)}{known.detail}"))
    fault = fault_of(error) if isinstance(error, PlaywrightError) else None
    if traffic.has_crashed:
        fault = Fault(Reason.BROWSER_CRASHED, "the page's process died")
    if fault is not None and fault.reason is Reason.BROWSER_CRASHED:
        if hand.has_lost_its_page and not traffic.has_crashed:
            fault = Fault(Reason.PAGE_ERROR, "the page closed its own window")
        return _failure(fault.reason, fault.detail, situation)
    if is_network(fault):
        await _until_told(traffic, situation, clock)
    elif any(one.is_document and one.is_untold for one in traffic.since(situation.since)):
        return _failure(Reason.PAGE_TIMEOUT, f"no answer in time: {traffic.slowest()}", situation)
    sight = await _sight(hand, traffic, clock)
    if isinstance(sight, Fault):
        told = fault or sight
        return _failure(told.reason, told.detail, situation)
    case = Case(
        situation, fault, sight, traffic, settings, hand.page.url, await _is_there(situation, hand, clock)
    )
    return _failure(*conclude(case), situation)


def _failure(reason: Reason, detail: str, situation: Situation) -> Failure:
    return Failure(reason, f"{_lead(situation)}{detail}", is_answer=reason in _ANSWERS)


def _lead(situation: Situation) -> str:
    return f"{situation.doing}: " if situation.doing else ""


_ANSWERS: Final = frozenset(
    {
        Reason.SERVER_ERROR,
        Reason.PAGE_ERROR,
        Reason.PAGE_STUCK,
        Reason.REDIRECTED,
        Reason.REDIRECT_LOOP,
        Reason.SCRIPT_ERROR,
        Reason.FORM_REJECTED,
        Reason.SESSION_EXPIRED,
        Reason.NOT_SUBMITTED,
        Reason.CONFIRMATION_MISSING,
        Reason.CHALLENGED,
        Reason.RATE_LIMITED,
        Reason.CREDENTIALS_REJECTED,
    }
)
"""Said by the remote side itself, or seen by the browser: not in doubt, even after the submit."""


async def _sight(hand: Hand, traffic: Traffic, clock: Clock) -> Sight | Fault:
    if not hand.page.url.startswith("http"):  # none came, or the browser shows an error of its own
        return NOTHING
    last: PlaywrightError | None = None
    try:
        async with clock.timeout(_LOOK_SECONDS):
            while True:
                try:
                    return await _look_at_all(hand)
                except PlaywrightError as error:
                    if is_gone(error):
                        return Fault(Reason.BROWSER_CRASHED, "the browser died before the page could be read")
                    last = error
                await clock.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        if last is not None:
            return Fault(Reason.PAGE_STUCK, "the page never came to rest")
        coming = [one.url.partition("#")[0] for one in traffic.pending() if one.is_document]
        if any(url != hand.page.url.partition("#")[0] for url in coming):
            # Playwright answers nothing of a page that is about to be replaced by another one
            return Fault(Reason.PAGE_TIMEOUT, f"the next page did not come in time: {traffic.slowest()}")
        return await _who_hangs(hand, clock)


async def _is_there(situation: Situation, hand: Hand, clock: Clock) -> bool:
    """Whether the element of the step is to be seen by now, and can be used."""
    if situation.element is None:
        return False
    element = hand.find_seen(situation.element)
    try:
        async with clock.timeout(_LOOK_SECONDS):
            return await element.is_visible() and await element.is_enabled()
    except (PlaywrightError, TimeoutError):
        return False


async def _until_told(traffic: Traffic, situation: Situation, clock: Clock) -> None:
    """The call's error may be quicker than the event that tells the status of the same page."""
    try:
        async with clock.timeout(_EVENT_SECONDS):
            while any(one.is_document and one.is_untold for one in traffic.since(situation.since)):
                traffic.changed.clear()
                await traffic.changed.wait()
    except TimeoutError:
        return


async def _look_at_all(hand: Hand) -> Sight:
    """The page, and the frame that the steps are in; a frame that can't be read is left out."""
    sight = await look(hand.page)
    inside = hand.inside
    if inside is None:
        return sight
    try:
        return sight.with_frame(await look(inside))
    except PlaywrightError:
        return sight


async def _who_hangs(hand: Hand, clock: Clock) -> Fault:
    """The page's own scripts, which customers feel too, or our browser: then another page answers no more, either."""
    unresponsive = Fault(
        Reason.BROWSER_UNRESPONSIVE, "the browser answers no more, not even with an empty page"
    )
    browser = hand.page.context.browser
    if browser is None:
        return unresponsive
    try:
        async with clock.timeout(_OTHER_PAGE_SECONDS):
            other = await browser.new_page()
            try:
                await other.evaluate("1")
            finally:
                await other.close()
    except (PlaywrightError, TimeoutError):
        return unresponsive
    return Fault(Reason.PAGE_STUCK, "the page's scripts keep it busy: it answers nothing")
