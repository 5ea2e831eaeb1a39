"""The public form of django-helpdesk, as it is: what is posted becomes a ticket that says the same."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from probes.contracts import CheckState
from probes.form.settings import Confirmation, FormSettings, HtmlForm
from probes.message.compose import AttachedFile
from probes.message.request import RequestSettings
from tests.real.forms import Seen, launched, new, probe, settings
from tests.sandbox import Sandbox, start_sandbox

pytestmark = pytest.mark.real
FIELDS = {"title": "{{ subject }}", "body": "{{ body }}", "submitter_email": "{{ sender }}"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


def public_form(sandbox: Sandbox, **changes: object) -> FormSettings:
    return settings(
        f"{sandbox.endpoints.desk_url}/tickets/submit/",
        **{
            "submission": HtmlForm(FIELDS, upload="attachment"),
            "request": RequestSettings(attachment=AttachedFile("proof.txt", b"seen")),
            "confirmation": Confirmation(url=re.compile(r"/view/\?ticket=(?P<ticket>[\w-]+)")),
            **changes,
        },
    )


def test_public_form__makes_one_ticket__with_subject_body_and_attachment(sandbox: Sandbox) -> None:
    canary = new()

    seen: Seen = asyncio.run(launched(public_form(sandbox), canary))

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    [ticket] = [one for one in sandbox.tickets() if canary.token in one["title"]]
    expected = probe(public_form(sandbox)).expected_content(canary)
    assert ticket["title"] == expected.subject
    assert "".join(ticket["description"].split()) == "".join(expected.body.split())
    assert ticket["submitter_email"] == canary.sender
    assert seen.end.facts["intake.ticket.id"] == f"support-{ticket['id']}"
    files = [file for one in ticket["followup_set"] for file in one.get("followupattachment_set", ())]
    assert [file["filename"] for file in files] == ["proof.txt"]


def test_public_form__without_what_it_demands__shows_its_messages(sandbox: Sandbox) -> None:
    canary = new()
    without = HtmlForm({**FIELDS, "submitter_email": "no address"})

    end = asyncio.run(launched(public_form(sandbox, submission=without), canary)).end

    assert (end.hop, end.reason) == (Hop.FORM_CONFIRMATION, Reason.FORM_REJECTED), end.detail
    assert "valid email address" in end.detail
    assert not [one for one in sandbox.tickets() if canary.token in one["title"]]


def test_public_form__is_checked_without_making_a_ticket(sandbox: Sandbox) -> None:
    before = len(sandbox.tickets())

    lines = asyncio.run(probe(public_form(sandbox)).check())

    assert {one.state for one in lines} == {CheckState.OK}, lines
    assert len(sandbox.tickets()) == before


def test_public_form__with_a_field_that_it_has_not__is_told_by_name(sandbox: Sandbox) -> None:
    of = public_form(sandbox, submission=HtmlForm({**FIELDS, "subject": "x"}))

    end = asyncio.run(launched(of)).end

    assert (end.hop, end.reason, end.rules_out_ticket) == (Hop.FORM_SUBMIT, Reason.FORM_CHANGED, True)
    assert "no field subject; it has " in end.detail
