"""Whether what bears a ticket's number still is that ticket: numbers are given out again, and nothing else may be removed."""

from datetime import datetime, timedelta
from email.utils import parseaddr
from enum import StrEnum
from typing import Final

from canary.signature import find_tokens
from canary.ticket import Ticket
from probes.contracts import Blind
from probes.ticketing.generic.conversions import text_of
from probes.ticketing.generic.expressions import MISSING
from probes.ticketing.generic.tickets import Values, created_of, searched

_ONE_MOMENT: Final = timedelta(seconds=1)
"""A list and a single ticket may tell the same moment with and without its parts of a second."""
_ONE_DAY: Final = timedelta(hours=25)
"""Or with and without its time of day, in whatever zone, also where clocks are set back that day."""


class Sameness(StrEnum):
    """What is known of it; where it is ``unsure`` nothing may be changed."""

    SAME = "same"
    OTHER = "other"
    UNSURE = "unsure"


def sameness(ticket: Ticket, values: Values) -> Sameness:
    """Whether the values that were read alone are those of the ticket that was found.

    They are where a token of it is read back, or where subject, requester and time of creation are all there and equal.
    Nothing follows from a field that is empty or not told: what was there and is not there any more may be another
    ticket's.
    """
    before = find_tokens("\n".join(filter(None, (ticket.subject, ticket.body, ticket.message_id))))
    now = find_tokens(searched(values))
    if now:
        return Sameness.SAME if any(token in before for token in now) else Sameness.OTHER
    asked_by, was_asked_by = _address(_text(values, "requester")), _address(ticket.requester)
    is_asked_by_same = asked_by is not None and asked_by == was_asked_by
    made, was_made = created_of(values), ticket.remote_created_at
    if made is None or was_made is None:
        # a name or a number instead of an address may be the same requester's
        are_addresses = "@" in (asked_by or "") and "@" in (was_asked_by or "")
        return Sameness.OTHER if are_addresses and not is_asked_by_same else Sameness.UNSURE
    apart = abs(made - was_made)
    if apart >= max(_coarseness(made), _coarseness(was_made)):
        return Sameness.OTHER
    subject = _text(values, "subject")
    is_same = apart < _ONE_MOMENT and is_asked_by_same and bool(subject) and subject == ticket.subject
    return Sameness.SAME if is_same else Sameness.UNSURE


def _coarseness(stamp: datetime) -> timedelta:
    """How much of a moment a stamp may leave out: one on the minute may be a whole day's."""
    return _ONE_MOMENT if stamp.second or stamp.microsecond else _ONE_DAY


def _address(requester: str | None) -> str | None:
    """A requester as two answers can be compared: ``Name <address>`` and the bare address are one."""
    if not requester:
        return None
    return (parseaddr(requester)[1] or requester).casefold()


def _text(values: Values, name: str) -> str | None:
    found = values.get(name)
    try:
        return None if found is MISSING else text_of(found, name)
    except Blind:
        return None
