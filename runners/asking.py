"""Ask the store what the command line and the page show: one question each, and one building of its JSON answer."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from canary.backlog import Backlog
from canary.concern import may_break_alike
from canary.gauge import Gauge, fresh
from canary.incident import Incident
from canary.observation import Observation
from canary.path import Path, PathName
from canary.signature import CanaryId
from canary.silence import Silence, Window, are_silenced, with_windows
from canary.verdict import Verdict
from runners.alert_contracts import OutboxState
from runners.cli.exits import Exit
from runners.contracts import CanaryQuery, PathFacts, Record, Store
from runners.history import Point
from runners.states import PathState, PathView, view_path
from runners.undelivered import DEAD_FOR, undelivered

if TYPE_CHECKING:
    from runners.answer_shapes import (
        CanariesAnswer,
        IncidentsAnswer,
        StatusAnswer,
        TraceAnswer,
        UndeliveredAnswer,
    )

IncidentFound = tuple[Incident, Backlog | None, float | None]
"""An incident, its backlog while that matters, and how many tickets are at risk by it, where that is known."""
_BACK = re.compile(r"(\d{1,6})([mhdw])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
MOST_POINTS = 100_000
AHEAD = timedelta(hours=24)
"""Maintenance windows that begin so soon are shown before they do."""
SINCE_REMEDY = "Write 90m, 24h, 7d, or a time with its zone: 2026-03-01T08:00Z."


@dataclass(frozen=True, slots=True)
class Seen:
    """A path as the store knows it now, with as many of its newest canaries as were asked for."""

    view: PathView
    facts: PathFacts
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """The paths at a glance.

    Attributes:
        leftovers: how many things are still to be removed.
        silences: in force or to come; maintenance windows among them, those to come for `AHEAD`.
        lasting: every open incident, also of paths that are configured no more.
        outbox: what waits for each sink, and what of the last day it did not take.
        at: when that was.
    """

    paths: tuple[Seen, ...]
    gauges: tuple[Gauge, ...]
    leftovers: int
    silences: tuple[Silence, ...] = ()
    lasting: tuple[Incident, ...] = ()
    outbox: Mapping[str, OutboxState] = field(default_factory=dict)
    at: datetime | None = None
    sinks: Collection[str] | None = None

    @property
    def undelivered(self) -> "list[UndeliveredAnswer]":
        """What sinks did not take, as far as it is more than on its way."""
        return undelivered(self.outbox, now=self.at, sinks=self.sinks) if self.at is not None else []

    @property
    def exit(self) -> Exit:
        """As `status` ends."""
        return exit_of([one.view for one in self.paths])


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found by a canary's id.

    Attributes:
        records: one, where the id says enough.
        observations: of the one, by the time they ended.
        is_kept: whether its ticket stays until its end.
        exit: as the state of its path says.
    """

    records: tuple[Record, ...]
    observations: tuple[Observation, ...] = ()
    runbook: str | None = None
    is_kept: bool = False
    exit: Exit = Exit.OK


@dataclass(frozen=True, slots=True)
class Listed:
    """Canaries, newest first; ``next`` is the one after which the list goes on (`before`), None at its end."""

    records: tuple[Record, ...]
    next: CanaryId | None


async def view_paths(
    store: Store,
    paths: Sequence[Path],
    gauges: Sequence[Gauge],
    *,
    now: datetime,
    silences: Sequence[Silence] | None = None,
    lasting: Sequence[Incident] | None = None,
    points: int = 0,
) -> tuple[Seen, ...]:
    """Each path's state at that time, in a number of transactions that does not grow with the paths.

    Raises:
        StoreError: it can't be read.
    """
    if silences is None:
        silences = await store.silences(now)
    windows = {one.name: one.incidents.window for one in paths}
    found = await store.glances(windows, now=now, points=points)
    quarantines = await store.quarantines([one.name for one in paths])
    if lasting is None:
        lasting = await store.incidents(path=None, since=now, limit=0)
    seen = []
    for path in paths:
        glance = found[path.name]
        mine = [one for one in lasting if one.path == path.name]
        view = view_path(
            path,
            glance.facts,
            incidents=mine,
            recent=glance.recent,
            gauges=gauges,
            now=now,
            quarantine=quarantines[path.name],
            first_slot_at=glance.first_slot_at,
        )
        is_silenced = are_silenced([path.name], silences, now)
        seen.append(Seen(replace(view, is_silenced=is_silenced), glance.facts, glance.points))
    return tuple(seen)


