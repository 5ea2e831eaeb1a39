"""What a stopped journey shows, and what that means: the most telling first. Pure; nothing is looked at here."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from canary.hop import Hop
from canary.reason import Reason
from probes.portal.failures import is_of_our_machine, net_reason
from probes.portal.looking import Presence
from probes.portal.settings import PortalSettings
from probes.portal.sight import Sight, status_reason
from probes.portal.steps import Locator
from probes.portal.traffic import Exchange, Traffic, shown
from probes.reasons import Fault
from probes.selfcheck import DISPUTABLE

_AFTER_THE_SUBMIT: Final = frozenset({Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION})
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_DATA: Final = frozenset({"fetch", "xhr"})
_REFUSALS: Final = frozenset({400, 413, 422})
"""What an API answers to a request that it does not like (RFC 9110 section 15.5)."""
_CLIENT_TLS: Final = re.compile(r"Playwright client-certificate error: .{0,120}")
_TLS_WORDS: Final = (
    ("expired", Reason.CERTIFICATE_EXPIRED),
    ("altname", Reason.CERTIFICATE_WRONG_NAME),
    ("self-signed", Reason.CERTIFICATE_INVALID),
    ("self signed", Reason.CERTIFICATE_INVALID),
    ("unable to", Reason.CERTIFICATE_INVALID),
    ("econnrefused", Reason.REFUSED),
    ("etimedout", Reason.CONNECT_TIMEOUT),
    ("econnreset", Reason.CONNECTION_LOST),
    ("alert", Reason.CREDENTIALS_REJECTED),
)
"""OpenSSL's words for what is wrong with the server's certificate; an alert is the server's word about ours."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a journey stopped.

    Attributes:
        hop: the hop under way.
        doing: the step, as people write it; empty: none.
        since: the number of the first exchange of this hop.
        has_left: whether the submit was clicked.
        known_alerts: what was called wrong already before it.
        known_refusal: what looked like a refusal of the log-in already before it.
        has_typed_all: whether every secret of the log-in was typed.
        element: what the step is done to; None: nothing.
    """

    hop: Hop
    doing: str
    since: int
    has_left: bool = False
    known_alerts: tuple[str, ...] = ()
    known_refusal: str = ""
    has_typed_all: bool = False
    element: Locator | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """All that a finding may rest on."""

    situation: Situation
    fault: Fault | None
    sight: Sight
    traffic: Traffic
    settings: PortalSettings
    url: str
    presence: Presence

    @property
    def hop(self) -> Hop:
        """The hop under way."""
        return self.situation.hop

    @property
    def exchanges(self) -> list[Exchange]:
        """What was asked of the network in this hop."""
        return list(self.traffic.since(self.situation.since))

    @property
    def sent(self) -> list[Exchange]:
        """What can have been the request, if it was sent in this hop."""
        return self.traffic.submissions(self.situation.since)

    @property
    def validation(self) -> str:
        """What the form refuses, beside what it said before."""
        return self.sight.without(self.situation.known_alerts).validation

    @property
    def own(self) -> list[Exchange]:
        """What this hop asked of the portal's own hosts."""
        return [one for one in self.exchanges if one.host in self.settings.expect_hosts]

    @property
    def waiting(self) -> Exchange | None:
        """What a page of the portal still waits for: data that its script asked for."""
        return next((one for one in self.own if one.is_pending and one.kind in _DATA), None)

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


Finding = tuple[Reason, str] | None


def conclude(case: Case) -> tuple[Reason, str]:
    """Why it stopped, and what shows it."""
    found = next((one for one in (finding(case) for finding in _FINDINGS) if one is not None), None)
    return found or _otherwise(case)


def _challenged(case: Case) -> Finding:
    """A challenge in the page's place; a captcha in a form may be solved (a vendor's test key), so it tells nothing yet."""
    if case.sight.is_challenge:
        return Reason.CHALLENGED, case.sight.challenge
    own = [one for one in case.exchanges if one.is_document or one.host in case.settings.expect_hosts]
    challenge = next((one.challenge for one in own if one.challenge), "")
    return (Reason.CHALLENGED, "the answer's cf-mitigated field says challenge") if challenge else None


