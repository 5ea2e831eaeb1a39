"""Web-to-Case and inbound parse against simulators of the vendors' contracts."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from canary.content import compare
from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from canary.requester import Standing
from canary.ticket import Ticket, TicketId, TicketRef
from probes.form.settings import FieldValue, InboundParse, ParseShape, WebToCase
from probes.message.compose import AttachedFile
from probes.message.request import RequestSettings
from probes.servers import Password
from tests.real.forms import Seen, Source, launched, new, probe, settings
from tests.real.scripted_http import Answering, Site, running
from tests.real.vendor_forms import (
    ORGANIZATION,
    InboundReceiver,
    WebToCaseSimulator,
    mailgun_receiver,
    postmark_receiver,
    sendgrid_receiver,
)

pytestmark = pytest.mark.real
PRIVATE = ec.generate_private_key(ec.SECP256R1())
PEM = PRIVATE.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
CASE: dict[str, FieldValue] = {
    "subject": "{{ subject }}",
    "description": "{{ body }}",
    "email": "{{ sender }}",
    "name": "{{ name }}",
}


def posted(answering: Answering, **changes: Any) -> Seen:  # noqa: ANN401 -- the fields of FormSettings
    async def scene() -> Seen:
        async with running(Site({"POST /in": answering})) as here:
            return await launched(settings(f"{here.url}/in", **changes))

    return asyncio.run(scene())


def test_web_to_case__makes_a_case__confirmed_by_the_servlets_header() -> None:
    vendor = WebToCaseSimulator()

    seen = posted(vendor, submission=WebToCase(ORGANIZATION, CASE))

    assert seen.end.outcome is Outcome.OK
    [case] = vendor.cases
    assert case["subject"].startswith("intakecanary ")
    assert case["name"] == "Zoë Example"


@pytest.mark.parametrize(
    "wrong",
    [WebToCase("00D999999999999AAA", CASE), WebToCase(ORGANIZATION, {"subject": "{{ subject }}"})],
    ids=["organization", "required field"],
)
def test_web_to_case__that_is_dropped_with_status_200__is_no_confirmation(wrong: WebToCase) -> None:
    vendor = WebToCaseSimulator()

    end = posted(vendor, submission=wrong).end

    assert (end.hop, end.outcome, end.reason) == (
        Hop.FORM_CONFIRMATION,
        Outcome.FAILED,
        Reason.FORM_REJECTED,
    )
    assert (vendor.cases, end.rules_out_ticket) == ([], False)


RECEIVERS: Mapping[ParseShape, tuple[Callable[[], InboundReceiver], Mapping[str, Any], Mapping[str, Any]]] = {
    ParseShape.MAILGUN: (lambda: mailgun_receiver("mailgun-key"), {"key": Source(["mailgun-key"])}, {}),
    ParseShape.SENDGRID: (lambda: sendgrid_receiver(PRIVATE.public_key()), {"key": Source([PEM])}, {}),
    ParseShape.POSTMARK: (
        lambda: postmark_receiver("hook", "pass-word"),
        {},
        {"http_login": Password("hook", Source(["pass-word"]))},
    ),
}


@pytest.mark.parametrize("shape", list(ParseShape))
@pytest.mark.parametrize("attachment", [None, AttachedFile("proof.txt", b"seen")], ids=["plain", "attached"])
def test_inbound_parse__is_verified_and_taken_whole(
    shape: ParseShape, attachment: AttachedFile | None
) -> None:
    make, signing, known = RECEIVERS[shape]
    receiver: InboundReceiver = make()
    canary = new()

    async def scene() -> tuple[Seen, Any]:
        async with running(Site({"POST /in": receiver})) as here:
            of = settings(
                f"{here.url}/in",
                submission=InboundParse(shape, "support@acme.test", **signing),
                request=RequestSettings(attachment=attachment),
                **known,
            )
            return await launched(of, canary), probe(of).expected_content(canary)

    seen, expected = asyncio.run(scene())

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    [mail] = receiver.mails
    ticket = Ticket(
        TicketRef("desk", TicketId("1")),
        subject=mail["subject"],
        body=mail["text"],
        requester=canary.sender,
        attachments=expected.attachments,
    )
    assert compare(canary, expected, ticket, requester=Standing.OURS) == ()
    assert canary.sender in mail["from"]


@pytest.mark.parametrize("shape", list(ParseShape))
def test_inbound_parse__with_a_wrong_key__is_refused__and_no_ticket_can_come(
    shape: ParseShape,
) -> None:
    make, _, _ = RECEIVERS[shape]
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    receiver: InboundReceiver = make()

    end = posted(receiver, submission=InboundParse(shape, "support@acme.test", Source([other.decode()]))).end

    assert (end.hop, end.rules_out_ticket) == (Hop.FORM_SUBMIT, True)
    # 406 tells Mailgun not to come again, whatever the cause; 401 and 403 can only be about the key.
    says_why = shape is not ParseShape.MAILGUN
    assert end.reason is (Reason.CREDENTIALS_REJECTED if says_why else Reason.REJECTED)
    assert receiver.mails == []