def working_beside(
    seen: Iterable[Seen], incidents: Iterable[Incident], paths: Mapping[PathName, Path]
) -> tuple[PathName, ...]:
    """The paths to send customers to meanwhile: proved last, and not through what broke the others."""
    failing = [one for one in incidents if one.path in paths and one.works_from is None]
    broken = [(paths[one.path], one.sharper or one.stop) for one in failing]
    names = {path.name for path, _ in broken}
    return tuple(
        one.view.path.name
        for one in seen
        if one.view.path.is_enabled
        and one.view.path.name not in names
        and (one.view.state in {PathState.OK, PathState.DEGRADED} or _only_proves_itself(one.view))
        and _is_proved(one.facts)
        and not any(may_break_alike(path, stop, one.view.path) for path, stop in broken)
    )


def _only_proves_itself(view: PathView) -> bool:
    """Whether an incident lasts only because its path flaps: customers come through."""
    return view.incident is not None and view.incident.works_from is not None


def _is_proved(facts: PathFacts) -> bool:
    """Whether the newest verdict that says anything of the target is a good one."""
    counted = (one for _, one in facts.verdicts if one is Verdict.CONFIRMED or one.is_breach)
    return next(counted, None) is Verdict.CONFIRMED


def exit_of(views: Sequence[PathView]) -> Exit:
    """1 when a path is broken now; 3 when none is, but one is blind, stale, or was never proved to work."""
    enabled = [view for view in views if view.path.is_enabled]
    if any(view.state is PathState.BROKEN for view in enabled):
        return Exit.BREACH
    is_unseen = any(view.is_unproved or view.state in {PathState.BLIND, PathState.STALE} for view in enabled)
    return Exit.BLIND if is_unseen else Exit.OK


async def ask_status(
    store: Store,
    paths: Sequence[Path],
    *,
    now: datetime,
    places: Collection[str] | None = None,
    sinks: Collection[str] | None = None,
    windows: Sequence[Window] = (),
    points: int = 0,
) -> Status:
    """The paths at a glance.

    Args:
        store: what is asked.
        paths: those that are shown.
        now: aware UTC.
        places: those of which gauges are shown: what is configured now; None: of all.
        sinks: those of which it is shown what they did not take: what is configured now; None: all.
        windows: the maintenance windows.
        points: how many of each path's newest canaries are drawn.

    Raises:
        StoreError: it can't be read.
    """
    gauges = tuple(fresh(await store.latest_gauges(now=now), now=now, places=places))
    silences = tuple(with_windows(await store.silences(now), windows, now, ahead=AHEAD))
    lasting = tuple(await store.incidents(path=None, since=now, limit=0))
    seen = await view_paths(store, paths, gauges, now=now, silences=silences, lasting=lasting, points=points)
    outbox = await store.outbox(dead_since=now - DEAD_FOR)
    return Status(seen, gauges, len(await store.leftovers()), silences, lasting, outbox, now, sinks)


def status_answer(status: Status) -> "StatusAnswer":
    """`status --json`."""
    from runners.answers import gauge_answer, path_answer

    return {
        "paths": [path_answer(one.view, one.facts) for one in status.paths],
        "gauges": [gauge_answer(one) for one in status.gauges],
        "leftovers": status.leftovers,
        "undelivered": status.undelivered,
        "exit": int(status.exit),
    }


async def ask_canaries(
    store: Store, query: CanaryQuery, paths: Sequence[Path], *, now: datetime
) -> tuple[Listed, Exit]:
    """History, and how the paths asked for are. Raises `StoreError`."""
    found = await list_canaries(store, query)
    return found, exit_of([one.view for one in await view_paths(store, paths, (), now=now)])


