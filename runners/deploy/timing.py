"""How often a one-shot run begins, how long it may take, and how long the daemon's end does: from the configuration."""

from collections.abc import Mapping
from itertools import pairwise
from math import ceil
from typing import Final

from runners.alerts.delivery import DRAIN_SECONDS as ALERTS_SECONDS
from runners.config.config import Config, Every
from runners.config.cron import Cron
from runners.daemon import GOODBYE_SECONDS
from runners.deploy.refusal import CannotRender
from runners.oneshot import CLEAN_SECONDS, LAUNCHES_AT_ONCE
from runners.pinging import END_SECONDS as HEARTBEAT_END_SECONDS
from runners.pinging import START_SECONDS as HEARTBEAT_START_SECONDS
from runners.surroundings import DRAIN_SECONDS
from runners.telemetry.exporting import DRAIN_SECONDS as TRACES_SECONDS

MOST_MINUTES: Final = 5
"""Each run also reads the gauges: a mailbox that fills is to be seen as soon as the daemon sees it (`GAUGES_SECONDS`)."""
START_SECONDS: Final = 60.0
"""An image that is there, a volume, a migration, a browser."""
LAUNCH_SECONDS: Final = 120.0
"""One launch with all of its retries; more paths than are launched at once wait for one another."""
LOOK_SECONDS: Final = 120.0
"""After the deadline a view may lag, and blindness counts from 30 s on (docs/how-it-judges.md)."""
AGAIN_SECONDS: Final = 1.0
"""What a sink refused for good is told to the others, when the time for alerts is over already."""
FORGET_SECONDS: Final = 60.0
"""Retention of a day; each of its transactions may be the last, and the next run goes on."""
_DAY_MINUTES: Final = 24 * 60


def shortest_interval_seconds(config: Config) -> float | None:
    """The shortest time between two slots of a path that is enabled; None: nothing is scheduled."""
    found = [
        _interval_seconds(one.schedule)
        for one in config.paths.values()
        if one.path.is_enabled and one.schedule is not None
    ]
    return min(found, default=None)


def tick_minutes(config: Config) -> int:
    """Minutes from one `run --due` to the next: a slot is launched at most half of an interval late.

    Raises:
        CannotRender: no path has a schedule, or one comes more often than any cron.
    """
    shortest = shortest_interval_seconds(config)
    if shortest is None:
        raise CannotRender(
            "no path has a schedule, so `run --due` would never launch anything",
            "Add every: or cron: to a path.",
        )
    if shortest < 60:  # noqa: PLR2004 -- cron counts minutes
        raise CannotRender(
            f"a path is due every {shortest:g} s, and a schedule of cron's kind counts minutes",
            "Render a deployment or the daemon's systemd service, or raise every: to 1m.",
        )
    return max(1, min(MOST_MINUTES, int(shortest // 120)))


def cron_schedule(config: Config) -> str:
    """The schedule in cron's own five fields."""
    minutes = tick_minutes(config)
    return "* * * * *" if minutes == 1 else f"*/{minutes} * * * *"


def run_seconds(config: Config) -> int:
    """The longest that one `run --due` may take, in whole minutes: whoever ends it earlier ends it at work."""
    return ceil(sum(run_parts(config).values()) / 60) * 60


def run_parts(config: Config) -> Mapping[str, float]:
    """What one `run --due` does, one after the other, and how many seconds each may take."""
    # Here, or `check` would load what exports before the first byte left.
    from runners.telemetry.pushing import LAST_SECONDS as FIGURES_SECONDS

    scheduled = [one for one in config.paths.values() if one.path.is_enabled and one.schedule is not None]
    deadline = max((one.path.slo.deadline_seconds for one in scheduled), default=0.0)
    rounds = max(1, ceil(len(scheduled) / LAUNCHES_AT_ONCE))
    return {
        "start": START_SECONDS,
        "launches": rounds * LAUNCH_SECONDS,
        "deadline": deadline,
        "look": LOOK_SECONDS,
        "cleaning": CLEAN_SECONDS,
        "alerts": ALERTS_SECONDS + AGAIN_SECONDS,
        "retention": FORGET_SECONDS,
        "heartbeat": HEARTBEAT_START_SECONDS + HEARTBEAT_END_SECONDS,
        "traces": TRACES_SECONDS,
        "figures": FIGURES_SECONDS,
    }


def end_seconds() -> int:
    """How long the daemon's end may take: launches under way, watches given back, alerts delivered, and some to spare."""
    return int(DRAIN_SECONDS + 2 * GOODBYE_SECONDS + 20)


def overlaps(config: Config) -> bool:
    """Whether a run that waits for its verdicts may still be at work when the next slot is due."""
    shortest = shortest_interval_seconds(config)
    return shortest is not None and run_seconds(config) > shortest


def _interval_seconds(schedule: Every | Cron) -> float:
    if isinstance(schedule, Every):
        return schedule.interval_seconds
    moments = sorted(60 * hour + minute for hour in schedule.hours for minute in schedule.minutes)
    around = [*moments, moments[0] + _DAY_MINUTES]
    return 60.0 * min(later - earlier for earlier, later in pairwise(around))
