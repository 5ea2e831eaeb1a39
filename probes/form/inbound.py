"""The posts by which mail services hand a mail over to a ticketing system: their shapes and signatures.

From the vendors' published contracts, read in November 2026: Mailgun "Receiving messages via HTTP" and "Securing
webhooks"; Twilio SendGrid "Inbound Email Parse Webhook" and "Securing your Inbound Parse Webhooks"; Postmark "Inbound
webhook". The services themselves were never met.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime
from mimetypes import guess_type
from typing import Final, assert_never

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from canary.reason import Reason
from probes.form.filling import Outgoing, multipart, urlencoded
from probes.form.settings import ParseShape
from probes.masking import Secret
from probes.message.compose import AttachedFile
from probes.reasons import Failure

SENDGRID_SIGNATURE: Final = "X-Twilio-Email-Event-Webhook-Signature"
SENDGRID_TIMESTAMP: Final = "X-Twilio-Email-Event-Webhook-Timestamp"
_SENDER_IP: Final = "192.0.2.1"
"""Of the documentation's network (RFC 5737): the mail that is told of never came by SMTP."""


@dataclass(frozen=True, slots=True)
class ParsedMail:
    """The mail that the service claims to have received.

    Attributes:
        name, sender: of the customer that we play.
        message_id: with its angle brackets.
        at: when it was received, aware.
        nonce: text that differs from post to post; at least 50 characters.
    """

    sender: str
    name: str
    recipient: str
    subject: str
    body: str
    message_id: str
    at: datetime
    nonce: str
    attachment: AttachedFile | None = None

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """The header fields that it bore."""
        return (
            ("From", _written(self.name, self.sender)),
            ("To", self.recipient),
            ("Subject", self.subject),
            ("Message-Id", self.message_id),
            ("Date", format_datetime(self.at)),
            ("Mime-Version", "1.0"),
        )


def parsed_post(shape: ParseShape, mail: ParsedMail, *, url: str, key: Secret | None) -> Outgoing:
    """The post of this mail, signed if there is a key.

    Raises:
        Failure: the key is none that can sign it.
    """
    match shape:
        case ParseShape.MAILGUN:
            return _mailgun(mail, url, key)
        case ParseShape.SENDGRID:
            return _sendgrid(mail, url, key)
        case ParseShape.POSTMARK:
            return _postmark(mail, url)
        case _:
            assert_never(shape)


def _mailgun(mail: ParsedMail, url: str, key: Secret | None) -> Outgoing:
    """Form fields; multipart where there is an attachment, else urlencoded.

    The signature is the hexadecimal HMAC-SHA256 of timestamp and token, by the webhook signing key. It does not
    cover the mail.
    """
    timestamp, token = str(int(mail.at.timestamp())), mail.nonce[:50]
    fields = [
        ("recipient", mail.recipient),
        ("sender", mail.sender),
        ("from", _written(mail.name, mail.sender)),
        ("subject", mail.subject),
        ("body-plain", mail.body),
        ("stripped-text", mail.body),
        ("stripped-signature", ""),
        ("message-headers", json.dumps([list(one) for one in mail.headers])),
        *((name, value) for name, value in mail.headers),
        ("timestamp", timestamp),
        ("token", token),
    ]
    if key is not None:
        digest = hmac.new(key.reveal().encode(), f"{timestamp}{token}".encode(), hashlib.sha256)
        fields.append(("signature", digest.hexdigest()))
    if mail.attachment is None:
        return urlencoded(url, fields)
    fields.append(("attachment-count", "1"))
    return multipart(url, fields, [("attachment-1", mail.attachment)])


