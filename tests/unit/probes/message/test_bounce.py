import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.reason import Reason
from probes.message.bounce import Action, Bounce, bounce_reason, read_bounce
from probes.message.extract import parse

TOKEN = "kagrbci6rzyaaaaaat2fhfad6i4oqoawbljd3"


def _read(text: str) -> Bounce | None:
    return read_bounce(parse(text.replace("\n", "\r\n").encode()))


def _dsn(status: str, *, header: str = "", returned: str | None = None) -> str:
    original = (
        returned if returned is not None else f"From: canary@probe.test\nMessage-ID: <{TOKEN}@probe.test>\n"
    )
    return f"""From: MAILER-DAEMON@mx.acme.test
To: canary@probe.test
Subject: Undelivered Mail Returned to Sender
{header}MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I could not deliver your mail.

--b1
Content-Type: message/delivery-status

{status}
--b1
Content-Type: text/rfc822-headers

{original}
--b1--
"""


_FULL = """Reporting-MTA: dns; mx.acme.test
X-Postfix-Queue-ID: 4A1B

Final-Recipient: rfc822; support@acme.test
Original-Recipient: rfc822;support@acme.test
Action: failed
Status: 5.2.2
Remote-MTA: dns; store.acme.test
Diagnostic-Code: smtp; 552 5.2.2 <support@acme.test> Quota exceeded
 (mailbox for user is full)
"""


def test_failure_report__is_final_and_names_the_reason_and_the_reporter() -> None:
    bounce = _read(_dsn(_FULL))

    assert bounce == Bounce(
        tokens=(TOKEN,),
        action=Action.FAILED,
        status="5.2.2",
        diagnostic="552 5.2.2 <support@acme.test> Quota exceeded (mailbox for user is full)",
        reporting_mta="mx.acme.test",
        is_final=True,
        is_standard=True,
        recipients=frozenset({"support@acme.test"}),
    )
    assert bounce.is_permanent
    assert bounce_reason(bounce) is Reason.MAILBOX_FULL


def test_warning_of_a_delay__is_not_final() -> None:
    delayed = _FULL.replace("failed", "delayed").replace("5.2.2", "4.2.2").replace("552", "452")

    bounce = _read(_dsn(delayed))

    assert bounce is not None
    assert (bounce.action, bounce.is_final, bounce.is_permanent) == (Action.DELAYED, False, False)
    assert bounce_reason(bounce) is Reason.MAILBOX_FULL


def test_mail_given_up_after_temporary_faults__is_final_but_not_permanent() -> None:
    expired = (
        "Reporting-MTA: dns; a.test\n\nAction: failed\nStatus: 4.4.1\nDiagnostic-Code: X-Postfix; timed out\n"
    )

    bounce = _read(_dsn(expired))

    assert bounce is not None
    assert (bounce.is_final, bounce.is_permanent) == (True, False)
    assert bounce_reason(bounce) is Reason.BOUNCED


def test_several_recipients__the_worst_decides() -> None:
    status = (
        "Reporting-MTA: dns; a.test\n\nFinal-Recipient: rfc822; a@x\nAction: delivered\nStatus: 2.0.0\n\n"
        "Final-Recipient: rfc822; b@x\nAction: failed\nStatus: 5.1.1\n"
    )

    bounce = _read(_dsn(status))

    assert bounce is not None
    assert (bounce.action, bounce.status) == (Action.FAILED, "5.1.1")
    assert bounce_reason(bounce) is Reason.RECIPIENT_UNKNOWN


def test_report_of_success__is_no_failure() -> None:
    bounce = _read(_dsn("Reporting-MTA: dns; a.test\n\nAction: relayed\nStatus: 2.0.0\n"))

    assert bounce is not None
    assert (bounce.action, bounce.is_final) == (Action.RELAYED, False)


