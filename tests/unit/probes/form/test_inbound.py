"""The posts of mail services: verified as the vendors' pages say that a receiver verifies them."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from canary.reason import Reason
from probes.form.inbound import SENDGRID_SIGNATURE, SENDGRID_TIMESTAMP, ParsedMail, parsed_post
from probes.form.settings import ParseShape
from probes.masking import Secret
from probes.message.compose import AttachedFile
from probes.reasons import Failure

URL = "https://desk.acme.test/inbound"
FILE = AttachedFile("a.csv", b"1;2\n")
PRIVATE = ec.generate_private_key(ec.SECP256R1())


def mail(attachment: AttachedFile | None = None) -> ParsedMail:
    return ParsedMail(
        sender="canary@probe.example",
        name="Zoë Example",
        recipient="support+vip@acme.test",
        subject="intakecanary xyz Ärger",
        body="Hello,\n\n東京",
        message_id="<xyz@probe.example>",
        at=datetime(2026, 3, 2, 12, tzinfo=UTC),
        nonce="n" * 64,
        attachment=attachment,
    )


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> Secret:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return Secret(key.private_bytes(encoding, form, serialization.NoEncryption()).decode())


def test_mailgun__is_signed_over_timestamp_and_token() -> None:
    post = parsed_post(ParseShape.MAILGUN, mail(), url=URL, key=Secret("signing-key"))

    fields = {name: values[0] for name, values in parse_qs((post.content or b"").decode()).items()}
    signed = hmac.new(b"signing-key", f"{fields['timestamp']}{fields['token']}".encode(), hashlib.sha256)
    assert fields["signature"] == signed.hexdigest()
    assert (len(fields["token"]), fields["timestamp"]) == (50, "1772452800")
    assert (fields["recipient"], fields["sender"]) == ("support+vip@acme.test", "canary@probe.example")
    assert fields["body-plain"] == "Hello,\n\n東京"
    assert ["Message-Id", "<xyz@probe.example>"] in json.loads(fields["message-headers"])


def test_mailgun__with_an_attachment__is_multipart() -> None:
    post = parsed_post(ParseShape.MAILGUN, mail(FILE), url=URL, key=None)

    assert post.headers["Content-Type"].startswith("multipart/form-data")
    assert b'name="attachment-1"; filename="a.csv"' in (post.content or b"")
    assert b'name="signature"' not in (post.content or b"")


def test_sendgrid__is_signed_over_timestamp_and_body_as_posted() -> None:
    post = parsed_post(ParseShape.SENDGRID, mail(FILE), url=URL, key=pem(PRIVATE))

    signature = base64.b64decode(post.headers[SENDGRID_SIGNATURE])
    signed = post.headers[SENDGRID_TIMESTAMP].encode() + (post.content or b"")
    PRIVATE.public_key().verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        PRIVATE.public_key().verify(signature, signed + b" ", ec.ECDSA(hashes.SHA256()))
    assert 'name="subject"\r\n\r\nintakecanary xyz Ärger\r\n'.encode() in (post.content or b"")
    assert b'name="attachment1"; filename="a.csv"' in (post.content or b"")


@pytest.mark.parametrize(
    "key", [Secret("no key at all"), pem(rsa.generate_private_key(65537, 2048))], ids=["no PEM", "RSA"]
)
def test_sendgrid__with_a_key_that_can_not_sign__is_our_credential(key: Secret) -> None:
    with pytest.raises(Failure) as caught:
        parsed_post(ParseShape.SENDGRID, mail(), url=URL, key=key)

    assert caught.value.fault.reason is Reason.CREDENTIALS_REJECTED
    assert key.reveal() not in str(caught.value)


def test_postmark__is_json_with_the_mailbox_hash() -> None:
    post = parsed_post(ParseShape.POSTMARK, mail(FILE), url=URL, key=None)

    tree = json.loads(post.content or b"")
    assert tree["FromFull"] == {"Email": "canary@probe.example", "Name": "Zoë Example", "MailboxHash": ""}
    assert (tree["MailboxHash"], tree["TextBody"]) == ("vip", "Hello,\n\n東京")
    assert base64.b64decode(tree["Attachments"][0]["Content"]) == FILE.content
    assert {"Name": "Message-Id", "Value": "<xyz@probe.example>"} in tree["Headers"]
