"""The sandbox's helpdesk: mail becomes tickets, and its faults, each seen through its API or its mail."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.real.sandbox_mail import mail, mails, send, wait_for_mails
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Sandbox:
    running.clear_faults()
    for role in ("support", "canary"):
        running.empty(running.endpoints.account(role).address, everything=True)
    running.poller(running=True, interval_seconds=0.1)
    with running.desk() as api:
        for ticket in running.tickets():
            api.delete(f"/api/tickets/{ticket['id']}/")
    return running


def one_ticket(sandbox: Sandbox) -> dict[str, object]:
    sandbox.until(lambda state: state["desk"]["tickets_total"] > 0)
    (ticket,) = sandbox.tickets()
    return ticket


def test_mail__becomes_a_ticket_with_attachment__and_is_acknowledged(sandbox: Sandbox) -> None:
    send(sandbox, mail(sandbox, "please help", body="Grüße\n", attachment=True))

    ticket = one_ticket(sandbox)
    reply = message_from_bytes(wait_for_mails(sandbox, role="canary")[0])

    assert (ticket["title"], ticket["description"]) == ("please help", "Grüße")
    assert ticket["submitter_email"] == sandbox.canary.address
    assert reply["In-Reply-To"] == "<please.help@probe.test>"
    assert f"[support-{ticket['id']}]" in reply["Subject"]
    followups = ticket["followup_set"]
    assert isinstance(followups, list)
    assert httpx.get(followups[0]["followupattachment_set"][0]["file"], trust_env=False).content == b"a,b\n"


def test_paused_poller__by_switch_and_by_order__leaves_mail_unread(sandbox: Sandbox) -> None:
    sandbox.faults(desk_poller_paused=True)
    sandbox.until(lambda state: not state["desk"]["polling"])
    send(sandbox, mail(sandbox, "unfetched"))
    waiting = wait_for_mails(sandbox)
    sandbox.poller(running=False)
    sandbox.clear_faults()

    state = sandbox.state()
    assert len(waiting) == 1
    assert state["desk"]["polling"] is False
    assert state["desk"]["tickets_total"] == 0
    assert state["mailboxes"][sandbox.support.address]["unseen"] == 1
    sandbox.poller(running=True)
    assert one_ticket(sandbox)["title"] == "unfetched"


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_api_status__is_answered_with_retry_after(sandbox: Sandbox, status: int) -> None:
    sandbox.faults(desk_api_status=status, desk_api_retry_after_seconds=7)
    with sandbox.desk() as api:
        sandbox.until(lambda _: api.get("/api/tickets/").status_code == status)

        assert api.get("/api/tickets/").headers["Retry-After"] == "7"


def test_api_html__is_200_and_no_json(sandbox: Sandbox) -> None:
    sandbox.faults(desk_api_html=True)
    with sandbox.desk() as api:
        sandbox.until(lambda _: "text/html" in api.get("/api/tickets/").headers["Content-Type"])

        assert api.get("/api/tickets/").status_code == 200


def test_api_garbled__is_json_without_the_fields(sandbox: Sandbox) -> None:
    sandbox.faults(desk_api_garbled=True)
    with sandbox.desk() as api:
        sandbox.until(lambda _: "results" not in api.get("/api/tickets/").json())

        assert api.get("/api/tickets/").status_code == 200


def test_api_hang__answers_nothing__and_goes_on_when_cleared(sandbox: Sandbox) -> None:
    sandbox.faults(desk_api_hang=True)
    with sandbox.desk() as api:

        def hangs(_: object) -> bool:
            try:
                api.get("/api/tickets/", timeout=0.4)
            except httpx.ReadTimeout:
                return True
            return False

        sandbox.until(hangs)
        sandbox.clear_faults()
        assert api.get("/api/tickets/").status_code == 200


def test_api_delay__is_waited_out(sandbox: Sandbox) -> None:
    sandbox.faults(desk_api_delay_seconds=0.4)
    with sandbox.desk() as api:
        sandbox.until(lambda _: api.get("/api/tickets/").elapsed.total_seconds() >= 0.4)


def test_no_acknowledgement__when_switched_off(sandbox: Sandbox) -> None:
    sandbox.faults(desk_acknowledge=False)
    send(sandbox, mail(sandbox, "unanswered"))

    one_ticket(sandbox)
    sandbox.until(lambda state: state["mailboxes"][sandbox.support.address]["messages"] == 0)
    assert mails(sandbox, "canary") == []


def test_duplicates__are_several_tickets_of_one_mail(sandbox: Sandbox) -> None:
    sandbox.faults(desk_duplicates=3)
    send(sandbox, mail(sandbox, "thrice"))

    sandbox.until(lambda state: state["desk"]["tickets_total"] == 3)
    assert {ticket["title"] for ticket in sandbox.tickets()} == {"thrice"}


def test_outgoing_mail_refused__makes_one_more_ticket_each_poll(sandbox: Sandbox) -> None:
    sandbox.faults(desk_outgoing_refused=True)
    send(sandbox, mail(sandbox, "again and again"))

    state = sandbox.until(lambda state: state["desk"]["tickets_total"] >= 3)
    assert state["mailboxes"][sandbox.support.address]["messages"] == 1


def test_title_rewrite__changes_what_is_stored(sandbox: Sandbox) -> None:
    sandbox.faults(desk_title_rewrite="[EXT] {subject}")
    send(sandbox, mail(sandbox, "original"))

    assert one_ticket(sandbox)["title"] == "[EXT] original"


def test_clock_skew__shows_in_date_header_and_ticket__and_polling_goes_on(sandbox: Sandbox) -> None:
    sandbox.faults(desk_clock_skew_seconds=-3600)
    send(sandbox, mail(sandbox, "an hour ago"))

    ticket = one_ticket(sandbox)
    with sandbox.desk() as api:
        stated = parsedate_to_datetime(api.get("/api/tickets/").headers["Date"])

    followups = ticket["followup_set"]
    assert isinstance(followups, list)
    created = datetime.fromisoformat(followups[0]["date"])
    assert 3500 < (datetime.now(UTC) - stated).total_seconds() < 3700
    assert 3500 < (datetime.now(UTC) - created).total_seconds() < 3700


def test_desk_behind_faults__meets_the_imap_faults__and_recovers(sandbox: Sandbox) -> None:
    sandbox.faults(imap_login_refused=True)
    send(sandbox, mail(sandbox, "spared"))
    one_ticket(sandbox)
    sandbox.faults(desk_behind_faults=True)
    send(sandbox, mail(sandbox, "not spared"))
    wait_for_mails_by_state(sandbox)

    assert sandbox.state()["desk"]["tickets_total"] == 1
    sandbox.clear_faults()
    sandbox.until(lambda state: state["desk"]["tickets_total"] == 2)


def wait_for_mails_by_state(sandbox: Sandbox) -> None:
    polls = sandbox.state()["desk"]["polls"]
    sandbox.until(lambda state: state["desk"]["polls"] > polls + 2)


def test_portal__shows_its_form_and_static_files(sandbox: Sandbox) -> None:
    with sandbox.desk() as site:
        form = site.get("/tickets/submit/")

        assert form.status_code == 200
        assert 'name="submitter_email"' in form.text
        assert site.get("/static/helpdesk/css/helpdesk-extend.css").status_code == 200


def test_bad_token__is_401(sandbox: Sandbox) -> None:
    answer = httpx.get(
        f"{sandbox.endpoints.desk_url}/api/tickets/", headers={"Authorization": "Token nope"}, trust_env=False
    )

    assert answer.status_code == 401


def test_acknowledgement__is_marked_as_automatic(sandbox: Sandbox) -> None:
    send(sandbox, mail(sandbox, "auto"))

    reply: Message = message_from_bytes(wait_for_mails(sandbox, role="canary")[0])
    assert reply["Auto-Submitted"] == "auto-replied"


def test_fillers__are_no_mail_of_customers__and_become_no_tickets(sandbox: Sandbox) -> None:
    address = sandbox.support.address
    sandbox.quota(address, storage_bytes=100_000)
    sandbox.fill(address, share=1.0)
    wait_for_mails_by_state(sandbox)
    state = sandbox.state()
    sandbox.quota(address)

    assert state["mailboxes"][address]["used_bytes"] == 100_000
    assert state["desk"]["tickets_total"] == 0
