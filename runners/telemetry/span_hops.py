"""The hops of a canary as spans, and what lies below them: relays, steps and requests."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final
from urllib.parse import urlsplit

from canary.blame import HopResult, hop_results, tickets_of_ours
from canary.hop import LAUNCH_HOPS, Hop, full_route
from canary.instrument_spans import SpanKind
from canary.observation import Evidence, Observation, Outcome
from canary.page import PageRequest, PageStep
from canary.path import Path, Proof, Slo
from canary.reason import Reason, Side
from runners.export_contracts import TraceRows
from runners.store import codec
from runners.telemetry.span_rows import SpanEvent, SpanRow, Value, lasting, nanoseconds, stamp

_ROOT: Final = "canary"
_AWAITED: Final = frozenset({Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED})
_URLS: Final = ("url.full", "browser.document.url.full")
_LISTS: Final = ("dns.answers",)


def seen_until(rows: TraceRows, at: datetime) -> list[Observation]:
    """What was seen by then, each once, in an order that is its own, whatever that of the rows."""
    by_time: dict[tuple[datetime, int, str], list[Observation]] = {}
    for one in rows.observations:
        if one.ended_at <= at:
            by_time.setdefault((one.ended_at, one.attempt, one.hop), []).append(one)
    return [one for key in sorted(by_time) for one in _each_once(by_time[key])]


def _each_once(several: Sequence[Observation]) -> Sequence[Observation]:
    """Those of one hop and time: their texts tell them apart, and are not asked for where there is one, as nearly always."""
    if len(several) == 1:
        return several
    by_text = {codec.dumps(one): one for one in several}
    return [by_text[text] for text in sorted(by_text)]


def hop_spans(rows: TraceRows, settled_at: datetime, seen: Sequence[Observation]) -> Iterator[SpanRow]:
    """The spans of all hops as they were known at the settling, each followed by those below it.

    Args:
        rows: all that is stored of the canary.
        settled_at: when its first verdict was reached.
        seen: what `seen_until` then gives.
    """
    results = _results(rows, seen)
    end_before = nanoseconds(rows.canary.launched_at)
    settled = nanoseconds(settled_at)
    for index in range(len(results)):
        span, source = _hop_span(rows, seen, results, index, end_before=end_before, settled=settled)
        if span is None:
            continue
        yield span
        if source is not None:
            yield from _below(span, source)
        end_before = max(end_before, span.end_ns)


def _results(rows: TraceRows, seen: Sequence[Observation]) -> Sequence[HopResult]:
    """What each hop came to, as the judge sees it."""
    canary = rows.canary
    known = {one.hop for one in rows.judgement.hops} or {one.hop for one in seen}
    # Only where the acknowledgement is the proof does it stand for a ticket that nobody saw.
    is_by_reply = any(
        one.hop is Hop.TICKET_CONTENT and one.evidence is Evidence.INFERRED for one in rows.judgement.hops
    )
    path = Path(
        name=canary.path,
        channel=canary.channel,
        route=tuple(hop for hop in full_route(canary.channel) if hop in known),
        slo=Slo(
            (canary.deadline_at - canary.launched_at).total_seconds(),
            (canary.horizon_at - canary.launched_at).total_seconds(),
        ),
        proof=Proof.REPLY if is_by_reply else Proof.API,
    )
    return hop_results(path, seen, deadline_at=canary.deadline_at)


def _hop_span(
    rows: TraceRows,
    seen: Sequence[Observation],
    results: Sequence[HopResult],
    index: int,
    *,
    end_before: int,
    settled: int,
) -> tuple[SpanRow | None, Observation | None]:
    """The span of one hop, and the observation that it is made of; None where it was not passed."""
    result = results[index]
    stop = rows.judgement.stop
    if result.evidence is Evidence.INFERRED:
        return _inferred(result, results[index + 1 :], end_before=end_before, settled=settled), None
    if result.outcome is Outcome.SKIPPED:
        return None, None
    if result.outcome is Outcome.UNKNOWN:
        if stop is None or stop.hop is not result.hop:
            return None, None
        is_ours = stop.side is not Side.TARGET
        source = _source(seen, result)
        return _open(result, source, stop.reason, begin=end_before, end=settled, is_ours=is_ours), source
    source = _source(seen, result)
    return _measured(result, source, seen, end_before=end_before), source


def _measured(
    result: HopResult, source: Observation | None, seen: Sequence[Observation], *, end_before: int
) -> SpanRow:
    tries = _tries(result, source, seen)
    began_at = min([one.began_at for one in tries] + ([result.began_at] if result.began_at else []))
    begin = nanoseconds(began_at)
    end = nanoseconds(result.ended_at) if result.ended_at is not None else begin
    # One process saw both ends: its monotonic clock tells how long it took, whatever the wall clock did.
    if not tries and result.hop in LAUNCH_HOPS and result.seconds is not None:
        end = begin + lasting(result.seconds)
    if result.hop not in LAUNCH_HOPS:
        # Waited for since the hop before it: how long the look took by which it was seen says nothing.
        begin = min(end_before, end)
    is_failed = result.outcome is Outcome.FAILED
    attributes = _attributes(result, source, outcome=result.outcome.value, times="measured")
    if is_failed and result.reason is not None:
        attributes["error.type"] = result.reason.value
    reason = result.reason.value if result.reason is not None else "failed"
    return SpanRow(
        key=str(result.hop),
        name=str(result.hop),
        kind=SpanKind.CONSUMER if result.hop in _AWAITED else SpanKind.CLIENT,
        begin_ns=begin,
        end_ns=max(begin, end),
        parent=_ROOT,
        attributes=attributes,
        events=tuple(_events(result, source, tries, seen, end=max(begin, end))),
        error=f"{reason}: {result.detail}".rstrip(": ") if is_failed else None,
    )


def _inferred(result: HopResult, later: Sequence[HopResult], *, end_before: int, settled: int) -> SpanRow:
    """A hop that nobody saw: between the end of the one before it and the begin of the one that proves it."""
    proving = next((one for one in later if one.evidence not in {None, Evidence.INFERRED}), None)
    at = (proving.ended_at if proving.hop not in LAUNCH_HOPS else proving.began_at) if proving else None
    end = nanoseconds(at) if at is not None else settled
    return SpanRow(
        key=str(result.hop),
        name=str(result.hop),
        kind=SpanKind.CONSUMER if result.hop in _AWAITED else SpanKind.CLIENT,
        begin_ns=end_before,
        end_ns=max(end_before, min(end, settled)),
        parent=_ROOT,
        attributes=_attributes(result, None, outcome=Outcome.OK.value, times="bounded"),
    )


def _open(
    result: HopResult, source: Observation | None, reason: Reason, *, begin: int, end: int, is_ours: bool
) -> SpanRow:
    """A hop that was waited for in vain: it ends with the settling. Our own blindness is no error of the target."""
    if result.hop in LAUNCH_HOPS and source is not None:
        begin = max(begin, nanoseconds(source.began_at))
    attributes = _attributes(result, source, outcome=result.outcome.value, times="bounded")
    attributes["error.type"] = reason.value
    return SpanRow(
        key=str(result.hop),
        name=str(result.hop),
        kind=SpanKind.CONSUMER if result.hop in _AWAITED else SpanKind.CLIENT,
        begin_ns=begin,
        end_ns=max(begin, end),
        parent=_ROOT,
        attributes=attributes,
        events=(SpanEvent("intake.blind", max(begin, end), {"cause": reason.value}),) if is_ours else (),
        error=None if is_ours else f"{reason}: {result.detail}".rstrip(": "),
    )


def _source(seen: Sequence[Observation], result: HopResult) -> Observation | None:
    """The observation that a result was made of; of several alike, the one that says most."""
    same = [
        one
        for one in seen
        if one.hop is result.hop and one.outcome is result.outcome and one.ended_at == result.ended_at
    ]
    ranked = sorted(
        same, key=lambda one: (one.reason is result.reason, one.detail == result.detail, one.order)
    )
    return ranked[-1] if ranked else None


def _tries(result: HopResult, source: Observation | None, seen: Sequence[Observation]) -> list[Observation]:
    """Earlier tries of a hop of the launch, in their order."""
    if source is None or result.hop not in LAUNCH_HOPS:
        return []
    earlier = [one for one in seen if one.hop is result.hop and one.attempt < source.attempt]
    return sorted(earlier, key=lambda one: (one.attempt, one.order))


def _attributes(
    result: HopResult, source: Observation | None, *, outcome: str, times: str
) -> dict[str, Value]:
    found = _facts(source) if source is not None else {}
    for name in _URLS:
        if isinstance(url := found.get(name), str):
            found[name] = without_query(url)
    for name in _LISTS:
        if isinstance(text := found.get(name), str):
            found[name] = [one for one in text.split(", ") if one]
    found |= {"intake.hop": result.hop.value, "intake.outcome": outcome, "intake.times": times}
    if result.evidence is not None:
        found["intake.evidence"] = result.evidence.value
    return found


def _facts(source: Observation) -> dict[str, Value]:
    found: dict[str, Value] = {**source.facts}
    if source.observer:
        found["intake.observer"] = source.observer
    if source.remote_at is not None:
        found["intake.remote.created_at"] = stamp(source.remote_at)
    if source.ticket is not None:
        found.setdefault("intake.ticket.id", str(source.ticket.ref.id))
    if source.hop in LAUNCH_HOPS and source.place and "server.address" not in found:
        host, _, port = source.place.rpartition(":")
        is_with_port = bool(host) and port.isdigit()
        found["server.address"] = host.strip("[]") if is_with_port else source.place
        if is_with_port:
            found.setdefault("server.port", int(port))
    return found


def _events(
    result: HopResult,
    source: Observation | None,
    tries: Sequence[Observation],
    seen: Sequence[Observation],
    *,
    end: int,
) -> Iterator[SpanEvent]:
    for one in tries:
        told: dict[str, Value] = {"attempt": one.attempt}
        if one.reason is not None:
            told["error.type"] = one.reason.value
        yield SpanEvent("intake.retry", nanoseconds(one.ended_at), told)
    if source is not None and "intake.bounce.action" in source.facts:
        names = {
            "enhanced_code": "intake.smtp.enhanced_code",
            "reporting_mta": "intake.bounce.reporting_mta",
        }
        told = {short: source.facts[name] for short, name in names.items() if name in source.facts}
        yield SpanEvent("intake.bounce", end, told)
    lcp = source.facts.get("intake.page.lcp") if source is not None else None
    if isinstance(lcp, int | float):
        vital: dict[str, Value] = {
            "browser.web_vital.name": "lcp",
            "browser.web_vital.value": round(1000.0 * lcp, 1),
        }
        yield SpanEvent("browser.web_vital", end, vital)
    if result.hop is Hop.TICKET_CONTENT and (count := len(tickets_of_ours(seen))) > 1:
        yield SpanEvent("intake.duplicate_ticket", end, {"count": count})


def _below(parent: SpanRow, source: Observation) -> Iterator[SpanRow]:
    if source.hop is Hop.MAILBOX_ARRIVAL:
        yield from _relays(parent, source)
    for number, step in enumerate(source.steps, 1):
        yield _step(parent, step, number)
    for request in source.requests:
        yield _request(parent, request)


def _relays(parent: SpanRow, source: Observation) -> Iterator[SpanRow]:
    """From the stamp of the relay before it to its own, by the relays' clocks: so both are held within the hop."""
    if not source.relays:
        return
    stamps = [parent.begin_ns]
    for relay in source.relays:
        at = nanoseconds(relay.remote_at) if relay.remote_at is not None else stamps[-1]
        stamps.append(min(max(at, stamps[-1]), parent.end_ns))
    for index, (relay, (begin, end)) in enumerate(zip(source.relays, pairwise(stamps), strict=True), 1):
        attributes: dict[str, Value] = {"server.address": relay.by_host, "intake.relay.index": index}
        told: dict[str, Value | None] = {
            "client.address": relay.from_host,
            "intake.relay.delay": relay.delay_seconds,
            "intake.relay.with": relay.protocol,
            "intake.relay.stamp": relay.remote_at.isoformat() if relay.remote_at is not None else None,
        }
        attributes |= {name: value for name, value in told.items() if value is not None}
        skew = {} if relay.delay_seconds is None else {"skew_seconds": relay.delay_seconds}
        yield SpanRow(
            key=f"relay/{index}",
            name="relay",
            kind=SpanKind.INTERNAL,
            begin_ns=begin,
            end_ns=end,
            parent=parent.key,
            attributes=attributes,
            events=(SpanEvent("intake.relay.clock_suspect", end, skew),) if relay.is_clock_suspect else (),
        )


