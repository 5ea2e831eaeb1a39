"""A ticket as any ticketing system shows it, and what a mail looked like where it arrived."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

TicketId = NewType("TicketId", str)


class TicketState(StrEnum):
    """Whether the system made a ticket of the request, or holds it aside."""

    TICKET = "ticket"
    DIVERTED = "diverted"


@dataclass(frozen=True, slots=True)
class Attachment:
    """An attachment by name and digest; its content is dropped once digested.

    Attributes:
        sha256: hexadecimal digest of the content, or None where the system does not let it be read.
    """

    name: str
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class TicketRef:
    """What a ticket is called: all that is needed to find it again.

    Attributes:
        system: the name of the ticketing system in the configuration.
        url: where a person sees it, or None.
    """

    system: str
    id: TicketId
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as read; its tokens are candidates until a signature has been verified.

    Attributes:
        ref: what it is called.
        state: a ticket, or diverted (then ``cause`` has the vendor's word for it).
        subject: as shown; None where the look did not read it.
        body: plain text as far as the system gives it; None where the look did not read it.
        requester: address of whoever asked, lower case; None where not readable.
        remote_created_at: the remote's word, never mixed with our clock unless the skew is known.
        channel: the channel by the vendor's own marker, mapped to our word; None where it keeps none.
        other_channels: further channels that the same marker stands for.
        tags: labels that it bears.
        is_open: whether an agent could still see it in a queue.
        version: what a conditional update has to send back (an ETag), or None.
        message_id: the Message-ID (RFC 5322 section 3.6.4) kept with it, or None.
        attachments: None where the look did not read them.
    """

    ref: TicketRef
    state: TicketState = TicketState.TICKET
    subject: str | None = None
    body: str | None = None
    requester: str | None = None
    remote_created_at: datetime | None = None
    channel: str | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    is_open: bool = True
    version: str | None = None
    message_id: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    cause: str | None = None
    other_channels: frozenset[str] = frozenset()
