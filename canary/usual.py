"""What is usual: how many real tickets an hour of the week brings, and whether a silence is far out of the ordinary.

A stream is compared with itself, hour of the week by hour of the week. What would usually have come since the newest
ticket is the age of that ticket in usual gaps; it only grows while nothing comes. Where there is no history, nothing
is said.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel
from canary.path import Path
from canary.quantity import duration
from canary.traffic import HOUR, WEEK, History, Way, by_hour, hour_of

HOURS: Final = 168
LOOKED_BACK: Final = 8 * WEEK
"""How far before a silence its usual hours are taken from: a season ago is not usual."""
LEAST_WEEKS: Final = 3
"""An hour of the week is known from so many of its kind on."""
LEAST_TICKETS: Final = 30
"""A stream that brought fewer has no usual hours."""
LEAST_SECONDS: Final = 1800.0
"""An hour that was watched for less says nothing."""
KNOWN_SHARE: Final = 0.8
"""Of an impact window so much must be known, or its tickets are not."""
LEAST_GAPS: Final = 7.0
WEEKS_A_YEAR: Final = 52
MOST_BURSTY: Final = 3.0
"""However bursty a stream is, so many times the limit of an even one are far out of the ordinary."""
_SHIFT: Final = timedelta(hours=72)
"""1970-01-01 was a Thursday; weeks begin on Mondays."""

_EPOCH_HOUR: Final = 3600


def hour_of_week(at: datetime) -> int:
    """Which of the 168 hours of a week it is, in UTC, Monday's first being 0."""
    return int((at.timestamp() + _SHIFT.total_seconds()) // _EPOCH_HOUR) % HOURS


@dataclass(frozen=True, slots=True)
class Usual:
    """How many tickets an hour of the week usually brings.

    Attributes:
        an_hour: by the hour of the week; None where it is not known.
        limit: so many usual tickets in a row may be missing before that is far out of the ordinary.
    """

    an_hour: tuple[float | None, ...]
    limit: float = LEAST_GAPS

    def at(self, moment: datetime) -> float | None:
        """What that hour of the week usually brings; None: not known."""
        return self.an_hour[hour_of_week(moment)]

    def expected(self, begin: datetime, end: datetime) -> tuple[float, float]:
        """How many would usually come in between, and how many of the seconds are known. Grows with the end."""
        tickets, known = 0.0, 0.0
        for hour, seconds in by_hour(begin, end):
            rate = self.at(hour)
            if rate is not None:
                tickets += rate * seconds / HOUR.total_seconds()
                known += seconds
        return tickets, known


def usual(
    history: History, way: Way, *, without: tuple[datetime, datetime], is_cautious: bool = True
) -> Usual | None:
    """What is usual of a way; None before `LEAST_TICKETS` came.

    Args:
        history: of its system.
        way: which.
        without: the stretch that is to be judged: its hours are no measure of themselves, nor are those longer than
            `LOOKED_BACK` before its begin.
        is_cautious: never too much: the greatest of the weeks is left out, so that a flood makes nothing usual, and an
            hour is no busier than those beside it, so that people who come an hour later, as when summer time ends,
            are not missed. Else the greatest and the smallest week are left out, which is nearer to the truth.
    """
    counts = history.tickets.get(way, {})
    hours = _samples(history, without)
    if sum(counts.get(hour, 0) for hour in hours) < LEAST_TICKETS:
        return None
    rates: list[list[float]] = [[] for _ in range(HOURS)]
    for hour in hours:
        rates[hour_of_week(hour)].append(counts.get(hour, 0) * HOUR.total_seconds() / history.seconds[hour])
    an_hour = tuple(_typical(one, is_cautious=is_cautious) for one in rates)
    if not is_cautious:
        return Usual(an_hour)
    an_hour = tuple(_least_around(an_hour, hour) for hour in range(HOURS))
    return Usual(an_hour, _limit(an_hour, hours, counts))


def reading(place: str, history: History, way: Way) -> Gauge:
    """The gauge `intake.traffic` of one way: the age of its newest real ticket in usual gaps, as the last look left it.

    Only time that was watched without a gap counts as silence. Unknown before there is history of this hour.
    """
    until = history.mark.until
    since = min(until, max(history.newest[way], history.mark.unbroken_since))
    known = usual(history, way, without=(since, until))
    now_usual = known.at(until) if known is not None else None
    missing = known.expected(since, until)[0] if known is not None else 0.0
    limit = known.limit if known is not None else LEAST_GAPS
    is_quiet = missing >= limit
    if known is None or (now_usual is None and not is_quiet):
        return _gauge(place, history, way, value=None, limit=None, detail=_not_known(history))
    quiet = duration((until - since).total_seconds())
    said = f"at least about {missing:.0f} would usually have come"
    if now_usual:
        said += f", one each {duration(HOUR.total_seconds() / now_usual)} or sooner at this hour"
    return _gauge(
        place,
        history,
        way,
        value=missing,
        limit=limit,
        detail=f"none for {quiet}; {said}",
        state=GaugeState.WARN if is_quiet else GaugeState.OK,
    )


def readings(place: str, history: History) -> list[Gauge]:
    """The gauge `intake.traffic` of each way by which a real ticket ever came."""
    return [reading(place, history, way) for way in Way if way in history.newest]


def at_risk(history: History, channel: Channel, begin: datetime, end: datetime) -> float | None:
    """How many real tickets would usually have come by a channel in between; None: not known.

    Args:
        history: of the ticketing system that the channel's tickets come to.
        channel: where the system does not tell channels apart, all that came in no way that it tells count.
        begin: of an impact window, by our clock.
        end: the same.
    """
    way = history.way_for(channel)
    if way is None or end <= begin:
        return None
    skew = timedelta(seconds=history.mark.skew_seconds)
    begin, end = begin + skew, end + skew
    known = usual(history, way, without=(begin, end), is_cautious=False)
    if known is None:
        return None
    tickets, seconds = known.expected(begin, end)
    return tickets if seconds >= KNOWN_SHARE * (end - begin).total_seconds() else None


def all_at_risk(
    paths: Iterable[Path], histories: Mapping[str, History], begin: datetime, end: datetime
) -> float | None:
    """How many real tickets would usually have come by several paths in between; None: of one it is not known.

    Paths whose tickets look alike count once.
    """
    found: dict[tuple[str, Way], float] = {}
    for path in paths:
        history = histories.get(path.ticketing or "")
        way = history.way_for(path.channel) if history is not None else None
        tickets = at_risk(history, path.channel, begin, end) if history is not None else None
        if way is None or tickets is None:
            return None
        found[path.ticketing or "", way] = tickets
    return sum(found.values()) if found else None


def at_risk_words(tickets: float, *, is_over: bool) -> str:
    """How many tickets are at risk, as it is told."""
    when = "in that time" if is_over else "since"
    if tickets < 1:
        return f"fewer than one ticket would usually have come {when}"
    count = f"{tickets:.0f}"
    return f"about {count} {'ticket' if count == '1' else 'tickets'} would usually have come {when}"


def _samples(history: History, without: tuple[datetime, datetime]) -> list[datetime]:
    """The hours that say what is usual, oldest first."""
    begin, end = hour_of(without[0]), without[1]
    return sorted(
        hour
        for hour, seconds in history.seconds.items()
        if seconds >= LEAST_SECONDS and begin - LOOKED_BACK <= hour and not begin <= hour < end
    )


def _typical(rates: Sequence[float], *, is_cautious: bool) -> float | None:
    """A mean without the extremes: of three weeks one flood, or one silence, must make nothing usual."""
    if len(rates) < LEAST_WEEKS:
        return None
    kept = sorted(rates)[:-1] if is_cautious else sorted(rates)[1:-1]
    return sum(kept) / len(kept)


def _least_around(an_hour: Sequence[float | None], hour: int) -> float | None:
    if an_hour[hour] is None:
        return None
    around = (an_hour[hour - 1], an_hour[hour], an_hour[(hour + 1) % HOURS])
    return min(one for one in around if one is not None)


def _limit(
    an_hour: Sequence[float | None], hours: Sequence[datetime], counts: Mapping[datetime, int]
) -> float:
    """How many usual gaps may pass without a ticket.

    A stream of tickets that know nothing of each other is silent for g gaps or longer with each ticket with probability
    e^-g; the limit is where that happens once a year. One that comes in bursts has been silent for longer before: the
    longest such silence but one, and half of it again, is usual for it.
    """
    a_week = sum(one for one in an_hour if one is not None)
    even = max(LEAST_GAPS, math.log(max(1.0, WEEKS_A_YEAR * a_week)))
    silences = sorted(_silences(an_hour, hours, counts), reverse=True)
    bursty = 1.5 * silences[1] if len(silences) > 1 else 0.0
    return min(max(even, bursty), MOST_BURSTY * even)


def _silences(
    an_hour: Sequence[float | None], hours: Sequence[datetime], counts: Mapping[datetime, int]
) -> list[float]:
    """The silences of whole hours, each in tickets that would usually have come."""
    found = [0.0]
    for before, hour in pairwise([None, *hours]):
        if hour is None:
            continue
        if counts.get(hour, 0):
            found.append(0.0)
            continue
        if before is not None and hour - before > HOUR:
            found.append(0.0)
        found[-1] += an_hour[hour_of_week(hour)] or 0.0
    return found


def _gauge(
    place: str,
    history: History,
    way: Way,
    *,
    value: float | None,
    limit: float | None,
    detail: str,
    state: GaugeState = GaugeState.UNKNOWN,
) -> Gauge:
    skew = timedelta(seconds=history.mark.skew_seconds)
    return Gauge(
        place=place,
        name=GaugeName.INTAKE_TRAFFIC,
        value=value,
        unit="{gap}",
        limit=limit,
        read_at=history.mark.read_at,
        state=state,
        resource=Resource(way.value),
        detail=detail,
        oldest_at=history.newest[way] - skew,
    )


def _not_known(history: History) -> str:
    days = (history.mark.until - history.mark.since).total_seconds() / 86400
    count = sum(sum(hours.values()) for hours in history.tickets.values())
    return (
        f"what is usual at this hour of the week is not known: {LEAST_WEEKS} weeks and {LEAST_TICKETS} tickets of it"
        f" are needed; the {days:.0f} days that were looked at show {count} of any hour"
    )
