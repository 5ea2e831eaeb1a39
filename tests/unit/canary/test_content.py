"""A ticket beside what its canary said: what helpdesks may do to it, and what they may not."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.content import ExpectedContent, compare
from canary.reason import Reason
from canary.requester import Standing
from canary.ticket import Attachment, Ticket, TicketId, TicketRef
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.clock import START

CANARY = new_canary(START)
SUBJECT = f"{CANARY.subject_prefix} Anmeldung geht nicht \N{EN DASH} größere Störung"
BODY = f"""Guten Tag,

seit heute früh kann ich mich nicht mehr anmelden. Die Seite zeigt nur
einen Fehler. Mein Zeichen: {CANARY.token}

Können Sie bitte nachsehen? Die Bestellung 4711 wartet.

Viele Grüße
Jürgen Muñoz"""
PDF = Attachment("invoice.pdf", "ab" * 32)
EXPECTED = ExpectedContent(SUBJECT, BODY, (PDF,))


def ticket(
    *,
    subject: str | None = SUBJECT,
    body: str | None = BODY,
    attachments: tuple[Attachment, ...] | None = (PDF,),
    channel: str | None = None,
) -> Ticket:
    return Ticket(
        TicketRef("desk", TicketId("7")),
        subject=subject,
        body=body,
        attachments=attachments,
        channel=channel,
        requester="somebody@forwarder.test",
    )


def reasons(one: Ticket, *, requester: Standing = Standing.OURS) -> list[Reason]:
    return [found.reason for found in compare(CANARY, EXPECTED, one, requester=requester)]


@pytest.mark.parametrize(
    "subject",
    [
        SUBJECT,
        f"[support-7] {SUBJECT}",
        f"Re: [acme.test #12]  {SUBJECT} (Opened)",
        SUBJECT.upper(),
        SUBJECT.replace(" ", "\r\n "),
        SUBJECT.replace("ö", "o\u0308"),
        SUBJECT.replace("\N{EN DASH}", "&ndash;"),
    ],
)
def test_subject__prefixed_wrapped_or_folded__is_intact(subject: str) -> None:
    assert reasons(ticket(subject=subject)) == []


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        BODY.replace("\n", "\r\n"),
        "> " + BODY.replace("\n", "\n> "),
        "On Monday a customer wrote:\n\n>> " + BODY.replace("\n", "\n>> ") + "\n\n-- \nsent by the desk",
        "<html><head><style>p {color: red}</style></head><p>" + BODY.replace("\n", "<br/>\n") + "</p></html>",
        "<div>" + BODY.replace("ü", "&uuml;").replace("ß", "&#223;").replace("\n", "</div><div>") + "</div>",
        BODY.replace(" ", "\u00a0"),
        " ".join(BODY.split()),
        BODY.replace("ü", "u\u0308"),
    ],
)
def test_body__quoted_wrapped_or_flattened__is_intact(body: str) -> None:
    assert reasons(ticket(body=body)) == []


def test_signature__stripped_by_the_helpdesk__is_no_damage() -> None:
    signed = ExpectedContent(SUBJECT, f"{BODY}\n-- \nJürgen Muñoz\nAcme", ())

    found = compare(CANARY, signed, ticket(), requester=Standing.OURS)

    assert found == ()


def quoted_printable(text: str) -> str:
    return "".join(one if one.isascii() else "".join(f"={byte:02X}" for byte in one.encode()) for one in text)


DAMAGES: dict[str, Callable[[str], str]] = {
    "latin-1": lambda text: text.encode().decode("latin-1"),
    "cp1252": lambda text: text.encode().decode("cp1252", "replace"),
    "question marks": lambda text: text.encode("ascii", "replace").decode(),
    "dropped": lambda text: text.encode("ascii", "ignore").decode(),
    "replacement characters": lambda text: text.encode().decode("ascii", "replace"),
    "quoted-printable": quoted_printable,
}


@pytest.mark.parametrize("damage", list(DAMAGES))
def test_letters_outside_ascii__misread_replaced_or_dropped__are_mangled_and_not_truncated(
    damage: str,
) -> None:
    harm = DAMAGES[damage]

    assert reasons(ticket(body=harm(BODY))) == [Reason.CHARSET_MANGLED]
    assert reasons(ticket(subject=harm(SUBJECT))) == [Reason.CHARSET_MANGLED]


def test_one_letter_outside_ascii__changed__is_found() -> None:
    assert reasons(ticket(body=BODY.replace("Muñoz", "Munoz"))) == [Reason.CHARSET_MANGLED]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_body__cut_at_any_place__is_truncated(share: float) -> None:
    assert reasons(ticket(body=BODY[: int(len(BODY) * share)])) == [Reason.BODY_TRUNCATED]
    assert reasons(ticket(body=BODY[: int(len(BODY) * share)] + "\n[message clipped]")) == [
        Reason.BODY_TRUNCATED
    ]


def test_body__cut_and_mangled__says_both_the_cut_first() -> None:
    body = BODY.encode().decode("latin-1")[:150]

    assert reasons(ticket(body=body)) == [Reason.BODY_TRUNCATED, Reason.CHARSET_MANGLED]


def test_body__that_is_empty__is_truncated() -> None:
    assert reasons(ticket(body=" \n")) == [Reason.BODY_TRUNCATED]


@pytest.mark.parametrize(
    "body",
    [
        BODY.replace("heute früh", "gestern"),
        BODY.replace("einen Fehler. Mein Zeichen", "einen Text. Mein Zeichen"),
        BODY.replace(CANARY.token, CANARY.token[:-1]),
        "something else entirely",
    ],
)
def test_body__changed_in_the_middle__is_changed_and_not_truncated(body: str) -> None:
    assert reasons(ticket(body=body)) == [Reason.BODY_CHANGED]


def test_subject__without_the_token__is_changed() -> None:
    assert reasons(ticket(subject="Anmeldung geht nicht")) == [Reason.SUBJECT_CHANGED]


def test_subject__cut__is_changed_and_says_how_much_came() -> None:
    (found,) = compare(CANARY, EXPECTED, ticket(subject=SUBJECT[:60]), requester=Standing.OURS)

    assert found.reason is Reason.SUBJECT_CHANGED
    assert "cut" in found.detail


def test_subject__with_encoded_words_left_in_it__is_mangled() -> None:
    assert reasons(ticket(subject="=?utf-8?q?Anmeldung_gr=C3=B6=C3=9Fere?=")) == [Reason.CHARSET_MANGLED]


def test_attachment__renamed_with_its_content__is_intact() -> None:
    assert reasons(ticket(attachments=(Attachment("part-1_invoice.pdf", PDF.sha256),))) == []


def test_attachment__gone__is_missing() -> None:
    assert reasons(ticket(attachments=())) == [Reason.ATTACHMENT_MISSING]


def test_attachment__of_another_content__is_changed() -> None:
    assert reasons(ticket(attachments=(Attachment("invoice.pdf", "cd" * 32),))) == [Reason.ATTACHMENT_CHANGED]


def test_attachment__whose_content_is_not_shown__is_no_failure() -> None:
    assert reasons(ticket(attachments=(Attachment("invoice.pdf", None),))) == []


def test_parts_that_were_not_read__are_not_judged() -> None:
    assert reasons(ticket(subject=None, body=None, attachments=None)) == []


def test_channel__another_than_the_canarys__is_wrong() -> None:
    assert reasons(ticket(channel="portal")) == [Reason.WRONG_CHANNEL]
    assert reasons(ticket(channel="email")) == []


def test_requester__of_a_stranger__is_the_worst_and_is_not_named() -> None:
    found = compare(CANARY, EXPECTED, ticket(body="x"), requester=Standing.STRANGER)

    assert [one.reason for one in found] == [Reason.WRONG_REQUESTER, Reason.BODY_CHANGED]
    assert "forwarder.test" not in found[0].detail


@pytest.mark.parametrize("rewritten", [Standing.REWRITTEN, Standing.LISTED])
def test_requester__rewritten_or_listed__is_told_and_is_no_damage(rewritten: Standing) -> None:
    (found,) = compare(CANARY, EXPECTED, ticket(), requester=rewritten)

    assert found.reason is Reason.REQUESTER_REWRITTEN
    assert not found.is_damage


def test_without_expectation__only_requester_and_channel_are_judged() -> None:
    found = compare(CANARY, None, ticket(subject="x", body="y"), requester=Standing.OURS)

    assert found == ()


@given(st.integers(min_value=1, max_value=len(BODY) - 1))
def test_any_cut_of_the_body__is_damage(end: int) -> None:
    cut = BODY[:end].rstrip()

    assert reasons(ticket(body=cut)) != [] or "".join(cut.split()) == "".join(BODY.split())


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text__is_compared_without_an_exception(subject: str, body: str) -> None:
    found = compare(CANARY, EXPECTED, ticket(subject=subject, body=body), requester=Standing.OURS)

    assert all(one.detail for one in found)


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_stands_before_and_after_the_body__it_is_intact(before: str, after: str) -> None:
    assert reasons(ticket(body=f"{before}\n{BODY}\n{after}")) == []
