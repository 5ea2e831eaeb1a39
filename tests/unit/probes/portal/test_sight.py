"""What a page is taken for, by what is to be seen on it; no browser is needed to say so."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Error

from canary.reason import Reason
from probes.portal.sight import Sight, look, status_reason
from tests.unit.probes.portal.sights import PLAIN, as_script, sight

CAPTCHA = "https://www.google.com/recaptcha/api2/anchor?k=x reCAPTCHA"


@pytest.mark.parametrize(
    ("page", "is_challenge"),
    [
        (sight(frames=(CAPTCHA,), fields=0), True),
        (sight(frames=("https://challenges.cloudflare.com/x Widget",), fields=1), True),
        (sight(widgets=1, fields=0), True),
        (sight(title="Just a moment...", heading="", text="", fields=0), True),
        (sight(text="Verify you are human", fields=0), True),
        (sight(frames=(CAPTCHA,), fields=3), False),  # in a form: it may be solved
        (sight(text="Verify you are human", fields=2), False),
        (sight(frames=("https://maps.example/embed Map",), fields=0), False),
        (PLAIN, False),
    ],
)
def test_challenge__stands_in_the_page_s_place(page: Sight, is_challenge: bool) -> None:
    assert page.is_challenge is is_challenge


def test_captcha_in_a_form__is_named_without_its_key() -> None:
    said = sight(frames=(CAPTCHA,)).challenge

    assert "google.com/recaptcha" in said
    assert "k=x" not in said


@pytest.mark.parametrize(
    ("page", "is_closed"),
    [
        (sight(title="Maintenance", fields=0), True),
        (sight(heading="We'll be right back", fields=0), True),
        (sight(text="Wegen Wartung geschlossen", fields=0), True),
        (sight(heading="Temporarily unavailable", fields=1), True),  # a search field
        (sight(text="Maintenance on Sunday", fields=3), False),  # a notice over a form
        (PLAIN, False),
    ],
)
def test_maintenance__is_said_by_a_page_that_has_no_form(page: Sight, is_closed: bool) -> None:
    assert bool(page.maintenance) is is_closed


@pytest.mark.parametrize(
    ("text", "is_error"),
    [
        ("Something went wrong", True),
        ("502 Bad Gateway", True),
        ("An unexpected error occurred.", True),
        ("Page not found", True),
        ("Ticket 15020 was made", False),
        ("Submit a request", False),
    ],
)
def test_error__is_said_in_words(text: str, is_error: bool) -> None:
    assert bool(sight(heading=text, text=text).error) is is_error


def test_validation__is_fields_and_alerts() -> None:
    page = sight(invalid=("Phone: Please fill out this field.",), alerts=("Too short.",))

    assert page.validation == "Phone: Please fill out this field.; Too short."
    assert PLAIN.validation == ""


@pytest.mark.parametrize(
    ("text", "is_over"),
    [
        ("Your session has expired.", True),
        ("You were signed out", True),
        ("Please log in again", True),
        ("CSRF verification failed", True),
        ("Log out", False),
    ],
)
def test_session__is_said_to_be_over(text: str, is_over: bool) -> None:
    assert sight(text=text).has_expired is is_over


@pytest.mark.parametrize(
    ("page", "says"),
    [
        (sight(passwords=1, alerts=("Incorrect password.",)), "Incorrect password."),
        (sight(passwords=1, text="Your username and password didn't match. Please try"), "didn't match"),
        (sight(passwords=0, alerts=("Incorrect password.",)), ""),
        (sight(passwords=1), ""),
    ],
)
def test_log_in__refuses_in_words_beside_a_password_field(page: Sight, says: str) -> None:
    assert (says in page.refuses_login) if says else not page.refuses_login


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (PLAIN, "Acme support / Submit a request"),
        (sight(heading="Acme support"), "Acme support"),
        (sight(title="", heading=""), "Submit a request Subject Details"),
        (sight(title="", heading="", text=""), "nothing"),
    ],
)
def test_words__are_what_a_person_reads_first(page: Sight, words: str) -> None:
    assert page.words == words


def test_page_with_its_frame__counts_both() -> None:
    both = sight(fields=0, size=0, text="").with_frame(sight(alerts=("Too short.",), is_loaded=False))

    assert (both.fields, both.size, both.alerts, both.is_loaded) == (2, 40, ("Too short.",), False)
    assert both.title == "Acme support"


@pytest.mark.parametrize(
    ("status", "page", "reason"),
    [
        (200, PLAIN, None),
        (302, None, None),
        (401, PLAIN, Reason.PAGE_ERROR),
        (403, PLAIN, Reason.PAGE_ERROR),
        (403, sight(text="CSRF verification failed"), Reason.SESSION_EXPIRED),
        (403, sight(title="Just a moment...", fields=0), Reason.CHALLENGED),
        (404, None, Reason.PAGE_ERROR),
        (419, PLAIN, Reason.SESSION_EXPIRED),
        (422, sight(alerts=("Too short.",)), Reason.FORM_REJECTED),
        (429, PLAIN, Reason.RATE_LIMITED),
        (500, sight(alerts=("Sorry.",)), Reason.SERVER_ERROR),
        (503, sight(title="Just a moment...", fields=0), Reason.CHALLENGED),
    ],
)
def test_status__means_a_reason(status: int, page: Sight | None, reason: Reason | None) -> None:
    assert status_reason(status, page, has_credentials=False) is reason


def test_status_401__is_ours_where_we_have_a_credential() -> None:
    assert status_reason(401, PLAIN, has_credentials=True) is Reason.CREDENTIALS_REJECTED
    assert status_reason(403, PLAIN, has_credentials=True) is Reason.PAGE_ERROR


class Moving:
    """A page that goes elsewhere under so many calls."""

    def __init__(self, moves: int, error: str = "Page.evaluate: Execution context was destroyed") -> None:
        self.calls, self._moves, self._error = 0, moves, error

    async def evaluate(self, expression: str, arg: object = None) -> Any:  # noqa: ANN401, ARG002
        self.calls += 1
        if self.calls <= self._moves:
            raise Error(self._error)
        return as_script(PLAIN)


def test_look__at_a_page_that_goes_elsewhere__looks_again() -> None:
    page = Moving(3)

    assert asyncio.run(look(page)) == PLAIN
    assert page.calls == 4


@pytest.mark.parametrize(
    "page", [Moving(1, "Page.evaluate: Target crashed "), Moving(99)], ids=["gone", "never at rest"]
)
def test_look__that_can_not_be_had__says_so(page: Moving) -> None:
    with pytest.raises(Error):
        asyncio.run(look(page))
