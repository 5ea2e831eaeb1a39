"""What SMTP answers mean."""

import pytest

from canary.reason import Reason
from probes.smtp_replies import SmtpReply, queue_id_of, reason_of_reply


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        (552, "5.2.2 Mailbox full", Reason.MAILBOX_FULL),
        (452, "4.2.2 <a@b>: Recipient address rejected: Mailbox is full", Reason.MAILBOX_FULL),
        (552, "Requested mail action aborted", Reason.MAILBOX_FULL),
        (550, "mailbox quota exceeded", Reason.MAILBOX_FULL),
        (552, "5.3.4 Message size exceeds fixed limit", Reason.REJECTED),
        (552, "message too big", Reason.REJECTED),
        (552, "5.7.0 This message was blocked because of its content", Reason.SENDER_REFUSED),
        (452, "4.3.1 Insufficient system storage", Reason.DEFERRED),
        (451, "4.7.1 Greylisted, try again later", Reason.DEFERRED),
        (421, "4.4.5 congestion", Reason.DEFERRED),
        (550, "5.4.5 Daily user sending limit exceeded", Reason.SENDING_LIMIT),
        (550, "5.1.1 <a@b>: user unknown", Reason.RECIPIENT_UNKNOWN),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound", Reason.RECIPIENT_UNKNOWN),
        (550, "No such user here", Reason.RECIPIENT_UNKNOWN),
        (550, "5.1.8 sender address has null MX", Reason.SENDER_REFUSED),
        (550, "5.7.1 Message rejected by policy", Reason.SENDER_REFUSED),
        (550, "5.7.23 SPF validation failed", Reason.SENDER_REFUSED),
        (554, "5.7.1 <a@b>: Relay access denied", Reason.REJECTED),
        (550, "relaying denied", Reason.REJECTED),
        (550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", Reason.REJECTED),
        (554, "blocked, see the Spamhaus list", Reason.SENDER_REFUSED),
        (535, "5.7.8 Error: authentication failed", Reason.CREDENTIALS_REJECTED),
        (530, "5.7.0 Authentication required", Reason.CREDENTIALS_REJECTED),
        (554, "Transaction failed", Reason.REJECTED),
        (250, "fine", Reason.PROTOCOL_ERROR),
        (550, "2.0.0 a code of another class is not believed", Reason.REJECTED),
    ],
)
def test_answer__by_its_most_special_part__has_its_reason(code: int, message: str, reason: Reason) -> None:
    assert reason_of_reply(SmtpReply(code, message)) is reason


def test_refusal_of_the_sender__without_enhanced_code__is_about_the_sender() -> None:
    assert reason_of_reply(SmtpReply(550, "go away", is_sender=True)) is Reason.SENDER_REFUSED


def test_login_refused_for_now__is_no_word_about_the_credential() -> None:
    assert reason_of_reply(SmtpReply(454, "4.7.0 try later", is_login=True)) is Reason.DEFERRED


@pytest.mark.parametrize(
    ("message", "queue_id"),
    [
        ("2.0.0 Ok: queued as 4XyZ12", "4XyZ12"),
        ("OK id=1tAbCd-000000-AB", "1tAbCd-000000-AB"),
        ("2.0.0 Ok", ""),
        ("thank you", ""),
    ],
)
def test_queue_id__in_common_wordings__is_found(message: str, queue_id: str) -> None:
    assert queue_id_of(message) == queue_id
