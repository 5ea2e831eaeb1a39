"""A schedule in cron's five fields, with a time zone: which moment is the latest, and how far apart they can be."""

import itertools
import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from runners.config.errors import did_you_mean

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_ITEM = re.compile(r"(\*|[a-z0-9]{1,3}(?:-[a-z0-9]{1,3})?)(?:/([0-9]{1,3}))?")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_LOOK_BACK_DAYS = 366 * 4 + 1


class CronError(ValueError):
    """It is no schedule; the message says which field, ``remedy`` what to write."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Cron:
    """Moments in a time zone. As in cron, a day matches by day of month or by weekday if both are restricted.

    Clocks that change neither lose a moment nor double it: one that is skipped occurs at the first moment after the
    gap, one that comes twice occurs the first time. A schedule that goes on in the hours before and after is another
    matter: it simply runs through the change, so that the doubled hour is not left unprobed.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: str
    text: str

    def latest(self, now: datetime) -> datetime | None:
        """The latest moment that is not after ``now``, aware UTC; None if there was none in four years."""
        zone = _zone_info(self.zone)
        today = now.astimezone(zone).date()
        for back in range(_LOOK_BACK_DAYS):
            day = today - timedelta(days=back)
            if not self._is_on(day):
                continue
            moments = _moments(self, day)
            if index := bisect_right(moments, now):
                return moments[index - 1]
        return None

    def next(self, now: datetime) -> datetime | None:
        """The first moment after ``now``, aware UTC; None if none comes in four years."""
        zone = _zone_info(self.zone)
        # A gap at midnight moves a moment into the next day, by the local calendar.
        today = now.astimezone(zone).date() - timedelta(days=1)
        for ahead in range(_LOOK_BACK_DAYS):
            day = today + timedelta(days=ahead)
            if not self._is_on(day):
                continue
            moments = _moments(self, day)
            if (index := bisect_right(moments, now)) < len(moments):
                return moments[index]
        return None

    def longest_gap_seconds(self) -> float | None:
        """The longest time between two moments of a year; None if it has fewer than two."""
        zone = _zone_info(self.zone)
        longest = 0.0
        previous: datetime | None = None
        day = date(2027, 1, 1)
        clocks = [60 * hour + minute for hour in sorted(self.hours) for minute in sorted(self.minutes)]
        within = max(
            (60.0 * (later - earlier) for earlier, later in itertools.pairwise(clocks)),
            default=0.0,
        )
        for _ in range(366 + 31):
            if self._is_on(day):
                first = datetime(day.year, day.month, day.day, clocks[0] // 60, clocks[0] % 60, tzinfo=zone)
                if previous is not None:
                    longest = max(longest, (first.astimezone(UTC) - previous).total_seconds(), within)
                last = datetime(day.year, day.month, day.day, clocks[-1] // 60, clocks[-1] % 60, tzinfo=zone)
                previous = last.astimezone(UTC)
            day += timedelta(days=1)
        return longest or None

    def usual_gap_seconds(self) -> float | None:
        """The longest time between two moments of one day; of a schedule with one moment a day, `longest_gap_seconds`.

        The nights and weekends are not in it: it says how far apart moments are while the schedule runs.
        """
        clocks = [60 * hour + minute for hour in sorted(self.hours) for minute in sorted(self.minutes)]
        within = [60.0 * (later - earlier) for earlier, later in itertools.pairwise(clocks)]
        return max(within) if within else self.longest_gap_seconds()

    def _is_on(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_day, by_weekday = day.day in self.days, (day.weekday() + 1) % 7 in self.weekdays
        if len(self.days) < 31 and len(self.weekdays) < 7:  # noqa: PLR2004 -- both restricted
            return by_day or by_weekday
        return by_day and by_weekday


@lru_cache(maxsize=64)
def _moments(cron: Cron, day: date) -> tuple[datetime, ...]:
    """The moments of a day, in order. Kept: whoever counts the slots of a weekend asks thousands of times."""
    zone = _zone_info(cron.zone)
    found: set[datetime] = set()
    for hour in cron.hours:
        runs_on = {(hour - 1) % 24, (hour + 1) % 24} <= cron.hours
        for minute in cron.minutes:
            local = datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone)
            first = local.astimezone(UTC)
            if first.astimezone(zone).replace(tzinfo=None) != local.replace(tzinfo=None):
                if not runs_on:
                    found.add(_end_of_gap(local, zone))
                continue
            found.add(first)
            if runs_on:
                found.add(local.replace(fold=1).astimezone(UTC))
    return tuple(sorted(found))


def _end_of_gap(local: datetime, zone: tzinfo) -> datetime:
    """The first moment after the gap that a local time lies in, aware UTC."""
    before, after = local.replace(fold=1).utcoffset(), local.replace(fold=0).utcoffset()
    if before is None or after is None:
        return local.astimezone(UTC)
    # PEP 495: in a gap, fold 0 takes the offset before it and fold 1 the one after it.
    low, high = (
        (local - max(before, after)).replace(tzinfo=UTC),
        (local - min(before, after)).replace(tzinfo=UTC),
    )
    offset = low.astimezone(zone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def parse_cron(text: str) -> Cron:
    """A schedule of ``minute hour day month weekday [zone]``; the zone is UTC if none is named.

    Raises:
        CronError: it is no schedule, or none that ever comes true.
    """
    words = text.split()
    if len(words) not in {5, 6}:
        raise CronError(
            f"{text!r} has {len(words)} fields, a schedule has five and perhaps a time zone",
            "Write minute hour day month weekday zone: */10 8-20 * * mon-fri Europe/Berlin.",
        )
    sets = [
        _field(word.lower(), name, low, high) for word, (name, low, high) in zip(words, _FIELDS, strict=False)
    ]
    zone = words[5] if len(words) == 6 else "UTC"  # noqa: PLR2004 -- five fields and the zone
    cron = Cron(
        sets[0], sets[1], sets[2], sets[3], frozenset(one % 7 for one in sets[4]), known_zone(zone), text
    )
    if cron.longest_gap_seconds() is None and cron.latest(datetime(2030, 1, 1, tzinfo=UTC)) is None:
        raise CronError(f"{text!r} never comes", "Look at its day and month.")
    return cron


def _zone_info(name: str) -> tzinfo:
    """The zone of that name; UTC also where no time zones are installed."""
    return UTC if name == "UTC" else ZoneInfo(name)


def known_zone(name: str) -> str:
    """The name of a time zone.

    Raises:
        CronError: there is no such zone.
    """
    try:
        _zone_info(name)
    except (KeyError, OSError, ValueError) as error:
        known = available_timezones()
        remedy = (
            did_you_mean(name, known)
            if known
            else "No time zones are known here: install the package tzdata."
        )
        raise CronError(f"{name} is not a time zone", remedy) from error
    return name


def _field(text: str, name: str, low: int, high: int) -> frozenset[int]:
    chosen: set[int] = set()
    for item in text.split(","):
        match = _ITEM.fullmatch(item)
        if match is None:
            raise CronError(
                f"{item!r} is not a {name}", f"Write *, */N, N, N-M or a list of them, {low} to {high}."
            )
        step = int(match[2]) if match[2] else 1
        if match[1] == "*":
            first, last = low, high if name != "weekday" else 6
        else:
            begin, _, end = match[1].partition("-")
            first = _number(begin, name, low, high)
            last = _number(end, name, low, high) if end else first if not match[2] else high
        if step < 1 or first > last:
            raise CronError(
                f"{item!r} is not a range of {name}s", "Write the lower one first, and a step of 1 or more."
            )
        chosen.update(range(first, last + 1, step))
    return frozenset(chosen)


def _number(text: str, name: str, low: int, high: int) -> int:
    names = {
        "month": dict(zip(_MONTHS, range(1, 13), strict=True)),
        "weekday": dict(zip(_WEEKDAYS, range(7), strict=True)),
    }
    number = names.get(name, {}).get(text)
    if number is None and text.isdigit():
        number = int(text)
    if number is None or not low <= number <= high:
        known = names.get(name, {})
        hint = (
            did_you_mean(text, known)
            if known and not text.isdigit()
            else f"It lies between {low} and {high}."
        )
        raise CronError(f"{text} is not a {name}", hint)
    return number
