"""Why a journey stopped: from the call's error, the network and what the page shows, the most telling first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import Error as PlaywrightError

from canary.hop import Hop
from canary.reason import Reason
from probes.contracts import Clock
from probes.portal.acts import Hand
from probes.portal.failures import fault_of, net_reason
from probes.portal.looking import is_there, see, until_told
from probes.portal.settings import PortalSettings
from probes.portal.sight import Sight, status_reason
from probes.portal.steps import Locator
from probes.portal.traffic import Exchange, Traffic, shown
from probes.reasons import Failure, Fault

_AFTER_THE_SUBMIT: Final = frozenset({Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION})
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_REFUSALS: Final = frozenset({400, 409, 413, 422})
"""What an API answers to a request that it does not like (RFC 9110 section 15.5)."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a journey stopped.

    Attributes:
        hop: the hop under way.
        doing: the step, as people write it; empty: none.
        since: the number of the first exchange of this hop.
        has_left: whether the submit was clicked.
        known_alerts: what was marked as an error already before it.
        element: what the step is done to; None: nothing.
    """

    hop: Hop
    doing: str
    since: int
    has_left: bool = False
    known_alerts: tuple[str, ...] = ()
    element: Locator | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a finding may rest on."""

    situation: Situation
    fault: Fault | None
    sight: Sight
    traffic: Traffic
    settings: PortalSettings
    url: str
    is_there: bool

    @property
    def hop(self) -> Hop:
        return self.situation.hop

    @property
    def exchanges(self) -> list[Exchange]:
        return list(self.traffic.since(self.situation.since))

    @property
    def sent(self) -> list[Exchange]:
        """What can have been the request, if it was sent in this hop."""
        return self.traffic.submissions(self.situation.since)

    @property
    def validation(self) -> str:
        """What the form refuses, beside what it said before."""
        known = self.situation.known_alerts
        return replace(
            self.sight, alerts=tuple(one for one in self.sight.alerts if one not in known)
        ).validation

    @property
    def document(self) -> Exchange | None:
        """The last document that this hop asked for."""
        return next(
            (
                one
                for one in reversed(self.exchanges)
                if one.is_document and (one.is_broken or not one.failure)
            ),
            None,
        )


_Finding = tuple[Reason, str] | None


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
    if _is_network(fault):
        await until_told(traffic, since=situation.since, clock=clock)
    elif any(one.is_document and one.is_untold for one in traffic.since(situation.since)):
        return _failure(Reason.PAGE_TIMEOUT, f"no answer in time: {traffic.slowest()}", situation)
    sight = await see(hand, traffic, clock)
    if isinstance(sight, Fault):
        told = fault or sight
        return _failure(told.reason, told.detail, situation)
    case = _Case(
        situation,
        fault,
        sight,
        traffic,
        settings,
        hand.page.url,
        await is_there(situation.element, hand, clock),
    )
    found = next((one for one in (finding(case) for finding in _FINDINGS) if one is not None), None)
    return _failure(*(found or _otherwise(case)), situation)


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


def _challenged(case: _Case) -> _Finding:
    """A challenge in the page's place; a captcha in a form may be solved (a vendor's test key), so it tells nothing yet."""
    if case.sight.is_challenge:
        return Reason.CHALLENGED, case.sight.challenge
    own = [one for one in case.exchanges if one.is_document or one.host in case.settings.expect_hosts]
    challenge = next((one.challenge for one in own if one.challenge), "")
    return (Reason.CHALLENGED, "the answer's cf-mitigated field says challenge") if challenge else None


def _network(case: _Case) -> _Finding:
    """The document itself did not come."""
    document = case.document
    if document is not None and (document.status or 0) >= _CLIENT_ERROR:
        return None  # an error without a page, which the browser reports as if it were none
    if document is None or not document.failure:
        return (case.fault.reason, case.fault.detail) if _is_network(case.fault) and case.fault else None
    reason = net_reason(document.failure) or Reason.PAGE_ERROR
    return reason, f"{shown(document.url)}: the browser says {document.failure}"


def _is_network(fault: Fault | None) -> bool:
    return fault is not None and "the browser says" in fault.detail


def _elsewhere(case: _Case) -> _Finding:
    host = (urlsplit(case.url).hostname or "").lower()
    if not host or not case.url.startswith("http") or host in case.settings.expect_hosts:
        return None
    return Reason.REDIRECTED, f"it went to {shown(case.url)} ({case.sight.words})"


def _status(case: _Case) -> _Finding:
    document = case.document
    if document is None or document.status is None:
        return None
    reason = status_reason(document.status, case.sight, has_credentials=_has_credentials(case.settings))
    if reason is None:
        return None
    said = "no page" if document.failure else case.sight.words
    return reason, f"{shown(document.url)} answers {document.status}: {said}"


def _has_credentials(settings: PortalSettings) -> bool:
    return settings.http_login is not None or bool(settings.headers)


def _login(case: _Case) -> _Finding:
    """A log-in where there should be none, or one that refuses us."""
    sight = case.sight
    if not sight.passwords:
        expired = sight.has_expired and case.hop in _AFTER_THE_SUBMIT
        return (Reason.SESSION_EXPIRED, f"the page says: {sight.words}") if expired else None
    if case.settings.login and sight.refuses_login and not case.situation.has_left:
        return Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}"
    if case.hop is Hop.PORTAL_LOGIN:
        is_answered = not case.situation.doing and not (case.document and case.document.is_pending)
        said = "the log-in is asked for again, without a word of why"
        return (Reason.CREDENTIALS_REJECTED, said) if is_answered else None
    if case.settings.login or sight.has_expired:
        return Reason.SESSION_EXPIRED, f"a log-in is asked for again: {sight.words}"
    is_first = case.hop in {Hop.PORTAL_LOAD, Hop.PORTAL_FORM}
    return (
        (Reason.REDIRECTED, f"a log-in stands before it: {shown(case.url)} ({sight.words})")
        if is_first
        else None
    )


