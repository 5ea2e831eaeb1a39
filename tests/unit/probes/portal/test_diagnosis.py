"""Of all that is wrong with a page, the most telling is told; the page and its traffic are made up here."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, cast

import pytest
from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.hop import Hop
from canary.reason import Reason
from probes.masking import Secret
from probes.portal.acts import Hand
from probes.portal.connection import Reach
from probes.portal.diagnosis import diagnose
from probes.portal.findings import Situation
from probes.portal.settings import PortalSettings
from probes.portal.sight import Sight
from probes.portal.steps import By, Click, Locator, Step
from probes.portal.traffic import Exchange, Traffic
from probes.reasons import Failure
from probes.servers import ClientCertificate
from runners.clock import SystemClock
from tests.unit.probes.portal.sights import PLAIN, as_script, sight
from tests.unit.probes.portal.test_traffic import COUNTER, OWN, RECORDER, exchange, traffic

VAIN = PlaywrightTimeout("Locator.click: Timeout 700ms exceeded.\nCall log:\n  - waiting for locator\n")
DISABLED = PlaywrightTimeout("Locator.click: Timeout 700ms exceeded.\n      - element is not enabled\n")
LIMIT = TimeoutError()
LOG_IN = (Step(1, Click(Locator(By.ROLE, "button", name="Log in"))),)
ASK = Locator(By.TEXT, "Ask")
LOAD, LOGIN, FORM = Hop.PORTAL_LOAD, Hop.PORTAL_LOGIN, Hop.PORTAL_FORM
SUBMIT, CONFIRM = Hop.PORTAL_SUBMIT, Hop.PORTAL_CONFIRMATION
WHEEL = sight(spinners=1)
HOME = f"{OWN}/"
NO_HEADERS: Mapping[str, Any] = MappingProxyType({})


class Key:
    """A secret that nobody reads here."""

    async def read(self, *, renew: bool = False) -> Secret:
        raise AssertionError(renew)


CERTIFICATE = ClientCertificate(HOME, "client.pem", Key())


@dataclass
class Page:
    """What the diagnosis asks of a page."""

    shows: Sight
    url: str = HOME
    error: Exception | None = None

    async def evaluate(self, expression: str, arg: object = None) -> Any:  # noqa: ANN401, ARG002
        if self.error is not None:
            raise self.error
        return as_script(self.shows)


@dataclass
class Nowhere:
    """The way beside the browser, which is answered or not."""

    is_silent: bool

    async def is_unanswered(self, _: str) -> bool:
        return self.is_silent


@dataclass
class HandAt:
    page: Page
    inside: Page | None = None
    has_element: bool = False
    has_lost_its_page: bool = False
    has_lost_its_browser: bool = False

    def find_seen(self, _: Locator) -> "HandAt":
        return self

    async def is_visible(self) -> bool:
        return self.has_element

    async def is_enabled(self) -> bool:
        return self.has_element


def told(
    error: Exception,
    hop: Hop,
    shows: Sight = PLAIN,
    seen: Traffic | None = None,
    *,
    login: tuple[Step, ...] = (),
    has_left: bool | None = None,
    known_alerts: tuple[str, ...] = (),
    hand: HandAt | None = None,
    url: str = HOME,
    is_silent: bool = False,
    headers: Mapping[str, Any] = NO_HEADERS,
    client_certificate: ClientCertificate | None = None,
    **situation_changes: Any,  # noqa: ANN401 -- the fields of Situation
) -> Failure:
    left = hop in {SUBMIT, CONFIRM} if has_left is None else has_left
    situation = Situation(
        hop,
        "step 2 (click {text: Ask})",
        0,
        has_left=left,
        known_alerts=known_alerts,
        element=ASK,
        **situation_changes,
    )
    settings = PortalSettings(
        path="support-portal",
        url=HOME,
        expect_hosts=frozenset({"support.acme.test"}),
        steps=(),
        login=login,
        headers=headers,
        client_certificate=client_certificate,
    )
    at = hand or HandAt(Page(shows, url))
    return asyncio.run(
        diagnose(
            error,
            situation,
            hand=cast("Hand", at),
            traffic=seen or traffic(),
            settings=settings,
            clock=SystemClock(),
            reach=cast("Reach", Nowhere(is_silent=is_silent)),
        )
    )


def post(**changes: Any) -> Exchange:  # noqa: ANN401 -- the fields of Exchange
    return exchange(f"{OWN}/api", method="POST", bears_token=True, **{"kind": "fetch", **changes})


def document(**changes: Any) -> Exchange:  # noqa: ANN401 -- the fields of Exchange
    return exchange(f"{OWN}/new", is_document=True, **{"ended": 2.0, **changes})


BLANK = sight(title="", heading="", text="", size=0, fields=0)
BARE = sight(fields=0)
LOGGED_OUT = sight(title="Log in", heading="Log in", text="Log in Password", passwords=1, fields=2)
REFUSED = sight(title="Log in", passwords=1, alerts=("Incorrect password.",))
CAPTCHA = sight(frames=("https://newassets.hcaptcha.com/x captcha",))
BROKEN = exchange(f"{OWN}/app.js", kind="script", status=404)


def data(**changes: Any) -> Exchange:  # noqa: ANN401 -- the fields of Exchange
    return exchange(f"{OWN}/api/form", **{"kind": "fetch", "ended": 2.0, **changes})


def with_errors(*messages: str, seen: tuple[Exchange, ...] = ()) -> Traffic:
    made = traffic(*seen)
    made.script_errors.extend(messages)
    return made


@pytest.mark.parametrize(
    ("hop", "shows", "seen", "error", "reason"),
    [
        # a challenge in the page's place comes before all else; one in a form only where it is in the way
        (FORM, sight(widgets=1, fields=0), traffic(document(status=403)), VAIN, Reason.CHALLENGED),
        (FORM, PLAIN, traffic(document(status=503, challenge="challenge")), VAIN, Reason.CHALLENGED),
        (FORM, PLAIN, traffic(exchange("https://ads.example/x", status=403, challenge="challenge")), VAIN, Reason.FORM_CHANGED),
        (FORM, CAPTCHA, traffic(), VAIN, Reason.FORM_CHANGED),
        (SUBMIT, CAPTCHA, traffic(), DISABLED, Reason.CHALLENGED),
        (CONFIRM, CAPTCHA, traffic(post(status=200)), VAIN, Reason.CHALLENGED),
        (SUBMIT, CAPTCHA, traffic(post(status=500)), LIMIT, Reason.SERVER_ERROR),
        # then the network, unless a status is known
        (FORM, BLANK, traffic(document(failure="net::ERR_CONNECTION_RESET")), VAIN, Reason.CONNECTION_LOST),
        (FORM, BLANK, traffic(document(failure="net::ERR_HTTP_RESPONSE_CODE_FAILURE", status=503)), VAIN, Reason.SERVER_ERROR),
        (LOAD, BLANK, traffic(document(failure="net::ERR_INVALID_AUTH_CREDENTIALS", status=401)), Error("Page.goto: net::ERR_INVALID_AUTH_CREDENTIALS at x"), Reason.PAGE_ERROR),
        (LOAD, BLANK, traffic(), Error("Page.goto: net::ERR_NAME_NOT_RESOLVED at http://x/"), Reason.DNS_UNANSWERED),
        # what the page needs did not come: whether our own network is at fault is for the controls to say
        (FORM, PLAIN, traffic(data(failure="net::ERR_CONNECTION_RESET")), VAIN, Reason.CONNECTION_LOST),
        (FORM, PLAIN, traffic(data(failure="net::ERR_NAME_NOT_RESOLVED")), VAIN, Reason.DNS_UNANSWERED),
        (FORM, PLAIN, traffic(exchange("https://cdn.example/x.js", failure="net::ERR_NETWORK_CHANGED")), VAIN, Reason.NETWORK_UNAVAILABLE),
        (FORM, PLAIN, traffic(exchange("https://ads.example/x.js", failure="net::ERR_NAME_NOT_RESOLVED")), VAIN, Reason.FORM_CHANGED),
        (FORM, PLAIN, traffic(data(failure="net::ERR_ABORTED")), VAIN, Reason.FORM_CHANGED),
        # then the status of the page
        (FORM, PLAIN, traffic(document(status=500)), VAIN, Reason.SERVER_ERROR),
        (FORM, PLAIN, traffic(document(status=404)), VAIN, Reason.PAGE_ERROR),
        (FORM, PLAIN, traffic(document(status=404), document(status=200)), VAIN, Reason.FORM_CHANGED),
        # what the page is
        (FORM, LOGGED_OUT, traffic(), VAIN, Reason.REDIRECTED),
        (FORM, sight(title="Maintenance", fields=0), traffic(), VAIN, Reason.REDIRECTED),
        (FORM, PLAIN, traffic(), DISABLED, Reason.FORM_DISABLED),
        (LOAD, BLANK, traffic(document(ended=None)), LIMIT, Reason.PAGE_TIMEOUT),
        (LOAD, BLANK, traffic(document(status=200)), LIMIT, Reason.PAGE_ERROR),
        (LOAD, BLANK, with_errors("no", seen=(document(status=200),)), LIMIT, Reason.SCRIPT_ERROR),
        (LOAD, BLANK, traffic(document(status=200), BROKEN), LIMIT, Reason.SCRIPT_ERROR),
        (LOAD, sight(is_loaded=False), traffic(document(ended=None)), LIMIT, Reason.PAGE_TIMEOUT),
        (LOAD, BLANK, traffic(), LIMIT, Reason.PAGE_TIMEOUT),
        (FORM, PLAIN, traffic(document(ended=None)), VAIN, Reason.PAGE_TIMEOUT),
        # what is missing on it
        (FORM, sight(heading="Something went wrong", fields=0), traffic(), VAIN, Reason.PAGE_ERROR),
        (FORM, BARE, with_errors("no"), VAIN, Reason.SCRIPT_ERROR),
        (FORM, PLAIN, with_errors("no"), VAIN, Reason.FORM_CHANGED),
        (FORM, WHEEL, traffic(), VAIN, Reason.PAGE_STUCK),
        (FORM, PLAIN, traffic(data(ended=None)), VAIN, Reason.PAGE_STUCK),
        (FORM, PLAIN, traffic(data(ended=None, kind="eventsource")), VAIN, Reason.FORM_CHANGED),
        (FORM, PLAIN, traffic(), VAIN, Reason.FORM_CHANGED),
        (FORM, PLAIN, traffic(), Error("Locator.click: Frame was detached"), Reason.FORM_CHANGED),
        # what was said to the submit
        (SUBMIT, sight(alerts=("Not sent.",)), traffic(post(status=500)), LIMIT, Reason.SERVER_ERROR),
        (SUBMIT, PLAIN, traffic(post(failure="net::ERR_CONNECTION_RESET")), LIMIT, Reason.CONNECTION_LOST),
        (SUBMIT, sight(alerts=("Sending.",), spinners=1), traffic(post()), LIMIT, Reason.PAGE_TIMEOUT),
        (SUBMIT, sight(alerts=("Too short.",)), traffic(post(status=422)), LIMIT, Reason.FORM_REJECTED),
        (SUBMIT, PLAIN, traffic(post(status=404)), LIMIT, Reason.PAGE_ERROR),
        (SUBMIT, PLAIN, traffic(post(status=419)), LIMIT, Reason.SESSION_EXPIRED),
        (SUBMIT, sight(invalid=("Phone",)), traffic(), LIMIT, Reason.FORM_REJECTED),
        (SUBMIT, replace(CAPTCHA, is_solved=True, invalid=("Phone",)), traffic(), LIMIT, Reason.FORM_REJECTED),
        (SUBMIT, PLAIN, with_errors("no"), LIMIT, Reason.SCRIPT_ERROR),
        (SUBMIT, WHEEL, traffic(), LIMIT, Reason.NOT_SUBMITTED),
        (SUBMIT, PLAIN, traffic(COUNTER), LIMIT, Reason.NOT_SUBMITTED),
        (CONFIRM, WHEEL, traffic(post(status=200)), VAIN, Reason.PAGE_STUCK),
        (CONFIRM, sight(heading="Something went wrong"), traffic(post(status=200)), VAIN, Reason.PAGE_ERROR),
        (CONFIRM, sight(text="Your session has expired."), traffic(post(status=200)), VAIN, Reason.SESSION_EXPIRED),
        (CONFIRM, BLANK, traffic(document(status=200)), VAIN, Reason.PAGE_ERROR),
        (CONFIRM, PLAIN, traffic(post(status=200), RECORDER), VAIN, Reason.CONFIRMATION_MISSING),
    ],
)  # fmt: skip
def test_most_telling_finding__is_told(
    hop: Hop, shows: Sight, seen: Traffic, error: Exception, reason: Reason
) -> None:
    failure = told(error, hop, shows, seen)

    assert failure.fault.reason is reason, failure.fault.detail
    assert failure.fault.detail.startswith("step 2 (click {text: Ask}): ")


def posted(**changes: Any) -> Exchange:  # noqa: ANN401 -- the fields of Exchange
    return exchange(f"{OWN}/login", method="POST", **{"kind": "fetch", "ended": 2.0, **changes})


OUTAGE = sight(title="Log in", text="Something went wrong. Password", passwords=1)
LOCKED = sight(title="Sorry", text="Your account has been locked.", fields=0)


@pytest.mark.parametrize(
    ("shows", "seen", "has_typed_all", "reason"),
    [
        (LOGGED_OUT, traffic(posted(status=200)), True, Reason.CREDENTIALS_REJECTED),
        (LOGGED_OUT, traffic(posted(status=200)), False, Reason.FORM_CHANGED),  # a field has another name now
        (LOCKED, traffic(posted(status=200)), True, Reason.CREDENTIALS_REJECTED),
        (REFUSED, traffic(posted(status=401)), True, Reason.CREDENTIALS_REJECTED),
        # what the portal failed at is not our password
        (REFUSED, traffic(posted(status=500)), True, Reason.SERVER_ERROR),
        (LOGGED_OUT, traffic(posted(failure="net::ERR_CONNECTION_RESET")), True, Reason.CONNECTION_LOST),
        (OUTAGE, traffic(posted(status=200)), True, Reason.PAGE_ERROR),
        (LOGGED_OUT, traffic(posted(ended=None)), True, Reason.PAGE_STUCK),
    ],
)
def test_log_in_that_is_asked_for_again__is_our_credential_only_if_the_portal_did_not_fail_at_it(
    shows: Sight, seen: Traffic, has_typed_all: bool, reason: Reason
) -> None:
    fault = told(VAIN, LOGIN, shows, seen, login=LOG_IN, has_typed_all=has_typed_all).fault

    assert fault.reason is reason, fault.detail


def test_words_that_stood_on_the_log_in_before__refuse_nobody() -> None:
    known = REFUSED.refuses_login

    assert told(VAIN, LOGIN, REFUSED, login=LOG_IN, known_refusal=known).fault.reason is Reason.FORM_CHANGED


def test_page_that_never_came__is_a_connection_that_nobody_answers_if_we_can_t_connect_either() -> None:
    seen = traffic(exchange(f"{OWN}/", is_document=True))

    assert told(LIMIT, LOAD, BLANK, seen).fault.reason is Reason.PAGE_TIMEOUT
    assert told(LIMIT, LOAD, BLANK, seen, is_silent=True).fault.reason is Reason.CONNECT_TIMEOUT


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("certificate has expired", Reason.CERTIFICATE_EXPIRED),
        ("Hostname/IP does not match certificate's altnames", Reason.CERTIFICATE_WRONG_NAME),
        ("unable to verify the first certificate", Reason.CERTIFICATE_INVALID),
        ("ssl3_read_bytes:tlsv13 alert certificate required", Reason.CREDENTIALS_REJECTED),
        ("connect ECONNREFUSED 192.0.2.1:443", Reason.REFUSED),
    ],
)
def test_page_that_playwright_writes_for_a_failed_connection__is_no_page_of_the_server(
    said: str, reason: Reason
) -> None:
    shows = sight(title="", heading="", text=f"Playwright client-certificate error: {said}", fields=0)

    seen = traffic(exchange(f"{OWN}/", is_document=True, status=503, ended=1.0))
    assert told(VAIN, LOAD, shows, seen, client_certificate=CERTIFICATE).fault.reason is reason


def test_door_that_is_shut_to_our_secret_field__is_ours() -> None:
    seen = traffic(exchange(f"{OWN}/", is_document=True, status=403, ended=1.0))
    shut = sight(title="Forbidden", heading="", text="Forbidden", fields=0)

    assert told(VAIN, LOAD, shut, seen, headers={"X-Synthetic": Key()}).fault.reason is (
        Reason.CREDENTIALS_REJECTED
    )
    assert told(VAIN, LOAD, shut, seen, headers={"X-Team": "intake"}).fault.reason is Reason.PAGE_ERROR
    assert told(VAIN, FORM, shut, seen, headers={"X-Synthetic": Key()}).fault.reason is Reason.PAGE_ERROR


@pytest.mark.parametrize(
    ("hop", "shows", "reason"),
    [
        (LOGIN, REFUSED, Reason.CREDENTIALS_REJECTED),
        (FORM, REFUSED, Reason.CREDENTIALS_REJECTED),  # its answer came only then
        (FORM, LOGGED_OUT, Reason.SESSION_EXPIRED),
        (CONFIRM, LOGGED_OUT, Reason.SESSION_EXPIRED),
        (LOGIN, LOGGED_OUT, Reason.FORM_CHANGED),  # a step of the log-in was waited for in vain
    ],
)
def test_log_in_page__where_one_is_configured__is_told_by_where_it_comes(
    hop: Hop, shows: Sight, reason: Reason
) -> None:
    assert told(VAIN, hop, shows, login=LOG_IN).fault.reason is reason


def test_page_elsewhere__is_told_with_its_place__and_an_error_of_the_browser_is_no_place() -> None:
    elsewhere = told(VAIN, FORM, url="https://status.example/x?y=1").fault
    nowhere = told(VAIN, LOAD, BLANK, traffic(document(failure="net::ERR_FAILED")), url="chrome-error://x/")

    assert (elsewhere.reason, "https://status.example/x (" in elsewhere.detail) == (Reason.REDIRECTED, True)
    assert nowhere.fault.reason is Reason.PAGE_ERROR


def test_alert_that_was_there_before__is_no_answer_to_the_submit() -> None:
    notice = sight(alerts=("Closed on Friday",))

    assert told(LIMIT, SUBMIT, notice, known_alerts=notice.alerts).fault.reason is Reason.NOT_SUBMITTED
    assert told(LIMIT, SUBMIT, notice).fault.reason is Reason.FORM_REJECTED


def test_form_in_a_frame__is_read_with_its_page() -> None:
    inside = Page(sight(alerts=("Too short.",)))
    at = HandAt(Page(sight(fields=0)), inside)

    assert told(LIMIT, SUBMIT, hand=at).fault.detail.endswith("the form says: Too short.")


def test_window_that_the_page_closed__is_not_a_dead_browser() -> None:
    gone = Error("Locator.click: Target page, context or browser has been closed")

    at = HandAt(Page(PLAIN), has_lost_its_page=True)
    assert told(gone, FORM, hand=at).fault.reason is Reason.PAGE_ERROR
    assert told(gone, FORM).fault.reason is Reason.BROWSER_CRASHED


def test_element_that_came_too_late__is_not_said_to_be_missing() -> None:
    fault = told(VAIN, FORM, hand=HandAt(Page(PLAIN), has_element=True)).fault

    assert fault.reason is Reason.PAGE_TIMEOUT
    assert "it is there, but too late" in fault.detail


def test_crash_of_the_page__is_ours() -> None:
    seen = traffic()
    seen.has_crashed = True

    assert told(VAIN, FORM, seen=seen).fault.reason is Reason.BROWSER_CRASHED
    at = HandAt(Page(PLAIN, error=Error("Page.evaluate: Target crashed ")))
    assert told(VAIN, FORM, hand=at).fault.reason is Reason.BROWSER_CRASHED


def test_failure_of_our_own_finding__keeps_its_word_and_gets_its_step() -> None:
    fault = told(Failure(Reason.FORM_REJECTED, "the form says: no", is_answer=True), SUBMIT).fault

    assert (fault.reason, fault.is_answer) == (Reason.FORM_REJECTED, True)
    assert fault.detail == "step 2 (click {text: Ask}): the form says: no"


@pytest.mark.parametrize(
    ("shows", "seen", "is_answer"),
    [
        (PLAIN, traffic(post(status=500)), True),
        (PLAIN, traffic(post(status=200)), True),
        (PLAIN, traffic(post()), False),
        (PLAIN, traffic(post(failure="net::ERR_CONNECTION_RESET")), False),
    ],
)
def test_answer__is_what_the_page_said__and_a_silence_is_none(
    shows: Sight, seen: Traffic, is_answer: bool
) -> None:
    assert told(LIMIT, SUBMIT, shows, seen).fault.is_answer is is_answer


def test_browser_that_died_while_an_answer_was_waited_for__is_not_the_pages_slowness() -> None:
    at = HandAt(Page(PLAIN), has_lost_its_browser=True)

    assert told(TimeoutError(), FORM, hand=at).fault.reason is Reason.BROWSER_CRASHED
