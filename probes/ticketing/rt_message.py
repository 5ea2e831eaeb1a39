"""The message that made a ticket of Request Tracker, out of the ticket's list of attachments."""

import hashlib
import re
from dataclasses import dataclass
from typing import Final

from canary.hop import Channel
from canary.ticket import Attachment
from probes.json_answer import Json

FIELDS: Final = "TransactionId,MessageId,Filename,ContentType,Headers,Content"
"""What to ask for. ``Parent`` must not be among it: for a message without one, 5.0.3 answers 500."""
_INTERFACE = re.compile(r"(?im)^X-RT-Interface:\s*(\S+)")


@dataclass(frozen=True, slots=True)
class FirstMessage:
    """What the message said; None where there is nothing that we may read.

    Attributes:
        channel: by ``X-RT-Interface``, which Request Tracker adds itself.
    """

    body: str | None
    message_id: str | None
    channel: str | None
    attachments: tuple[Attachment, ...] | None


def first_message(answer: Json) -> FirstMessage:
    """Read the first transaction's parts; replies and comments came later and are not looked at.

    Raises:
        Blind: the answer is not of the contract.
    """
    parts = list(answer["items"].items())
    if not parts:
        return FirstMessage(None, None, None, None)
    transaction = parts[0]["TransactionId"].value
    own = [one for one in parts if one["TransactionId"].value == transaction]
    found = _INTERFACE.search(own[0]["Headers"].text())
    is_mail = found is not None and found.group(1).lower() == "email"
    message_id = own[0]["MessageId"].text()
    return FirstMessage(
        body=_body(own),
        message_id=f"<{message_id}>" if message_id else None,
        channel=Channel.EMAIL if is_mail else None,
        attachments=tuple(
            Attachment(one["Filename"].text(), _digest(one)) for one in own if one["Filename"].text()
        ),
    )


def _body(parts: list[Json]) -> str | None:
    """The plain text, else the HTML."""
    for kind in ("text/plain", "text/html"):
        for one in parts:
            if one["ContentType"].text() == kind and not one["Filename"].text():
                return one["Content"].text()
    return None


def _digest(part: Json) -> str | None:
    """Of an attachment that is not text: Request Tracker converts text to UTF-8, so that its digest says nothing.

    In a list, content comes as a string with one character a byte.
    """
    if part["ContentType"].text().startswith("text/"):
        return None
    try:
        content = part["Content"].text().encode("latin-1")
    except UnicodeEncodeError:
        return None
    return hashlib.sha256(content).hexdigest()
