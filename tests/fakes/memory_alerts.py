"""The part of the memory store that is about alerts and days."""

from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from canary.alert import Alert, AlertTransition, Severity, Subject, message_id
from canary.incident import Incident, IncidentId, Transition
from canary.instruments import Instrument, metrics
from canary.path import PathName
from canary.review import Standing
from canary.silence import Silence, SilenceId
from canary.verdict import Judgement, Verdict
from runners.alert_contracts import AlertStep, Opening, OutboxState, Outgoing, RefusedEnd
from runners.contracts import AuditEntry, SettlementConflict
from runners.history import Day
from runners.retention import LEAST_RECORDS, Retention


@dataclass(frozen=True)
class _Message:
    alert: Alert
    written_at: datetime
    next_at: datetime
    state: str = "pending"
    attempts: int = 0
    holder: str | None = None
    held_until: datetime | None = None
    delivered_at: datetime | None = None
    error: str | None = None


_WAITING = frozenset({"pending", "again"})
_DEAD = frozenset({"dead", "again"})


def _is_due(one: _Message, now: datetime) -> bool:
    is_untried = one.attempts == 0 and one.next_at == one.written_at
    return is_untried or not now < one.next_at <= now + timedelta(minutes=7)


def _is_free(one: _Message, now: datetime) -> bool:
    return one.held_until is None or not now < one.held_until <= now + timedelta(minutes=5)


