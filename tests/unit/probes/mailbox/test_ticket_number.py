import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.mailbox.ticket_number import ticket_number
from probes.message.extract import parse

TOKEN = "kagrbci6rzyaaaaaat2fhfad6i4oqoawbljd3"


@pytest.mark.parametrize(
    ("mail", "number"),
    [
        (f"Subject: [support-7] intakecanary {TOKEN} (Opened)", "7"),
        (f"Subject: [acme.test #12] AutoReply: intakecanary {TOKEN}", "12"),
        ("X-RT-Ticket: acme.test #31\nSubject: [other #12] x", "31"),
        ("Subject: Your request (123456) was received", "123456"),
        ("Subject: Re: hello\n\nYour ticket number is 4711.", "4711"),
        ("Subject: We got it\n\nReference: SUP-204\n", "SUP-204"),
        ("Subject: Case #00123: hello", "00123"),
        ("Subject: Re: hello (#88)\n\nthanks", "88"),
        ("Subject: thanks\n\nsee #88", None),
        ("Subject: Out of office\n\nAcme Ltd, registered in England, No. 01234567", None),
        ("Subject: Abwesend\n\nAcme GmbH, HRB Nr. 12345", None),
        ("Subject: Message held\n\nheld for review, reference 998877", None),
        ("Subject: hello\nContent-Type: text/html\n\n<p>Ticket&nbsp;<b>#99</b> was opened</p>", "99"),
        (
            f"Subject: Re: intakecanary {TOKEN} hello\n\nThank you for writing. We answer within 24 hours.",
            None,
        ),
        ("Subject: hello\n\nsee https://a.test/#12", None),
    ],
)
def test_acknowledgement__gives_the_number_that_it_calls_one(mail: str, number: str | None) -> None:
    text = mail if "\n\n" in mail else f"{mail}\n\n"

    assert ticket_number(parse(text.replace("\n", "\r\n").encode())) == number


@given(st.text(max_size=200), st.text(max_size=200))
def test_any_text__never_raises(subject: str, body: str) -> None:
    raw = f"Subject: {subject}\r\n\r\n{body}".encode("utf-8", "surrogatepass")

    assert ticket_number(parse(raw)) is None or ticket_number(parse(raw)) != ""
