"""The part of the memory store that is about sending traces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.incident import Incident, IncidentKind
from canary.instruments import Instrument, metrics
from canary.observation import Observation
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict
from runners.contracts import BEGUN, AuditEntry, Record
from runners.export_contracts import (
    AFTERMATH,
    KEPT_UNSENT,
    LONGEST_REMOVAL,
    MAIN,
    ExportState,
    PartKey,
    Removal,
    TracePart,
    TraceRows,
)


@dataclass(frozen=True)
class _Part:
    next_at: datetime
    state: str = "pending"
    attempts: int = 0
    holder: str | None = None
    held_until: datetime | None = None
    body: str | None = None
    error: str | None = None


class MemoryExports:
    """Mixed into `MemoryStore`, which begins the dictionary and enqueues."""

    _exports: dict[PartKey, _Part]
    _incidents: dict[str, Incident]
    _audit: list[AuditEntry]

    def _count(self, instrument: Instrument, labels: Mapping[str, str]) -> None:
        raise NotImplementedError

    async def records(self, canary_ids: Sequence[CanaryId]) -> Sequence[Record]:
        raise NotImplementedError

    async def observations(self, canary_id: CanaryId) -> Sequence[Observation]:
        raise NotImplementedError

    def _enqueue(self, canary_id: CanaryId, part: str, at: datetime) -> None:
        self._exports.setdefault(PartKey(canary_id, part), _Part(at))

    def _enqueue_verdict(self, fresh: Judgement, before: Verdict, at: datetime) -> None:
        if before is Verdict.PENDING:
            self._enqueue(fresh.canary_id, MAIN, at)
        if fresh.verdict in {Verdict.LATE, Verdict.LOST}:
            self._enqueue(fresh.canary_id, AFTERMATH, at)

    async def claim_traces(
        self, now: datetime, *, holder: str, lease_until: datetime, limit: int
    ) -> Sequence[TracePart]:
        due = sorted(
            (
                (one.next_at, key)
                for key, one in self._exports.items()
                if one.state == "pending"
                and now - KEPT_UNSENT < one.next_at <= now
                and (one.held_until is None or one.held_until <= now)
            ),
            reverse=True,
        )[:limit]
        found = []
        for _, key in due:
            one = self._exports[key] = replace(self._exports[key], holder=holder, held_until=lease_until)
            found.append(TracePart(key, one.attempts, one.body))
        return found

    async def trace_rows(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, TraceRows]:
        return {
            one.canary.id: TraceRows(
                canary=one.canary,
                judgement=one.judgement,
                observations=tuple(await self.observations(one.canary.id)),
                incident=self._incident_of(one.canary, one.judgement),
                removals=self._removals(one.canary.id),
            )
            for one in await self.records(canary_ids)
            if one.judgement is not None and one.judgement.settled_at is not None
        }

    async def freeze_traces(self, bodies: Mapping[PartKey, str]) -> Mapping[PartKey, str]:
        kept = {}
        for key, body in bodies.items():
            if key in self._exports:
                one = self._exports[key] = replace(self._exports[key], body=self._exports[key].body or body)
                kept[key] = one.body or body
        return kept

    async def trace_sent(self, *keys: PartKey) -> None:
        for key in keys:
            self._exports.pop(key, None)

    async def trace_deferred(
        self,
        key: PartKey,
        *,
        at: datetime,
        next_at: datetime,
        error: str,
        is_attempt: bool = True,
        prober: str | None = None,
    ) -> None:
        del at
        one = self._exports.get(key)
        if one is not None and one.state == "pending":
            self._exports[key] = replace(
                one,
                attempts=one.attempts + int(is_attempt),
                next_at=next_at,
                error=error,
                holder=None,
                held_until=None,
            )
        self._count_error(prober)

    async def trace_given_up(
        self, key: PartKey, *, at: datetime, error: str, prober: str | None = None
    ) -> None:
        one = self._exports.get(key)
        if one is not None and one.state == "pending":
            self._exports[key] = _Part(at, state="dead", attempts=one.attempts + 1, error=error)
            self._count_error(prober)

    async def release_traces(self, keys: Sequence[PartKey], *, holder: str) -> None:
        for key in keys:
            one = self._exports.get(key)
            if one is not None and one.holder == holder:
                self._exports[key] = replace(one, holder=None, held_until=None)

    async def exports(self) -> ExportState:
        waiting = [one for one in self._exports.values() if one.state == "pending"]
        said = sorted((one.next_at, one.error) for one in self._exports.values() if one.error is not None)
        return ExportState(
            pending=len(waiting),
            oldest_at=min((one.next_at for one in waiting), default=None),
            dead=len(self._exports) - len(waiting),
            last_error=said[-1][1] if said else None,
        )

    def _forget_exports(self, now: datetime, gone: Sequence[CanaryId]) -> None:
        self._exports = {
            key: one
            for key, one in self._exports.items()
            if one.next_at >= now - KEPT_UNSENT and key.canary_id not in gone
        }

    def _count_error(self, prober: str | None) -> None:
        if prober is not None:
            self._count(metrics.PROBER_EXPORT_ERRORS, {"prober": prober, "kind": "traces"})

    def _incident_of(self, canary: Canary, judged: Judgement) -> Incident | None:
        if judged.verdict is Verdict.CONFIRMED:
            return None
        kind = IncidentKind.TARGET if judged.verdict.is_breach else IncidentKind.BLIND
        for one in sorted(self._incidents.values(), key=lambda one: one.opened_at, reverse=True):
            ended_at = one.impact_until or one.resolved_at
            is_of_it = one.path == canary.path and one.kind is kind and one.onset_at <= canary.launched_at
            if is_of_it and (ended_at is None or canary.launched_at < ended_at):
                return one
        return None

    def _removals(self, canary_id: CanaryId) -> tuple[Removal, ...]:
        begun: dict[tuple[str, ...], datetime] = {}
        found = []
        for one in self._audit:
            if one.canary_id != canary_id:
                continue
            place = (one.kind.value, one.place)
            if one.outcome == BEGUN:
                begun[place] = one.at
                continue
            since = begun.get(place)
            is_of_it = since is not None and timedelta(0) <= one.at - since <= LONGEST_REMOVAL
            found.append(
                Removal(
                    one.at,
                    since if is_of_it else None,
                    one.prober,
                    one.kind.value,
                    one.place,
                    one.what,
                    one.outcome,
                    one.detail,
                )
            )
        return tuple(found)
