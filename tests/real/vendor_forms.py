"""Simulators of what can't be started here: Salesforce's Web-to-Case, and receivers of inbound parse.

Written from the vendors' published contracts; they refuse what those refuse. They never met the real thing.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from tests.real.scripted_http import HTML, Reply, Request

ORGANIZATION = "00D000000000001EAA"
_EXCEPTION = "true Exception:common.exception.SalesforceGenericException"


@dataclass
class WebToCaseSimulator:
    """Answers 200 whatever becomes of the case; a case is made of a known organization with a subject and an address."""

    cases: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("content-type") != "application/x-www-form-urlencoded":
            return Reply(415)
        fields = dict(parse_qsl(request.body.decode()))
        if (
            fields.get("orgid") != ORGANIZATION
            or not fields.get("subject")
            or "@" not in fields.get("email", "")
        ):
            return Reply(200, "", {**HTML, "Is-Processed": _EXCEPTION})
        self.cases.append(fields)
        return Reply(200, "", {**HTML, "Is-Processed": "true"})


@dataclass
class InboundReceiver:
    """Takes a post only if it is signed, or known, as its vendor says; keeps subject and text of each."""

    verify: Callable[[Request], bool]
    read: Callable[[Request], Mapping[str, str]]
    refusal: int
    mails: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if not self.verify(request):
            return Reply(self.refusal, "not from our mail service", {"Content-Type": "text/plain"})
        self.mails.append(self.read(request))
        return Reply(200, "OK", {"Content-Type": "text/plain"})


def mailgun_receiver(key: str) -> InboundReceiver:
    """406 is how a receiver tells Mailgun not to try again."""

    def verify(request: Request) -> bool:
        fields = form_fields(request)
        signed = f"{fields.get('timestamp', '')}{fields.get('token', '')}".encode()
        wanted = hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
        return len(fields.get("token", "")) == 50 and hmac.compare_digest(wanted, fields.get("signature", ""))

    return InboundReceiver(verify, lambda one: _subject_and(form_fields(one), "body-plain"), 406)


def sendgrid_receiver(key: ec.EllipticCurvePublicKey) -> InboundReceiver:
    """Verifies the bytes as they came, before it parses them."""

    def verify(request: Request) -> bool:
        timestamp = request.headers.get("x-twilio-email-event-webhook-timestamp", "")
        try:
            signature = base64.b64decode(request.headers.get("x-twilio-email-event-webhook-signature", ""))
            key.verify(signature, timestamp.encode() + request.body, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, binascii.Error):
            return False
        return True

    return InboundReceiver(verify, lambda one: _subject_and(form_fields(one), "text"), 403)


def postmark_receiver(username: str, password: str) -> InboundReceiver:
    """Knows Postmark by the log-in in the webhook's URL; 403 stops its tries."""
    wanted = f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"

    def read(request: Request) -> Mapping[str, str]:
        tree = json.loads(request.body)
        return {"subject": tree["Subject"], "text": tree["TextBody"], "from": tree["FromFull"]["Email"]}

    return InboundReceiver(lambda one: one.headers.get("authorization") == wanted, read, 403)


def form_fields(request: Request) -> dict[str, str]:
    """The fields of a post, urlencoded or multipart; of a file its name."""
    kind = request.headers["content-type"]
    if not kind.startswith("multipart/form-data"):
        return dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    parsed = BytesParser(policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    found = {}
    for part in parsed.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found[str(part.get_param("name", header="content-disposition"))] = (
            part.get_filename() or payload.decode()
        )
    return found


def _subject_and(fields: Mapping[str, str], body: str) -> Mapping[str, str]:
    return {"subject": fields["subject"], "text": fields[body], "from": fields["from"]}
