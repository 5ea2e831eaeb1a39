"""Quarantine: the rule inside a ticketing system that keeps a canary's ticket from agents, surveys and figures.

Whether it is in force is seen for nothing: a ticket must bear what the rule sets when it is first seen. What can't be
read says nothing: a ticket whose tags were not shown is no miss.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from canary.signature import CanaryId
from canary.ticket import Ticket, TicketState

USUAL_MISSES = 3
"""So many canaries in a row without the mark stop a path that requires it."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What the vendor's rule sets; at least one of the two.

    Attributes:
        tag: a label of the ticket, compared without case.
        group: the group, queue or team that it is in, as the system shows it; compared without case.
    """

    tag: str | None = None
    group: str | None = None

    def borne_by(self, ticket: Ticket) -> bool | None:
        """Whether a ticket bears it; None where it can't be said: it is no ticket yet, or that was not shown."""
        if ticket.state is not TicketState.TICKET:
            return None
        known = [one for one in (self._has_tag(ticket), self._is_in_group(ticket)) if one is not None]
        asked = [one for one in (self.tag, self.group) if one is not None]
        if False in known:
            return False
        return True if known and len(known) == len(asked) else None

    @property
    def words(self) -> str:
        """For people: ``tag synthetic``, ``group Canaries``, or both."""
        named = (("tag", self.tag), ("group", self.group))
        return " and ".join(f"{kind} {one}" for kind, one in named if one is not None)

    def _has_tag(self, ticket: Ticket) -> bool | None:
        if self.tag is None or not ticket.shows_tags:
            return None
        return self.tag.casefold() in {one.casefold() for one in ticket.tags}

    def _is_in_group(self, ticket: Ticket) -> bool | None:
        if self.group is None or ticket.group is None:
            return None
        return ticket.group.casefold() == self.group.casefold()


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of a canary's ticket when it was first seen.

    Attributes:
        at: when, by our clock.
        is_marked: whether it bore the mark; what could not be said makes no sight.
    """

    canary_id: CanaryId
    at: datetime
    is_marked: bool


@dataclass(frozen=True, slots=True)
class Quarantine:
    """How well the rule works for a path, by its newest sights.

    Attributes:
        misses: so many canaries in a row were first seen without the mark, up to the newest.
        since: when the first of them was seen; None without one.
        marked_at: when a canary was last seen with the mark; None: never.
    """

    misses: int = 0
    since: datetime | None = None
    marked_at: datetime | None = None

    def stops(self, most: int | None) -> bool:
        """Whether a path that requires the mark launches nothing any more; ``most`` None: it requires none."""
        return most is not None and self.misses >= most


def quarantine_of(sights: Iterable[Sight]) -> Quarantine:
    """Fold the sights of one path, in whatever order they are given.

    Any canary with the mark begins the count anew; of several that one look shows, that one is taken for the last.
    """
    in_order = sorted(sights, key=lambda one: (one.at, one.is_marked))
    misses, since, marked_at = 0, None, None
    for one in in_order:
        if one.is_marked:
            misses, since, marked_at = 0, None, one.at
        else:
            misses, since = misses + 1, since or one.at
    return Quarantine(misses, since, marked_at)


def quarantine_words(found: Quarantine, most: int | None) -> str:
    """What is told of it, one sentence without a full stop; empty where there is no miss."""
    if not found.misses:
        return ""
    many = (
        "its last ticket was" if found.misses == 1 else f"its last {found.misses} tickets were"
    ) + " first seen without the mark of the quarantine rule: agents and customers may meet them"
    if most is None:
        return many
    if found.stops(most):
        return f"{many}; nothing is launched by schedule until a canary of `run PATH` bears it"
    return f"{many}; nothing more is launched at {most}"
