"""Find the ticket number that an acknowledgement quotes; pure. Where there is no other proof, it is the proof."""

import re
from email.message import Message
from typing import Final

from probes.message.extract import bodies, field

_TEXT_CHARACTERS: Final = 16 * 1024
_BRACKETED = re.compile(r"\[[^\[\]]{0,60}?[-#: ]([0-9]{1,12})\]")
_NAMED = re.compile(
    r"\b(?:ticket|case|request|incident|issue|conversation|enquiry|inquiry|anfrage|vorgang)\b"
    r"[ \t]{0,3}(?:id|number|nr|no)?[.:]?[ \t]{0,3}(?:is[ \t]{1,3})?[\[(#]{0,2}[ \t]?((?:[A-Z]{2,10}-)?[0-9]{1,12})\b",
    re.IGNORECASE,
)
_KEYED = re.compile(r"\b(?:reference|ref)\b[.:]?[ \t]{0,3}([A-Z]{2,10}-[0-9]{1,12})\b", re.IGNORECASE)
_HASHED = re.compile(r"(?<![\w&/#])#([0-9]{1,12})\b")


def ticket_number(message: Message) -> str | None:
    """The number of the ticket that the mail speaks of, or None.

    The system's own field decides (``X-RT-Ticket``), then the subject in brackets (``[support-7]``, ``[desk #12]``),
    then a number that is called one, in subject or text. A bare ``#12`` counts in the subject alone, a
    reference with its project (``SUP-204``) only, and no number that is just a "No.": signatures are full of those.
    """
    own = re.search(r"#?([0-9]{1,12})\s*$", field(message, "X-RT-Ticket")[:200])
    if own is not None:
        return own.group(1)
    subject = field(message, "Subject")[:500]
    text, page = (body[:_TEXT_CHARACTERS].replace("\xa0", " ") for body in bodies(message))
    for pattern, texts in (
        (_BRACKETED, (subject,)),
        (_NAMED, (subject, text, page)),
        (_KEYED, (subject, text, page)),
        (_HASHED, (subject,)),
    ):
        for one in texts:
            found = pattern.search(one)
            if found is not None:
                return found.group(1)
    return None
