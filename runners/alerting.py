"""Alerting: compare what is with what was told, when an incident changes and at every round between."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from canary.alert import AlertKind, Concern, Severity, Subject
from canary.concern import (
    UNREADABLE,
    LeftBehind,
    gauge_concerns,
    gauge_subject,
    leftover_concerns,
    unreadable_concerns,
)
from canary.gauge import Gauge, GaugeState, fresh
from canary.incident import Progress
from canary.path import Path, PathName, is_bisect
from probes.contracts import Clock
from runners.alert_contracts import AlertStep
from runners.contracts import CanaryQuery, SettlementConflict, Store
from runners.prober import Prober
from runners.situation import FLOOD, HOUR, Situation, flood_concern
from runners.states import PathState, view_path

_TRIES = 8
_MOST_OPEN = 1000
_DEAD_FOR = timedelta(hours=24)
"""So long people are told that a sink refused something for good."""
_OVERDUE = timedelta(minutes=5)
"""What waits longer for a sink is told to the others."""
_PATHS_EVERY = timedelta(minutes=1)
"""How often the paths themselves are looked at: that asks the store for each of them."""
_RECENT = 40


class Alerting:
    """Writes to the outbox what people are to be told; delivers nothing itself."""

    def __init__(self, prober: Prober, store: Store, *, clock: Clock) -> None:
        self._prober = prober
        self._store = store
        self._clock = clock
        self._paths_looked_at: datetime | None = None
        self._path_concerns_then: Sequence[Concern] = ()

    async def situation(self) -> Situation:
        """What is open, told and silenced now.

        Raises:
            StoreError: the store can't be read.
        """
        now = self._clock.now()
        enabled = {
            name: one for name, one in self._prober.paths.items() if one.is_enabled and not is_bisect(name)
        }
        incidents = await self._store.incidents(path=None, since=now, limit=_MOST_OPEN)
        progress = await self._store.progress_of(list(enabled))
        rules = self._prober.alerts
        return Situation(
            rules=rules,
            prober=self._prober.name,
            paths=self._prober.paths,
            now=now,
            incidents={one.id: one for one in incidents if one.is_open},
            standings=dict(await self._store.standings()),
            silences=rules.silences_at(now, await self._store.silences(now)),
            working=[name for name, (one, _) in progress.items() if _works(enabled[name], one, now)],
            pages=await self._store.pages_since(now - HOUR),
        )

    async def review(self) -> int:
        """Review every concern there is, and write what is to be told; returns how many messages.

        Repeatable, and safe in any number of processes: whoever comes second finds nothing to tell.

        Raises:
            StoreError: the store can't be read or written.
        """
        for _ in range(_TRIES):
            situation = await self.situation()
            steps = await self._steps(situation)
            try:
                await self._store.store_alerts(*steps, at=situation.now)
            except SettlementConflict:
                continue
            return sum(len(one.alerts) for one in steps)
        return 0

    async def _steps(self, situation: Situation) -> list[AlertStep]:
        gauges = await self._gauges(situation.now)
        unknown = {gauge_subject(one) for one in gauges if one.state is GaugeState.UNKNOWN}
        concerns = {
            one.subject: one
            for one in (
                *situation.incident_concerns(),
                *gauge_concerns(gauges, self._prober.paths),
                *unreadable_concerns(
                    gauges,
                    await self._unread_since(gauges, situation.now),
                    self._prober.paths,
                    now=situation.now,
                ),
                *leftover_concerns(await self._left_behind(), now=situation.now),
                *await self._path_concerns(situation),
                *await self._delivery_concerns(situation.now),
            )
        }
        steps: list[AlertStep] = []
        for subject in sorted({*concerns, *situation.standings} - unknown - {FLOOD}):
            steps.extend(situation.review(subject, concerns.get(subject)))
        standing = situation.standings.get(FLOOD, (None, 0))[0]
        since = standing.concern.since if standing is not None else situation.now
        steps.extend(situation.review(FLOOD, flood_concern(situation.held_back, since=since)))
        return steps

    async def _gauges(self, now: datetime) -> list[Gauge]:
        """The newest readings of what is still configured; one that is too old is no reading."""
        return fresh(await self._store.latest_gauges(), now=now, places=self._prober.gauged_places)

    async def _unread_since(self, gauges: Sequence[Gauge], now: datetime) -> dict[Subject, datetime]:
        """Since when each gauge can't be read; one that has a value and no known limit was read."""
        found = {}
        for one in gauges:
            if one.state is not GaugeState.UNKNOWN or one.value is not None:
                continue
            readings = await self._store.gauges(
                place=one.place, name=one.name, resource=one.resource, since=now - 2 * UNREADABLE
            )
            since = one.read_at
            for reading in reversed(readings):
                if reading.value is not None:
                    break
                since = reading.read_at
            found[gauge_subject(one)] = since
        return found

    async def _left_behind(self) -> list[LeftBehind]:
        leftovers = await self._store.leftovers()
        counts = Counter(one.path for one in leftovers)
        oldest: dict[PathName, datetime] = {}
        for one in leftovers:
            oldest.setdefault(one.path, one.since)
        return [LeftBehind(path, count, oldest[path]) for path, count in counts.items()]

    async def _path_concerns(self, situation: Situation) -> Sequence[Concern]:
        """Paths that are slow or flawed, and those that are scheduled and not probed."""
        looked_at = self._paths_looked_at
        if looked_at is not None and timedelta(0) <= situation.now - looked_at < _PATHS_EVERY:
            return self._path_concerns_then
        found = []
        for path in self._prober.paths.values():
            if not path.is_enabled or is_bisect(path.name):
                continue
            kind, why = await self._trouble_of(path, situation)
            if kind is not None:
                found.append(
                    Concern(
                        subject=Subject(f"{kind}/{path.name}"),
                        kind=kind,
                        severity=Severity.TICKET,
                        since=situation.now,
                        paths=(path.name,),
                        detail=why,
                    )
                )
        self._paths_looked_at, self._path_concerns_then = situation.now, tuple(found)
        return found

    async def _trouble_of(self, path: Path, situation: Situation) -> tuple[AlertKind | None, str]:
        view = view_path(
            path,
            await self._store.path_facts(path.name),
            incidents=list(situation.incidents.values()),
            recent=await self._store.canaries(CanaryQuery(path=path.name, limit=_RECENT)),
            gauges=(),  # each is a concern of its own
            now=situation.now,
        )
        match view.state:
            case PathState.DEGRADED:
                return AlertKind.DEGRADED, view.why
            case PathState.STALE:
                return AlertKind.NOT_PROBED, view.why
            case _:
                return None, ""

    async def _delivery_concerns(self, now: datetime) -> list[Concern]:
        found = []
        for sink, state in sorted((await self._store.outbox(dead_since=now - _DEAD_FOR)).items()):
            is_overdue = state.oldest_at is not None and now - state.oldest_at > _OVERDUE
            if not state.dead and not is_overdue:
                continue
            said = f": {state.last_error}" if state.last_error else ""
            found.append(
                Concern(
                    subject=Subject(f"{AlertKind.DELIVERY}/{sink}"),
                    kind=AlertKind.DELIVERY,
                    severity=Severity.PAGE,
                    since=state.oldest_at or now,
                    place=sink,
                    detail=f"sink {sink}: {state.pending} alerts wait, {state.dead} were refused for good{said}",
                )
            )
        return found


def _works(path: Path, progress: Progress, now: datetime) -> bool:
    """Whether customers reach support by a path, as far as its last canaries say."""
    if progress.target is not None or progress.blindness is not None or not progress.confirmed:
        return False
    patience = timedelta(
        seconds=3 * (path.interval_seconds or HOUR.total_seconds()) + path.slo.deadline_seconds
    )
    return now - max(progress.confirmed) <= patience
