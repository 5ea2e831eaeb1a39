"""Faults between the mail platform and the support mailbox."""

from typing import Any

from tests.real.faults.fault import Fault, breach
from tests.sandbox import Sandbox

LONG = {"paths": {"support-email": {"horizon": "30s"}}}


def _full(sandbox: Sandbox) -> None:
    sandbox.quota(sandbox.support.address, storage_bytes=200_000)
    sandbox.fill(sandbox.support.address, share=1.0)


def _nearly_full(sandbox: Sandbox) -> None:
    sandbox.quota(sandbox.support.address, storage_bytes=200_000)
    sandbox.fill(sandbox.support.address, share=0.85)


def _full_by(what: str) -> dict[str, Any]:
    return {"prepare": _full, "switches": {"mailbox_full": what}}


MAILBOX = [
    Fault("mailbox nearly full", "85 % of the quota is used; the gauge warns", prepare=_nearly_full),
    breach(
        "mailbox full, mail is queued",
        "250, then held until there is room (Postfix's default)",
        "mailbox.arrival",
        "mailbox_full",
        becomes="late",
        changes=LONG,
        tickets=0,
        **_full_by("queue"),
    ),
    breach(
        "mailbox full, mail is deferred",
        "452 4.2.2 at RCPT until the deadline",
        "smtp.accept",
        "mailbox_full",
        tickets=0,
        **_full_by("defer"),
    ),
    breach(
        "mailbox full, mail is refused",
        "552 5.2.2 at RCPT",
        "smtp.accept",
        "mailbox_full",
        tickets=0,
        **_full_by("reject"),
    ),
    breach(
        "mailbox full, mail bounces",
        "250, then a delivery status notification (RFC 3464)",
        "mailbox.arrival",
        "mailbox_full",
        becomes="lost",
        tickets=0,
        **_full_by("bounce"),
    ),
    breach(
        "mailbox full, mail vanishes",
        "250, and the mail is lost without a word",
        "mailbox.arrival",
        "mailbox_full",
        becomes="lost",
        tickets=0,
        **_full_by("drop"),
    ),
    breach(
        "mail lost",
        "250, and the mail is lost",
        "mailbox.arrival",
        "not_seen",
        switches={"delivery_drop": True},
        becomes="lost",
        tickets=0,
    ),
    breach(
        "mail delayed past the deadline",
        "250, delivered 9 s later; the deadline is 6 s",
        "mailbox.arrival",
        "not_seen",
        switches={"delivery_delay_seconds": 9.0},
        becomes="late",
        changes=LONG,
        tickets=0,
    ),
    breach(
        "mail in the spam folder",
        "delivered to Junk, which nobody fetches",
        "mailbox.arrival",
        "misrouted",
        switches={"delivery_to_junk": True},
        tickets=0,
    ),
    breach(
        "bounce by RFC 3464",
        "250, then a delivery status notification: 5.1.1",
        "mailbox.arrival",
        "recipient_unknown",
        switches={"delivery_bounce": "rfc3464"},
        becomes="lost",
        tickets=0,
    ),
    breach(
        "bounce as mere text",
        "250, then a mail that says in words that it failed",
        "mailbox.arrival",
        "recipient_unknown",
        switches={"delivery_bounce": "text"},
        becomes="lost",
        tickets=0,
    ),
    Fault(
        "support mailbox unreadable",
        "our login to the support mailbox is refused; the ticket proves the arrival",
        switches={"imap_login_refused": True, "imap_account": "support@acme.test"},
    ),
    Fault(
        "IMAP goes silent in IDLE",
        "from IDLE on the server is a black hole",
        switches={"imap_silent_in_idle": True},
        changes={"paths": {"support-email": {"reply": None}}},
    ),
    Fault(
        "IMAP closes in IDLE",
        "IDLE is ended by a close without a word",
        switches={"imap_close_in_idle": True},
    ),
    Fault(
        "IMAP without IDLE",
        "IDLE is not offered: the mailbox is polled",
        switches={"imap_no_idle": True},
    ),
]