def _network(case: Case) -> Finding:
    """The document itself did not come."""
    document = case.document
    if document is not None and (document.status or 0) >= _CLIENT_ERROR:
        return None  # an error without a page, which the browser reports as if it were none
    if document is None or not document.failure:
        return (case.fault.reason, case.fault.detail) if is_network(case.fault) and case.fault else None
    reason = net_reason(document.failure) or Reason.PAGE_ERROR
    return reason, f"{shown(document.url)}: the browser says {document.failure}"


def is_network(fault: Fault | None) -> bool:
    """Whether a fault is the network's, as the browser's own code says."""
    return fault is not None and "the browser says" in fault.detail


def _elsewhere(case: Case) -> Finding:
    host = (urlsplit(case.url).hostname or "").lower()
    if not host or not case.url.startswith("http") or host in case.settings.expect_hosts:
        return None
    return Reason.REDIRECTED, f"it went to {shown(case.url)} ({case.sight.words})"


def _status(case: Case) -> Finding:
    document = case.document
    if document is None or document.status is None:
        return None
    reason = status_reason(document.status, case.sight, has_credentials=_has_credentials(case.settings))
    if reason is None:
        return None
    said = "no page" if document.failure else case.sight.words
    if case.settings.client_certificate is not None and (words := _of_client_tls(case.sight)):
        return _client_tls_reason(words), f"{shown(document.url)}: {words}"
    if case.hop is Hop.PORTAL_LOAD and document.status in _of_the_door(case.settings):
        shows = "our header fields or certificate"
        return (
            Reason.CREDENTIALS_REJECTED,
            f"{shown(document.url)} answers {document.status} to {shows}: {said}",
        )
    return reason, f"{shown(document.url)} answers {document.status}: {said}"


def _has_credentials(settings: PortalSettings) -> bool:
    return settings.http_login is not None or bool(settings.headers)


def _of_the_door(settings: PortalSettings) -> frozenset[int]:
    """With which statuses a defence refuses what we are let in by (RFC 9110 section 15.5; 400 and 495, 496: nginx)."""
    has_secret = any(not isinstance(value, str) for value in settings.headers.values())
    if settings.client_certificate is not None:
        return frozenset({_CLIENT_ERROR, 403, 495, 496})
    return frozenset({403}) if has_secret else frozenset()


def _of_client_tls(sight: Sight) -> str:
    """What Playwright (1.65) writes in a page of its own when the connection with a client's certificate fails."""
    found = _CLIENT_TLS.search(sight.text)
    return found[0] if found is not None else ""


def _client_tls_reason(words: str) -> Reason:
    return next((reason for part, reason in _TLS_WORDS if part in words.lower()), Reason.TLS_FAILED)


def _login(case: Case) -> Finding:
    """A log-in where there should be none, or one that refuses us."""
    sight = case.sight
    if case.hop is Hop.PORTAL_LOGIN:
        return _in_login(case)
    if not sight.passwords:
        expired = sight.has_expired and case.hop in _AFTER_THE_SUBMIT
        return (Reason.SESSION_EXPIRED, f"the page says: {sight.words}") if expired else None
    if case.settings.login and sight.refuses_login and not case.situation.has_left:
        return Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}"
    if case.settings.login or sight.has_expired:
        return Reason.SESSION_EXPIRED, f"a log-in is asked for again: {sight.words}"
    is_first = case.hop in {Hop.PORTAL_LOAD, Hop.PORTAL_FORM}
    return (
        (Reason.REDIRECTED, f"a log-in stands before it: {shown(case.url)} ({sight.words})")
        if is_first
        else None
    )


def _in_login(case: Case) -> Finding:
    """Whether our credentials are refused: what the portal failed at itself comes first."""
    failed = case.traffic.failed_write(case.situation.since)
    if failed is not None:
        return _write_failed(failed)
    sight = case.sight
    if sight.refuses_login not in {"", case.situation.known_refusal}:
        return Reason.CREDENTIALS_REJECTED, f"the log-in says: {sight.refuses_login}"
    is_answered = not (case.document and case.document.is_pending) and case.waiting is None
    if sight.passwords and is_answered and (case.situation.has_typed_all or not case.situation.doing):
        if sight.is_out_of_order:
            return Reason.PAGE_ERROR, f"the page says: {sight.words}"
        return Reason.CREDENTIALS_REJECTED, "the log-in is asked for again, without a word of why"
    return None


