"""Look at a page that a step failed on: it may be on its way elsewhere, hang, or be gone."""

from enum import StrEnum
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal.acts import Hand
from probes.portal.failures import is_gone
from probes.portal.sight import NOTHING, Sight, look
from probes.portal.steps import Locator
from probes.portal.traffic import Traffic
from probes.reasons import Fault

_LOOK_SECONDS: Final = 6.0
_OTHER_PAGE_SECONDS: Final = 8.0
_EVENT_SECONDS: Final = 2.0
_PAUSE_SECONDS: Final = 0.1


async def see(hand: Hand, traffic: Traffic, clock: Clock) -> Sight | Fault:
    """What is to be seen of a page, or why nothing is; bounded, never raises for what the page does."""
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


class Presence(StrEnum):
    """What a person sees of the element that a step needs."""

    ABSENT = "absent"
    DISABLED = "disabled"
    USABLE = "usable"


async def presence_of(locator: Locator | None, hand: Hand, clock: Clock) -> Presence:
    """What is to be seen by now of the element of the step."""
    if locator is None:
        return Presence.ABSENT
    element = hand.find_seen(locator)
    try:
        async with clock.timeout(_LOOK_SECONDS):
            if not await element.is_visible():
                return Presence.ABSENT
            return Presence.USABLE if await element.is_enabled() else Presence.DISABLED
    except (PlaywrightError, TimeoutError):
        return Presence.ABSENT


async def until_told(traffic: Traffic, *, since: int, clock: Clock) -> None:
    """The call's error may be quicker than the event that tells the status of the same page."""
    try:
        async with clock.timeout(_EVENT_SECONDS):
            while any(one.is_document and one.is_untold for one in traffic.since(since)):
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
            await other.evaluate("1")
            await other.close()  # of a browser that hangs it goes with it
    except (PlaywrightError, TimeoutError):
        return unresponsive
    return Fault(Reason.PAGE_STUCK, "the page's scripts keep it busy: it answers nothing")
