"""The canary mail."""

import email
from dataclasses import replace
from email.message import EmailMessage
from email.policy import default
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import example, given
from hypothesis import strategies as st

from canary.canary import Canary, Token, new_canary
from canary.signature import mint_id, mint_token
from probes.masking import Secret
from probes.message.compose import (
    AttachedFile,
    Dkim,
    DkimUnavailable,
    MailSettings,
    Subaddress,
    compose,
    envelope_sender,
    expected_content,
)
from tests.fakes.clock import START
from tests.fakes.world import KEY, SENDER, email_path

SETTINGS = MailSettings("support@acme.example")


def canary() -> Canary:
    path = email_path()
    canary_id = mint_id(START, b"abcd")
    token = Token(mint_token(canary_id, path.name, KEY))
    return new_canary(
        path, canary_id=canary_id, token=token, marker="intakecanary", sender=SENDER, prober="fra-1"
    )


def parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=default)
    assert isinstance(mail, EmailMessage)
    return mail


def test_forbidden_header__in_the_settings__is_refused_with_its_name() -> None:
    with pytest.raises(ValueError, match="header Message-ID"):
        replace(SETTINGS, headers={"Message-ID": "<a@b>"})


def test_header_of_two_lines__in_the_settings__is_refused() -> None:
    with pytest.raises(ValueError, match="one line"):
        replace(SETTINGS, headers={"X-Team": "a\r\nBcc: everybody@example.com"})


def test_same_canary__composed_twice__is_the_same_bytes() -> None:
    settings = replace(SETTINGS, attachment=AttachedFile("details.txt", b"some\x00bytes"))

    first, second = compose(canary(), settings), compose(canary(), settings)

    assert first == second


def test_mail__by_default__bears_the_token_in_every_place_that_may_survive() -> None:
    one = canary()

    mail = parsed(compose(one, SETTINGS))

    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert mail["Message-ID"] == f"<{one.token}@probe.example>"
    assert mail["X-Intake-Canary"] == one.id
    assert str(mail["Subject"]).startswith(f"intakecanary {one.token} ")
    assert one.token in plain.get_content().split()
    assert one.token in html.get_content()
    assert mail["traceparent"].startswith(f"00-{one.trace_id}-")


def test_mail__by_default__bears_nothing_that_marks_it_as_automatic() -> None:
    names = {name.lower() for name in parsed(compose(canary(), SETTINGS)).keys()}  # noqa: SIM118 -- repeated fields

    automatic = {"auto-submitted", "precedence", "x-loop", "x-auto-response-suppress", "list-id", "reply-to"}
    assert not names & automatic
    assert not [name for name in names if name.startswith("list-")]


def test_plain_text__is_wrapped_without_breaking_a_word_and_mail_is_seven_bit() -> None:
    raw = compose(canary(), replace(SETTINGS, body="word " * 100 + "\n\n" + "x" * 120))

    plain = parsed(raw).get_body(("plain",))

    assert raw.isascii()
    assert plain is not None
    lines = plain.get_content().splitlines()
    assert "x" * 120 in lines
    assert max(len(line) for line in lines if "x" * 120 not in line) <= 72


@pytest.mark.parametrize(
    "attachment", [None, AttachedFile("größe.txt", b"text"), AttachedFile("b.bin", b"\0")]
)
@pytest.mark.parametrize("prober", ["fra-1", "f" * 90])
def test_fields_that_are_not_folded__are_what_the_library_would_have_written(
    prober: str, attachment: AttachedFile | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = replace(canary(), prober=prober)
    settings = replace(SETTINGS, attachment=attachment)
    ours = compose(one, settings)

    monkeypatch.setattr("probes.message.compose._PLAIN", frozenset[str]())

    assert ours == compose(one, settings)


def test_parts__are_parted_by_what_no_encoded_part_can_hold() -> None:
    mail = parsed(compose(canary(), replace(SETTINGS, attachment=AttachedFile("b.bin", bytes(range(256))))))

    parts = list(mail.walk())

    assert [one.get_content_type() for one in parts] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "application/octet-stream",
    ]
    assert {str(one.get_boundary())[:2] for one in parts if one.is_multipart()} == {"=_"}


def test_attachment__arrives_with_the_digest_that_is_expected() -> None:
    content = bytes(range(256)) * 10
    settings = replace(SETTINGS, attachment=AttachedFile("größe.bin", content))

    mail = parsed(compose(canary(), settings))

    (part,) = list(mail.iter_attachments())
    assert part.get_content() == content
    expected = expected_content(canary(), settings).attachments[0]
    assert (expected.name, expected.sha256) == ("größe.bin", sha256(content).hexdigest())


def test_subaddress__where_configured__bears_the_token() -> None:
    one = canary()

    reply = parsed(compose(one, replace(SETTINGS, subaddress=Subaddress.REPLY_TO)))
    whole = replace(SETTINGS, subaddress=Subaddress.FROM)

    assert one.token in reply["Reply-To"]
    assert one.token not in reply["From"]
    assert one.token in parsed(compose(one, whole))["From"]
    assert envelope_sender(one, whole) == f"canary+{one.token}@probe.example"


@example("00000 \u00a1 \u00a1")
@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120))
def test_any_subject__comes_back_as_it_was_written(text: str) -> None:
    settings = replace(SETTINGS, subject=text)

    subject = str(parsed(compose(canary(), settings))["Subject"])

    assert subject.split() == expected_content(canary(), settings).subject.split()


def test_signed_mail__verifies_and_an_altered_one_does_not() -> None:
    import dkim

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    record = b"v=DKIM1; k=rsa; p=" + b"".join(public.splitlines()[1:-1])

    raw = compose(canary(), SETTINGS, dkim=Dkim("probe.example", "s1", Secret(pem.decode())))

    assert dkim.verify(raw, dnsfunc=lambda *_, **__: record)
    assert not dkim.verify(raw.replace(b"Kind", b"Kund"), dnsfunc=lambda *_, **__: record)


def test_unusable_dkim_key__is_an_error_that_does_not_show_it() -> None:
    with pytest.raises(DkimUnavailable) as caught:
        compose(canary(), SETTINGS, dkim=Dkim("probe.example", "s1", Secret("not-a-key-at-all")))

    assert "not-a-key-at-all" not in str(caught.value)
    assert "s1" in str(caught.value)


def test_two_senders__each_mail_bears_its_own_name() -> None:
    settings = replace(SETTINGS, display_names={"other@probe.example": "Ada Sample"})
    other = replace(canary(), sender="Other@probe.example")

    shown = [str(parsed(compose(one, settings))["From"]) for one in (canary(), other)]

    assert shown == [f"Zoë Example <{SENDER}>", "Ada Sample <Other@probe.example>"]