def _own_network(case: Case) -> Finding:
    """What the page needs did not come, for a reason that may lie with our own network: the controls are to judge."""
    if case.situation.has_left:
        return None
    for one in case.exchanges:
        reason = net_reason(one.failure) if one.is_broken else None
        is_own = one.host in case.settings.expect_hosts and reason in DISPUTABLE
        if reason is not None and (is_own or is_of_our_machine(one.failure)):
            return reason, f"{shown(one.url)}: the browser says {one.failure}"
    return None


def _maintenance(case: Case) -> Finding:
    said = case.sight.maintenance
    return (
        (Reason.REDIRECTED, f"a maintenance page: {case.sight.words}")
        if said and not case.situation.has_left
        else None
    )


def _element(case: Case) -> Finding:
    """What the browser's own log says of the element: covered, disabled, not the only one."""
    waits_for_captcha = {Reason.FORM_DISABLED, Reason.ELEMENT_COVERED}
    if case.fault is not None and case.fault.reason in waits_for_captcha and case.sight.challenge:
        return Reason.CHALLENGED, f"{case.sight.challenge}; {case.fault.detail}"
    return (case.fault.reason, case.fault.detail) if case.fault is not None else None


def _not_ready(case: Case) -> Finding:
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


def _broken_script(case: Case) -> str:
    """What a script of the page says that failed, or that did not come; empty: none did."""
    missing = any(one.kind == "script" and one.has_failed for one in case.traffic.exchanges)
    if case.traffic.script_errors:
        return case.traffic.script_errors[-1]
    return case.traffic.failed() if missing else ""


def _sent(case: Case) -> Iterator[Finding]:
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


def _write_failed(exchange: Exchange) -> Finding:
    if exchange.failure:
        reason = net_reason(exchange.failure) or Reason.PAGE_ERROR
        return reason, f"{shown(exchange.url)}: the browser says {exchange.failure}"
    status = exchange.status or 0
    meant = status_reason(status, None, has_credentials=False) or Reason.PAGE_ERROR
    reason = Reason.FORM_REJECTED if status in _REFUSALS else meant
    return reason, f"{shown(exchange.url)} answers {status}"


def _missing(case: Case) -> Iterator[Finding]:
    """Before the submit: what a customer needs is not there."""
    if case.presence is Presence.DISABLED:
        yield Reason.FORM_DISABLED, "it is there and disabled"
    if case.presence is Presence.USABLE:
        yield Reason.PAGE_TIMEOUT, f"it is there, but too late; slowest: {case.traffic.slowest()}"
    if case.sight.error and not case.sight.fields:
        yield Reason.PAGE_ERROR, f"the page says: {case.sight.error}"
    if not case.sight.fields and (said := _broken_script(case)):
        yield Reason.SCRIPT_ERROR, f"it is not there, and a script failed: {said}"
    if case.sight.spinners or case.waiting is not None:
        yield Reason.PAGE_STUCK, f"it is not there, and the page keeps loading: {case.traffic.slowest()}"
    yield Reason.FORM_CHANGED, f"it is not there; the page shows: {case.sight.words}"


def _otherwise(case: Case) -> tuple[Reason, str]:
    candidates = _sent(case) if case.hop in _AFTER_THE_SUBMIT else _missing(case)
    found = next(one for one in candidates if one is not None)
    if case.hop is Hop.PORTAL_SUBMIT and not case.situation.has_left:
        found = next(one for one in _missing(case) if one is not None)
    return found


_FINDINGS: Final[tuple[Callable[[Case], Finding], ...]] = (
    _challenged,
    _network,
    _elsewhere,
    _status,
    _login,
    _maintenance,
    _element,
    _own_network,
    _not_ready,
)