async def list_canaries(store: Store, query: CanaryQuery) -> Listed:
    """Canaries, and whether there are more. Raises `StoreError`."""
    records = await store.canaries(replace(query, limit=query.limit + 1))
    some = tuple(records[: query.limit])
    return Listed(some, some[-1].canary.id if len(records) > len(some) and some else None)


def canaries_answer(listed: Listed, status: int) -> "CanariesAnswer":
    """`canaries --json`."""
    from runners.answers import canary_answer

    return {
        "canaries": [canary_answer(one) for one in listed.records],
        "next": listed.next,
        "exit": int(status),
    }


async def ask_trace(store: Store, word: str, paths: Mapping[PathName, Path], *, now: datetime) -> Trace:
    """One canary by its id, its beginning or end, its token or trace id, or by the incident that it began. Raises `StoreError`."""
    wanted = word.strip().lower()
    for kind in ("incident-", "blind-"):
        wanted = wanted.removeprefix(kind)
    found = tuple(await store.find(wanted))
    if len(found) != 1:
        return Trace(found)
    from runners.answers import kept_of

    configured = paths.get(found[0].canary.path)
    views = await view_paths(store, [configured] if configured is not None else [], (), now=now)
    return Trace(
        records=found,
        observations=tuple(await store.observations(found[0].canary.id)),
        runbook=configured.runbook if configured is not None else None,
        is_kept=bool(kept_of(found, {one.canary_id for one in await store.leftovers()})),
        exit=exit_of([one.view for one in views]),
    )


def trace_answer(trace: Trace) -> "TraceAnswer":
    """`trace --json`, of a trace that found one canary."""
    from runners.answers import canary_answer, kept_answer, observation_answer

    (record,) = trace.records
    return {
        "canary": canary_answer(record),
        "kept": kept_answer(record) if trace.is_kept else None,
        "observations": [observation_answer(one) for one in trace.observations],
        "dropped": record.is_thinned,
        "runbook": trace.runbook,
        "exit": int(trace.exit),
    }


async def ask_incidents(
    store: Store,
    paths: Sequence[Path],
    *,
    path: PathName | None,
    since: datetime | None,
    limit: int,
    now: datetime,
    backlogs: int | None = None,
    points: int = MOST_POINTS,
) -> tuple[Sequence[IncidentFound], Exit]:
    """Incidents, each with its backlog while that matters and its tickets at risk, and how the paths asked for are.

    Args:
        store: what is asked.
        paths: those whose state decides the exit code.
        path: whose incidents; None: of all.
        since: those that lasted then or later; None: all.
        limit: at most so many.
        now: aware UTC.
        backlogs: of so many, the newest, the backlog is counted; None: of all.
        points: where more canaries were launched since the onset, the backlog is left out.

    Raises:
        StoreError: it can't be read.
    """
    from runners.at_risk import tickets_at_risk
    from runners.dossier import backlog_of

    configured = {one.name: one for one in paths}
    listed = await store.incidents(path=path, since=since, limit=limit)
    risks = await tickets_at_risk(store, listed, configured, now)
    found = [
        (
            one,
            await backlog_of(store, one, configured.get(one.path), now, most=points)
            if backlogs is None or index < backlogs
            else None,
            risks.get(one.id),
        )
        for index, one in enumerate(listed)
    ]
    return found, exit_of([one.view for one in await view_paths(store, paths, (), now=now)])


def incidents_answer(found: Sequence[IncidentFound], status: int) -> "IncidentsAnswer":
    """`incidents --json`."""
    from runners.answers import incident_answer

    return {"incidents": [incident_answer(*one) for one in found], "exit": int(status)}


def parse_since(text: str, now: datetime) -> datetime:
    """The moment that ``24h`` or ``2026-03-01T08:00Z`` names.

    Raises:
        ValueError: it names none, or one without a zone.
    """
    match = _BACK.fullmatch(text)
    try:
        if match is not None:
            return now - timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(f"{text} is not a time")
    return at
