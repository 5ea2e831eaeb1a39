"""What an answer means: the marks that ordinary pages bear challenge nobody, and praise is no complaint."""

import httpx
import pytest

from canary.reason import Reason
from probes.form import judging
from probes.form.confirmation import compare, page_of
from probes.form.exchange import Answer
from probes.form.filling import chosen_form
from probes.form.html import known_charset
from probes.form.settings import Confirmation, FormChoice, FormSettings, HtmlForm
from probes.reasons import Failure

URL = "https://support.acme.test/form"
NAMES = ("title", "body")
FORM = "<form method=post><input name=title><textarea name=body></textarea></form>"
JSD = "<script>a.src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'</script>"
IMPERVA = '<script src="/_Incapsula_Resource?SWJIYLWA=719d34"></script>'
RECAPTCHA = '<script src="https://www.google.com/recaptcha/api.js?render=6L"></script>'
CHALLENGE = "<title>Just a moment...</title><script>window._cf_chl_opt={cvId:'3'}</script>"
WAF = "<script>AwsWafCaptcha.renderCaptcha()</script>"


def answer(body: str, status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(
        status, httpx.URL(URL), httpx.Headers({"content-type": "text/html", **named}), body.encode(), None
    )


def settings(**confirmation: object) -> FormSettings:
    expected = Confirmation(**confirmation)  # type: ignore[arg-type]
    return FormSettings(URL, frozenset({"support.acme.test"}), HtmlForm({}), confirmation=expected)


def after(of: FormSettings, got: Answer) -> Reason | None:
    """The reason for which the answer to the post confirms nothing; None: it confirms."""
    page = page_of(got)
    failure = judging.unconfirmed(of, got, page, compare(of.confirmation, got, page), NAMES)
    return failure.fault.reason if failure is not None else None


def before(got: Answer) -> Reason | None:
    """The reason for which the answer is not the page with the form; None: it may be."""
    page = page_of(got)
    try:
        judging.check_page(got, shows_credentials=False)
        with judging.another_page(got, page):
            chosen_form(page, FormChoice(), NAMES)
    except Failure as failure:
        return failure.fault.reason
    return None


@pytest.mark.parametrize("mark", [JSD, IMPERVA, RECAPTCHA, WAF])
def test_page_with_what_a_bot_defence_writes_into_every_page__is_the_page(mark: str) -> None:
    assert before(answer(mark + FORM)) is None


@pytest.mark.parametrize("status", [200, 403, 503])
def test_page_of_a_bot_defence__is_a_challenge(status: int) -> None:
    assert before(answer(CHALLENGE, status)) is Reason.CHALLENGED


@pytest.mark.parametrize("mark", [JSD, IMPERVA, RECAPTCHA])
@pytest.mark.parametrize(("status", "reason"), [(500, Reason.SERVER_ERROR), (400, Reason.REJECTED)])
def test_refused_post_with_such_a_mark__is_the_servers_own_refusal(
    mark: str, status: int, reason: Reason
) -> None:
    failure = judging.refused(answer(mark + "<h1>Sorry</h1>", status), NAMES, shows_credentials=False)

    assert failure.fault.reason is reason


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (RECAPTCHA + "<h1>Welcome</h1>", 200, Reason.CONFIRMATION_MISSING),
        (RECAPTCHA + "<h1>Sorry</h1>", 500, Reason.SERVER_ERROR),
        (RECAPTCHA + FORM, 200, Reason.CHALLENGED),
        (CHALLENGE, 403, Reason.CHALLENGED),
    ],
)
def test_confirmation_missing__is_a_challenge_only_where_one_is_put_to_us(
    body: str, status: int, reason: Reason
) -> None:
    assert after(settings(text="Thank you"), answer(body, status)) is reason


def test_challenge_with_a_status_of_success__confirms_nothing() -> None:
    assert after(settings(), answer("", 202, x_amzn_waf_action="challenge")) is Reason.CHALLENGED


@pytest.mark.parametrize("kind", ["alert alert-success", "notification is-info", "form-confirmation"])
def test_form_shown_again_beside_praise__is_confirmed_by_its_status(kind: str) -> None:
    assert after(settings(), answer(f'<p role=alert class="{kind}">We got it</p>{FORM}')) is None


@pytest.mark.parametrize("message", ["<p role=alert>No title</p>", "<p class=errorlist>No title</p>"])
def test_form_shown_again_with_a_complaint__was_rejected(message: str) -> None:
    assert after(settings(), answer(message + FORM)) is Reason.FORM_REJECTED


@pytest.mark.parametrize(("status", "reason"), [(408, Reason.ANSWER_TIMEOUT), (409, Reason.REJECTED)])
def test_post_refused_as_too_slow_or_as_a_repetition__may_have_made_a_ticket(
    status: int, reason: Reason
) -> None:
    fault = judging.refused(answer("<h1>Sorry</h1>", status), NAMES, shows_credentials=False).fault

    assert (fault.reason, fault.is_answer) == (reason, False)


def test_refusal_by_our_own_proxy__is_our_credential() -> None:
    fault = judging.refused(answer("", 407), NAMES, shows_credentials=False).fault

    assert fault.reason is Reason.CREDENTIALS_REJECTED


def test_page_called_after_what_customers_have__is_no_error_page() -> None:
    assert before(answer("<title>Report a problem</title><p>Call us</p>")) is Reason.FORM_CHANGED
    assert before(answer("<h1>There was a problem</h1>")) is Reason.PAGE_ERROR


@pytest.mark.parametrize("charset", ["punycode", "U16", "utf_7", "unicode_escape", "no-such"])
def test_charset_that_no_page_has__is_read_as_utf_8(charset: str) -> None:
    assert known_charset(charset) == "utf-8"
    assert known_charset("latin-1") == "latin-1"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('{"received": true, "queue": "web"}', "the answer is JSON with received, queue"),
        ("[1]", "the answer is JSON"),
        ("{", "the answer says that it is JSON and is none"),
    ],
)
def test_answer_in_json_without_what_was_expected__is_no_page_without_a_title(body: str, words: str) -> None:
    got = answer(body, content_type="application/json")
    page = page_of(got)
    of = settings(text="thank you")

    failure = judging.unconfirmed(of, got, page, compare(of.confirmation, got, page), NAMES)

    assert failure is not None
    assert words in failure.fault.detail
    assert "title" not in failure.fault.detail
