"""The sandbox's contact form: what it makes of a request, and its faults."""

from collections.abc import Iterator

import httpx
import pytest
from lxml import html

from tests.real.sandbox_mail import took_seconds
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    with running.desk() as api:
        for ticket in running.tickets():
            api.delete(f"/api/tickets/{ticket['id']}/")
    return running


@pytest.fixture
def customer(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=sandbox.endpoints.contact_form_url, trust_env=False, timeout=5.0) as client:
        yield client


def submit(customer: httpx.Client, **fields: str) -> httpx.Response:
    (form,) = html.fromstring(customer.get("/").text).forms
    data = {name: str(value or "") for name, value in form.fields.items() if name != "attachment"}
    data |= {"name": "A Customer", "email": "canary@probe.test", "subject": "help", "message": "A body."}
    files = {"attachment": ("a.csv", b"a,b\n")}
    return customer.post(str(form.action), data=data | fields, files=files)


def test_request__becomes_a_ticket_with_attachment__and_is_thanked_for_by_number(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sent = submit(customer)
    thanks = customer.get(sent.headers["Location"])

    (ticket,) = sandbox.tickets()
    assert (ticket["title"], ticket["description"]) == ("help", "A body.")
    assert len(ticket["followup_set"][0]["followupattachment_set"]) == 1
    assert f"number support-{ticket['id']}" in thanks.text
    assert sandbox.state()["desk"]["form_submissions"] == 1


def test_form__is_on_another_host_than_the_portal(sandbox: Sandbox) -> None:
    ends = sandbox.endpoints

    assert httpx.URL(ends.contact_form_url).host != httpx.URL(ends.portal_url).host


def test_forged_token__is_403_without_a_ticket(sandbox: Sandbox, customer: httpx.Client) -> None:
    assert submit(customer, form_token="forged").status_code == 403
    assert sandbox.tickets() == []


def test_senseless_fields__bring_the_form_back_with_what_is_wrong(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    answer = submit(customer, email="nobody")

    assert "submitter_email: Enter a valid email address." in answer.text
    assert sandbox.tickets() == []


def test_unknown_page__is_404(customer: httpx.Client) -> None:
    assert customer.get("/nothing").status_code == 404


def test_slow_form__delays_pages(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(form_slow_seconds=0.3)

    assert took_seconds(lambda: customer.get("/")) >= 0.3


def test_form_that_is_down__is_that_status(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(form_down=502)

    assert customer.get("/").status_code == 502


def test_form_that_rejects__shows_an_error_with_status_200(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(form_rejects=True)

    answer = submit(customer)

    assert (answer.status_code, "Please correct" in answer.text) == (200, True)
    assert sandbox.tickets() == []


def test_lost_answer__cuts_the_connection_after_the_ticket_is_made(
    sandbox: Sandbox, customer: httpx.Client
) -> None:
    sandbox.faults(form_loses_answer=True)

    with pytest.raises(httpx.RemoteProtocolError):
        submit(customer)
    assert len(sandbox.tickets()) == 1


def test_error_after_submit__is_500_with_a_ticket(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(form_error_after_submit=True)

    assert submit(customer).status_code == 500
    assert len(sandbox.tickets()) == 1


def test_dropped_request__is_thanked_for__and_no_ticket(sandbox: Sandbox, customer: httpx.Client) -> None:
    sandbox.faults(form_drops_request=True)

    thanks = customer.get(submit(customer).headers["Location"])

    assert "number support-9" in thanks.text
    assert sandbox.tickets() == []
