"""Times that lie ahead of the clock: it was set back since, and nobody knows what they say of now."""

from datetime import datetime, timedelta

MOST_AHEAD = timedelta(seconds=30)
"""Clocks of replicas differ by seconds; what is dated further ahead than this was dated by a clock that was wrong."""


def is_ahead(at: datetime, now: datetime) -> bool:
    """Whether a time says nothing of now, for it has not come yet."""
    return at - now > MOST_AHEAD
