"""A store that forgets everything at its end; passes the suite of the real ones."""

import json
from bisect import bisect_left
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import takewhile

from canary.ahead import is_ahead
from canary.blame import is_watched
from canary.canary import Canary
from canary.gauge import Gauge, GaugeName, Resource
from canary.incident import Change, Incident, IncidentKind, Progress, Transition
from canary.instruments import Instrument, by_name, metrics
from canary.observation import Observation, Outcome, Stage
from canary.path import PathName, is_bisect
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict
from runners.alert_contracts import AlertStep
from runners.contracts import (
    BEGUN,
    SHOWN_CHARACTERS,
    AuditEntry,
    CanaryQuery,
    Leftover,
    PathFacts,
    Record,
    RemovalKind,
    Sample,
    Settlement,
    SettlementConflict,
    StoreError,
    TriedRemoval,
)
from runners.history import Point
from runners.leases import Held
from runners.pulse import Pulse
from runners.retention import KEPT, Retention
from tests.fakes.memory_alerts import MemoryAlerts
from tests.fakes.memory_calls import MemoryCalls
from tests.fakes.memory_exports import MemoryExports
from tests.fakes.memory_figures import MemoryFigures
from tests.fakes.memory_past import MemoryPast
from tests.fakes.memory_quarantine import MemoryQuarantines
from tests.fakes.memory_slots import MemorySlots
from tests.fakes.memory_traffic import MemoryTraffic
from tests.fakes.memory_walks import MemoryWalks

_Thing = tuple[CanaryId, RemovalKind, str, str]


@dataclass
class _Row:
    canary: Canary
    holder: str | None
    lease_until: datetime
    watcher: str
    watched_until: datetime
    judgement: Judgement | None = None
    launch_ended: bool = False
    is_clean: bool = False
    seen: dict[str, Observation] = field(default_factory=dict)
    is_thinned: bool = False

    @property
    def record(self) -> Record:
        return Record(self.canary, self.judgement, self.launch_ended, self.is_clean, self.is_thinned)

    def thin(self) -> None:
        may_change = {Verdict.PENDING, Verdict.BREACHED}
        if self.is_thinned or self.judgement is None:
            return
        if self.is_clean and self.judgement.verdict not in may_change:
            self.judgement = replace(self.judgement, hops=())
            self.seen = {}
            self.is_thinned = True


