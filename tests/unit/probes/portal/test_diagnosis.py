"""Of all that is wrong with a page, the most telling is told; the page and its traffic are made up here."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast

import pytest
from playwright.async_api import Error
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.hop import Hop
from canary.reason import Reason
from probes.portal.acts import Hand
from probes.portal.diagnosis import diagnose
from probes.portal.findings import Situation
from probes.portal.settings import PortalSettings
from probes.portal.sight import Sight
from probes.portal.steps import By, Click, Locator, Step
from probes.portal.traffic import Exchange, Traffic
from probes.reasons import Failure
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
) -> Failure:
    left = hop in {SUBMIT, CONFIRM} if has_left is None else has_left
    situation = Situation(
        hop, "step 2 (click {text: Ask})", 0, has_left=left, known_alerts=known_alerts, element=ASK
    )
    settings = PortalSettings(
        path="support-portal", url=HOME, expect_hosts=frozenset({"support.acme.test"}), steps=(), login=login
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
