"""What the pages show, read from the store and put into words and pictures; templates only lay it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from canary.alert import party_of
from canary.forecast import Reading, forecast
from canary.gauge import Gauge, GaugeName, GaugeState
from canary.hop import Hop
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName
from canary.quantity import amount
from canary.slo import Budget, budget, counts_of, window_from
from runners.asking import Seen, Status, ask_status, working_beside
from runners.gauging import TREND
from runners.history import Past
from runners.states import PathState
from runners.undelivered import undelivered_words
from runners.web import pictures
from runners.web.parts import Parts

SPARK_POINTS: Final = 48
_URGENCY: Final = (
    PathState.BROKEN,
    PathState.BLIND,
    PathState.STALE,
    PathState.DEGRADED,
    PathState.UNKNOWN,
    PathState.OK,
)
"""What is to be seen first, first."""
_ALARM: Final = (GaugeState.PAGE, GaugeState.WARN, GaugeState.UNKNOWN, GaugeState.OK)


@dataclass(frozen=True, slots=True)
class PathRow:
    """A path on the overview."""

    seen: Seen
    budget: Budget
    spark: str
    note: str

    @property
    def name(self) -> PathName:
        """Of the path."""
        return self.seen.view.path.name


@dataclass(frozen=True, slots=True)
class GaugeCard:
    """A gauge: its words, and its trend where it has one."""

    gauge: Gauge
    words: str
    trend: str
    level: int | None
    """Per cent of the limit."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Open incidents with a common cause, shown as one.

    Attributes:
        incidents: the first one first.
        whose: in the words that decide whom to call.
        working: paths by which customers still reach support.
    """

    incidents: tuple[Incident, ...]
    whose: str
    working: tuple[PathName, ...]

    @property
    def first(self) -> Incident:
        """The one that began it."""
        return self.incidents[0]


@dataclass(frozen=True, slots=True)
class Overview:
    """The first page."""

    status: Status
    rows: tuple[PathRow, ...]
    gauges: tuple[GaugeCard, ...]
    troubles: tuple[Trouble, ...]
    headline: str
    tone: PathState
    undelivered: tuple[str, ...] = ()
    """Of each sink that did not take alerts, what became of them."""


@dataclass(frozen=True, slots=True)
class ReadNow:
    """What the store knew at one moment, for the first page.

    Attributes:
        series: the readings of each gauge that has a trend.
    """

    now: datetime
    paths: Mapping[PathName, Path]
    status: Status
    pasts: Mapping[PathName, Past]
    groups: Mapping[IncidentId, str]
    series: Mapping[Gauge, Sequence[Gauge]]


async def read(parts: Parts) -> ReadNow:
    """Read what the first page shows, in a number of transactions that grows with the mailboxes alone.

    Raises:
        StoreError: it can't be read.
    """
    now, paths = parts.clock.now(), parts.paths()
    status = await ask_status(
        parts.store,
        list(paths.values()),
        now=now,
        places=parts.places,
        sinks=parts.sinks,
        windows=parts.windows,
        points=SPARK_POINTS,
    )
    pasts = await parts.store.pasts(list(paths), since=window_from(now))
    groups = await parts.store.groups([one.id for one in status.lasting])
    series = {
        one: await parts.store.gauges(
            place=one.place, name=one.name, resource=one.resource, since=now - TREND
        )
        for one in status.gauges
        if _has_trend(one)
    }
    return ReadNow(now, paths, status, pasts, groups, series)


def overview(parts: Parts, found: ReadNow) -> Overview:
    """The first page, of what was read; waits for nothing, and may be made in a thread."""
    status = found.status
    rows = sorted(
        (path_row(parts, seen, found.pasts[seen.view.path.name]) for seen in status.paths),
        key=lambda one: (not one.seen.view.path.is_enabled, _URGENCY.index(one.seen.view.state)),
    )
    worst_first = sorted(status.gauges, key=lambda one: _ALARM.index(one.state))
    gauges = [gauge_card(parts, found, gauge, index) for index, gauge in enumerate(worst_first)]
    headline, tone = headline_of(status.paths)
    return Overview(
        status=status,
        rows=tuple(rows),
        gauges=tuple(gauges),
        troubles=troubles(status, found.groups, found.paths),
        headline=headline,
        tone=tone,
        undelivered=tuple(
            f"alerts for {one['sink']} are not delivered: {undelivered_words(one)}"
            for one in status.undelivered
        ),
    )


def path_row(parts: Parts, seen: Seen, past: Past) -> PathRow:
    """A path with its figures of the last 30 days."""
    path = seen.view.path
    spark = parts.sparks.of(path.name, seen.points, deadline_seconds=path.slo.deadline_seconds)
    note = pictures.spark_note(seen.points)
    return PathRow(seen, path_budget(path, past), spark, note)


def path_budget(path: Path, past: Past) -> Budget:
    """The error budget of that time."""
    return budget(counts_of([past.verdicts], missed=past.missed), path.slo.objective_share)


def headline_of(paths: Sequence[Seen]) -> tuple[str, PathState]:
    """What matters first, in one sentence, and the state that it tells of."""
    enabled = [one.view for one in paths if one.view.path.is_enabled]
    for state in _URGENCY:
        mine = [one.path.name for one in enabled if one.state is state]
        if not mine or state is PathState.OK:
            continue
        if len(mine) == 1:
            return f"{mine[0]} is {state}", state
        return f"{len(mine)} of {len(enabled)} paths are {state}", state
    if not enabled:
        return "No path is enabled", PathState.UNKNOWN
    return ("The path is ok" if len(enabled) == 1 else f"All {len(enabled)} paths are ok"), PathState.OK


def troubles(
    status: Status, groups: Mapping[IncidentId, str], paths: Mapping[PathName, Path]
) -> tuple[Trouble, ...]:
    """Open incidents, those of one group as one; the prober's own blindness last, else the oldest first."""
    by_group: dict[str, list[Incident]] = {}
    for one in sorted(status.lasting, key=lambda one: (one.onset_at, one.path, one.id)):
        by_group.setdefault(groups.get(one.id, one.id), []).append(one)
    found = [
        Trouble(
            tuple(incidents),
            whose(incidents[0], paths),
            working_beside(status.paths, incidents, paths),
        )
        for incidents in by_group.values()
    ]
    return tuple(sorted(found, key=lambda one: (one.first.kind is IncidentKind.BLIND, one.first.onset_at)))