class MemoryStore(
    MemoryAlerts,
    MemoryCalls,
    MemoryExports,
    MemoryFigures,
    MemoryPast,
    MemoryQuarantines,
    MemorySlots,
    MemoryTraffic,
    MemoryWalks,
):
    """Satisfies `runners.contracts.Store`; two tasks that use one see what two processes would."""

    def __init__(self, *, prober: str = "") -> None:
        self._prober = prober
        self._rows: dict[CanaryId, _Row] = {}
        self._slots, self._came_of, self._missed = {}, {}, {}
        self._progress: dict[PathName, tuple[Progress, int]] = {}
        self._incidents: dict[str, Incident] = {}
        self._transitions: list[tuple[str, datetime, Transition]] = []
        self._leftovers: dict[_Thing, Leftover | None] = {}
        self._audit: list[AuditEntry] = []
        self._gauges: dict[tuple[str, str, str, datetime], Gauge] = {}
        self._controls: dict[str, tuple[datetime, datetime | None]] = {}
        self._excuses: dict[str, datetime] = {}
        self._samples: dict[tuple[str, str], Sample] = {}
        self._standings, self._reviewed_at, self._turns, self._traffic = {}, {}, {}, {}
        self._walks, self._calls = {}, {}
        self._outbox, self._silences, self._paused = {}, {}, {}
        self._groups = {}
        self._days = {}
        self._day_seconds = {}
        self._exports, self._sights = {}, {}

    @asynccontextmanager
    async def open(self) -> AsyncIterator["MemoryStore"]:
        """As `open_store`: another handle on the same data."""
        yield self

    @contextmanager
    def _all_or_none(self) -> Iterator[None]:
        before = {name: copy(value) for name, value in self.__dict__.items()}
        before["_rows"] = {one: replace(row, seen=dict(row.seen)) for one, row in self._rows.items()}
        try:
            yield
        except Exception:
            self.__dict__.update(before)
            raise

    # canaries
    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        with self._all_or_none():
            for one in several:
                self._record(one, holder, lease_until)

    def _record(self, canary: Canary, holder: str, lease_until: datetime) -> None:
        tokens = {row.canary.token: row.canary for row in self._rows.values()}
        known = self._rows[canary.id].canary if canary.id in self._rows else tokens.get(canary.token)
        if known is not None:
            if known != canary:
                raise StoreError(f"store: another canary has the id {canary.id} or its token. Launch again.")
            return
        self._launched(canary, holder)
        self._rows[canary.id] = _Row(canary, holder, lease_until, holder, lease_until)
        self._count(metrics.CANARY_LAUNCHED, {"path": canary.path, "channel": canary.channel})

    async def launch_ended(self, *canary_ids: CanaryId) -> None:
        for canary_id in canary_ids:
            if canary_id in self._rows:
                self._rows[canary_id].launch_ended = True
                self._rows[canary_id].holder = None

    async def append(self, *observations: Observation) -> Sequence[bool]:
        for one in observations:
            if one.canary_id not in self._rows:
                raise StoreError(f"store: it has no canary {one.canary_id}, so nothing can be kept of it.")
        return [self._append(one) for one in observations]

    def _append(self, observation: Observation) -> bool:
        row = self._rows[observation.canary_id]
        key = observation.key(row.canary.deadline_at, row.canary.horizon_at)
        stored = row.seen.get(key)
        if stored is None:
            row.seen[key] = observation
            self._note_sight(row.canary, observation)
            if not observation.is_look_in_vain:
                self._count_hop(row.canary.path, observation)
            return True
        stage = observation.stage(row.canary.deadline_at, row.canary.horizon_at)
        look = observation.look
        stands = look is None or (stage is not Stage.WAITING and look.is_complete and not look.is_blind)
        if observation.is_look_in_vain and not stands:
            later = observation if observation.ended_at > stored.ended_at else stored
            row.seen[key] = replace(later, began_at=min(observation.began_at, stored.began_at))
        return False

    async def observations(self, canary_id: CanaryId) -> Sequence[Observation]:
        seen = self._rows[canary_id].seen if canary_id in self._rows else {}
        return [one for _, one in sorted(seen.items(), key=lambda pair: (pair[1].ended_at, pair[0]))]

    async def observations_of(
        self, canary_ids: Sequence[CanaryId]
    ) -> Mapping[CanaryId, Sequence[Observation]]:
        return {one: await self.observations(one) for one in canary_ids}

    async def outstanding(self, now: datetime) -> Sequence[Record]:
        def is_wanted(one: Record) -> bool:
            may_change = one.verdict is Verdict.BREACHED and one.canary.horizon_at > now
            return not one.is_clean or one.verdict is Verdict.PENDING or may_change

        return [one for one in self._oldest_first() if is_wanted(one)]

    async def renew(self, canary_ids: Sequence[CanaryId], *, holder: str, lease_until: datetime) -> None:
        for canary_id in canary_ids:
            if canary_id in self._rows and self._rows[canary_id].holder == holder:
                self._rows[canary_id].lease_until = lease_until

    async def abandoned(self, now: datetime) -> Sequence[Canary]:
        rows = sorted(self._rows.values(), key=lambda one: (one.canary.launched_at, one.canary.id))
        return [one.canary for one in rows if not one.launch_ended and one.lease_until <= now]

    async def hold(self, now: datetime, *, holder: str, lease_until: datetime) -> Sequence[Held]:
        held: list[Held] = []
        for record in await self.outstanding(now):
            row = self._rows[record.canary.id]
            if row.watcher == holder or row.watched_until <= now:
                row.watcher, row.watched_until = holder, lease_until
                held.append(Held(record.canary.id, record.verdict, record.launch_ended))
        return held

    async def records(self, canary_ids: Sequence[CanaryId]) -> Sequence[Record]:
        return [one for one in self._oldest_first() if one.canary.id in canary_ids]

    async def let_go(self, *, holder: str, at: datetime) -> None:
        for row in self._rows.values():
            if row.watcher == holder and row.watched_until > at:
                row.watched_until = at

    async def find(self, id_or_token: str) -> Sequence[Record]:
        word = id_or_token.strip().lower()
        if not word or not word.isascii() or not word.isalnum():
            return []
        return [
            one
            for one in reversed(self._oldest_first())
            if one.canary.id.startswith(word)
            or (len(word) >= SHOWN_CHARACTERS and one.canary.id.endswith(word))
            or word in {one.canary.token, one.canary.trace_id}
        ][:100]

    async def canaries(self, query: CanaryQuery) -> Sequence[Record]:
        return [
            one
            for one in reversed(self._oldest_first())
            if query.path in {None, one.canary.path}
            and query.verdict in {None, one.verdict}
            and (query.since is None or one.canary.launched_at >= query.since)
            and (query.before is None or (one.canary.launched_at, one.canary.id) < query.before)
        ][: query.limit]

    async def launched_since(self, since: datetime, *, sender: str, paths: Sequence[PathName]) -> int:
        mine = [one.canary for one in self._rows.values() if one.canary.sender == sender]
        return sum(1 for one in mine if one.path in paths and one.launched_at >= since)

    async def known(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, Canary]:
        return {one: self._rows[one].canary for one in canary_ids if one in self._rows}

    async def path_names(self) -> Sequence[PathName]:
        opened = {one.path for one in await self.incidents(path=None, since=None, limit=0)}
        return sorted(opened | {one.canary.path for one in self._rows.values()})

    # settling
    async def progress(self, path: PathName) -> tuple[Progress, int]:
        return self._progress.get(path, (Progress(), 0))

    async def progress_of(self, paths: Sequence[PathName]) -> Mapping[PathName, tuple[Progress, int]]:
        return {path: self._progress.get(path, (Progress(), 0)) for path in paths}

    async def settle(self, *several: Settlement) -> None:
        with self._all_or_none():
            for one in several:
                self._settle(one)

    def _settle(self, settlement: Settlement) -> None:
        fresh = settlement.judgement
        row = self._rows.get(fresh.canary_id)
        if row is None or row.record.verdict is not settlement.expected:
            raise SettlementConflict(f"canary {fresh.canary_id} is not {settlement.expected}")
        before = row.record.verdict
        is_transition = fresh.verdict is not before
        if not is_transition and settlement.replaces not in {None, row.judgement}:
            raise SettlementConflict(f"canary {fresh.canary_id} was judged again meanwhile")
        after_breach = {Verdict.LATE, Verdict.LOST}
        if is_transition and not (
            before is Verdict.PENDING or (before is Verdict.BREACHED and fresh.verdict in after_breach)
        ):
            raise SettlementConflict(
                f"canary {fresh.canary_id} is {before} and never becomes {fresh.verdict}"
            )
        if is_transition or settlement.progress is not None:
            self._put_progress(fresh.path, settlement.progress, settlement.progress_version)
        row.judgement = fresh
        if is_transition:
            self._count_verdict(fresh, before, row.canary)
            self._enqueue_verdict(fresh, before, settlement.at)
            self._count_day(fresh, before, row.canary.launched_at)
        self._put_changes(settlement.changes, settlement.at)
        self._put_steps(settlement.alerts, settlement.at)

    async def store_progress(
        self,
        path: PathName,
        progress: Progress,
        *,
        version: int,
        changes: Sequence[Change],
        at: datetime,
        alerts: Sequence[AlertStep] = (),
    ) -> None:
        with self._all_or_none():
            self._put_progress(path, progress, version)
            self._put_changes(changes, at)
            self._put_steps(alerts, at)

    async def points(
        self, path: PathName, *, since: datetime, limit: int, until: datetime | None = None
    ) -> Sequence[Point]:
        mine = [one for one in self._oldest_first() if one.canary.path == path]
        return [
            Point(
                one.canary.id,
                path,
                one.canary.launched_at,
                one.verdict,
                one.judgement.seconds if one.judgement is not None else None,
            )
            for one in reversed(mine)
            if one.canary.launched_at >= since and (until is None or one.canary.launched_at <= until)
        ][:limit]

    async def incidents(
        self, *, path: PathName | None, since: datetime | None, limit: int
    ) -> Sequence[Incident]:
        def newest_first(some: list[Incident]) -> list[Incident]:
            return sorted(some, key=lambda one: (one.opened_at, one.id), reverse=True)

        mine = [one for one in self._incidents.values() if path in {None, one.path}]
        lasting = [one for one in mine if one.is_open]
        ended = [
            one
            for one in mine
            if one.resolved_at is not None
            and (since is None or one.opened_at >= since or one.resolved_at >= since)
        ]
        return newest_first([*lasting, *newest_first(ended)[: max(0, limit - len(lasting))]])

    async def transitions(self, incident_id: str) -> Sequence[tuple[datetime, Transition]]:
        return [(at, transition) for one, at, transition in self._transitions if one == incident_id]

    async def path_facts(self, path: PathName, *, now: datetime | None = None) -> PathFacts:
        mine = [one for one in self._oldest_first() if one.canary.path == path]
        settled = sorted(
            (
                (one.judgement.settled_at, one.canary.launched_at, one.verdict)
                for one in mine
                if one.judgement is not None and one.judgement.settled_at is not None
            ),
            key=lambda one: (one[0], one[1]),
            reverse=True,
        )
        confirmed = [at for at, _, verdict in settled if verdict is Verdict.CONFIRMED]
        if now is not None:
            mine = [one for one in mine if not is_ahead(one.canary.launched_at, now)] or mine
            settled = [one for one in settled if not is_ahead(one[0], now)] or settled
            confirmed = [at for at in confirmed if not is_ahead(at, now)] or confirmed
        return PathFacts(
            last_launch_at=mine[-1].canary.launched_at if mine else None,
            last_verdict_at=settled[0][0] if settled else None,
            last_success_at=confirmed[0] if confirmed else None,
            verdicts=tuple((at, verdict) for at, _, verdict in settled[:10]),
        )

    async def pulses(self, paths: Sequence[PathName], *, now: datetime) -> Mapping[PathName, Pulse]:
        return {path: await self._pulse(path, now) for path in paths}

    async def _pulse(self, path: PathName, now: datetime) -> Pulse:
        mine = [one for one in self._oldest_first() if one.canary.path == path]
        pending = [one.canary.launched_at for one in mine if one.verdict is Verdict.PENDING]
        settled = sorted(
            (one.judgement.settled_at, one.canary.launched_at, one.verdict)
            for one in mine
            if one.judgement is not None and one.judgement.settled_at is not None
        )
        settled = [one for one in settled if not is_ahead(one[0], now)] or settled
        counting = [verdict for *_, verdict in settled if verdict is not Verdict.INCONCLUSIVE]
        facts = await self.path_facts(path, now=now)
        return Pulse(
            in_flight=len(pending),
            oldest_in_flight_at=min(pending, default=None),
            consecutive_failures=len(list(takewhile(lambda one: one.is_breach, reversed(counting)))),
            last_launch_at=facts.last_launch_at,
            last_verdict_at=facts.last_verdict_at,
            last_success_at=facts.last_success_at,
        )

    # cleaning
    async def note_begun(self, *entries: AuditEntry) -> None:
        for entry in entries:
            self._write(entry)

    def _write(self, entry: AuditEntry) -> bool:
        known = {replace(one, prober="", detail="") for one in self._audit}
        is_new = replace(entry, prober="", detail="") not in known
        if is_new:
            self._audit.append(entry)
        return is_new

    async def note_removed(self, *tried: TriedRemoval) -> None:
        for one in tried:
            self._note_removed(one.entry, one.next_at)

    def _note_removed(self, entry: AuditEntry, next_at: datetime | None) -> None:
        if not self._write(entry):
            return
        row = self._rows.get(entry.canary_id)
        if row is None:
            return
        thing = (entry.canary_id, entry.kind, entry.place, entry.what)
        vague = (*thing[:3], "")
        before = self._leftovers.get(thing)
        if next_at is not None:
            attempts = before.attempts if before is not None else 0
            since = before.since if before is not None else entry.at
            self._leftovers[thing] = Leftover(
                entry.canary_id, row.canary.path, *thing[1:], attempts + 1, next_at, since, entry.detail
            )
            row.is_clean = False
        else:
            self._leftovers[thing] = None
            if vague in self._leftovers:
                self._leftovers[vague] = None
        number = sum(1 for one in self._audit if one.canary_id == entry.canary_id and one.outcome != BEGUN)
        self._enqueue(entry.canary_id, f"cleanup/{number}", entry.at)
        labels = {"path": row.canary.path, "kind": entry.kind, "outcome": entry.outcome}
        self._count(metrics.CLEANUP_ATTEMPTS, labels)

    async def finish_clean(self, *canary_ids: CanaryId, at: datetime) -> None:
        del at
        for canary_id in canary_ids:
            if canary_id in self._rows:
                self._rows[canary_id].is_clean = True
            self._leftovers.update({one: None for one in self._leftovers if one[0] == canary_id})

    async def leftovers(self) -> Sequence[Leftover]:
        left = [one for one in self._leftovers.values() if one is not None]
        return sorted(left, key=lambda one: (one.since, one.canary_id, one.kind, one.place, one.what))

    async def audit(self, *, since: datetime | None, limit: int) -> Sequence[AuditEntry]:
        lines = sorted(self._audit, key=lambda one: one.at)
        return [one for one in reversed(lines) if since is None or one.at >= since][:limit]

    async def disposals_since(self, place: str, since: datetime) -> int:
        disposed = {"done", "accepted"}
        lines = [one for one in self._audit if one.place == place and one.at >= since]
        return sum(1 for one in lines if one.outcome in disposed)

    # gauges and controls
    async def add_gauges(self, gauges: Sequence[Gauge]) -> None:
        for one in gauges:
            self._gauges.setdefault((one.place, one.name, one.resource or "", one.read_at), one)

    async def gauges(
        self, *, place: str, name: GaugeName, resource: Resource | None, since: datetime
    ) -> Sequence[Gauge]:
        wanted = (place, name, resource or "")
        found = [one for key, one in self._gauges.items() if key[:3] == wanted and one.read_at >= since]
        return sorted(found, key=lambda one: one.read_at)

    async def latest_gauges(self, *, now: datetime | None = None) -> Sequence[Gauge]:
        oldest_first = sorted(self._gauges.items())
        newest = {key[:3]: one for key, one in oldest_first}
        newest |= {key[:3]: one for key, one in oldest_first if now is None or not is_ahead(one.read_at, now)}
        return [one for _, one in sorted(newest.items())]

    async def note_control(self, control: str, *, at: datetime, worked: bool) -> None:
        tried_at, worked_at = self._controls.get(control, (at, None))
        if at >= tried_at:
            self._controls[control] = (at, at if worked else worked_at)

    async def control_worked_at(self, control: str) -> datetime | None:
        return self._controls.get(control, (None, None))[1]

    async def note_excuse(self, control: str, *, at: datetime) -> None:
        if control in self._controls:
            self._excuses[control] = at

    async def excused_at(self) -> datetime | None:
        return max(self._excuses.values(), default=None)

    # telemetry and housekeeping
    async def seed(self, series: Mapping[str, Sequence[Mapping[str, str]]], *, at: datetime) -> None:
        del at
        for name, labels in series.items():
            for one in labels:
                self._series(by_name(name), one)

    async def samples(self) -> Sequence[Sample]:
        return [
            one for _, one in sorted(self._samples.items(), key=lambda pair: (bool(pair[1].counts), pair[0]))
        ]

    async def forget(self, now: datetime, *, keep: Retention = KEPT) -> int:
        before = keep.canaries_before(now)
        old = [
            one.canary.id
            for one in self._oldest_first()
            if one.canary.launched_at < before and one.is_clean and one.verdict is not Verdict.PENDING
        ]
        for canary_id in old:
            del self._rows[canary_id]
        for row in self._rows.values():
            if row.canary.launched_at < keep.observations_before(now):
                row.thin()
        self._leftovers = {key: one for key, one in self._leftovers.items() if key[0] not in old}
        self._gauges = {key: one for key, one in self._gauges.items() if one.read_at >= before}
        self._forget_slots(before)
        self._forget_alerts(before)
        self._forget_exports(now, old)
        self._forget_traffic(now)
        self._forget_walks(now)
        self._forget_calls(now)
        self._forget_records(now, keep)
        return len(old)

    def _oldest_first(self) -> list[Record]:
        rows = sorted(self._rows.values(), key=lambda one: (one.canary.launched_at, one.canary.id))
        return [one.record for one in rows]

    def _put_progress(self, path: PathName, fresh: Progress | None, version: int) -> None:
        stored, current = self._progress.get(path, (Progress(), 0))
        if current != version:
            raise SettlementConflict(f"the progress of path {path} is no longer at version {version}")
        self._progress[path] = (fresh or stored, version + (fresh is not None or version == 0))
        for still_open in (fresh.target, fresh.blindness) if fresh is not None else ():
            if still_open is not None:
                self._incidents[still_open.id] = still_open

    def _put_changes(self, changes: Sequence[Change], at: datetime) -> None:
        for change in changes:
            one = change.incident
            self._incidents[one.id] = one
            self._transitions.append((one.id, at, change.transition))
            if change.transition is Transition.OPENED and one.kind is IncidentKind.TARGET:
                self._count(metrics.INCIDENTS, {"path": one.path, "blame": one.stop.hop})
                delay_seconds = (at - one.onset_at).total_seconds()
                self._count(metrics.INCIDENT_DETECTION_DELAY, {"path": one.path}, delay_seconds)

    def _count_hop(self, path: PathName, seen: Observation) -> None:
        labels = {"path": path, "hop": seen.hop, "outcome": seen.outcome}
        self._count(metrics.HOP_OBSERVATIONS, {**labels, "evidence": seen.evidence})
        if seen.seconds is not None and seen.outcome in {Outcome.OK, Outcome.FAILED}:
            self._count(metrics.HOP_DURATION, labels, seen.seconds)

    def _count_verdict(self, fresh: Judgement, before: Verdict, canary: Canary) -> None:
        path = {"path": fresh.path}
        labels = {**path, "channel": canary.channel}
        is_first = before is Verdict.PENDING
        is_end = fresh.verdict in {Verdict.LATE, Verdict.LOST}
        for verdict in (Verdict.BREACHED, fresh.verdict) if is_first and is_end else (fresh.verdict,):
            self._count(metrics.CANARY_VERDICTS, {**labels, "verdict": verdict})
        if is_first and fresh.verdict is not Verdict.INCONCLUSIVE and not is_bisect(fresh.path):
            self._count(metrics.SLO_ELIGIBLE, path)
        if fresh.verdict is Verdict.CONFIRMED and not is_bisect(fresh.path):
            self._count(metrics.SLO_GOOD, path)
        if is_first and fresh.verdict.is_breach and fresh.stop is not None:
            self._count(metrics.CANARY_FAILURES, {**path, "hop": fresh.stop.hop, "reason": fresh.stop.reason})
        for hop in fresh.hops if is_first else ():
            if is_watched(hop) and hop.seconds is not None:
                labels_of_hop = {**path, "hop": hop.hop, "outcome": hop.outcome}
                self._count(metrics.HOP_DURATION, labels_of_hop, hop.seconds)
        if fresh.verdict in {Verdict.CONFIRMED, Verdict.LATE} and fresh.seconds is not None:
            self._count(metrics.CANARY_DURATION, {**labels, "verdict": fresh.verdict}, fresh.seconds)

    def _series(self, instrument: Instrument, labels: Mapping[str, str]) -> tuple[str, str]:
        """The key of a series, which exists from now on."""
        if set(labels) != set(instrument.labels):
            raise ValueError(f"{instrument.name} has the labels {instrument.labels}")
        key = (instrument.name, json.dumps({one: labels[one] for one in sorted(labels)}, ensure_ascii=False))
        counts = (0,) * (len(instrument.bounds) + 1) if instrument.bounds else ()
        self._samples.setdefault(key, Sample(instrument.name, dict(labels), 0.0, counts))
        return key

    def _count(self, instrument: Instrument, labels: Mapping[str, str], value: float = 1.0) -> None:
        """Add to a counter, or a measured value to a histogram."""
        key = self._series(instrument, labels)
        before, amount = self._samples[key], max(0.0, value)
        if instrument.bounds:
            counts = list(before.counts)
            counts[bisect_left(instrument.bounds, amount)] += 1
            least = amount if before.least is None else min(before.least, amount)
            greatest = amount if before.greatest is None else max(before.greatest, amount)
            before = replace(before, counts=tuple(counts), least=least, greatest=greatest)
        self._samples[key] = replace(before, value=before.value + amount)
