"""Why a journey stopped: from the call's error, the network and what the page shows."""

from dataclasses import replace
from typing import Final

from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal.acts import Hand
from probes.portal.connection import Reach
from probes.portal.failures import fault_of
from probes.portal.findings import Case, Situation, conclude, is_network
from probes.portal.looking import presence_of, see, until_told
from probes.portal.settings import PortalSettings
from probes.portal.traffic import Exchange, Traffic, shown
from probes.reasons import Failure, Fault


async def diagnose(
    error: Exception,
    situation: Situation,
    *,
    hand: Hand,
    traffic: Traffic,
    settings: PortalSettings,
    clock: Clock,
    reach: Reach,
) -> Failure:
    """The failure behind an error of a journey; bounded, never raises for what the page does."""
    if isinstance(error, Failure):
        known = error.fault
        return Failure.of(replace(known, detail=f"{_lead(situation)}{known.detail}"))
    fault = fault_of(error) if isinstance(error, PlaywrightError) else None
    if traffic.has_crashed:
        fault = Fault(Reason.BROWSER_CRASHED, "the page's process died")
    elif hand.has_lost_its_browser:  # while we waited, and no call of ours was under way
        fault = Fault(Reason.BROWSER_CRASHED, "the browser died in the middle of it")
    if fault is not None and fault.reason is Reason.BROWSER_CRASHED:
        if hand.has_lost_its_page and not traffic.has_crashed:
            fault = Fault(Reason.PAGE_ERROR, "the page closed its own window")
        return _failure(fault.reason, fault.detail, situation)
    if is_network(fault):
        await until_told(traffic, since=situation.since, clock=clock)
    elif fault is None and (untold := _untold(traffic, situation)) is not None:
        if await reach.is_unanswered(untold.url):
            return _failure(
                Reason.CONNECT_TIMEOUT, f"{shown(untold.url)}: no connection is answered", situation
            )
        return _failure(Reason.PAGE_TIMEOUT, f"no answer in time: {traffic.slowest()}", situation)
    sight = await see(hand, traffic, clock)
    if isinstance(sight, Fault):
        told = fault or sight
        return _failure(told.reason, told.detail, situation)
    case = Case(
        situation,
        fault,
        sight,
        traffic,
        settings,
        hand.page.url,
        await presence_of(situation.element, hand, clock),
    )
    return _failure(*conclude(case), situation)


def _untold(traffic: Traffic, situation: Situation) -> Exchange | None:
    """The document of which nothing was heard yet."""
    return next((one for one in traffic.since(situation.since) if one.is_document and one.is_untold), None)


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
