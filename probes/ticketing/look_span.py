"""When a look was, what kind of look, and of whom it may say that nothing was there."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.observation import Depth, LookFacts
from canary.ticket import Ticket
from probes.contracts import Look, WalkFacts

IN_THE_MAKING = timedelta(seconds=2)
"""Damage of a ticket that is younger than this, by its system's clock, is not told before it is looked at again."""


@dataclass(frozen=True, slots=True)
class LookSpan:
    """When a look was, and what kind of look."""

    began_at: datetime
    ended_at: datetime
    look: LookFacts
    skew_seconds: float | None
    walk: WalkFacts | None

    @property
    def blank_since(self) -> datetime:
        """From when on it is known of what was not seen: the begin of the walk that this look ended."""
        is_end = self.walk is not None and self.look.is_complete
        return self.walk.began_at if self.walk is not None and is_end else self.began_at

    def may_tell(self, canary: Canary) -> bool:
        """Whether it can be told of a canary that it was not seen: not while a walk is on its way through the tickets.

        Whom a walk that is over has not asked for from its begin, the next one tells of.
        """
        if self.walk is None:
            return True
        return canary.id in self.walk.covers if self.look.is_complete else not self.walk.is_under_way

    def is_in_the_making(self, ticket: Ticket) -> bool:
        """Whether it is so new that its attachments, or its fields, may still be on their way into the system.

        Many systems write a ticket in several steps. What is damaged is damaged at the next look, too.
        """
        if ticket.remote_created_at is None or self.look.depth is not Depth.POLL:
            return False
        remote_now = self.ended_at + timedelta(seconds=self.skew_seconds or 0.0)
        return remote_now - ticket.remote_created_at < IN_THE_MAKING


def span_of(look: Look, canary: Canary, depth: Depth, *, began_at: datetime, ended_at: datetime) -> LookSpan:
    """The span of a look as it is for one canary."""
    facts = LookFacts(depth, is_complete=look.is_complete_for(canary), lag_seconds=look.lag_seconds)
    return LookSpan(began_at, ended_at, facts, look.skew_seconds, look.walk)


def was_read(look: Look, canary: Canary) -> bool:
    """Whether a ticket of it would be in this look, were it there; one that a walk met earlier need not be."""
    walk = look.walk
    return look.is_complete_for(canary) and (
        walk is None or (canary.id in walk.covers and canary.id not in walk.met)
    )
