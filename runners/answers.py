"""Build the `--json` answers of what the domain and the store know."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from canary.backlog import Backlog
from canary.blame import HopResult
from canary.gauge import Gauge, GaugeName
from canary.incident import Incident
from canary.observation import Observation, Relay
from canary.signature import CanaryId
from canary.silence import Silence
from canary.ticket import TicketRef
from canary.verdict import Judgement, Verdict
from probes.contracts import Check
from runners.answer_shapes import (
    AuditLineAnswer,
    BacklogAnswer,
    CanaryAnswer,
    CheckAnswer,
    ChecksAnswer,
    ErrorAnswer,
    ErrorsAnswer,
    GaugeAnswer,
    HopAnswer,
    IncidentAnswer,
    KeptAnswer,
    LeftoverAnswer,
    ObservationAnswer,
    PathAnswer,
    RelayAnswer,
    RunAnswer,
    Side,
    SilenceAnswer,
    TicketAnswer,
    WaitingAnswer,
)
from runners.config.errors import ConfigError
from runners.contracts import AuditEntry, Leftover, PathFacts, Record
from runners.states import PathView


def stamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _maybe(at: datetime | None) -> str | None:
    return stamp(at) if at is not None else None


def canary_answer(record: Record) -> CanaryAnswer:
    """A canary with its stored judgement; before the first one it is pending and knows no hop."""
    canary, judgement = record.canary, record.judgement
    stop = judgement.stop if judgement is not None else None
    return {
        "id": canary.id,
        "path": canary.path,
        "channel": canary.channel.value,
        "verdict": record.verdict.value,
        "blame": stop.hop.value if stop is not None else None,
        "reason": stop.reason.value if stop is not None else None,
        "side": _side(judgement),
        "slow": [hop.value for hop in judgement.slow] if judgement is not None else [],
        "flaws": [{"hop": one.hop.value, "reason": one.reason.value} for one in judgement.flaws]
        if judgement is not None
        else [],
        "launched_at": stamp(canary.launched_at),
        "settled_at": _maybe(judgement.settled_at) if judgement is not None else None,
        "seconds": judgement.seconds if judgement is not None else None,
        "deadline_seconds": (canary.deadline_at - canary.launched_at).total_seconds(),
        "ticket": _ticket(judgement.ticket)
        if judgement is not None and judgement.ticket is not None
        else None,
        "trace_id": canary.trace_id,
        "hops": [hop_answer(one) for one in judgement.hops] if judgement is not None else [],
    }


def _side(judgement: Judgement | None) -> Side | None:
    if judgement is None or judgement.stop is None:
        return None
    return "prober" if judgement.verdict is Verdict.INCONCLUSIVE else "target"


def _ticket(ref: TicketRef) -> TicketAnswer:
    return {"system": ref.system, "id": ref.id, "url": ref.url}


def hop_answer(result: HopResult) -> HopAnswer:
    """What one hop came to."""
    return {
        "name": result.hop.value,
        "outcome": result.outcome.value,
        "evidence": result.evidence.value if result.evidence is not None else None,
        "began_at": _maybe(result.began_at),
        "ended_at": _maybe(result.ended_at),
        "seconds": result.seconds,
        "reason": result.reason.value if result.reason is not None else None,
        "detail": result.detail or None,
    }


def gauge_answer(gauge: Gauge) -> GaugeAnswer:
    """One reading."""
    name = gauge.name.value
    if gauge.name is GaugeName.MAILBOX_CAPACITY and gauge.resource is not None and not gauge.detail:
        return {**_gauge(gauge, name), "detail": gauge.resource.value}
    return _gauge(gauge, name)


def _gauge(gauge: Gauge, name: str) -> GaugeAnswer:
    return {
        "place": gauge.place,
        "name": name,
        "value": gauge.value,
        "unit": gauge.unit,
        "limit": gauge.limit,
        "state": gauge.state.value,
        "detail": gauge.detail,
    }


def run_answer(
    records: Iterable[Record],
    gauges: Iterable[Gauge],
    leftovers: Sequence[Leftover],
    status: int,
    *,
    removed: Iterable[AuditEntry] = (),
    waiting: Iterable[Record] = (),
) -> RunAnswer:
    """What a run came to; ``waiting``: canaries that are not at their end."""
    out = list(waiting)
    return {
        "canaries": [canary_answer(one) for one in records],
        "gauges": [gauge_answer(one) for one in gauges],
        "leftovers": [leftover_answer(one) for one in leftovers],
        "removed": [audit_line_answer(one) for one in removed],
        "waiting": [waiting_answer(one) for one in out],
        "kept": [kept_answer(one) for one in kept_of(out, {one.canary_id for one in leftovers})],
        "exit": int(status),
    }


def errors_answer(errors: Sequence[ConfigError]) -> ErrorsAnswer:
    """The mistakes of a configuration."""
    return {
        "errors": [
            {
                "file": one.file,
                "line": one.line,
                "column": one.column,
                "key": one.key,
                "message": one.message,
                "remedy": one.remedy,
            }
            for one in errors
        ],
        "exit": 2,
    }


def failure_answer(message: str, remedy: str, status: int) -> ErrorsAnswer:
    """A command that could not do its work, for a cause outside the configuration."""
    error: ErrorAnswer = {
        "file": None,
        "line": None,
        "column": None,
        "key": "",
        "message": message,
        "remedy": remedy,
    }
    return {"errors": [error], "exit": int(status)}


def checks_answer(checks: Iterable[Check], status: int) -> ChecksAnswer:
    """What the checks found."""
    found: list[CheckAnswer] = [
        {
            "place": one.place,
            "name": one.name,
            "state": one.state.value,
            "finding": one.finding,
            "remedy": one.remedy,
            "seconds": one.seconds,
        }
        for one in checks
    ]
    return {"checks": found, "exit": int(status)}


def backlog_answer(found: Backlog) -> BacklogAnswer:
    """What is still missing of an incident."""
    return {
        "missing": found.missing,
        "late": found.late,
        "rate_per_minute": found.rate_per_minute,
        "ends_at": _maybe(found.ends_at),
        "state": found.state.value,
    }


def incident_answer(
    incident: Incident, found: Backlog | None = None, at_risk: float | None = None
) -> IncidentAnswer:
    """An incident as it stands, with its backlog and its tickets at risk where they were asked for."""
    sharper, bisected = incident.sharper, incident.bisected
    return {
        "id": incident.id,
        "path": incident.path,
        "kind": incident.kind.value,
        "state": "open" if incident.is_open else "retired" if incident.is_retired else "resolved",
        "first_canary": incident.first_canary,
        "blame": incident.stop.hop.value,
        "reason": incident.stop.reason.value,
        "side": incident.stop.side.value,
        "sharper": {"hop": sharper.hop.value, "reason": sharper.reason.value}
        if sharper is not None
        else None,
        "onset_at": stamp(incident.onset_at),
        "opened_at": stamp(incident.opened_at),
        "detection_seconds": (incident.opened_at - incident.onset_at).total_seconds(),
        "bisected": {"canary": bisected.canary_id, "verdict": bisected.verdict.value}
        if bisected is not None
        else None,
        "impact_from": _maybe(incident.impact_from),
        "impact_until": _maybe(incident.impact_until),
        "resolved_at": _maybe(incident.resolved_at),
        "failures": incident.failures,
        "backlog": backlog_answer(found) if found is not None else None,
        "tickets_at_risk": at_risk,
    }


def path_answer(view: PathView, facts: PathFacts) -> PathAnswer:
    """A path at a glance."""
    path = view.path
    return {
        "path": path.name,
        "channel": path.channel.value,
        "enabled": path.is_enabled,
        "state": view.state.value,
        "silenced": view.is_silenced,
        "why": view.why,
        "quarantine": view.quarantine or None,
        "proof": path.proof.value,
        "last_launch_at": _maybe(facts.last_launch_at),
        "last_verdict_at": _maybe(facts.last_verdict_at),
        "last_success_at": _maybe(facts.last_success_at),
        "verdicts": [verdict.value for _, verdict in facts.verdicts],
        "incident": incident_answer(view.incident) if view.incident is not None else None,
    }


def observation_answer(seen: Observation) -> ObservationAnswer:
    """One fact that was seen of a canary."""
    return {
        "hop": seen.hop.value,
        "outcome": seen.outcome.value,
        "evidence": seen.evidence.value,
        "began_at": stamp(seen.began_at),
        "ended_at": stamp(seen.ended_at),
        "seconds": seen.seconds,
        "reason": seen.reason.value if seen.reason is not None else None,
        "place": seen.place,
        "attempt": seen.attempt,
        "detail": seen.detail,
        "observer": seen.observer,
        "remote_at": _maybe(seen.remote_at),
        "facts": dict(seen.facts),
        "relays": [_relay(one) for one in seen.relays],
    }


def _relay(relay: Relay) -> RelayAnswer:
    return {
        "by_host": relay.by_host,
        "from_host": relay.from_host,
        "protocol": relay.protocol,
        "at": _maybe(relay.remote_at),
        "delay_seconds": relay.delay_seconds,
        "clock_suspect": relay.is_clock_suspect,
        "received": relay.raw or None,
    }


def silence_answer(silence: Silence) -> SilenceAnswer:
    """A silence, or an occurrence of a maintenance window."""
    return {
        "id": silence.id,
        "about": silence.about,
        "begins_at": stamp(silence.begins_at),
        "ends_at": stamp(silence.ends_at),
        "why": silence.why,
        "who": silence.who,
    }


def audit_line_answer(entry: AuditEntry) -> AuditLineAnswer:
    """One line of the audit."""
    return {
        "at": stamp(entry.at),
        "prober": entry.prober,
        "canary": entry.canary_id,
        "kind": entry.kind.value,
        "place": entry.place,
        "what": entry.what,
        "action": entry.action,
        "outcome": entry.outcome,
        "detail": entry.detail,
    }


def kept_of(records: Iterable[Record], waiting: Collection[CanaryId]) -> list[Record]:
    """Breached canaries whose ticket is not tried to be removed yet: they are watched to their horizon first."""
    return [
        one
        for one in records
        if one.verdict is Verdict.BREACHED
        and one.judgement is not None
        and one.judgement.ticket is not None
        and not one.is_clean
        and one.canary.id not in waiting
    ]


def kept_answer(record: Record) -> KeptAnswer:
    """A ticket that is kept until its canary's end."""
    ticket = record.judgement.ticket if record.judgement is not None else None
    return {
        "canary": record.canary.id,
        "path": record.canary.path,
        "verdict": record.verdict.value,
        "place": ticket.system if ticket is not None else "",
        "what": ticket.id if ticket is not None else "",
        "until": stamp(record.canary.horizon_at),
    }


def waiting_answer(record: Record) -> WaitingAnswer:
    """A canary that is not at its end."""
    return {
        "canary": record.canary.id,
        "path": record.canary.path,
        "verdict": record.verdict.value,
        "until": stamp(record.waits_until),
    }


def leftover_answer(leftover: Leftover) -> LeftoverAnswer:
    """Something that is still to be removed."""
    return {
        "canary": leftover.canary_id,
        "path": leftover.path,
        "kind": leftover.kind.value,
        "place": leftover.place,
        "what": leftover.what,
        "attempts": leftover.attempts,
        "since": stamp(leftover.since),
        "next_at": stamp(leftover.next_at),
        "detail": leftover.detail,
    }
