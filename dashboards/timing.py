"""Windows, waits and limits out of the paths' intervals: a window that holds no canary says nothing.

The figures are those of canaries every five minutes; longer intervals stretch them, shorter ones only what people wait for.
"""

from dataclasses import dataclass
from math import ceil
from typing import Final

from dashboards.estate import Estate

INTERVALS: Final = 3
"""A window holds at least so many launches, a lookback so many pushes."""
SCRAPE_SECONDS: Final = 60.0
"""What is assumed of Prometheus' scrape interval where a time is promised; its own default."""
_DEFAULT_INTERVAL_SECONDS: Final = 300.0
_ABSENT_SECONDS: Final = 1800.0
_SILENT_FOR_SECONDS: Final = 300.0
_MINUTE: Final = 60


def rounded(seconds: float) -> float:
    """Up to whole minutes, below one to whole seconds."""
    unit = _MINUTE if seconds >= _MINUTE else 1
    return float(max(1, ceil(seconds / unit)) * unit)


@dataclass(frozen=True, slots=True)
class Timing:
    """How long rules look back and wait, all in seconds.

    Attributes:
        shortest: the shortest usual interval of all paths: how often something new is known at all.
        longest: the longest usual interval.
        evaluation: between two evaluations of the rules.
        absent: a prober that was not heard of for so long is gone.
        silent_for: how long that lasts before it pages.
        silent_limit: a heartbeat older than this is silence.
        remembered: what a page is made of is remembered so long: longer than it takes until a prober that died pages
            itself, else its death would look like a recovery.
        keep: how long a page goes on after its cause has ended: an incident that opens again is no second page.
        group_wait: how long Alertmanager gathers before the first word.
        group_interval: how long it gathers before the next.
        blind_page: blindness that lasts so long pages.
    """

    shortest: float
    longest: float
    evaluation: float
    absent: float
    silent_for: float
    silent_limit: float
    remembered: float
    keep: float
    group_wait: float
    group_interval: float
    blind_page: float

    def lookback(self, least: float) -> float:
        """A window for `last_over_time`: a series that is pushed every interval is still seen when one push fails."""
        return max(least, rounded(INTERVALS * self.shortest))

    def page_seconds(self, *, exposed_within: float, scrape_seconds: float = SCRAPE_SECONDS) -> float:
        """From an incident that opens to its page leaving Alertmanager, at the latest.

        Args:
            exposed_within: how old the figures of `/metrics` may be.
            scrape_seconds: of Prometheus.
        """
        return exposed_within + scrape_seconds + self.evaluation + self.group_wait


def timing_of(estate: Estate) -> Timing:
    """The times for these paths; without a schedule, those of canaries every five minutes."""
    usual = [seconds for _, seconds in estate.scheduled] or [_DEFAULT_INTERVAL_SECONDS]
    shortest, longest = min(usual), max(usual)
    absent = (
        max(_ABSENT_SECONDS, rounded(INTERVALS * estate.tick_seconds))
        if estate.is_pushed
        else _ABSENT_SECONDS
    )
    return Timing(
        shortest=shortest,
        longest=longest,
        evaluation=_within(1.0, float(int(shortest / 10)), 30.0),
        absent=absent,
        silent_for=_SILENT_FOR_SECONDS,
        silent_limit=_silent_limit(estate),
        remembered=absent + _SILENT_FOR_SECONDS + 300.0,
        keep=min(600.0, rounded(2 * longest)),
        group_wait=_within(1.0, float(int(shortest / 10)), 30.0),
        group_interval=_within(1.0, float(int(shortest)), 300.0),
        blind_page=max(3600.0, rounded(INTERVALS * shortest)),
    )


def _silent_limit(estate: Estate) -> float:
    """The heartbeat's age that is silence: the prober beats at night, too, when no path is due."""
    return max(900.0, rounded(INTERVALS * estate.tick_seconds))


def _within(least: float, value: float, most: float) -> float:
    return min(max(least, value), most)
