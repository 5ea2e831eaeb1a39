"""The sandbox's portal: the helpdesk's own form and log-in, and each of its faults as a browser would meet it."""

from collections.abc import Iterator, Mapping

import httpx
import pyotp
import pytest
from lxml import html

from tests.real.sandbox_mail import took_seconds, wait_for_mails
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real

FORM = "/tickets/submit/"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    running.empty(running.canary.address, everything=True)
    with running.desk() as api:
        for ticket in running.tickets():
            api.delete(f"/api/tickets/{ticket['id']}/")
    return running


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.endpoints.portal_url, trust_env=False, timeout=5.0) as client:
        yield client


def form_of(page: httpx.Response) -> html.FormElement:
    """The form that is sent to where it is; the one of Log out has an address of its own."""
    (form,) = (
        one for one in html.fromstring(page.text).forms if one.method == "POST" and not one.get("action")
    )
    return form


def values_of(form: html.FormElement) -> dict[str, str]:
    return {name: str(value or "") for name, value in form.fields.items() if name != "attachment"}


def submit(
    customer: httpx.Client, title: str = "please help", attachment: bytes | None = None
) -> httpx.Response:
    """Fill the form as it is shown and send it; the title's field is the first one of text."""
    form = form_of(customer.get(FORM))
    fields = values_of(form)
    titled = next(str(one.get("name")) for one in form.iter("input") if one.get("type") == "text")
    fields |= {titled: title, "body": "A body.", "submitter_email": "canary@probe.test"}
    files: Mapping[str, tuple[str, bytes]] = {"attachment": ("a.csv", attachment or b"")}
    if attachment is None:
        files = {"attachment": ("", b"")}
    return customer.post(FORM, data=fields, files=files)


def log_in(sandbox: Sandbox, customer: httpx.Client, **more: str) -> httpx.Response:
    ends = sandbox.endpoints
    fields = values_of(form_of(customer.get("/login/?next=/")))
    fields |= {"username": ends.portal_username, "password": ends.portal_password, **more}
    return customer.post("/login/?next=/", data=fields)


def tickets(sandbox: Sandbox) -> list[object]:
    return [ticket["title"] for ticket in sandbox.tickets()]


