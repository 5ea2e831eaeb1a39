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
from probes.portal.settings import PortalSettings
from probes.portal.sight import Sight, look, status_reason
from probes.portal.traffic import Exchange, Traffic, shown
from probes.reasons import Failure, Fault

_LOOK_SECONDS: Final = 3.0
_BEFORE_THE_FORM: Final = frozenset({Hop.PORTAL_LOAD, Hop.PORTAL_LOGIN, Hop.PORTAL_FORM})
_AFTER_THE_SUBMIT: Final = frozenset({Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION})
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a journey stopped.

    Attributes:
        hop: the hop under way.
        doing: the step, as people write it; empty: none.
        since: the number of the first exchange of this hop.
        has_left: whether the submit was clicked.
    """

    hop: Hop
    doing: str
    since: int
    has_left: bool = False


@dataclass(frozen=True, slots=True)
class _Case:
    """All that a finding may rest on."""

    situation: Situation
    fault: Fault | None
    sight: Sight
    traffic: Traffic
    settings: PortalSettings
    url: str

    @property
    def hop(self) -> Hop:
        return self.situation.hop

    @property
    def exchanges(self) -> list[Exchange]:
        return list(self.traffic.since(self.situation.since))

    @property
    def document(self) -> Exchange | None:
        """The last document that this hop asked for."""
        return next(
            (
                one
                for one in reversed(self.exchanges)
                if one.is_document and one.failure != "net::ERR_ABORTED"
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
        return _failure(fault.reason, fault.detail, situation)
    sight = await _sight(hand, clock)
    if isinstance(sight, Fault):
        told = fault if fault is not None and sight.reason is Reason.PAGE_STUCK else sight
        return _failure(told.reason, told.detail, situation)
    case = _Case(situation, fault, sight, traffic, settings, hand.page.url)
    found = next((one for one in (finding(case) for finding in _FINDINGS) if one is not None), None)
    return _failure(*(found or _otherwise(case)), situation)


def _failure(reason: Reason, detail: str, situation: Situation) -> Failure:
    return Failure(reason, f"{_lead(situation)}{detail}", is_answer=reason in _ANSWERS)


def _lead(situation: Situation) -> str:
    return f"{situation.doing}: " if situation.doing else ""


_ANSWERS: Final = frozenset(
    {Reason.FORM_REJECTED, Reason.NOT_SUBMITTED, Reason.RATE_LIMITED, Reason.CREDENTIALS_REJECTED}
)
"""Said by the remote side itself, or seen by the browser: not in doubt, even after the submit."""


async def _sight(hand: Hand, clock: Clock) -> Sight | Fault:
    try:
        async with clock.timeout(_LOOK_SECONDS):
            return await look(hand.page)
    except PlaywrightError:
        return Fault(Reason.PAGE_STUCK, "the page never came to rest")
    except TimeoutError:
        return await _who_hangs(hand, clock)


async def _who_hangs(hand: Hand, clock: Clock) -> Fault:
    """The page's own scripts, which customers feel too, or our browser: the browser's own process answers for itself."""
    try:
        async with clock.timeout(_LOOK_SECONDS):
            await hand.page.context.cookies("https://localhost.invalid/")
    except (PlaywrightError, TimeoutError):
        return Fault(Reason.BROWSER_UNRESPONSIVE, "the browser answers no more")
    return Fault(Reason.PAGE_STUCK, "the page's scripts keep it busy: it answers nothing")


def _challenged(case: _Case) -> _Finding:
    if case.sight.challenge:
        return Reason.CHALLENGED, case.sight.challenge
    challenge = next((one.challenge for one in case.exchanges if one.challenge), "")
    return (Reason.CHALLENGED, "the answer's cf-mitigated field says challenge") if challenge else None


def _network(case: _Case) -> _Finding:
    """The document itself did not come."""
    document = case.document
    if document is None or not document.failure:
        return (case.fault.reason, case.fault.detail) if _is_network(case.fault) and case.fault else None
    reason = net_reason(document.failure) or Reason.PAGE_ERROR
    return reason, f"{shown(document.url)}: the browser says {document.failure}"


def _is_network(fault: Fault | None) -> bool:
    return fault is not None and "the browser says" in fault.detail


def _elsewhere(case: _Case) -> _Finding:
    host = (urlsplit(case.url).hostname or "").lower()
    if not host or host in case.settings.expect_hosts:
        return None
    return Reason.REDIRECTED, f"it went to {shown(case.url)} ({case.sight.words})"


def _status(case: _Case) -> _Finding:
    document = case.document
    if document is None or document.status is None:
        return None
    reason = status_reason(document.status, case.sight, has_credentials=_has_credentials(case.settings))
    if reason is None:
        return None
    return reason, f"{shown(document.url)} answers {document.status}: {case.sight.words}"


def _has_credentials(settings: PortalSettings) -> bool:
    return settings.http_login is not None or bool(settings.headers)


def _login(case: _Case) -> _Finding:
    """A log-in where there should be none, or one that refuses us."""
    sight = case.sight
    if not sight.passwords:
        expired = sight.has_expired and case.hop in _AFTER_THE_SUBMIT
        return (Reason.SESSION_EXPIRED, f"the page says: {sight.words}") if expired else None
    if case.hop is Hop.PORTAL_LOGIN:
        return (
            (Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}")
            if sight.refuses_login
            else None
        )
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
    return (case.fault.reason, case.fault.detail) if case.fault is not None else None


def _not_ready(case: _Case) -> _Finding:
    """The page is still on its way, or empty."""
    document = case.document
    waits = document is not None and document.is_pending and case.sight.size == 0
    if case.hop is Hop.PORTAL_LOAD or waits:
        return Reason.PAGE_TIMEOUT, f"it was not usable in time; slowest: {case.traffic.slowest()}"
    if case.sight.size == 0:
        return Reason.PAGE_ERROR, "the page is empty"
    return None


def _sent(case: _Case) -> Iterator[_Finding]:
    """After the submit, or at it: what the form says to it."""
    if case.sight.validation:
        yield Reason.FORM_REJECTED, f"the form says: {case.sight.validation}"
    if case.sight.error:
        yield Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    own = [one for one in case.exchanges if one.host in case.settings.expect_hosts]
    failed = next((one for one in own if one.may_write and one.has_failed), None)
    if failed is not None:
        yield _write_failed(failed)
    if case.sight.spinners:
        yield Reason.PAGE_STUCK, f"it keeps loading: {case.traffic.slowest()}"
    if case.hop is Hop.PORTAL_SUBMIT and not any(one.may_write or one.is_document for one in case.exchanges):
        broken = case.traffic.script_errors
        if broken:
            yield Reason.SCRIPT_ERROR, f"nothing left the page, and a script failed: {broken[-1]}"
        yield Reason.NOT_SUBMITTED, "nothing left the page"
    if any(one.is_pending and (one.may_write or one.is_document) for one in own):
        yield Reason.PAGE_TIMEOUT, f"no answer in time: {case.traffic.slowest(1)}"
    yield Reason.CONFIRMATION_MISSING, f"the page shows: {case.sight.words}"


def _write_failed(exchange: Exchange) -> _Finding:
    if exchange.failure:
        reason = net_reason(exchange.failure) or Reason.PAGE_ERROR
        return reason, f"{shown(exchange.url)}: the browser says {exchange.failure}"
    status = exchange.status or 0
    reason = Reason.SERVER_ERROR if status >= _SERVER_ERROR else Reason.FORM_REJECTED
    return reason, f"{shown(exchange.url)} answers {status}"


def _missing(case: _Case) -> Iterator[_Finding]:
    """Before the submit: what a customer needs is not there."""
    if case.sight.error and not case.sight.fields:
        yield Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    scripts = [one for one in case.traffic.exchanges if one.kind == "script" and one.has_failed]
    if not case.sight.fields and (case.traffic.script_errors or scripts):
        said = case.traffic.script_errors[-1] if case.traffic.script_errors else case.traffic.failed()
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