def whose(incident: Incident, paths: Mapping[PathName, Path]) -> str:
    """Whose it is, by the best known blame."""
    path = paths.get(incident.path)
    route: Sequence[Hop] = path.route if path is not None else ()
    return str(party_of(incident, route))


def _has_trend(gauge: Gauge) -> bool:
    return gauge.name is GaugeName.MAILBOX_CAPACITY and bool(gauge.limit)


def gauge_card(parts: Parts, found: ReadNow, gauge: Gauge, index: int) -> GaugeCard:
    """A gauge as it is shown; only a mailbox that has a limit has a trend."""
    if not _has_trend(gauge) or gauge.limit is None:
        return GaugeCard(gauge, _reading(gauge), "", None)
    series = found.series[gauge]
    readings = [(one.read_at, one.value) for one in series if one.value is not None]
    trend = forecast([Reading(at, value) for at, value in readings], gauge.limit)
    name = parts.masker.mask(f"{gauge.place} {gauge.resource or ''}".strip())
    drawn = pictures.gauge(
        f"gauge-{index}", readings, limit=gauge.limit, now=found.now, trend=trend, name=name
    )
    level = round(100 * gauge.share) if gauge.share is not None else None
    return GaugeCard(gauge, _reading(gauge), drawn, level)


def _reading(gauge: Gauge) -> str:
    """The value in words, and how it is known; place, name and state stand above it."""
    said = []
    if gauge.value is not None and gauge.unit != "1":  # of yes or no, the detail says which
        limit = f" of {amount(gauge.limit, gauge.unit)}" if gauge.limit else ""
        said.append(f"{amount(gauge.value, gauge.unit)}{limit}")
    return ", ".join([*said, *([gauge.detail] if gauge.detail else [])])