def _step(parent: SpanRow, step: PageStep, number: int) -> SpanRow:
    begin, end = _within(parent, nanoseconds(step.began_at), nanoseconds(step.ended_at))
    return SpanRow(
        key=f"step/{parent.key}/{number}",
        name="portal.step",
        kind=SpanKind.INTERNAL,
        begin_ns=begin,
        end_ns=end,
        parent=parent.key,
        attributes={"intake.step.number": step.number, "intake.step.text": step.text},
        error=None if step.is_done else "the step could not be done",
    )


def _request(parent: SpanRow, request: PageRequest) -> SpanRow:
    ended = nanoseconds(request.ended_at) if request.ended_at is not None else parent.end_ns
    begin, end = _within(parent, nanoseconds(request.began_at), ended)
    url = without_query(request.url)
    attributes: dict[str, Value] = {
        "http.request.method": request.method,
        "url.full": url,
        "intake.request.type": request.kind,
    }
    parts = urlsplit(url)
    if parts.hostname:
        attributes["server.address"] = parts.hostname
        attributes["server.port"] = parts.port or (443 if parts.scheme == "https" else 80)
    if request.status is not None:
        attributes["http.response.status_code"] = request.status
    if request.failure:
        attributes["intake.request.failure"] = request.failure
    said = request.failure or str(request.status or "no answer")
    return SpanRow(
        key=f"request/{parent.key}/{request.number}",
        name="portal.request",
        kind=SpanKind.CLIENT,
        begin_ns=begin,
        end_ns=end,
        parent=parent.key,
        attributes=attributes,
        error=said if request.is_error else None,
    )


def _within(parent: SpanRow, begin: int, end: int) -> tuple[int, int]:
    begin = min(max(begin, parent.begin_ns), parent.end_ns)
    return begin, min(max(begin, end), parent.end_ns)


def without_query(url: str) -> str:
    """The address without query and fragment, which may hold what is nobody else's business."""
    return url.partition("#")[0].partition("?")[0]
