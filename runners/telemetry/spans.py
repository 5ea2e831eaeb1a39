"""Stored rows to spans: a pure function, so that the same rows are the same bytes, whoever sends them and how often.

What a part says is what was known when its verdict was reached: whatever was seen later is a span of a later part, so
that a span that was sent is never changed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from canary.blame import tickets_of_ours
from canary.instrument_spans import ATTRIBUTES, SpanKind
from canary.observation import Observation
from canary.reason import Reason
from canary.ticket import TicketRef
from canary.trace import span_id, trace_id
from canary.verdict import Verdict
from runners.export_contracts import AFTERMATH, MAIN, Removal, TraceRows, cleanup_number, cleanup_part
from runners.telemetry.span_hops import hop_spans, seen_until
from runners.telemetry.span_rows import (
    Attributes,
    SpanEvent,
    SpanLink,
    SpanRow,
    TraceBatch,
    Value,
    nanoseconds,
    stamp,
)

ROOT: Final = "canary"
_CLEANED: Final = frozenset({"done", "accepted", "absent"})
_KNOWN: Final = frozenset(one.name for one in ATTRIBUTES)


def spans_of(rows: TraceRows, part: str) -> TraceBatch | None:
    """One part of a canary's trace; None where the rows do not have it (any more).

    Args:
        rows: all that is stored of the canary.
        part: `MAIN`, `AFTERMATH`, or one of `cleanup_part`.
    """
    settled_at = rows.judgement.settled_at
    if settled_at is None:
        return None
    number = cleanup_number(part)
    if part == MAIN:
        seen = seen_until(rows, settled_at)
        spans = [_root(rows, settled_at, seen), *hop_spans(rows, settled_at, seen)]
    elif part == AFTERMATH:
        spans = _aftermath(rows, settled_at)
    elif number is not None and 0 < number <= len(rows.removals):
        spans = [_cleanup(rows.removals[number - 1], number)]
    else:
        return None
    if not spans:
        return None
    canary = rows.canary
    everywhere = {
        "intake.canary.id": canary.id,
        "intake.path": canary.path,
        "intake.channel": canary.channel.value,
    }
    return TraceBatch(canary.id, canary.trace_id, tuple(_bearing(one, everywhere) for one in spans))


def _bearing(span: SpanRow, everywhere: Attributes) -> SpanRow:
    """The span with what every one bears, and without what the catalogue does not know."""
    attributes = {**everywhere, **span.attributes}
    return SpanRow(
        key=span.key,
        name=span.name,
        kind=span.kind,
        begin_ns=span.begin_ns,
        end_ns=max(span.begin_ns, span.end_ns),
        parent=span.parent,
        attributes={name: attributes[name] for name in sorted(attributes) if name in _KNOWN},
        events=span.events,
        links=span.links,
        error=span.error,
    )


def _root(rows: TraceRows, settled_at: datetime, seen: Sequence[Observation]) -> SpanRow:
    canary, judgement = rows.canary, rows.judgement
    # Late and lost came later: at the settling it was breached.
    verdict = Verdict.BREACHED if judgement.verdict.is_breach else judgement.verdict
    attributes: dict[str, Value] = {
        "intake.verdict": verdict.value,
        "intake.deadline": (canary.deadline_at - canary.launched_at).total_seconds(),
        "intake.horizon": (canary.horizon_at - canary.launched_at).total_seconds(),
        "user_agent.synthetic.type": "test",
    }
    stop = judgement.stop
    if stop is not None:
        attributes |= {"intake.blame": stop.hop.value, "intake.reason": stop.reason.value}
    if verdict is Verdict.CONFIRMED and judgement.seconds is not None:
        attributes["intake.seconds"] = judgement.seconds
    tickets = [one.ticket.ref for one in tickets_of_ours(seen) if one.ticket]
    attributes |= _ticket(tickets[0] if tickets else None)
    if canary.slot_at is not None:
        attributes["intake.slot"] = stamp(canary.slot_at)
    if rows.incident is not None:
        attributes["intake.incident.id"] = rows.incident.id
    begin, end = nanoseconds(canary.launched_at), nanoseconds(settled_at)
    events = (
        [SpanEvent("intake.deadline", nanoseconds(canary.deadline_at))]
        if settled_at >= canary.deadline_at
        else []
    )
    if verdict is Verdict.INCONCLUSIVE:
        cause = stop.reason.value if stop is not None else Reason.NOT_LOOKED.value
        events.append(SpanEvent("intake.blind", end, {"cause": cause}))
    is_error = verdict is Verdict.BREACHED and stop is not None
    return SpanRow(
        key=ROOT,
        name=f"canary {canary.path}",
        kind=SpanKind.INTERNAL,
        begin_ns=begin,
        end_ns=end,
        attributes=attributes,
        events=tuple(events),
        links=tuple(_links(rows)),
        error=f"{stop.hop}: {stop.reason}" if is_error and stop is not None else None,
    )


def _links(rows: TraceRows) -> Iterable[SpanLink]:
    """To the canary with which the incident began."""
    if rows.incident is None or rows.incident.first_canary == rows.canary.id:
        return
    first = rows.incident.first_canary
    yield SpanLink(trace_id(first), span_id(first, ROOT), {"intake.link": "incident_onset"})


def _aftermath(rows: TraceRows, settled_at: datetime) -> list[SpanRow]:
    judgement = rows.judgement
    if judgement.verdict not in {Verdict.LATE, Verdict.LOST} or judgement.ended_at is None:
        return []
    attributes: dict[str, Value] = {"intake.verdict": judgement.verdict.value}
    stop = judgement.stop
    if stop is not None:
        attributes |= {"intake.blame": stop.hop.value, "intake.reason": stop.reason.value}
    if judgement.verdict is Verdict.LATE and judgement.seconds is not None:
        attributes["intake.seconds"] = judgement.seconds
    attributes |= _ticket(judgement.ticket)
    is_lost = judgement.verdict is Verdict.LOST
    return [
        SpanRow(
            key="aftermath",
            name="canary.aftermath",
            kind=SpanKind.INTERNAL,
            begin_ns=nanoseconds(settled_at),
            end_ns=nanoseconds(judgement.ended_at),
            parent=ROOT,
            attributes=attributes,
            error=f"lost: {stop.hop}: {stop.reason}" if is_lost and stop is not None else None,
        )
    ]


def _cleanup(removal: Removal, number: int) -> SpanRow:
    is_done = removal.outcome in _CLEANED
    attributes: dict[str, Value] = {
        "intake.hop": "ticket.cleanup",
        "intake.outcome": "ok" if is_done else "failed",
        "intake.evidence": "observed",
        "intake.times": "measured" if removal.begun_at is not None else "bounded",
        "intake.observer": removal.prober,
        "intake.cleanup.kind": removal.kind,
        "intake.cleanup.outcome": removal.outcome,
    }
    if removal.kind == "ticket":
        attributes |= {"intake.ticket.system": removal.place, "intake.ticket.id": removal.what}
    begun_at = min(removal.begun_at or removal.at, removal.at)
    return SpanRow(
        key=cleanup_part(number),
        name="ticket.cleanup",
        kind=SpanKind.CLIENT,
        begin_ns=nanoseconds(begun_at),
        end_ns=nanoseconds(removal.at),
        parent=ROOT,
        attributes=attributes,
        error=None if is_done else f"{removal.outcome}: {removal.detail}".rstrip(": "),
    )


def _ticket(ref: TicketRef | None) -> Attributes:
    if ref is None:
        return {}
    named = {"intake.ticket.system": ref.system, "intake.ticket.id": str(ref.id)}
    return named | ({"intake.ticket.url": ref.url} if ref.url else {})
