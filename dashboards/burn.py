"""Error budgets that burn too fast, in several windows: tickets, since a few canaries an hour can't say more.

With twelve canaries an hour and an objective of 99.9 %, one failure is 83 times the budget of its hour. So each row needs
several failures, its short window holds three canaries at least, and an outage is told by `IntakePathBroken`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from canary.path import PathName
from dashboards.estate import Estate
from dashboards.promql import Query, any_of, duration, either, series
from dashboards.recording import BUDGET, bad, errors, of_path, unless_silenced
from dashboards.rule import About, AlertRule, Category, Severity
from dashboards.timing import INTERVALS, Timing, rounded


@dataclass(frozen=True, slots=True)
class _Row:
    """A long window, how many times too fast, and more than how many failures."""

    long_seconds: float
    factor: float
    more_than: float
    for_seconds: float = 0.0


_ROWS: Final = (
    _Row(3600, 14.4, 1.5),
    _Row(21600, 6, 2.5),
    _Row(86400, 3, 2.5),
    _Row(259200, 1, 2.5, for_seconds=3600),
)
_SHORT: Final = 12
"""The short window is a twelfth of the long one (Site Reliability Workbook, chapter 5, table 5-8)."""


@dataclass(frozen=True, slots=True)
class Burn:
    """One row for the paths whose intervals give it the same windows."""

    long_seconds: float
    short_seconds: float
    factor: float
    more_than: float
    for_seconds: float
    paths: tuple[PathName, ...]


def burns(estate: Estate) -> tuple[Burn, ...]:
    """The rows that can come true, shortest windows first.

    Left out are, of a path, windows that are shorter than three of its intervals, and rows that no failure could meet
    since its objective allows more.
    """
    found: dict[tuple[_Row, float], list[PathName]] = {}
    for row in _ROWS:
        for path, usual in estate.scheduled:
            is_held = row.long_seconds >= INTERVALS * usual
            if is_held and row.factor * (1.0 - path.slo.objective_share) < 1.0:
                short = max(rounded(row.long_seconds / _SHORT), rounded(INTERVALS * usual))
                found.setdefault((row, min(short, row.long_seconds)), []).append(path.name)
    ordered = sorted(found.items(), key=lambda one: (_ROWS.index(one[0][0]), one[0][1]))
    return tuple(
        Burn(row.long_seconds, short, row.factor, row.more_than, row.for_seconds, tuple(paths))
        for (row, short), paths in ordered
    )


def windows_of(rows: tuple[Burn, ...]) -> frozenset[float]:
    """The windows whose figures must be recorded."""
    return frozenset(seconds for one in rows for seconds in (one.long_seconds, one.short_seconds))


def burn_rules(estate: Estate, timing: Timing) -> Iterator[AlertRule]:
    """`IntakeSloBurn`, a rule for each row: its paths may have short windows of their own."""
    rows = burns(estate)
    for long_seconds in dict.fromkeys(one.long_seconds for one in rows):
        alike = [one for one in rows if one.long_seconds == long_seconds]
        factor, window = alike[0].factor, duration(long_seconds)
        burning = of_path(either([_burning(one, estate) for one in alike]))
        yield AlertRule(
            name="IntakeSloBurn",
            query=unless_silenced(burning, timing),
            severity=Severity.TICKET,
            category=Category.TARGET,
            about=About.PATH,
            labels={"window": window},
            for_seconds=alike[0].for_seconds,
            summary=f"{{{{ $labels.path }}}} burns its 30-day error budget {factor:g} times too fast",
            description=(
                f"In the last {window}, and of late, more canaries failed than the objective allows. Not an outage, or not "
                "one that lasts: customers feel it now and then. "
                "First: intake-prober canaries --path {{ $labels.path }} --verdict breached --since 1d"
            ),
        )


def _burning(one: Burn, estate: Estate) -> Query:
    of_these = () if one.paths == estate.names else (any_of("path", one.paths),)
    limit = f"{one.factor:g} * {BUDGET.name}"
    conditions = [
        f"{series(errors(one.long_seconds), *of_these)} > on (path) {limit}",
        f"and on (path) {series(errors(one.short_seconds))} > on (path) {limit}",
        f"and on (path) {series(bad(one.long_seconds))} > {one.more_than:g}",
    ]
    return Query("\n  ".join(conditions), frozenset({"path"}))