def test_original_returned_without_a_token__is_matched_by_the_envelope_id() -> None:
    status = (
        f"Reporting-MTA: dns; a.test\nOriginal-Envelope-Id: x+2B{TOKEN}\n\nAction: failed\nStatus: 5.0.0\n"
    )

    bounce = _read(_dsn(status, returned="Subject: gone\n"))

    assert bounce is not None
    assert bounce.tokens == (TOKEN,)


def test_report_that_was_encoded_as_a_whole__is_read() -> None:
    encoded = base64.encodebytes(_FULL.encode()).decode()
    text = _dsn("").replace(
        "Content-Type: message/delivery-status\n\n",
        f"Content-Type: message/delivery-status\nContent-Transfer-Encoding: base64\n\n{encoded}",
    )

    bounce = _read(text)

    assert bounce is not None
    assert (bounce.is_standard, bounce.status, bounce.reporting_mta) == (True, "5.2.2", "mx.acme.test")


def test_vague_status__is_sharpened_by_the_diagnostic() -> None:
    status = "Reporting-MTA: dns; a.test\n\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 5.1.1 no such user\n"

    bounce = _read(_dsn(status))

    assert bounce is not None
    assert bounce.status == "5.1.1"


_QMAIL = f"""From: MAILER-DAEMON@mail.acme.test
To: canary@probe.test
Subject: failure notice

Hi. This is the qmail-send program at mail.acme.test.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<support@acme.test>:
198.51.100.9 does not like recipient.
Remote host said: 550 5.1.1 <support@acme.test>: user unknown
Giving up on 198.51.100.9.

--- Below this line is a copy of the message.

Return-Path: <canary@probe.test>
Message-ID: <{TOKEN}@probe.test>
Subject: intakecanary {TOKEN} hello
"""

_EXCHANGE = f"""From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@acme.test>
To: canary@probe.test
Subject: Undeliverable: intakecanary {TOKEN} hello
Content-Type: text/html; charset=us-ascii

<html><body><p>Your message to support@acme.test couldn't be delivered.</p>
<p>The recipient's mailbox is full and can't accept messages now.</p>
<p>Remote Server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'</p>
</body></html>
"""

_PLAIN = f"""From: Mail Delivery System <mailer-daemon@relay.test>
To: canary@probe.test
Subject: Mail delivery failed: returning message to sender
X-Failed-Recipients: support@acme.test

A message that you sent could not be delivered:

  support@acme.test
    host mx.acme.test [203.0.113.5]
    SMTP error from remote mail server after RCPT TO: 550-5.7.23 SPF validation failed

------ This is a copy of the message's headers. ------

Message-ID: <{TOKEN}@probe.test>
"""

_DELAY = f"""From: Mail Delivery Subsystem <postmaster@relay.test>
To: canary@probe.test
Subject: Warning: message {TOKEN} delayed 4 hours

A message has not been delivered yet: 451 4.7.1 greylisted.
No action is required on your part. Delivery attempts will continue for some time.
"""


@pytest.mark.parametrize(
    ("text", "status", "reason", "is_final"),
    [
        (_QMAIL, "5.1.1", Reason.RECIPIENT_UNKNOWN, True),
        (_EXCHANGE, "5.2.2", Reason.MAILBOX_FULL, True),
        (_PLAIN, "5.7.23", Reason.SENDER_REFUSED, True),
        (_DELAY, "4.7.1", Reason.DEFERRED, False),
    ],
    ids=["qmail", "exchange", "exim", "delay"],
)
def test_report_of_no_standard__is_understood(text: str, status: str, reason: Reason, is_final: bool) -> None:
    bounce = _read(text)

    assert bounce is not None
    assert bounce.tokens == (TOKEN,)
    assert (bounce.status, bounce.is_final, bounce.is_standard) == (status, is_final, False)
    assert bounce_reason(bounce) is reason


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("550 5.7.1 relaying denied", Reason.BOUNCED),
        ("550 5.7.1 message blocked by policy", Reason.SENDER_REFUSED),
        ("550 mailbox unavailable, user unknown", Reason.RECIPIENT_UNKNOWN),
        ("552 message exceeds mailbox quota", Reason.MAILBOX_FULL),
        ("550 our spam filter says no", Reason.SENDER_REFUSED),
        ("554 5.4.6 mail loop", Reason.BOUNCED),
    ],
)
def test_words_and_codes__give_the_reason(words: str, reason: Reason) -> None:
    bounce = _read(f"From: mailer-daemon@a.test\nSubject: failure notice\n\n{words}\n")

    assert bounce is not None
    assert bounce_reason(bounce) is reason


