"""Time to full, from the readings of a mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import StatisticsError, linear_regression

LEAST_READINGS = 3
LEAST_SPAN = timedelta(minutes=5)
"""Fewer readings, or a shorter span, are no trend."""
LONGEST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Reading:
    """A value at a time."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """Where the readings lead.

    Attributes:
        growth_per_second: the slope of the least-squares line, in the readings' unit a second.
        full_at: when the line meets the limit; None if it does not grow, or not within ten years.
    """

    growth_per_second: float
    full_at: datetime | None


def forecast(readings: Sequence[Reading], limit: float | None) -> Forecast | None:
    """Fit a line to the readings since the last large fall (a clean-up); None where that is no trend."""
    ordered = sorted(readings, key=lambda one: (one.at, one.value))
    start = 0
    for index in range(1, len(ordered)):
        if ordered[index].value < 0.9 * ordered[index - 1].value:
            start = index
    recent = ordered[start:]
    if len(recent) < LEAST_READINGS or recent[-1].at - recent[0].at < LEAST_SPAN:
        return None
    origin = recent[0].at
    try:
        line = linear_regression(
            [(one.at - origin).total_seconds() for one in recent], [one.value for one in recent]
        )
    except StatisticsError:
        return None
    if limit is None or line.slope <= 0:
        return Forecast(line.slope, None)
    seconds = max(0.0, (limit - recent[-1].value) / line.slope)
    if seconds > LONGEST.total_seconds():
        return Forecast(line.slope, None)
    return Forecast(line.slope, recent[-1].at + timedelta(seconds=seconds))
