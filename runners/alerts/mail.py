"""The mail of an alert: plain text, one thread a concern, and nothing that answers by itself would answer. Pure."""

from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from hashlib import sha256
from typing import Final

from canary.alert import Alert, Severity
from runners.alerts.wording import Known, words

_PRIORITY: Final = {Severity.PAGE: "high", Severity.TICKET: "normal"}


def message_of(alert: Alert, known: Known, *, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The mail of an alert; the same alert gives the same mail."""
    said = words(alert, known)
    domain = sender.rpartition("@")[2]
    thread = f"<{_word(alert.key)}@{domain}>"
    fields: Mapping[str, str] = {
        "From": formataddr((f"intake-prober {alert.prober}", sender)),
        "To": ", ".join(to),
        "Subject": said.title,
        "Date": format_datetime(alert.at),
        "Message-ID": f"<{_word(alert.id)}@{domain}>",
        "In-Reply-To": thread,
        "References": thread,
        # So that no vacation notice answers, and no ticket is made of it (RFC 3834 section 5).
        "Auto-Submitted": "auto-generated",
        "Importance": _PRIORITY[alert.severity],
    }
    message = EmailMessage()
    for name, value in fields.items():
        message[name] = value
    message.set_content(said.text)
    return message


def _word(text: str) -> str:
    """A word for the left side of a message id, whatever the text holds (RFC 5322 section 3.6.4)."""
    return sha256(text.encode()).hexdigest()[:40]