def test_request__becomes_a_ticket__is_confirmed_with_its_number__and_acknowledged(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sent = submit(customer, attachment=b"a,b\n")
    shown = customer.get(sent.headers["Location"])

    (ticket,) = sandbox.tickets()
    assert (ticket["title"], ticket["submitter_email"]) == ("please help", "canary@probe.test")
    assert f"[support-{ticket['id']}]" in shown.text
    assert len(wait_for_mails(sandbox, role="canary")) == 1


def test_pages_and_submissions__are_counted(sandbox: Sandbox, customer: httpx.Client) -> None:
    before = sandbox.state()["desk"]
    submit(customer)

    after = sandbox.state()["desk"]
    assert after["portal_pages"] - before["portal_pages"] == 2
    assert after["portal_submissions"] - before["portal_submissions"] == 1


def test_customer__logs_in_with_the_announced_password__and_the_form_knows_the_address(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    answer = log_in(sandbox, customer)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert values_of(form_of(customer.get(FORM)))["submitter_email"] == "canary@probe.test"
    assert "Log In" not in customer.get(FORM).text


def test_log_in_refused__shows_that_on_the_page(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_login_refused=True)

    answer = log_in(sandbox, customer)

    assert answer.status_code == 200
    assert "didn't match" in html.fromstring(answer.text).text_content()


def test_totp__is_asked_for_and_checked(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_totp=True)
    right = pyotp.TOTP(sandbox.endpoints.portal_totp_secret).now()
    wrong = f"{(int(right) + 1) % 10**6:06d}"

    assert "code" in form_of(customer.get("/login/")).fields
    assert log_in(sandbox, customer).status_code == 200
    assert log_in(sandbox, customer, code=wrong).status_code == 200
    assert log_in(sandbox, customer, code=right).status_code == 302


def test_log_in_required__leads_to_it_until_one_has_logged_in(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_login_required=True)

    assert customer.get(FORM).headers["Location"] == f"/login/?next={FORM}"
    log_in(sandbox, customer)
    assert customer.get(FORM).status_code == 200


def test_session_expired__leads_to_the_log_in__without_a_ticket(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    log_in(sandbox, customer)
    sandbox.faults(portal_session_expires=True)

    answer = submit(customer)

    assert answer.headers["Location"] == f"/login/?next={FORM}"
    assert "Log In" in customer.get(FORM).text
    assert tickets(sandbox) == []


def test_slow__delays_pages_and_no_static_files__until_it_is_cleared(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_slow_seconds=0.5)

    assert took_seconds(lambda: customer.get(FORM)) >= 0.5
    assert took_seconds(lambda: customer.get("/static/helpdesk/js/sb-admin.js")) < 0.5
    sandbox.faults(portal_slow_seconds=600)
    with pytest.raises(httpx.ReadTimeout):
        customer.get(FORM, timeout=0.2)
    with sandbox.desk() as api:
        assert api.get("/api/tickets/").status_code == 200
    sandbox.clear_faults()
    assert customer.get(FORM).status_code == 200


@pytest.mark.parametrize("path", ["/", FORM, "/login/", "/tickets/my-tickets/"])
def test_redirect_to_form__sends_every_page_to_another_host(
    sandbox: Sandbox, customer: httpx.Client, path: str
) -> None:
    sandbox.faults(portal_redirect_to_form=True)

    answer = customer.get(path)

    assert (answer.status_code, answer.headers["Location"]) == (302, sandbox.endpoints.contact_form_url)
    assert httpx.URL(answer.headers["Location"]).host != httpx.URL(sandbox.endpoints.portal_url).host
    landed = httpx.get(answer.headers["Location"], trust_env=False)
    assert "Contact us" in landed.text


def test_redirect_loop__never_ends(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_redirect_loop=True)

    with pytest.raises(httpx.TooManyRedirects):
        customer.get(FORM, follow_redirects=True)


def test_maintenance__is_a_page_with_status_200_and_no_form(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_maintenance=True)

    answer = customer.get(FORM)

    assert (answer.status_code, "maintenance" in answer.text) == (200, True)
    assert html.fromstring(answer.text).forms == []


@pytest.mark.parametrize("status", [500, 502, 503])
def test_down__is_that_status__and_the_api_lives(
    sandbox: Sandbox, customer: httpx.Client, status: int
) -> None:
    sandbox.faults(portal_down=status)

    assert customer.get(FORM).status_code == status
    assert tickets(sandbox) == []


def test_changed_form__has_another_field__and_takes_it(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_form_changed=True)
    page = customer.get(FORM)

    assert "title" not in form_of(page).fields
    assert "Summary of the problem" not in page.text
    assert submit(customer, "under a new name").status_code == 302
    assert tickets(sandbox) == ["under a new name"]


def test_disabled_form__has_a_button_that_cannot_be_pressed(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_form_disabled=True)

    (button,) = form_of(customer.get(FORM)).iter("button")
    assert button.get("disabled") is not None


def test_banner__lies_over_the_page_until_it_is_accepted(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_banner=True)

    assert "Accept all" in customer.get(FORM).text
    customer.cookies.set("consent", "all")
    assert "Accept all" not in customer.get(FORM).text


@pytest.mark.parametrize(
    ("vendor", "mark"), [("recaptcha", "recaptcha"), ("hcaptcha", "hcaptcha"), ("turnstile", "turnstile")]
)
def test_captcha__is_shown_in_a_frame__and_without_it_the_form_is_refused(
    sandbox: Sandbox, customer: httpx.Client, vendor: str, mark: str
) -> None:
    sandbox.faults(portal_captcha=vendor)

    (frame,) = html.fromstring(customer.get(FORM).text).iter("iframe")
    answer = submit(customer)

    assert mark in str(frame.get("src"))
    assert "I am human" in customer.get(str(frame.get("src"))).text
    assert "confirm that you are human" in answer.text
    assert tickets(sandbox) == []


def test_script_error__takes_the_submit_from_the_button(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_script_error=True)

    (button,) = form_of(customer.get(FORM)).iter("button")
    assert (button.get("type"), button.get("onclick")) == ("button", "sendRequest(this.form)")


@pytest.mark.parametrize(
    ("switches", "mark"),
    [
        ({"portal_spinner": "sent"}, "fetch("),
        ({"portal_spinner": "unsent"}, "progressbar"),
        ({"portal_double_submit": True}, "keepalive"),
    ],
)
def test_scripted_faults__are_in_the_page(
    sandbox: Sandbox, customer: httpx.Client, switches: dict[str, object], mark: str
) -> None:
    sandbox.faults(**switches)

    scripts = [str(one.text) for one in html.fromstring(customer.get(FORM).text).iter("script") if one.text]
    assert any(mark in script for script in scripts)


def test_validation_error__shows_the_form_again_with_errors_at_fields(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_validation_error=True)

    answer = submit(customer)

    assert answer.status_code == 200
    assert "This field is required" in answer.text
    assert tickets(sandbox) == []


def test_lost_answer__cuts_the_connection_after_the_ticket_is_made(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_loses_answer=True)

    with pytest.raises(httpx.RemoteProtocolError):
        submit(customer)
    assert tickets(sandbox) == ["please help"]


def test_error_after_submit__is_500_with_a_ticket(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(portal_error_after_submit=True)

    assert submit(customer).status_code == 500
    assert tickets(sandbox) == ["please help"]


def test_dropped_request__is_confirmed_like_any_other__and_no_ticket(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_drops_request=True)

    answer = submit(customer, "never kept")

    assert answer.status_code == 200
    assert "[support-9" in answer.text
    assert "never kept [Open]" in answer.text
    assert tickets(sandbox) == []


def test_missing_confirmation__is_the_home_page_with_a_ticket(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(portal_confirmation_missing=True)

    assert submit(customer).headers["Location"] == "/"
    assert tickets(sandbox) == ["please help"]
