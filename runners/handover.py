"""The hand-over of a shift: what happened since then, and what is open now and needs somebody."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from canary.alert import AlertKind, Subject, party_of
from canary.gauge import Gauge, GaugeState, fresh
from canary.gauge_words import headline
from canary.incident import Incident, IncidentKind
from canary.path import Path, PathName
from canary.review import CALM, Standing
from canary.silence import Silence, Window, are_silenced, with_windows
from canary.slot import MissedCause, slots_between
from runners.answers import gauge_answer, incident_answer, stamp
from runners.at_risk import tickets_at_risk
from runners.config.config import PathConfig
from runners.contracts import Leftover, PathFacts, Store
from runners.dossier import backlog_of
from runners.states import PathState, PathView
from runners.story_shapes import (
    HandoverAnswer,
    LeftBehindAnswer,
    MissedAnswer,
    ShiftIncidentAnswer,
    ShiftPathAnswer,
    SilenceAnswer,
)
from runners.undelivered import undelivered, undelivered_words

_MOST_POINTS = 100_000
_MOST_INCIDENTS = 1000
_MOST_SLOTS = 10_000
_NEXT_SHIFT = timedelta(hours=12)
_FARTHEST = timedelta(days=7)
"""The next shift is taken to be as long as the one that ends, but no shorter and no longer than that."""
_LEFT_OVER = timedelta(hours=1)
"""What could not be removed for so long needs somebody."""


async def hand_over(
    store: Store,
    views: Sequence[tuple[PathView, PathFacts]],
    paths: Mapping[PathName, PathConfig],
    *,
    prober: str,
    since: datetime,
    now: datetime,
    status: int,
    windows: Sequence[Window] = (),
    places: Collection[str] | None = None,
    sinks: Collection[str] | None = None,
) -> HandoverAnswer:
    """All that the next shift should know.

    Args:
        store: asked once for each path.
        views: the paths as they are now, each with when it was last heard of.
        paths: as configured, by name.
        prober: its name.
        since: when the shift began.
        now: aware UTC.
        status: the command's exit.
        windows: the maintenance windows.
        places: those of which gauges are told: what is configured now; None: all.
        sinks: those of which it is told what they did not take: what is configured now; None: all.

    Raises:
        StoreError: the store can't be read.
    """
    ahead = min(max(now - since, _NEXT_SHIFT), _FARTHEST)
    silences = with_windows(await store.silences(now), windows, now, ahead=ahead)
    shift = []
    for view, facts in views:
        told = await _path(store, view, facts, paths[view.path.name], since=since, now=now)
        told["silenced"] = view.is_silenced or are_silenced([view.path.name], silences, now)
        shift.append(told)
    known = {view.path.name: view.path for view, _ in views}
    found = await store.incidents(path=None, since=since, limit=_MOST_INCIDENTS)
    gauges = [
        one
        for one in fresh(await store.latest_gauges(now=now), now=now, places=places)
        if one.state in {GaugeState.WARN, GaugeState.PAGE}
    ]
    leftovers = await store.leftovers()
    not_taken = undelivered(await store.outbox(dead_since=since), now=now, sinks=sinks)
    return {
        "since": stamp(since),
        "until": stamp(now),
        "prober": prober,
        "needs": [
            *_broken_now(found, known, [one for one in silences if one.is_in_force(now)]),
            *_unseen_now(views),
            *(_page_words(one) for one in gauges if one.state is GaugeState.PAGE),
            *_well_and_not_told(await store.standings(), places),
            *_left_too_long(leftovers, now),
            *(f"{view.path.name}: {view.quarantine}" for view, _ in views if view.quarantine),
            *(f"alerts for {one['sink']} are not delivered: {undelivered_words(one)}" for one in not_taken),
        ],
        "paths": shift,
        "incidents": [await _incident(store, one, known, now) for one in found],
        "gauges": [gauge_answer(one) for one in _worst_first(gauges)],
        "silences": _silences(silences, now),
        "silences_until": stamp(now + ahead),
        "leftovers": _left_behind(leftovers),
        "undelivered": not_taken,
        "exit": status,
    }


async def _path(
    store: Store, view: PathView, facts: PathFacts, configured: PathConfig, *, since: datetime, now: datetime
) -> ShiftPathAnswer:
    name = view.path.name
    points = await store.points(name, since=since, limit=_MOST_POINTS)
    causes = Counter(one.cause for one in await store.missed(name, since=since))
    causes[MissedCause.NOT_RUNNING] += await _unnoticed(store, configured, since=since, now=now)
    missed: list[MissedAnswer] = [
        {"cause": cause.value, "slots": causes[cause]} for cause in MissedCause if causes[cause]
    ]
    due = len(points) + causes.total()
    return {
        "path": name,
        "state": view.state.value,
        "silenced": view.is_silenced,
        "enabled": view.path.is_enabled,
        "why": view.why,
        "last_success_at": _maybe(facts.last_success_at),
        "verdicts": {
            verdict.value: count for verdict, count in sorted(Counter(one.verdict for one in points).items())
        },
        "launched": len(points),
        "missed": missed,
        "coverage_share": len(points) / due if due else None,
    }


async def _unnoticed(store: Store, configured: PathConfig, *, since: datetime, now: datetime) -> int:
    """Slots since the newest known one that nobody claimed and nobody noted as missed: the prober does not run.

    The newest due slot is left out: it may be launched at this moment.
    """
    last = await store.last_slot_at(configured.path.name)
    newest = configured.due_slot(now)
    if not configured.path.is_enabled or last is None or newest is None:
        return 0
    slots = slots_between(configured.due_slot, after=max(last, since), before=newest.at)
    return sum(1 for _, _ in zip(slots, range(_MOST_SLOTS), strict=False))


def _broken_now(
    found: Sequence[Incident], paths: Mapping[PathName, Path], silences: Sequence[Silence]
) -> list[str]:
    """What is broken, oldest first; of what is silenced nobody was told."""
    lines = []
    until = {one.about: f"{one.ends_at.astimezone(UTC):%Y-%m-%d %H:%M}" for one in silences}
    for one in sorted(found, key=lambda one: (one.onset_at, one.path)):
        if one.is_open and one.kind is IncidentKind.TARGET:
            stop, path = one.sharper or one.stop, paths.get(one.path)
            whose = f"; it lies with {party_of(one, path.route)}" if path is not None else ""
            quiet = f"; silenced until {until[one.path]} UTC" if one.path in until else ""
            since = f"{one.onset_at.astimezone(UTC):%Y-%m-%d %H:%M}"
            lines.append(
                f"{one.path} is broken at {stop.hop} since {since} UTC: {stop.reason}{whose}{quiet} ({one.id})"
            )
    return lines


def _unseen_now(views: Sequence[tuple[PathView, PathFacts]]) -> list[str]:
    """Paths of which nothing is known now: unprobed is not good."""
    unseen = {PathState.STALE, PathState.BLIND}  # and what never was confirmed: it is not known to be well
    return [
        f"{view.path.name} is {view.state}: {view.why}"
        for view, _ in views
        if view.path.is_enabled and (view.is_unproved or view.state in unseen)
    ]


def _page_words(gauge: Gauge) -> str:
    more = f"; {gauge.detail}" if gauge.detail and gauge.detail not in headline(gauge) else ""
    return f"{headline(gauge)}{more}"


def _well_and_not_told(
    standings: Mapping[Subject, tuple[Standing | None, int]], places: Collection[str] | None
) -> list[str]:
    """What is well again and not yet told as over: a shift that is told that nothing is open would hear of it later."""
    found = []
    for subject, (standing, _) in sorted(standings.items()):
        if standing is None or standing.gone_at is None or not standing.told:
            continue
        about, calm = standing.concern, CALM[standing.concern.kind]
        name = about.headline or about.detail or subject
        since = f"{standing.gone_at.astimezone(UTC):%Y-%m-%d %H:%M}"
        if about.kind is AlertKind.GAUGE and places is not None and about.place not in {None, *places}:
            found.append(
                f"the alert '{name}' is still open: {about.place} is configured no more, and is not read since {since} UTC"
            )
            continue
        told = f"its end is told once it stayed well for {calm.total_seconds() / 60:.0f} min"
        found.append(f"the alert '{name}' is still open: well since {since} UTC, {told}")
    return found


def _left_too_long(leftovers: Sequence[Leftover], now: datetime) -> list[str]:
    old = [one for one in leftovers if one.since <= now - _LEFT_OVER]
    if not old:
        return []
    things = f"{len(old)} thing{'' if len(old) == 1 else 's'} of canaries"
    return [f"{things} could not be removed for more than an hour; see intake-prober audit"]


async def _incident(
    store: Store, incident: Incident, paths: Mapping[PathName, Path], now: datetime
) -> ShiftIncidentAnswer:
    path = paths.get(incident.path)
    whose = party_of(incident, path.route) if path is not None else None
    at_risk = await tickets_at_risk(store, [incident], paths, now)
    return {
        "incident": incident_answer(
            incident, await backlog_of(store, incident, path, now), at_risk.get(incident.id)
        ),
        "party": whose.value if whose is not None else None,
    }


def _silences(silences: Sequence[Silence], now: datetime) -> list[SilenceAnswer]:
    return [
        {
            "about": one.about,
            "begins_at": stamp(one.begins_at),
            "ends_at": stamp(one.ends_at),
            "in_force": one.is_in_force(now),
            "why": one.why,
            "who": one.who,
        }
        for one in silences
    ]


def _left_behind(leftovers: Sequence[Leftover]) -> list[LeftBehindAnswer]:
    oldest: dict[PathName, datetime] = {}
    for one in leftovers:
        oldest[one.path] = min(one.since, oldest.get(one.path, one.since))
    counts = Counter(one.path for one in leftovers)
    return [
        {"path": path, "things": counts[path], "oldest_since": stamp(since)}
        for path, since in sorted(oldest.items())
    ]


def _worst_first(gauges: Sequence[Gauge]) -> list[Gauge]:
    return sorted(gauges, key=lambda one: (one.state is not GaugeState.PAGE, one.place, one.name))


def _maybe(at: datetime | None) -> str | None:
    return stamp(at) if at is not None else None
