import base64
import quopri
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.message.extract import (
    Where,
    bodies,
    decode,
    flatten,
    header_tokens,
    mail_tokens,
    parse,
    to_text,
)

TOKEN = "kagrbci6rzyaaaaaat2fhfad6i4oqoawbljd3"
OTHER = "kagrbci6r2aaaaaabfgtkztfvwi4qhb4lq3ay"


def _raw(header: str, body: bytes = b"") -> bytes:
    return header.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


def test_no_token_anywhere__is_an_empty_answer() -> None:
    message = parse(_raw("Subject: hello\nFrom: a@b.test", b"nothing of ours"))

    assert mail_tokens(message) == ()


@pytest.mark.parametrize(
    ("header", "where"),
    [
        (f"Message-ID: <{TOKEN}@probe.test>", Where.MESSAGE_ID),
        (f"X-Intake-Canary: {TOKEN}", Where.CANARY_HEADER),
        (f"In-Reply-To: <{TOKEN}@probe.test>", Where.IN_REPLY_TO),
        (f"References: <a@b>\n <{TOKEN}@probe.test>", Where.REFERENCES),
        (f"To: Canary <canary+{TOKEN}@probe.test>", Where.ADDRESS),
        (f"Delivered-To: canary+{TOKEN}@probe.test", Where.ADDRESS),
        (f"Subject: Re: intakecanary {TOKEN.upper()} hello", Where.SUBJECT),
        (f"Subject: [support-7] intakecanary\n {TOKEN} hello (Opened)", Where.SUBJECT),
        (f"Subject: =?utf-8?b?{base64.b64encode(f'größe {TOKEN}'.encode()).decode()}?=", Where.SUBJECT),
        (
            f"Subject: =?iso-8859-1?q?gr=F6=DFe?= =?utf-8?q?_{TOKEN[:20]}?=\n =?utf-8?q?{TOKEN[20:]}?=",
            Where.SUBJECT,
        ),
    ],
)
def test_token_in_a_header_field__is_found_there(header: str, where: Where) -> None:
    found = header_tokens(parse(_raw(header)))

    assert [(one.token, one.where) for one in found] == [(TOKEN, where)]


def test_token_in_several_places__is_found_once_at_the_most_trustworthy() -> None:
    header = f"Subject: intakecanary {TOKEN}\nIn-Reply-To: <{TOKEN}@probe.test>\nMessage-ID: <x@desk.test>"

    found = mail_tokens(parse(_raw(header, TOKEN.encode())))

    assert [(one.token, one.where) for one in found] == [(TOKEN, Where.IN_REPLY_TO)]


def test_token_broken_by_quoted_printable_soft_line_breaks__is_found() -> None:
    broken = f"{'x' * 50} {TOKEN[:10]}=\r\n{TOKEN[10:30]}=\r\n{TOKEN[30:]}".encode()
    header = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"

    found = mail_tokens(parse(_raw(header, broken)))

    assert [(one.token, one.where) for one in found] == [(TOKEN, Where.TEXT)]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16", "iso-8859-1", "koi8-r", "no-such-charset", "hex"])
def test_token_in_a_base64_body__is_found_whatever_charset_is_declared(charset: str) -> None:
    text = f"Guten Tag {TOKEN}"
    encoded = text.encode(charset if charset not in {"no-such-charset", "hex"} else "utf-8")
    header = f"Content-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64"

    found = mail_tokens(parse(_raw(header, base64.encodebytes(encoded))))

    assert [one.token for one in found] == [TOKEN]


def test_token_in_html__is_found_across_inline_tags_and_entities() -> None:
    page = f"<html><body><p>Hello<br>{TOKEN[:9]}<wbr><b>{TOKEN[9:20]}</b>&#{ord(TOKEN[20])};{TOKEN[21:]}</p></body>"
    header = "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable"

    found = mail_tokens(parse(_raw(header, quopri.encodestring(page.encode()))))

    assert [(one.token, one.where) for one in found] == [(TOKEN, Where.HTML)]


def test_words_in_neighbouring_blocks__do_not_run_together() -> None:
    assert flatten("<td>one</td><td>two</td>").split() == ["one", "two"]


def test_style_and_script__are_no_text() -> None:
    assert flatten("<style>p{}</style><script>var x</script><p>kept</p>").split() == ["kept"]


def test_tokens_of_all_parts__are_found_in_a_multipart_mail() -> None:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "two"
    mail.set_content(f"first {TOKEN}")
    mail.add_alternative(f"<p>second {OTHER}</p>", subtype="html")

    found = mail_tokens(parse(mail.as_bytes()))

    assert [(one.token, one.where) for one in found] == [(TOKEN, Where.TEXT), (OTHER, Where.HTML)]


def test_body_nested_thousands_deep__is_read_as_far_as_it_can_be() -> None:
    nested = "".join(
        f"Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n" for level in range(3000)
    )

    found = mail_tokens(parse(_raw(f"Subject: {TOKEN}\n{nested}")))

    assert [one.token for one in found] == [TOKEN]


def test_broken_encoded_word__stays_as_it_is_and_hides_no_other() -> None:
    assert decode("=?utf-8?b?a?= =?utf-8?q?y=C3=A4?=") == "=?utf-8?b?a?= yä"


def test_bytes_of_another_charset__cost_characters_only() -> None:
    assert to_text(b"a\xffb", "ascii") == "a\ufffdb"


_HEADER_NAMES = st.sampled_from(
    [
        "Subject",
        "To",
        "From",
        "Message-ID",
        "References",
        "Content-Type",
        "Content-Transfer-Encoding",
        "Received",
    ]
)
_HEADER_LINES = st.tuples(_HEADER_NAMES, st.text(max_size=80)).map(lambda pair: f"{pair[0]}: {pair[1]}")


@given(st.binary(max_size=400))
def test_any_bytes__never_raise(raw: bytes) -> None:
    message = parse(raw)

    assert isinstance(mail_tokens(message), tuple)
    assert isinstance(bodies(message), tuple)


@given(st.lists(_HEADER_LINES, max_size=8), st.binary(max_size=200))
def test_any_header_and_body__never_raise(lines: list[str], body: bytes) -> None:
    raw = "\r\n".join(lines).encode("utf-8", "surrogatepass") + b"\r\n\r\n" + body

    assert isinstance(mail_tokens(parse(raw)), tuple)


@given(st.text(max_size=300))
def test_any_html__is_flattened_without_an_error(html: str) -> None:
    assert isinstance(flatten(f"<p>{html}"), str)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60))
def test_a_token_amid_any_text__survives_encoding_and_parsing(text: str) -> None:
    mail = EmailMessage(policy=SMTP)
    mail["Subject"] = "hello"
    mail.set_content(f"{text}\n{TOKEN}\n{text}")

    assert TOKEN in [one.token for one in mail_tokens(parse(mail.as_bytes()))]
