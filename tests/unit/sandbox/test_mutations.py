"""Mutations and FETCH sections on mails as they come."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.faults import HEALTHY, parse
from sandbox.imap_fetch import fetch, items
from sandbox.imap_parse import BadCommand
from sandbox.imap_parse import parse as parse_command
from sandbox.mailstore import Message
from sandbox.mutations import mutate, rewritten_sender
from tests.contracts.imap_account import mail, mail_with_attachment
from tests.unit.sandbox.test_mailstore import AT


def test_healthy_relays__change_no_byte() -> None:
    raw = mail_with_attachment()

    assert mutate(raw, HEALTHY, "support@acme.test") == raw


@pytest.mark.parametrize(
    "wanted",
    [
        {"mangle_subject": True},
        {"mangle_charset": True},
        {"truncate_body_bytes": 0},
        {"drop_attachments": True},
        {"rewrite_sender": "group"},
    ],
)
def test_each_mutation__keeps_the_message_id(wanted: dict[str, object]) -> None:
    changed = mutate(mail(), parse(wanted, HEALTHY), "support@acme.test")

    assert changed != mail() or "drop_attachments" in wanted
    old, new = (message_from_bytes(raw, EmailMessage, policy=default) for raw in (mail(), changed))
    assert new["Message-ID"] == old["Message-ID"]


def test_rewritten_sender__of_a_bounce__stays_empty() -> None:
    assert rewritten_sender("", parse({"rewrite_sender": "srs"}, HEALTHY), "support@acme.test") == ""


@given(st.binary(max_size=300))
def test_fetch__of_any_bytes__answers_every_item(raw: bytes) -> None:
    message = Message(1, raw, AT)
    wanted = [
        "FLAGS",
        "ENVELOPE",
        "BODYSTRUCTURE",
        "BODY[]",
        "BODY[HEADER]",
        "BODY[TEXT]",
        "BODY[1]",
        "BODY[2.MIME]",
    ]

    answer = fetch(message, wanted, with_uid=True)

    assert b"UID 1" in answer
    assert b"BODY[] {%d}\r\n%s" % (len(raw), raw) in answer


@pytest.mark.parametrize("asked", [b"NONSENSE", b"BODY[", b"(FLAGS NONSENSE)", b"RFC822.NONE"])
def test_unknown_items__are_bad(asked: bytes) -> None:
    (node,) = parse_command([asked])
    with pytest.raises(BadCommand):
        items(node)
