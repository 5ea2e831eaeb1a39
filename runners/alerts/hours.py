"""Hours of the week by a wall clock: ``mon-fri 08:00-18:00 Europe/Berlin``."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS: Final = re.compile(r"[a-z]{3}(?:-[a-z]{3})?(?:,[a-z]{3}(?:-[a-z]{3})?)*")
_SPAN: Final = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})", re.ASCII)
_DAY_MINUTES: Final = 24 * 60
EXAMPLE: Final = "mon-fri 08:00-18:00 Europe/Berlin"


class HoursError(ValueError):
    """It is no span of hours; the message says why, ``remedy`` what to write."""

    def __init__(self, message: str, remedy: str = f"Write days, hours and a time zone: {EXAMPLE}.") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Hours:
    """A span of hours on some days of the week.

    Wall-clock hours: an hour that the change of clocks repeats is in or out both times. A span over midnight belongs
    to the day on which it begins: ``fri 22:00-06:00`` ends on Saturday.

    Attributes:
        days: weekdays on which it begins, Monday being 0.
        begin, end: minutes since midnight; the end is excluded.
    """

    days: frozenset[int]
    begin: int
    end: int
    zone: str
    text: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether that moment lies in it."""
        local = at.astimezone(_zone(self.zone))
        day, minute = local.weekday(), local.hour * 60 + local.minute
        if self.begin < self.end:
            return day in self.days and self.begin <= minute < self.end
        return (day in self.days and minute >= self.begin) or (
            (day - 1) % 7 in self.days and minute < self.end
        )


def parse_hours(text: str) -> Hours:
    """Hours of ``[days] HH:MM-HH:MM [zone]``; every day if none is named, UTC if no zone is.

    Raises:
        HoursError: it is none.
    """
    words = text.split()
    days = frozenset(range(7))
    if words and _DAYS.fullmatch(words[0].lower()):
        days = _days(words.pop(0).lower())
    if not words or len(words) > 2:  # noqa: PLR2004 -- the hours and the zone
        raise HoursError(f"{text!r} is not a span of hours")
    match = _SPAN.fullmatch(words[0])
    if match is None:
        raise HoursError(f"{words[0]!r} is not a span of hours")
    hours = [int(one) for one in match.groups()]
    begin, end = hours[0] * 60 + hours[1], hours[2] * 60 + hours[3]
    if max(hours[1], hours[3]) > 59 or begin >= _DAY_MINUTES or end > _DAY_MINUTES:  # noqa: PLR2004 -- minutes
        raise HoursError(f"{words[0]!r} goes beyond the day", "It lies between 00:00 and 24:00.")
    if begin == end:
        raise HoursError(f"{words[0]!r} is empty", "Write 00:00-24:00 for whole days.")
    return Hours(days, begin, end, _known_zone(words[1]) if len(words) > 1 else "UTC", text)


def _days(text: str) -> frozenset[int]:
    chosen: set[int] = set()
    for item in text.split(","):
        first, _, last = item.partition("-")
        for one in (first, last or first):
            if one not in _WEEKDAYS:
                raise HoursError(f"{one} is not a day", f"Days are {', '.join(_WEEKDAYS)}.")
        begin, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
        # fri-mon goes on over the end of the week
        chosen.update((begin + one) % 7 for one in range((end - begin) % 7 + 1))
    return frozenset(chosen)


def _known_zone(name: str) -> str:
    try:
        _zone(name)
    except (KeyError, OSError, ValueError) as error:
        remedy = f"Write a name such as Europe/Berlin: {EXAMPLE}."
        if not available_timezones():
            remedy = "No time zones are known here: install the package tzdata."
        raise HoursError(f"{name} is not a time zone", remedy) from error
    return name


def _zone(name: str) -> tzinfo:
    """The zone of that name; UTC also where no time zones are installed."""
    return UTC if name == "UTC" else ZoneInfo(name)
