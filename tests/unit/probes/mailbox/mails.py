"""Canaries and mails for the tests of the mailbox watchers."""

from datetime import UTC, datetime, timedelta

from canary.canary import Canary, Token
from canary.hop import Channel
from canary.path import PathName
from canary.signature import CanaryId, mint_id, mint_token, verify
from canary.trace import trace_id

KEY = b"a signing key of the tests"
PATH = PathName("support-email")
SENDER = "canary@probe.test"


def make_canary(number: int = 0, *, launched_at: datetime = datetime(2026, 3, 2, 12, tzinfo=UTC)) -> Canary:
    """A canary whose token verifies by `recognise`."""
    canary_id = mint_id(launched_at, number.to_bytes(4, "big"))
    return Canary(
        id=canary_id,
        path=PATH,
        channel=Channel.EMAIL,
        token=Token(mint_token(canary_id, PATH, KEY)),
        marker="intakecanary",
        sender=SENDER,
        launched_at=launched_at,
        deadline_at=launched_at + timedelta(minutes=10),
        horizon_at=launched_at + timedelta(hours=24),
        trace_id=trace_id(canary_id),
        prober="tests",
    )


def recognise(token: str) -> CanaryId | None:
    """Whose token it is, by the key of the tests."""
    verified = verify(token, keys=[KEY], paths=[PATH])
    return verified.canary_id if verified is not None else None


def canary_mail(
    canary: Canary, *, sender: str | None = None, subject: str | None = None, more: str = ""
) -> bytes:
    """The mail of a canary as it arrives."""
    lines = [
        "Received: from relay.probe.test by mx.acme.test with ESMTPS id 1A2B; Mon, 2 Mar 2026 12:00:01 +0000",
        "Authentication-Results: mx.acme.test; spf=pass; dkim=pass; dmarc=pass",
        f"From: Casey <{sender or canary.sender}>",
        "To: support@acme.test",
        f"Subject: {subject or f'{canary.subject_prefix} printer on fire'}",
        f"Message-ID: {canary.message_id}",
        f"X-Intake-Canary: {canary.id}",
        *([more] if more else []),
        "",
        f"Hello, {canary.token} again.",
        "",
    ]
    return "\r\n".join(lines).encode()


def acknowledgement(canary: Canary, *, subject: str = "[support-7] Thank you (Opened)") -> bytes:
    """What a helpdesk answers; only In-Reply-To says to what."""
    lines = [
        "From: Support <support@acme.test>",
        f"To: {canary.sender}",
        f"Subject: {subject}",
        "Message-ID: <ack-1@acme.test>",
        f"In-Reply-To: {canary.message_id}",
        "Auto-Submitted: auto-replied",
        "",
        "We got your mail.",
        "",
    ]
    return "\r\n".join(lines).encode()


def bounce_mail(
    canary: Canary, *, status: str = "5.2.2", action: str = "failed", words: str = "mailbox full"
) -> bytes:
    """A delivery status notification about a canary."""
    lines = [
        "From: MAILER-DAEMON@mx.acme.test",
        f"To: {canary.sender}",
        "Subject: Undelivered Mail Returned to Sender",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain",
        "",
        "It did not work out.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.acme.test",
        "",
        "Final-Recipient: rfc822; support@acme.test",
        f"Action: {action}",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; 552 {status} {words}",
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {canary.message_id}",
        "",
        "--b--",
        "",
    ]
    return "\r\n".join(lines).encode()