def test_address_that_looks_like_a_code__is_none() -> None:
    bounce = _read("From: mailer-daemon@a.test\nSubject: failure notice\n\nhost 5.1.1.9 did not answer\n")

    assert bounce is not None
    assert bounce.status is None


@pytest.mark.parametrize(
    "text",
    [
        "From: support@acme.test\nSubject: [support-7] hello (Opened)\nReturn-Path: <>\n\nthank you",
        f"From: postbox@acme.test\nAuto-Submitted: auto-replied\nSubject: Delivery failed? No: {TOKEN}\n\nok",
        "From: a@b.test\nSubject: hello\n\n550 5.1.1 is quoted here",
    ],
)
def test_acknowledgement_or_other_mail__is_no_bounce(text: str) -> None:
    assert _read(text) is None


@given(st.binary(max_size=600))
def test_any_bytes__never_raise(raw: bytes) -> None:
    found = read_bounce(parse(raw))

    assert found is None or isinstance(bounce_reason(found), Reason)


@given(st.text(max_size=300), st.text(max_size=200))
def test_any_delivery_status__never_raises(status: str, returned: str) -> None:
    found = _read(_dsn(status, returned=returned))

    assert found is not None
    assert isinstance(bounce_reason(found), Reason)


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        ("5.7.133", "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", Reason.BOUNCED),
        ("5.7.1", "554 5.7.1 Relay access denied", Reason.BOUNCED),
        ("5.7.1", "550 5.7.1 rejected by policy", Reason.SENDER_REFUSED),
        ("5.4.5", "550 5.4.5 Daily user sending limit exceeded", Reason.SENDING_LIMIT),
        ("5.1.8", "550 5.1.8 sender address has null MX", Reason.SENDER_REFUSED),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", Reason.BOUNCED),
        ("5.1.10", "550 5.1.10 RecipientNotFound", Reason.RECIPIENT_UNKNOWN),
    ],
)
def test_report__has_the_reason_that_the_same_answer_in_the_session_has(
    status: str, words: str, reason: Reason
) -> None:
    report = (
        f"Reporting-MTA: dns; a.test\n\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {words}\n"
    )

    bounce = _read(_dsn(report))

    assert bounce is not None
    assert bounce_reason(bounce) is reason


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Zustellung verzögert", "Ihre Nachricht wurde noch nicht zugestellt. Der Versand wird wiederholt."),
        ("Entrega retrasada", "Su mensaje no se ha entregado todavia."),
        ("Notice", "Something about your mail."),
    ],
)
def test_words_of_a_daemon_that_tell_no_failure__end_nothing(subject: str, text: str) -> None:
    bounce = _read(f"From: postmaster@acme.test\nSubject: {subject}\n\n{text}\n\n{TOKEN}\n")

    assert bounce is not None
    assert (bounce.action, bounce.is_final, bounce.is_permanent) == (Action.DELAYED, False, False)


def test_failure_that_is_told_in_words_alone__does_not_rule_a_later_delivery_out() -> None:
    bounce = _read(
        f"From: MAILER-DAEMON@a.test\nSubject: failure notice\n\nno mailbox here by that name\n\n{TOKEN}\n"
    )

    assert bounce is not None
    assert (bounce.is_final, bounce.is_permanent) == (True, False)
    assert bounce_reason(bounce) is Reason.RECIPIENT_UNKNOWN
