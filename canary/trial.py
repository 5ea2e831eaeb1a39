"""The ticket that `ticketing try --create` opens: nothing of it is anybody's request, and so it is known again."""

from datetime import timedelta
from typing import Final

from canary.signature import CanaryId, launched_at_of
from canary.ticket import Ticket

TRIAL_SUBJECT: Final = "trial of our rights"
"""What follows marker and token in its subject."""
TRIAL_BODY: Final = (
    "This is no customer's request: intake-prober tries here whether it may open, find, tag and close a ticket."
    " It closes it itself within a minute; nobody need answer."
)
TRIAL: Final = timedelta(minutes=5)
"""Longer than a trial lasts: older, its ticket was left behind."""
_OPENED_WITHIN: Final = timedelta(hours=1)
"""A trial opens its ticket at once; the rest is for clocks that differ."""
_OPENED_AT_ONCE: Final = timedelta(minutes=1)
"""Some systems make a ticket without its text, or don't show it: within this nobody has read the token and copied it."""


def is_trials(ticket: Ticket, canary_id: CanaryId, token: str) -> bool:
    """Whether a ticket is a trial's own, word for word, whoever its requester is.

    Many systems make the user of the API the requester. A token that verifies proves that it is of ours; that nothing
    else stands in it, that it is nobody's who found the token and wrote with it; its time, that it is no later copy.

    Args:
        ticket: as it was read; without a text, only of the minute in which the token was made.
        canary_id: whose token it bears.
        token: the token, which has been verified.
    """
    created_at, body = ticket.remote_created_at, (ticket.body or "").split()
    within = _OPENED_WITHIN if body else _OPENED_AT_ONCE
    if created_at is None or abs(created_at - launched_at_of(canary_id)) > within:
        return False
    subject = (ticket.subject or "").lower().split()
    ending = [token.lower(), *TRIAL_SUBJECT.split()]
    is_ours = subject[-len(ending) :] == ending and len(subject) <= len(ending) + 1  # the marker is one word
    return is_ours and body in ([], TRIAL_BODY.split()) and not ticket.attachments