def _maintenance(case: _Case) -> _Finding:
    said = case.sight.maintenance
    return (
        (Reason.REDIRECTED, f"a maintenance page: {case.sight.words}")
        if said and not case.situation.has_left
        else None
    )


def _element(case: _Case) -> _Finding:
    """What the browser's own log says of the element: covered, disabled, not the only one."""
    waits_for_captcha = {Reason.FORM_DISABLED, Reason.ELEMENT_COVERED}
    if case.fault is not None and case.fault.reason in waits_for_captcha and case.sight.challenge:
        return Reason.CHALLENGED, f"{case.sight.challenge}; {case.fault.detail}"
    return (case.fault.reason, case.fault.detail) if case.fault is not None else None


def _not_ready(case: _Case) -> _Finding:
    """The page is still on its way, or empty."""
    document = case.document
    waits = document is not None and document.is_pending
    if case.sight.size == 0 and not waits and (said := _broken_script(case)):
        return Reason.SCRIPT_ERROR, f"the page is empty, and a script failed: {said}"
    if case.sight.size == 0 and document is not None and not waits and case.sight.is_loaded:
        return Reason.PAGE_ERROR, "the page is empty"
    if case.hop is Hop.PORTAL_LOAD and case.sight.error and not case.sight.fields:
        return Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    if case.hop is Hop.PORTAL_LOAD or case.sight.size == 0 or (waits and not case.situation.has_left):
        return Reason.PAGE_TIMEOUT, f"it was not usable in time; slowest: {case.traffic.slowest()}"
    return None


def _broken_script(case: _Case) -> str:
    """What a script of the page says that failed, or that did not come; empty: none did."""
    missing = any(one.kind == "script" and one.has_failed for one in case.traffic.exchanges)
    if case.traffic.script_errors:
        return case.traffic.script_errors[-1]
    return case.traffic.failed() if missing else ""


def _sent(case: _Case) -> Iterator[_Finding]:
    """After the submit, or at it: what the form says to it."""
    sent = case.sent
    failed = next((one for one in sent if one.has_failed), None)
    if failed is not None and (failed.failure or (failed.status or 0) >= _SERVER_ERROR):
        yield _write_failed(failed)
    waiting = next((one for one in sent if one.is_pending and one.status is None), None)
    if waiting is not None:
        yield Reason.PAGE_TIMEOUT, f"no answer in time: {shown(waiting.url)}"
    if case.sight.challenge:
        yield Reason.CHALLENGED, case.sight.challenge
    if case.validation:
        yield Reason.FORM_REJECTED, f"the form says: {case.validation}"
    if failed is not None:
        yield _write_failed(failed)
    if case.hop is Hop.PORTAL_SUBMIT and not sent:
        if case.traffic.script_errors:
            said = case.traffic.script_errors[-1]
            yield Reason.SCRIPT_ERROR, f"nothing left the page, and a script failed: {said}"
        yield Reason.NOT_SUBMITTED, "nothing left the page"
    if case.sight.spinners:
        yield Reason.PAGE_STUCK, f"it keeps loading: {case.traffic.slowest()}"
    if case.sight.error:
        yield Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    yield Reason.CONFIRMATION_MISSING, f"the page shows: {case.sight.words}"


def _write_failed(exchange: Exchange) -> _Finding:
    if exchange.failure:
        reason = net_reason(exchange.failure) or Reason.PAGE_ERROR
        return reason, f"{shown(exchange.url)}: the browser says {exchange.failure}"
    status = exchange.status or 0
    meant = status_reason(status, None, has_credentials=False) or Reason.PAGE_ERROR
    reason = Reason.FORM_REJECTED if status in _REFUSALS else meant
    return reason, f"{shown(exchange.url)} answers {status}"


def _missing(case: _Case) -> Iterator[_Finding]:
    """Before the submit: what a customer needs is not there."""
    if case.is_there:
        yield Reason.PAGE_TIMEOUT, f"it is there, but too late; slowest: {case.traffic.slowest()}"
    if case.sight.error and not case.sight.fields:
        yield Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    if not case.sight.fields and (said := _broken_script(case)):
        yield Reason.SCRIPT_ERROR, f"it is not there, and a script failed: {said}"
    if case.sight.spinners:
        yield Reason.PAGE_STUCK, f"it is not there, and the page keeps loading: {case.traffic.slowest()}"
    yield Reason.FORM_CHANGED, f"it is not there; the page shows: {case.sight.words}"


def _otherwise(case: _Case) -> tuple[Reason, str]:
    candidates = _sent(case) if case.hop in _AFTER_THE_SUBMIT else _missing(case)
    found = next(one for one in candidates if one is not None)
    if case.hop is Hop.PORTAL_SUBMIT and not case.situation.has_left:
        found = next(one for one in _missing(case) if one is not None)
    return found


_FINDINGS: Final[tuple[Callable[[_Case], _Finding], ...]] = (
    _challenged,
    _network,
    _elsewhere,
    _status,
    _login,
    _maintenance,
    _element,
    _not_ready,
)
