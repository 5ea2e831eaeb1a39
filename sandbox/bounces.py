"""Bounces: the mail that comes back when an accepted mail can't be delivered."""

from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

from sandbox.faults import BounceForm


def bounce(
    form: BounceForm,
    raw: bytes,
    *,
    sender: str,
    recipient: str,
    envid: str | None,
    status: str,
    why: str,
    at: datetime,
) -> bytes:
    """Return the bounce of a mail as raw bytes.

    Args:
        form: An RFC 3464 report, or the mere text that some old systems send.
        raw: The mail that failed; only its header is returned to the sender.
        sender: Envelope sender, to whom the bounce goes.
        recipient: Who could not be reached.
        envid: ENVID of the envelope (RFC 3461 section 4.4), if there was one.
        status: Enhanced status code (RFC 3463), such as `5.2.2`.
        why: What the remote server said.
        at: When it failed, aware UTC.
    """
    domain = recipient.rpartition("@")[2]
    if form is BounceForm.TEXT:
        return _text(raw, sender=sender, recipient=recipient, why=why, at=at, domain=domain)
    head = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    boundary = f"report-{abs(hash((sender, at))):x}"
    fields = [
        f"Reporting-MTA: dns; mx.{domain}",
        *([f"Original-Envelope-Id: {envid}"] if envid else []),
        f"Arrival-Date: {format_datetime(at)}",
        "",
        f"Original-Recipient: rfc822;{recipient}",
        f"Final-Recipient: rfc822; {recipient}",
        "Action: failed",
        f"Status: {status}",
        f"Diagnostic-Code: smtp; {why}",
        "",
    ]
    lines = [
        "Return-Path: <>",
        f"Date: {format_datetime(at)}",
        f"From: Mail Delivery System <MAILER-DAEMON@{domain}>",
        f"To: {sender}",
        "Subject: Undelivered mail returned",
        f"Message-ID: {make_msgid(domain=domain)}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        f"Your message to {recipient} could not be delivered: {why}",
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        *fields,
        f"--{boundary}",
        "Content-Type: text/rfc822-headers",
        "",
    ]
    return "\r\n".join(lines).encode() + b"\r\n" + head + f"\r\n--{boundary}--\r\n".encode()


def _text(raw: bytes, *, sender: str, recipient: str, why: str, at: datetime, domain: str) -> bytes:
    message = EmailMessage(policy=SMTP)
    message["Return-Path"] = "<>"
    message["Date"] = format_datetime(at)
    message["From"] = f"postmaster@{domain}"
    message["To"] = sender
    message["Subject"] = "failure notice"
    message["Message-ID"] = make_msgid(domain=domain)
    quoted = raw[:4000].decode("utf-8", errors="replace").replace("\r\n", "\n")
    message.set_content(
        f"I was not able to hand your message to this address:\n\n<{recipient}>:\n{why}\n\n"
        f"--- What follows is a copy of the message.\n\n{quoted}\n"
    )
    return message.as_bytes()
