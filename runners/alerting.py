"""Alerting: compare what is with what was told, when an incident changes and at every round between."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from canary.ahead import MOST_AHEAD, is_ahead
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
from canary.incident import Incident, IncidentId, Progress
from canary.path import Path, PathName, is_bisect
from canary.review import Standing
from canary.traffic import History
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.alert_contracts import AlertStep
from runners.asking import view_paths
from runners.at_risk import histories_of
from runners.contracts import SettlementConflict, Store
from runners.prober import Prober
from runners.situation import FLOOD, HOUR, Situation, flood_concern
from runners.states import PathState
from runners.undelivered import DEAD_FOR, OVERDUE
from runners.untaken import try_pages_again

_TRIES = 8
_PATHS_EVERY = timedelta(minutes=1)
"""How often the paths themselves are looked at: that asks the store for each of them."""
_HISTORIES_EVERY = timedelta(minutes=5)
_KINDS = {PathState.DEGRADED: AlertKind.DEGRADED, PathState.STALE: AlertKind.NOT_PROBED}
_OF_PATHS = (*_KINDS.values(), AlertKind.LEFTOVERS)


class Alerting:
    """Writes to the outbox what people are to be told; delivers nothing itself."""

    def __init__(
        self, prober: Prober, store: Store, *, clock: Clock, reminds_from: datetime | None = None
    ) -> None:
        """Nothing is known yet.

        Args:
            prober: the paths, and how alerts are told.
            store: what is, and what was told.
            clock: gives the time of a review.
            reminds_from: nobody is told before then that something still lasts: whoever has just begun to watch does
                not know it yet. None: whoever asks has looked.
        """
        self.untaken: Sequence[str] = ()
        """The pages that no sink has taken for a while, a sentence each; as of the last review."""
        self._reminds_from = reminds_from
        self._prober = prober
        self._store = store
        self._clock = clock
        self._paths_looked_at: datetime | None = None
        self._histories_read_at: datetime | None = None
        self._histories_then: Mapping[str, History] = {}
        self._path_concerns_then: tuple[Sequence[Concern], frozenset[Subject]] = ((), frozenset())

    async def situation(self) -> Situation:
        """What is open, told and silenced now.

        Raises:
            StoreError: the store can't be read.
        """
        now = self._clock.now()
        enabled = {
            name: one for name, one in self._prober.paths.items() if one.is_enabled and not is_bisect(name)
        }
        # What was told is read first: an incident that another opens or ends in between has changed a standing with it,
        # so that what we make of the two is refused. The other way round, an incident that was told of and is not yet
        # seen would be taken for one that is over.
        standings = dict(await self._store.standings())
        incidents = {one.id: one for one in await self._store.open_incidents()}
        progress = await self._store.progress_of(list(enabled))
        rules = self._prober.alerts
        return Situation(
            rules=rules,
            prober=self._prober.name,
            paths=self._prober.paths,
            now=now,
            incidents=incidents,
            standings=standings,
            ended=await self._ended(incidents, standings.values()),
            silences=rules.silences_at(now, await self._store.silences(now)),
            working=[name for name, (one, _) in progress.items() if _works(enabled[name], one, now)],
            pages=await self._store.pages_since(now - HOUR, until=now + MOST_AHEAD),
            histories=await self._histories(now),
            reminds=self._reminds_from is None or now >= self._reminds_from,
        )

    async def _histories(self, now: datetime) -> Mapping[str, History]:
        """What is kept of real tickets; read seldom, for an hour more or less changes little."""
        read_at = self._histories_read_at
        if read_at is None or not timedelta(0) <= now - read_at < _HISTORIES_EVERY:
            places = {one.ticketing for one in self._prober.paths.values() if one.ticketing is not None}
            self._histories_then = await histories_of(self._store, places)
            self._histories_read_at = now
        return self._histories_then

    async def _ended(
        self,
        lasting: Mapping[IncidentId, Incident],
        standings: Iterable[tuple[Standing | None, int]],
    ) -> dict[IncidentId, Incident]:
        """The incidents that were told of and are over: of them it must be known how they ended."""
        told = {one for standing, _ in standings if standing is not None for one in standing.incidents}
        found = [await self._store.incident(one) for one in sorted(told - set(lasting))]
        return {one.id: one for one in found if one is not None}

    async def review(self, others_run: Callable[[], Awaitable[bool]] | None = None) -> int:
        """Review every concern there is, and write what is to be told; returns how many messages.

        Repeatable, and safe in any number of processes: whoever comes second finds nothing to tell.

        Args:
            others_run: whether another replica works on the same store, whose configuration may have a path or sink
                that this one has not. None: there is none.

        Raises:
            StoreError: the store can't be read or written.
        """
        for _ in range(_TRIES):
            situation = await self.situation()
            kept = self._kept_elsewhere(situation)
            is_shared = bool(kept) and others_run is not None and await others_run()
            steps = await self._steps(situation, kept if is_shared else frozenset())
            try:
                await self._store.store_alerts(*steps, at=situation.now)
            except SettlementConflict:
                continue
            self.untaken = await try_pages_again(
                self._store,
                [one for one, _ in situation.standings.values()],
                sinks=self._prober.alerts.sinks,
                now=situation.now,
            )
            return sum(len(one.alerts) for one in steps)
        return 0

    def _kept_elsewhere(self, situation: Situation) -> frozenset[Subject]:
        """What was told of paths and sinks that are not ours, and is no older than others let it become.

        Whoever has them reminds of them; where nobody was told for longer, nobody has them, however many run.
        """
        latest = situation.now - situation.rules.reminding.ticket - HOUR
        return frozenset(
            subject
            for subject, (one, _) in situation.standings.items()
            if one is not None and not self._is_ours(subject) and (one.told_at or one.opened_at) > latest
        )

    def _is_ours(self, subject: Subject) -> bool:
        """Whether this configuration can say that it is over; of what goes by the store alone, anybody can."""
        kind, _, name = subject.partition("/")
        if kind in _KINDS.values():
            path = self._prober.paths.get(PathName(name))
            return path is not None and path.is_enabled
        sinks = self._prober.alerts.sinks
        return kind != AlertKind.DELIVERY or sinks is None or name in sinks

    async def _steps(self, situation: Situation, kept_elsewhere: frozenset[Subject]) -> list[AlertStep]:
        gauges = await self._gauges(situation.now)
        alone = {gauge_subject(one) for one in gauges if one.state is GaugeState.UNKNOWN}
        troubled, out_of_sight = await self._path_concerns(situation)
        alone |= out_of_sight | kept_elsewhere | {FLOOD}
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
                *troubled,
                *await self._delivery_concerns(situation.now),
            )
        }
        steps: list[AlertStep] = []
        readings = {gauge_subject(one): one for one in gauges}
        ours = {f"{kind}/{name}" for kind in _OF_PATHS for name in self._prober.paths}
        for subject in sorted({*concerns, *situation.standings} - alone):
            is_of_path = subject.partition("/")[0] in _OF_PATHS
            is_gone = subject not in ours or not self._is_ours(subject)
            is_retired = (is_of_path and is_gone) or subject.startswith(f"{AlertKind.GAUGE}/")
            gone = is_retired and subject not in concerns and subject not in readings
            steps.extend(
                situation.review(
                    subject, concerns.get(subject), is_retired=gone, reading=readings.get(subject)
                )
            )
        standing = situation.standings.get(FLOOD, (None, 0))[0]
        since = standing.concern.since if standing is not None else situation.now
        steps.extend(situation.review(FLOOD, flood_concern(situation.held_back, since=since)))
        return steps

    async def _gauges(self, now: datetime) -> list[Gauge]:
        """The newest readings; one that is too old is none, and of a place that is not configured here not even that.

        Another replica may well know a place that this one does not: as long as it is read, it is left as it is.
        """
        readings = await self._store.latest_gauges(now=now)
        others = [one for one in fresh(readings, now=now) if one.place not in self._prober.gauged_places]
        return [
            *fresh(readings, now=now, places=self._prober.gauged_places),
            *(one for one in others if one in readings),
        ]

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

    async def _path_concerns(self, situation: Situation) -> tuple[Sequence[Concern], frozenset[Subject]]:
        """Paths that are slow or flawed, and those that are scheduled and not probed; and what can't be said now.

        A path that is broken, or that we can't see, is not well for not being called slow.
        """
        looked_at = self._paths_looked_at
        if looked_at is not None and timedelta(0) <= situation.now - looked_at < _PATHS_EVERY:
            return self._path_concerns_then
        paths = [one for name, one in self._prober.paths.items() if one.is_enabled and not is_bisect(name)]
        found: list[Concern] = []
        out_of_sight: set[Subject] = set()
        seen = await view_paths(
            self._store, paths, (), now=situation.now, lasting=list(situation.incidents.values()), silences=()
        )
        for view, facts in ((one.view, one.facts) for one in seen):
            kind = _KINDS.get(view.state)
            # Of a path that is not probed nothing is known from its last verdict on; it is told hours later.
            heard_at = facts.last_verdict_at if kind is AlertKind.NOT_PROBED else None
            if heard_at is not None and is_ahead(heard_at, situation.now):
                heard_at = None
            if kind is not None:
                found.append(
                    Concern(
                        subject=Subject(f"{kind}/{view.path.name}"),
                        kind=kind,
                        severity=Severity.TICKET,
                        since=heard_at or situation.now,
                        paths=(view.path.name,),
                        detail=view.why,
                    )
                )
            if view.state not in {PathState.OK, PathState.DEGRADED, PathState.STALE}:
                out_of_sight |= {Subject(f"{one}/{view.path.name}") for one in _KINDS.values()}
            elif view.state is PathState.STALE:
                out_of_sight.add(Subject(f"{AlertKind.DEGRADED}/{view.path.name}"))
        self._paths_looked_at = situation.now
        self._path_concerns_then = tuple(found), frozenset(out_of_sight)
        return self._path_concerns_then

    async def _delivery_concerns(self, now: datetime) -> list[Concern]:
        found = []
        for sink, state in sorted((await self._store.outbox(dead_since=now - DEAD_FOR)).items()):
            is_overdue = state.oldest_at is not None and now - state.oldest_at > OVERDUE
            is_shut = state.dead and not state.takes_others
            configured = self._prober.alerts.sinks
            is_told = state.dead or state.partial or is_overdue
            if not is_told or (configured is not None and sink not in configured):
                continue
            words = [f"{state.pending} alerts wait", f"{state.dead} were refused for good"]
            if state.partial:
                words.append(f"{state.partial} did not reach everybody")
            said = f": {state.last_error}" if state.last_error else ""
            found.append(
                Concern(
                    subject=Subject(f"{AlertKind.DELIVERY}/{sink}"),
                    kind=AlertKind.DELIVERY,
                    # Where the others got it, or the sink takes what is sent now, nobody need be woken.
                    severity=Severity.PAGE if is_shut or is_overdue else Severity.TICKET,
                    since=min((one for one in (state.oldest_at, state.refused_at) if one), default=now),
                    place=sink,
                    detail=f"sink {sink}: {', '.join(words)}{said}",
                )
            )
        return found


def _works(path: Path, progress: Progress, now: datetime) -> bool:
    """Whether customers reach support by a path, as far as its last canaries say."""
    lasting = progress.target
    if progress.blindness is not None or not progress.confirmed:
        return False
    if lasting is not None and lasting.works_from is None:
        return False
    if lasting is None and progress.recent and progress.recent[-1].verdict is not Verdict.CONFIRMED:
        return False
    patience = timedelta(seconds=3 * (path.usual_seconds or HOUR.total_seconds()) + path.slo.deadline_seconds)
    proved = [at for at in progress.confirmed if not is_ahead(at, now)]
    return bool(proved) and now - max(proved) <= patience