def _sendgrid(mail: ParsedMail, url: str, key: Secret | None) -> Outgoing:
    """Multipart fields. The signature is ECDSA with SHA-256 over timestamp and body as posted, DER in base64."""
    envelope = {"to": [mail.recipient], "from": mail.sender}
    charsets = dict.fromkeys(("to", "from", "subject", "text"), "UTF-8")
    fields = [
        ("headers", "".join(f"{name}: {value}\n" for name, value in mail.headers)),
        ("dkim", "none"),
        ("to", mail.recipient),
        ("from", _written(mail.name, mail.sender)),
        ("subject", mail.subject),
        ("text", mail.body),
        ("sender_ip", _SENDER_IP),
        ("envelope", json.dumps(envelope)),
        ("charsets", json.dumps(charsets)),
        ("SPF", "none"),
        ("attachments", "0" if mail.attachment is None else "1"),
    ]
    files: Sequence[tuple[str, AttachedFile]] = ()
    if mail.attachment is not None:
        files = [("attachment1", mail.attachment)]
        about = {
            "filename": mail.attachment.name,
            "name": mail.attachment.name,
            "type": _type(mail.attachment),
        }
        fields.append(("attachment-info", json.dumps({"attachment1": about})))
    post = multipart(url, fields, files)
    if key is None:
        return post
    timestamp = str(int(mail.at.timestamp()))
    signed = _elliptic(key).sign(timestamp.encode() + (post.content or b""), ec.ECDSA(hashes.SHA256()))
    signature = base64.b64encode(signed).decode("ascii")
    return replace(
        post, headers={**post.headers, SENDGRID_SIGNATURE: signature, SENDGRID_TIMESTAMP: timestamp}
    )


def _postmark(mail: ParsedMail, url: str) -> Outgoing:
    """JSON. There is no signature: a receiver knows Postmark by the log-in in its own URL, or by its addresses."""
    local = mail.recipient.rpartition("@")[0]
    mailbox_hash = local.partition("+")[2]
    recipient = {"Email": mail.recipient, "Name": "", "MailboxHash": mailbox_hash}
    tree = {
        "FromName": mail.name,
        "MessageStream": "inbound",
        "From": mail.sender,
        "FromFull": {"Email": mail.sender, "Name": mail.name, "MailboxHash": ""},
        "To": mail.recipient,
        "ToFull": [recipient],
        "Cc": "",
        "CcFull": [],
        "Bcc": "",
        "BccFull": [],
        "OriginalRecipient": mail.recipient,
        "Subject": mail.subject,
        "MessageID": mail.message_id.strip("<>"),
        "ReplyTo": "",
        "MailboxHash": mailbox_hash,
        "Date": format_datetime(mail.at),
        "TextBody": mail.body,
        "HtmlBody": "",
        "StrippedTextReply": "",
        "Tag": "",
        "Headers": [
            {"Name": name, "Value": value}
            for name, value in mail.headers
            if name not in {"From", "To", "Subject", "Date"}
        ],
        "Attachments": [] if mail.attachment is None else [_attached(mail.attachment)],
    }
    return Outgoing(
        "POST", url, json.dumps(tree).encode(), {"Content-Type": "application/json; charset=utf-8"}
    )


def _attached(file: AttachedFile) -> Mapping[str, str | int]:
    return {
        "Name": file.name,
        "Content": base64.b64encode(file.content).decode("ascii"),
        "ContentType": _type(file),
        "ContentLength": len(file.content),
        "ContentID": "",
    }


def _type(file: AttachedFile) -> str:
    return guess_type(file.name)[0] or "application/octet-stream"


def _written(name: str, address: str) -> str:
    return str(Address(display_name=name, addr_spec=address))


def _elliptic(key: Secret) -> ec.EllipticCurvePrivateKey:
    try:
        private = serialization.load_pem_private_key(key.reveal().encode(), password=None)
    except (ValueError, TypeError) as error:
        raise Failure(
            Reason.CREDENTIALS_REJECTED,
            f"`inbound_parse.key` is no private key in PEM: {type(error).__name__}",
        ) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise Failure(Reason.CREDENTIALS_REJECTED, "`inbound_parse.key` is no elliptic-curve key (ECDSA)")
    return private
