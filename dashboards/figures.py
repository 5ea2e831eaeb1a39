"""Figures that several dashboards ask for: states, ages, budgets, and what a counter grew by."""

from collections.abc import Sequence
from typing import Final

from canary.instruments import Instrument, metrics
from dashboards.promql import Matcher, Query, Window, last, max_by, min_by, over_time

LOOKBACK: Final = "$lookback"
"""A variable of the dashboards: how long a gauge is remembered. Short where figures are scraped, longer where they are
pushed; `render grafana` sets it."""
BUDGET_SECONDS: Final = 30 * 86400.0
"""The window of objectives."""
DAY_SECONDS: Final = 86400.0
_GRACE_SECONDS: Final = 3600.0
"""A counter that was pushed last within this time before a window began is taken for what it was then."""


def now(one: Instrument, by: Sequence[str], *matchers: Matcher) -> Query:
    """The newest value of each group; replicas show the same store's, so the greatest is as good as any."""
    return max_by(by, last(one, LOOKBACK, *matchers))


def age(one: Instrument, by: Sequence[str], *matchers: Matcher) -> Query:
    """Seconds since a moment that is shown as a metric."""
    found = now(one, by, *matchers)
    return Query(f"time() - {found}", found.labels)


def until(one: Instrument, by: Sequence[str], *matchers: Matcher) -> Query:
    """Seconds to a moment that is shown as a metric: the first of each group."""
    found = min_by(by, last(one, LOOKBACK, *matchers))
    return Query(f"{found} - time()", found.labels)


def grown(one: Instrument, window: Window, by: Sequence[str], *matchers: Matcher) -> Query:
    """How often something happened: the counter now less the counter then, where there was none, all of it.

    Exact, and it sees what `increase` can't: a series that begins with its first event. Only for counters of the store,
    which don't begin anew with a process.

    Raises:
        ValueError: it is a counter of a process.
    """
    if one.source.value != "S":
        raise ValueError(f"{one.name} begins anew with each process: ask for its increase")
    current = now(one, by, *matchers)
    before = max_by(by, last(one, _GRACE_SECONDS, *matchers, before=window))
    return Query(f"{current} - ({before} or 0 * {current})", current.labels)


def counted(one: Instrument, window: Window, by: Sequence[str], *matchers: Matcher) -> Query:
    """How much a counter of the store grew in some time; where it is not known that long, since it was first seen.

    A pod that is replaced changes nothing: the figure is the store's, and never goes back.
    """
    current = now(one, by, *matchers)
    before = max_by(by, last(one, _GRACE_SECONDS, *matchers, before=window))
    first = min_by(by, over_time("min_over_time", one, window, matchers=matchers))
    return Query(f"clamp_min({current} - ({before} or {first}), 0)", current.labels)


def states(*matchers: Matcher) -> Query:
    """Of each path: 1 it works, 0 an incident is open, 2 nobody knows. One replica that says 0 is enough."""
    up = min_by(("path",), last(metrics.PATH_UP, LOOKBACK, *matchers))
    known = now(metrics.PATH_INFO, ("path",), *matchers)
    return Query(f"{up} or 1 + {known}", up.labels)


def broken(*matchers: Matcher) -> Query:
    """How many paths have an open incident. Nothing where there are no figures: silence is not health."""
    up = min_by(("path",), last(metrics.PATH_UP, LOOKBACK, *matchers))
    known = now(metrics.PATH_INFO, ("path",), *matchers)
    return Query(f"0 * count({known}) + (count({up} == 0) or vector(0))", frozenset())


def open_incidents(*matchers: Matcher) -> Query:
    """Each open incident of a target, with the hop and the reason that it opened with."""
    found = now(metrics.INCIDENT_OPEN, ("path", "blame", "reason"), *matchers)
    return Query(f"{found} == 1", found.labels)


def of_incidents(query: Query, *matchers: Matcher) -> Query:
    """A figure of a path, with the labels of its open incident; of paths without one, nothing."""
    found = open_incidents(*matchers)
    return Query(f"({found}) * on (path) group_left () ({query})", found.labels)


def failed_share(window: Window, *matchers: Matcher) -> Query:
    """Which share of the canaries that count was not confirmed in time; nothing where none counted."""
    eligible = counted(metrics.SLO_ELIGIBLE, window, ("path",), *matchers)
    good = counted(metrics.SLO_GOOD, window, ("path",), *matchers)
    return Query(f"clamp_min({eligible} - {good}, 0) / ({eligible} > 0)", eligible.labels)


def burn(window: Window, *matchers: Matcher) -> Query:
    """How many times faster than the objective allows the budget is spent; 1 spends all of it in 30 days."""
    objective = now(metrics.SLO_OBJECTIVE, ("path",), *matchers)
    share = failed_share(window, *matchers)
    return Query(f"{share} / (1 - {objective} > 0)", share.labels)


def budget_left(*matchers: Matcher) -> Query:
    """Which share of the error budget of 30 days is left; below 0 the objective is missed."""
    spent = burn(BUDGET_SECONDS, *matchers)
    return Query(f"1 - {spent}", spent.labels)


def days_left(*matchers: Matcher) -> Query:
    """Days until each certificate ends."""
    left = until(metrics.CERTIFICATE_EXPIRY, ("place",), *matchers)
    return Query(f"({left}) / {DAY_SECONDS:.0f}", left.labels)


def failures(window: Window, *matchers: Matcher) -> Query:
    """Breached canaries by the hop and the reason, those that there were."""
    found = grown(metrics.CANARY_FAILURES, window, ("path", "hop", "reason"), *matchers)
    return Query(f"({found}) > 0", found.labels)
