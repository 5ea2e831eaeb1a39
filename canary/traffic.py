"""Real tickets: when strangers' tickets came, as far as looks that are made anyway show it. Counts and times only.

All times here are by the ticketing system's own clock; what is compared with ours has been moved by the known skew.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from canary.hop import Channel

HOUR: Final = timedelta(hours=1)
WEEK: Final = timedelta(weeks=1)
KEPT: Final = 9 * WEEK
"""How long hours are kept: the eight weeks before a silence, and a week of silence itself."""


class Way(StrEnum):
    """How a ticket came: a channel by the system's own marker, or, where it keeps none, ``other``."""

    EMAIL = "email"
    PORTAL = "portal"
    FORM = "form"
    OTHER = "other"


def way_of(channel: str | None) -> Way:
    """The way of a ticket that bears this marker of a channel, or none."""
    return Way(channel) if channel is not None and channel in set(Channel) else Way.OTHER


@dataclass(frozen=True, slots=True)
class Strangers:
    """What one look showed of tickets that are none of ours. Nothing else of them leaves the adapter.

    Attributes:
        since: every ticket that was created since then was shown, open or closed, whoever asked.
        created: when each was created, by the way it came.
    """

    since: datetime
    created: Mapping[Way, tuple[datetime, ...]]


@dataclass(frozen=True, slots=True)
class Watched:
    """A stretch of time in which every real ticket is known.

    Attributes:
        since, until: its ends; what was created in between, the end left out, is in ``created``.
        skew_seconds: the system's clock less ours.
        created: when real tickets were created; some may be later than ``until``: the next stretch counts them.
    """

    since: datetime
    until: datetime
    skew_seconds: float
    created: Mapping[Way, tuple[datetime, ...]]

    def joined(self, later: "Watched") -> "Watched | None":
        """This one and a later look's as one stretch, no ticket twice; None where something lies between them."""
        if not self.since <= later.since <= self.until <= later.until:
            return None
        created = {
            way: tuple(
                sorted(
                    [
                        *(one for one in self.created.get(way, ()) if one < self.until),
                        *(one for one in later.created.get(way, ()) if one >= self.until),
                    ]
                )
            )
            for way in {*self.created, *later.created}
        }
        return Watched(self.since, later.until, later.skew_seconds, created)


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a system was watched.

    Attributes:
        since, until: the first and the last moment that count; in between there may be gaps.
        unbroken_since: since when there is none.
        skew_seconds: the system's clock less ours, as it was known last.
    """

    since: datetime
    until: datetime
    unbroken_since: datetime
    skew_seconds: float = 0.0

    @property
    def read_at(self) -> datetime:
        """When it was last looked at, by our clock."""
        return self.until - timedelta(seconds=self.skew_seconds)


@dataclass(frozen=True, slots=True)
class Taken:
    """What a stretch adds to what is kept.

    Attributes:
        seconds: how long each hour was watched, by its begin.
        tickets: how many came, by way and hour.
        newest: when the newest of each way was created.
    """

    mark: Mark
    seconds: Mapping[datetime, float]
    tickets: Mapping[tuple[Way, datetime], int]
    newest: Mapping[Way, datetime]


@dataclass(frozen=True, slots=True)
class History:
    """All that is kept of one system.

    Attributes:
        seconds: how long each hour was watched, by its begin.
        tickets: how many came in each hour, by way; an hour in which none came may be missing.
        newest: when the newest of each way was created.
    """

    mark: Mark
    seconds: Mapping[datetime, float]
    tickets: Mapping[Way, Mapping[datetime, int]] = field(default_factory=lambda: MappingProxyType({}))
    newest: Mapping[Way, datetime] = field(default_factory=lambda: MappingProxyType({}))

    def way_for(self, channel: Channel) -> Way | None:
        """The way by which tickets of a channel are seen here; None: by none."""
        way = Way(channel)
        if way in self.newest:
            return way
        return Way.OTHER if Way.OTHER in self.newest else None


def hour_of(at: datetime) -> datetime:
    """The begin of the hour, in UTC: an hour of the week is never twice or missing for summer time."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def take(mark: Mark | None, watched: Watched) -> Taken:
    """What a stretch adds: only what lies before and after all that was watched already, so that nothing counts twice.

    Repeatable: taken again, it adds nothing.
    """
    fresh = _fresh(mark, watched)
    tickets: dict[tuple[Way, datetime], int] = {}
    for way, several in watched.created.items():
        for at in several:
            if any(begin <= at < end for begin, end in fresh):
                key = way, hour_of(at)
                tickets[key] = tickets.get(key, 0) + 1
    seconds: dict[datetime, float] = {}
    for begin, end in fresh:
        for hour, some in by_hour(begin, end):
            seconds[hour] = seconds.get(hour, 0.0) + some
    # what is dated beyond the stretch is not known to have come: a wrong date would end a silence for as long
    known = {way: [one for one in several if one < watched.until] for way, several in watched.created.items()}
    newest = {way: max(several) for way, several in known.items() if several}
    return Taken(_moved(mark, watched), seconds, tickets, newest)


def by_hour(begin: datetime, end: datetime) -> Iterable[tuple[datetime, float]]:
    """The hours that a stretch touches, with how many of its seconds lie in each."""
    hour = hour_of(begin)
    while hour < end and begin < end:
        yield hour, (min(end, hour + HOUR) - max(begin, hour)).total_seconds()
        hour += HOUR


def _fresh(mark: Mark | None, watched: Watched) -> list[tuple[datetime, datetime]]:
    """The parts of a stretch that nobody watched before; the end of each is not in it."""
    since, until = _bounded(watched)
    if mark is None:
        return [(since, until)] if since < until else []
    parts = []
    if since < mark.since <= until:
        parts.append((since, mark.since))
    if until > mark.until:
        parts.append((max(since, mark.until), until))
    return parts


def _moved(mark: Mark | None, watched: Watched) -> Mark:
    since, until = _bounded(watched)
    if mark is None:
        return Mark(since, until, since, watched.skew_seconds)
    first = min(since, mark.since) if until >= mark.since else mark.since
    if until <= mark.until:
        # Somebody else has looked since; of the past this look may still know more.
        unbroken = min(since, mark.unbroken_since) if until >= mark.unbroken_since else mark.unbroken_since
        return Mark(first, mark.until, unbroken, mark.skew_seconds)
    unbroken = min(since, mark.unbroken_since) if since <= mark.until else since
    return Mark(first, until, unbroken, watched.skew_seconds)


def _bounded(watched: Watched) -> tuple[datetime, datetime]:
    """The stretch as far as it is kept."""
    return max(watched.since, watched.until - KEPT), watched.until
