"""Whether what bears a ticket's number still is that ticket: numbers are given out again, and nothing else may be removed."""

from datetime import timedelta
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
    requester = _text(values, "requester")
    is_asked_by_same = bool(requester) and requester == ticket.requester
    made = created_of(values)
    if made is None or ticket.remote_created_at is None:
        is_other = bool(requester and ticket.requester) and not is_asked_by_same
        return Sameness.OTHER if is_other else Sameness.UNSURE
    if abs(made - ticket.remote_created_at) >= _ONE_MOMENT:
        return Sameness.OTHER
    subject = _text(values, "subject")
    is_same = is_asked_by_same and bool(subject) and subject == ticket.subject
    return Sameness.SAME if is_same else Sameness.UNSURE


def _text(values: Values, name: str) -> str | None:
    found = values.get(name)
    try:
        return None if found is MISSING else text_of(found, name)
    except Blind:
        return None