class MemoryAlerts:
    """Mixed into `MemoryStore`, which begins the dictionaries."""

    _standings: dict[Subject, tuple[Standing | None, int]]
    _reviewed_at: dict[Subject, datetime]
    _outbox: dict[str, _Message]
    _silences: dict[SilenceId, Silence]
    _paused: dict[str, tuple[datetime, datetime]]
    _groups: dict[IncidentId, str]
    _incidents: dict[str, Incident]
    _transitions: list[tuple[str, datetime, Transition]]
    _audit: list[AuditEntry]
    _days: dict[tuple[PathName, datetime], dict[Verdict, int]]
    _day_seconds: dict[tuple[PathName, datetime], list[int]]

    def _count(self, instrument: Instrument, labels: Mapping[str, str]) -> None:
        raise NotImplementedError

    def _put_steps(self, steps: Sequence[AlertStep], at: datetime) -> None:
        for one in steps:
            version = self._standings.get(one.subject, (None, 0))[1]
            if version != one.version:
                raise SettlementConflict(f"the standing of {one.subject} is no longer at {one.version}")
            self._standings[one.subject] = (one.standing, version + 1)
            self._reviewed_at[one.subject] = at
            for alert in sorted(one.alerts, key=lambda alert: alert.seq):
                self._put_message(alert, at)
            if one.standing is not None:
                for incident_id in one.standing.concern.incidents:
                    self._groups.setdefault(incident_id, one.standing.episode)

    def _put_message(self, alert: Alert, at: datetime) -> None:
        ours = [
            kept.alert
            for kept in self._outbox.values()
            if (kept.alert.sink, kept.alert.key) == (alert.sink, alert.key)
        ]
        last = max((kept.seq for kept in ours), default=0)
        if alert in ours:
            return
        if alert.seq <= last:
            alert = replace(alert, seq=last + 1, id=message_id(alert.sink, alert.key, last + 1))
        self._drop_reminders(alert, at)
        self._outbox[alert.id] = _Message(alert, at, at)

    def _drop_reminders(self, newer: Alert, at: datetime) -> None:
        for key, one in list(self._outbox.items()):
            is_before = (one.alert.sink, one.alert.key) == (
                newer.sink,
                newer.key,
            ) and one.alert.seq < newer.seq
            is_reminder = one.state == "pending" and one.alert.transition is AlertTransition.REMINDER
            if is_before and is_reminder and _is_free(one, at):
                del self._outbox[key]

    async def groups(self, incident_ids: Sequence[IncidentId]) -> Mapping[IncidentId, str]:
        return {one: self._groups[one] for one in incident_ids if one in self._groups}

    async def standings(self) -> Mapping[Subject, tuple[Standing | None, int]]:
        return dict(self._standings)

    async def store_alerts(self, *steps: AlertStep, at: datetime) -> None:
        before = (dict(self._standings), dict(self._outbox), dict(self._groups))
        try:
            self._put_steps(steps, at)
        except SettlementConflict:
            self._standings, self._outbox, self._groups = before
            raise

    async def claim_alerts(
        self, now: datetime, *, sinks: Sequence[str], holder: str, lease_until: datetime, limit: int
    ) -> Sequence[Outgoing]:
        first: dict[tuple[str, str], _Message] = {}
        for one in sorted(self._outbox.values(), key=lambda one: one.alert.seq):
            if one.state in _WAITING:
                first.setdefault((one.alert.sink, one.alert.key), one)
        due = [
            one
            for one in first.values()
            if one.alert.sink in sinks
            and not self._is_paused(one.alert.sink, now)
            and _is_due(one, now)
            and _is_free(one, now)
        ]
        taken = sorted(due, key=lambda one: (one.next_at, one.written_at, one.alert.id))[:limit]
        for one in taken:
            self._outbox[one.alert.id] = replace(one, holder=holder, held_until=lease_until)
        return [Outgoing(one.alert, one.attempts, one.written_at) for one in taken]

    async def renew_alert(self, alert_id: str, *, holder: str, lease_until: datetime) -> bool:
        one = self._held_by(holder, alert_id)
        if one is None or one.state not in _WAITING:
            return False
        self._outbox[alert_id] = replace(one, held_until=lease_until)
        return True

    def _held_by(self, holder: str | None, alert_id: str) -> _Message | None:
        one = self._outbox.get(alert_id)
        return one if one is not None and holder in {None, one.holder} else None

    async def alert_delivered(
        self, alert_id: str, *, at: datetime, refused: str | None = None, wakes_others: bool = False
    ) -> None:
        self._finish(alert_id, "delivered", refused, at)
        if alert_id in self._outbox and self._outbox[alert_id].state == "delivered":
            self._outbox[alert_id] = replace(self._outbox[alert_id], delivered_at=at)
        for one in list(self._outbox.values()):
            is_waiting = one.state == "pending" and one.next_at > at and one.held_until is None
            if wakes_others and is_waiting and one.alert.sink == self._outbox[alert_id].alert.sink:
                self._outbox[one.alert.id] = replace(one, next_at=at)

    async def pause_sink(self, sink: str, *, at: datetime, until: datetime) -> None:
        self._paused[sink] = (at, until)

    def _is_paused(self, sink: str, now: datetime) -> bool:
        noted_at, until = self._paused.get(sink, (now, now))
        return until > now and noted_at <= now + timedelta(minutes=1)

    async def alert_given_up(
        self, alert_id: str, *, at: datetime, error: str, holder: str | None = None
    ) -> None:
        if self._held_by(holder, alert_id) is not None:
            self._finish(alert_id, "dead", error, at)

    async def give_up_alerts(
        self, *, but: Collection[str], before: datetime, at: datetime, error: str
    ) -> int:
        given_up = [
            one.alert.id
            for one in self._outbox.values()
            if one.state == "pending" and one.alert.sink not in but and one.written_at < before
        ]
        for one in given_up:
            self._finish(one, "dead", error, at)
        return len(given_up)

    async def alert_deferred(
        self, alert_id: str, *, next_at: datetime, error: str, holder: str | None = None
    ) -> None:
        one = self._held_by(holder, alert_id)
        if one is not None and one.state in _WAITING:
            self._outbox[alert_id] = replace(
                one, next_at=next_at, error=error, attempts=one.attempts + 1, holder=None, held_until=None
            )

    def _finish(self, alert_id: str, state: str, error: str | None, at: datetime) -> None:
        one = self._outbox.get(alert_id)
        if one is not None and one.state in _WAITING:
            next_at = at if state == "dead" else one.next_at
            self._outbox[alert_id] = replace(
                one, state=state, next_at=next_at, error=error, attempts=one.attempts + 1, held_until=None
            )
            if (one.state, state) != ("again", "dead"):
                self._count(metrics.PROBER_ALERTS_SENT, {"sink": one.alert.sink, "outcome": state})

    async def page_openings(self, keys: Collection[str]) -> Sequence[Opening]:
        found = []
        for one in self._outbox.values():
            told = one.alert
            is_page = told.transition is AlertTransition.OPENED and told.severity is Severity.PAGE
            if told.key not in keys or not is_page or self._is_over(one):
                continue
            is_taken = "delivered" in {one.state, *(later.state for later in self._later(one))}
            given_up_at = one.next_at if one.state == "dead" else None
            found.append(
                Opening(told.id, told.key, told.sink, one.written_at, is_taken, given_up_at, one.error)
            )
        return sorted(found, key=lambda one: (one.written_at, one.key, one.sink))

    async def refused_ends(self, since: datetime) -> Sequence[RefusedEnd]:
        found = []
        for one in self._outbox.values():
            told = one.alert
            taken = [other.alert for other in self._outbox.values() if other.state == "delivered"]
            ours = [other for other in taken if other.key == told.key]
            is_known = any(other.sink == told.sink and other.seq < told.seq for other in ours)
            is_end = told.transition is AlertTransition.RESOLVED and one.state in _DEAD
            if not is_end or not is_known or one.written_at < since or self._later(one):
                continue
            found.append(
                RefusedEnd(
                    id=told.id,
                    key=told.key,
                    subject=told.concern.subject,
                    sink=told.sink,
                    severity=told.severity,
                    written_at=one.written_at,
                    is_heard=any(other.transition is AlertTransition.RESOLVED for other in ours),
                    refused_at=one.next_at if one.state == "dead" else None,
                    error=one.error,
                )
            )
        return sorted(found, key=lambda one: (one.written_at, one.id))

    async def try_again(self, alert_ids: Collection[str], *, at: datetime) -> None:
        for alert_id in alert_ids:
            one = self._outbox[alert_id]
            is_end = one.alert.transition is AlertTransition.RESOLVED
            is_due = not self._later(one) if is_end else not self._is_over(one)
            if one.state == "dead" and is_due:
                self._outbox[alert_id] = replace(one, state="again", next_at=at)

    def _later(self, one: _Message) -> list[_Message]:
        return [
            other
            for other in self._outbox.values()
            if (other.alert.sink, other.alert.key) == (one.alert.sink, one.alert.key)
            and other.alert.seq > one.alert.seq
        ]

    def _is_over(self, one: _Message) -> bool:
        return any(later.alert.transition is AlertTransition.RESOLVED for later in self._later(one))

    async def outbox(self, *, dead_since: datetime | None = None) -> Mapping[str, OutboxState]:
        found: dict[str, OutboxState] = {}
        for one in sorted(self._outbox.values(), key=lambda one: one.written_at):
            is_partial = one.state == "delivered" and one.error is not None
            is_old = dead_since is not None and one.written_at < dead_since
            if one.state != "pending" and (is_old or (one.state == "delivered" and not is_partial)):
                continue
            state = found.get(one.alert.sink, OutboxState())
            found[one.alert.sink] = OutboxState(
                pending=state.pending + (one.state == "pending"),
                oldest_at=state.oldest_at or (one.written_at if one.state == "pending" else None),
                dead=state.dead + (one.state in _DEAD),
                partial=state.partial + is_partial,
                last_error=one.error or state.last_error,
                refused_at=state.refused_at or (one.written_at if one.state != "pending" else None),
            )
        return {sink: replace(state, takes_others=self._takes_others(sink)) for sink, state in found.items()}

    def _takes_others(self, sink: str) -> bool:
        ours = [one for one in self._outbox.values() if one.alert.sink == sink]
        refused = max((one.written_at for one in ours if one.state in _DEAD), default=None)
        taken = max((one.delivered_at for one in ours if one.delivered_at is not None), default=None)
        return refused is not None and taken is not None and taken > refused

    async def pages_since(self, since: datetime, *, until: datetime) -> int:
        return len(
            {
                one.alert.key
                for one in self._outbox.values()
                if since <= one.written_at <= until
                and one.alert.transition is AlertTransition.OPENED
                and one.alert.severity is Severity.PAGE
            }
        )

    async def add_silence(self, silence: Silence) -> None:
        self._silences.setdefault(silence.id, silence)

    async def end_silence(self, silence_id: SilenceId, *, at: datetime) -> bool:
        one = self._silences.get(silence_id)
        if one is None or one.ends_at <= at:
            return False
        self._silences[silence_id] = replace(one, ends_at=at)
        return True

    async def silences(self, now: datetime) -> Sequence[Silence]:
        kept = [one for one in self._silences.values() if one.ends_at > now]
        return sorted(kept, key=lambda one: (one.ends_at, one.id))

    def _forget_alerts(self, before: datetime) -> None:
        self._outbox = {
            key: one for key, one in self._outbox.items() if one.state in _WAITING or one.written_at >= before
        }
        self._silences = {key: one for key, one in self._silences.items() if one.ends_at >= before}

    def _forget_records(self, now: datetime, keep: Retention) -> None:
        before = keep.incidents_before(now)
        waiting = [one.alert.key for one in self._outbox.values() if one.state == "pending"]
        old = {
            key
            for key, one in self._incidents.items()
            if one.resolved_at is not None
            and one.resolved_at < before
            and not any(name in told for told in waiting for name in {key, self._groups.get(one.id, key)})
        }
        self._incidents = {key: one for key, one in self._incidents.items() if key not in old}
        self._transitions = [one for one in self._transitions if one[0] not in old]
        self._groups = {key: one for key, one in self._groups.items() if key not in old}
        over = [key for key, (one, _) in self._standings.items() if one is None]
        for key in over:
            if self._reviewed_at[key] < before:
                del self._standings[key]
        newest = max((one.at for one in self._audit), default=now)
        self._audit = [
            one for one in self._audit if one.at >= min(keep.audit_before(now), newest - LEAST_RECORDS)
        ]

    async def days(self, path: PathName, *, since: datetime) -> Sequence[Day]:
        first = since.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return [
            Day(path, at, dict(verdicts), tuple(self._day_seconds.get((path, at), ())))
            for (name, at), verdicts in sorted(self._days.items())
            if name == path and at >= first
        ]

    def _count_day(self, fresh: Judgement, before: Verdict, launched_at: datetime) -> None:
        at = launched_at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        verdicts = self._days.setdefault((fresh.path, at), {})
        reached = [fresh.verdict]
        if before is Verdict.PENDING and fresh.verdict in {Verdict.LATE, Verdict.LOST}:
            reached.append(Verdict.BREACHED)
        for one in reached:
            verdicts[one] = verdicts.get(one, 0) + 1
        if fresh.verdict in {Verdict.CONFIRMED, Verdict.LATE} and fresh.seconds is not None:
            bounds = metrics.CANARY_DURATION.bounds
            counts = self._day_seconds.setdefault((fresh.path, at), [0] * (len(bounds) + 1))
            counts[bisect_left(bounds, fresh.seconds)] += 1
