"""Stored rows become spans: what each says, when it begins and ends, and that the same rows are the same trace."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Incident, IncidentId, IncidentKind
from canary.instruments import SpanKind
from canary.observation import Observation, Outcome, Relay
from canary.page import PageRequest, PageStep
from canary.path import Path, Proof
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.trace import TraceId, span_id, trace_id
from canary.verdict import Verdict
from runners.export_contracts import AFTERMATH, MAIN, Removal, TraceRows, cleanup_part
from runners.store import codec
from runners.telemetry.span_rows import SpanRow, TraceBatch, nanoseconds
from runners.telemetry.spans import spans_of
from tests.unit.canary import facts
from tests.unit.canary.facts import at

SECOND = 1_000_000_000


def rows(
    *told: Observation | list[Observation], now: float = 700, path: Path | None = None, **changes: object
) -> TraceRows:
    """What the store has of the one canary, judged at that moment."""
    where = path or facts.path()
    seen = facts.flat(told)
    judged = facts.verdict_at(now, where, seen)
    kept = TraceRows(facts.canary(where), judged, tuple(sorted(seen, key=lambda one: one.ended_at)))
    return replace(kept, **changes)  # type: ignore[arg-type]


def batch(of: TraceRows, part: str = MAIN) -> TraceBatch:
    found = spans_of(of, part)
    assert found is not None
    return found


def spans(of: TraceRows, part: str = MAIN) -> Mapping[str, SpanRow]:
    """By their keys, which are all different."""
    found = batch(of, part).spans
    assert len({one.key for one in found}) == len(found)
    return {one.key: one for one in found}


def offset(span: SpanRow) -> tuple[float, float]:
    """Begin and end in seconds after the launch."""
    start = nanoseconds(facts.NOON)
    return (span.begin_ns - start) / SECOND, (span.end_ns - start) / SECOND


CONFIRMED = (facts.launched(), facts.arrived(8), facts.ticket(10))


def test_confirmed_canary__is_a_root_and_a_span_a_hop_by_its_own_times() -> None:
    found = spans(rows(*CONFIRMED, now=11))

    assert list(found) == [
        "canary",
        "dns",
        "smtp.connect",
        "smtp.tls",
        "smtp.auth",
        "smtp.accept",
        "mailbox.arrival",
        "ticket.created",
        "ticket.content",
    ]
    assert offset(found["canary"]) == (0, 10)
    assert offset(found["mailbox.arrival"]) == (5, 8)
    assert offset(found["ticket.created"]) == (8, 10)
    assert {one.error for one in found.values()} == {None}
    assert {one.parent for key, one in found.items() if key != "canary"} == {"canary"}
    assert found["mailbox.arrival"].kind is SpanKind.CONSUMER
    assert found["smtp.accept"].kind is SpanKind.CLIENT


def test_root__says_what_was_concluded_and_by_when_it_was_due() -> None:
    slot = facts.NOON - timedelta(seconds=3)
    known = rows(*CONFIRMED, now=11)
    known = replace(known, canary=replace(known.canary, slot_at=slot))

    root = spans(known)["canary"]

    assert root.name == "canary support-email"
    assert root.attributes == {
        "intake.canary.id": facts.ID,
        "intake.channel": "email",
        "intake.deadline": 600.0,
        "intake.horizon": 86400.0,
        "intake.path": "support-email",
        "intake.seconds": 10.0,
        "intake.slot": "2026-03-02T11:59:57.000000Z",
        "intake.ticket.id": "1",
        "intake.ticket.system": "desk",
        "intake.ticket.url": "https://desk.example/tickets/1",
        "intake.verdict": "confirmed",
        "user_agent.synthetic.type": "test",
    }
    assert (root.events, root.links) == ((), ())


def test_ids__are_those_of_the_row() -> None:
    known = rows(*CONFIRMED, now=11)
    stored = replace(known.canary, trace_id=TraceId("0af7651916cd43dd8448eb211c80319c"))

    assert batch(replace(known, canary=stored)).trace_id == "0af7651916cd43dd8448eb211c80319c"


def test_pending_canary__has_no_trace_yet() -> None:
    assert spans_of(rows(facts.launched(), now=10), MAIN) is None


def test_breach__is_an_error_with_blame_and_reason_and_the_open_hop_ends_with_the_settling() -> None:
    found = spans(rows(facts.launched(), facts.arrived(8), facts.vain(Hop.TICKET_CREATED, 600)))

    assert found["canary"].error == "ticket.created: not_seen"
    assert found["canary"].attributes["intake.blame"] == "ticket.created"
    assert [(one.name, one.at_ns) for one in found["canary"].events] == [
        ("intake.deadline", nanoseconds(at(600)))
    ]
    waited = found["ticket.created"]
    assert offset(waited) == (8, 600.5)
    assert waited.error == "not_seen"
    assert waited.attributes["error.type"] == "not_seen"
    assert waited.attributes["intake.times"] == "bounded"
    assert "ticket.content" not in found


def test_failed_hop__is_an_error_with_its_detail() -> None:
    refused = replace(
        facts.failed(Hop.SMTP_ACCEPT, 5, Reason.MAILBOX_FULL, final=True),
        detail="552 5.2.2 mailbox full",
        facts={"intake.smtp.code": 552, "intake.smtp.enhanced_code": "5.2.2"},
        observer="host-a/17",
    )

    span = spans(rows(facts.launched(until=Hop.SMTP_AUTH), refused, now=6))["smtp.accept"]

    assert span.error == "mailbox_full: 552 5.2.2 mailbox full"
    assert span.attributes["error.type"] == "mailbox_full"
    assert span.attributes["intake.smtp.code"] == 552
    assert span.attributes["intake.observer"] == "host-a/17"
    assert span.attributes["server.address"] == "mx.acme.example"


def test_inconclusive_canary__is_no_error_of_the_target_and_says_why_we_were_blind() -> None:
    blind = [facts.blind(Hop.TICKET_CREATED, one) for one in (600, 635)]

    found = spans(rows(facts.launched(), facts.arrived(8), *blind, now=700))

    assert found["canary"].error is found["ticket.created"].error is None
    assert found["canary"].attributes["intake.verdict"] == "inconclusive"
    assert found["canary"].events[-1].name == "intake.blind"
    assert found["canary"].events[-1].attributes == {"cause": "ticket_api_unreadable"}
    assert found["ticket.created"].attributes["intake.outcome"] == "unknown"


def test_hop_that_a_later_one_proves__lies_between_its_neighbours() -> None:
    span = spans(rows(facts.launched(), facts.ticket(10), now=11))["mailbox.arrival"]

    assert span.attributes["intake.evidence"] == "inferred"
    assert span.attributes["intake.times"] == "bounded"
    assert offset(span) == (5, 10)


def test_skipped_and_unseen_hops__have_no_span() -> None:
    skipped = facts.seen(Hop.SMTP_AUTH, Outcome.SKIPPED, 4)
    told = [one for one in facts.launched() if one.hop is not Hop.SMTP_AUTH]

    found = spans(rows(told, skipped, facts.vain(Hop.TICKET_CREATED, 600)))

    assert "smtp.auth" not in found
    assert "ticket.content" not in found


def test_reply_as_the_proof__stands_for_the_ticket_that_nobody_can_read() -> None:
    path = facts.path(proof=Proof.REPLY)

    found = spans(rows(facts.launched(), facts.reply(12), now=20, path=path))

    assert found["ticket.content"].attributes["intake.evidence"] == "inferred"
    assert found["reply.received"].kind is SpanKind.CONSUMER


def test_clock_that_was_set_back__makes_no_duration_negative() -> None:
    stepped = replace(facts.passed(Hop.SMTP_ACCEPT, 5), began_at=at(9), ended_at=at(5), seconds=0.25)

    span = spans(rows(facts.launched(until=Hop.SMTP_AUTH), stepped, facts.ticket(10), now=11))["smtp.accept"]

    assert offset(span) == (9, 9.25)


def test_hop_that_was_tried_again__tells_of_each_try_and_lasts_from_the_first() -> None:
    tries = [
        facts.failed(Hop.SMTP_ACCEPT, 6, Reason.DEFERRED, attempt=1),
        facts.failed(Hop.SMTP_ACCEPT, 30, Reason.CONNECTION_LOST, attempt=2),
        facts.passed(Hop.SMTP_ACCEPT, 60, attempt=3),
    ]

    span = spans(rows(facts.launched(until=Hop.SMTP_AUTH), tries, facts.ticket(70), now=71))["smtp.accept"]

    assert offset(span) == (6, 60)
    assert [(one.name, one.attributes) for one in span.events] == [
        ("intake.retry", {"attempt": 1, "error.type": "deferred"}),
        ("intake.retry", {"attempt": 2, "error.type": "connection_lost"}),
    ]


def test_bounce__is_an_event_of_the_arrival() -> None:
    told = replace(
        facts.bounce(20),
        facts={
            "intake.bounce.action": "failed",
            "intake.smtp.enhanced_code": "5.2.2",
            "intake.bounce.reporting_mta": "mx.acme.example",
        },
    )

    span = spans(rows(facts.launched(), told, now=21))["mailbox.arrival"]

    assert [(one.name, one.attributes) for one in span.events] == [
        ("intake.bounce", {"enhanced_code": "5.2.2", "reporting_mta": "mx.acme.example"})
    ]
    assert span.error is not None


def test_paint_of_a_page__is_an_event_in_milliseconds() -> None:
    opened = replace(facts.passed(Hop.DNS, 1), facts={"intake.page.lcp": 1.2345})
    told = [opened, *[one for one in facts.launched() if one.hop is not Hop.DNS]]

    span = spans(rows(told, facts.ticket(10), now=11))["dns"]

    assert [(one.name, one.attributes) for one in span.events] == [
        ("browser.web_vital", {"browser.web_vital.name": "lcp", "browser.web_vital.value": 1234.5})
    ]


def test_two_tickets__are_an_event_with_their_number() -> None:
    known = rows(facts.launched(), [*facts.ticket(10), *facts.ticket(10, number=2)], now=11)

    assert ("intake.duplicate_ticket", {"count": 2}) in [
        (one.name, one.attributes) for one in spans(known)["ticket.content"].events
    ]


def relay(number: int, stamp: datetime | None, **changes: object) -> Relay:
    made = Relay(f"mx{number}.example", f"mx{number - 1}.example", "ESMTPS", None, stamp, 1.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_relays__are_below_the_arrival_and_held_within_it_whatever_their_clocks_say() -> None:
    passed = (
        relay(1, at(-50)),
        relay(2, at(6)),
        relay(3, None),
        relay(4, at(900), is_clock_suspect=True, delay_seconds=894.0),
    )
    arrived = replace(facts.arrived(8), relays=passed)

    found = spans(rows(facts.launched(), arrived, facts.ticket(10), now=11))

    below = [found[f"relay/{number}"] for number in (1, 2, 3, 4)]
    assert [offset(one) for one in below] == [(5, 5), (5, 6), (6, 6), (6, 8)]
    assert {one.parent for one in below} == {"mailbox.arrival"}
    assert below[0].attributes["server.address"] == "mx1.example"
    assert below[0].attributes["intake.relay.stamp"] == at(-50).isoformat()
    assert [one.events[0].name for one in below if one.events] == ["intake.relay.clock_suspect"]
    assert below[3].events[0].attributes == {"skew_seconds": 894.0}


def test_steps_and_requests__are_below_their_hop_and_held_within_it() -> None:
    # The hops of a portal are launched like those of an e-mail: what lies below them does not ask which.
    opened = replace(
        facts.passed(Hop.DNS, 1),
        began_at=at(0),
        seconds=1.0,
        steps=(
            PageStep(1, "fill {label: Subject}", at(0.2), at(0.4)),
            PageStep(2, "click {text: Go}", at(0.4), at(3), is_done=False),
        ),
        requests=(
            PageRequest(1, "GET", "https://p.example/a?token=1#x", "document", at(-1), at(0.5), 200),
            PageRequest(7, "POST", "http://cdn.example:81/b", "xhr", at(0.5), None, None, "", is_error=True),
        ),
    )

    told = [opened, *[one for one in facts.launched() if one.hop is not Hop.DNS]]
    found = spans(rows(told, facts.ticket(10), now=11))

    step, undone = found["step/dns/1"], found["step/dns/2"]
    asked, failed = found["request/dns/1"], found["request/dns/7"]
    assert {one.parent for one in (step, undone, asked, failed)} == {"dns"}
    assert [offset(one) for one in (step, undone, asked, failed)] == [
        (0.2, 0.4), (0.4, 1), (0, 0.5), (0.5, 1)
    ]  # fmt: skip
    assert (step.error, undone.error) == (None, "the step could not be done")
    assert asked.attributes["url.full"] == "https://p.example/a"
    assert asked.attributes["server.port"] == 443
    assert asked.attributes["http.response.status_code"] == 200
    assert (failed.attributes["server.address"], failed.attributes["server.port"]) == ("cdn.example", 81)
    assert (asked.error, failed.error) == (None, "no answer")


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_same_rows_in_any_order__are_the_same_text(order: tuple[int, ...]) -> None:
    told: list[Observation] = [facts.arrived(8), *facts.ticket(10)]
    shuffled = [*(told[index] for index in order), *facts.launched()]
    known = rows(facts.launched(), told, now=11)

    assert codec.dumps(batch(replace(known, observations=tuple(shuffled)))) == codec.dumps(batch(known))


def test_what_was_seen_after_the_settling__is_not_in_what_is_sent_of_it() -> None:
    before = rows(facts.launched(), facts.arrived(8), facts.vain(Hop.TICKET_CREATED, 600), now=601)
    after = rows(
        facts.launched(),
        facts.arrived(8),
        facts.vain(Hop.TICKET_CREATED, 600),
        facts.ticket(720),
        now=800,
    )

    assert after.judgement.verdict is Verdict.LATE
    assert codec.dumps(batch(after)) == codec.dumps(batch(before))


def test_late_canary__has_an_aftermath_from_the_breach_to_the_ticket() -> None:
    known = rows(facts.launched(), facts.vain(Hop.TICKET_CREATED, 600), facts.ticket(720), now=800)

    (span,) = spans(known, AFTERMATH).values()

    assert (span.name, span.parent, offset(span)) == ("canary.aftermath", "canary", (600.5, 720))
    assert span.attributes["intake.verdict"] == "late"
    assert span.attributes["intake.seconds"] == 720.0
    assert span.attributes["intake.ticket.id"] == "1"
    assert span.error is None


def test_lost_canary__has_an_aftermath_that_is_an_error() -> None:
    known = rows(
        facts.launched(),
        facts.vain(Hop.TICKET_CREATED, 600),
        facts.vain(Hop.TICKET_CREATED, 86_400),
        now=86_500,
    )

    (span,) = spans(known, AFTERMATH).values()

    assert span.attributes["intake.verdict"] == "lost"
    assert span.error == "lost: ticket.created: not_seen"


def test_canary_that_is_only_breached__has_no_aftermath() -> None:
    assert spans_of(rows(facts.launched(), facts.vain(Hop.TICKET_CREATED, 600)), AFTERMATH) is None


def removal(outcome: str, **changes: object) -> Removal:
    made = Removal(at(30), at(29), "fra-1", "ticket", "desk", "17", outcome, "409 conflict")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_each_try_to_clean__is_a_span_below_the_root() -> None:
    known = rows(*CONFIRMED, now=11, removals=(removal("failed"), removal("done", begun_at=None, detail="")))

    (first,) = spans(known, cleanup_part(1)).values()
    (second,) = spans(known, cleanup_part(2)).values()

    assert (first.key, first.parent, offset(first)) == ("cleanup/1", "canary", (29, 30))
    assert first.error == "failed: 409 conflict"
    assert first.attributes["intake.outcome"] == "failed"
    assert first.attributes["intake.ticket.id"] == "17"
    assert (second.key, offset(second), second.error) == ("cleanup/2", (30, 30), None)
    assert second.attributes["intake.times"] == "bounded"


@pytest.mark.parametrize("part", ["cleanup/0", "cleanup/2", "cleanup/x", "unheard-of"])
def test_part_of_which_there_is_no_row__is_none(part: str) -> None:
    assert spans_of(rows(*CONFIRMED, now=11, removals=(removal("done"),)), part) is None


def incident(first: CanaryId) -> Incident:
    return Incident(
        id=IncidentId("incident-1"),
        path=facts.path().name,
        kind=IncidentKind.TARGET,
        first_canary=first,
        onset_at=at(-600),
        opened_at=at(0),
        stop=Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET),
        impact_from=None,
        failures=2,
    )


def test_canary_of_an_incident__links_to_the_one_it_began_with() -> None:
    first = CanaryId("agrctyyfmyk3pqpl")
    breached = (facts.launched(), facts.vain(Hop.TICKET_CREATED, 600))

    root = spans(rows(*breached, incident=incident(first)))["canary"]

    (link,) = root.links
    assert (link.trace_id, link.span_id) == (trace_id(first), span_id(first, "canary"))
    assert link.attributes == {"intake.link": "incident_onset"}
    assert root.attributes["intake.incident.id"] == "incident-1"


def test_canary_that_began_the_incident__links_to_nothing() -> None:
    root = spans(rows(facts.launched(), facts.vain(Hop.TICKET_CREATED, 600), incident=incident(facts.ID)))[
        "canary"
    ]

    assert root.links == ()


def test_canary_of_which_only_the_verdict_is_kept__is_its_root() -> None:
    known = rows(*CONFIRMED, now=11)
    thinned = replace(known, observations=(), judgement=replace(known.judgement, hops=()))

    assert list(spans(thinned)) == ["canary"]


def test_fact_that_the_catalogue_does_not_know__is_not_sent_and_a_query_neither() -> None:
    told = replace(
        facts.passed(Hop.DNS, 1),
        facts={
            "unheard.of": "x",
            "url.full": "https://a.example/b?secret=1#c",
            "dns.answers": "192.0.2.1, 192.0.2.2",
        },
        place="[2001:db8::1]:25",
    )
    others = [one for one in facts.launched() if one.hop is not Hop.DNS]

    span = spans(rows(told, others, facts.ticket(10), now=11))["dns"]

    assert "unheard.of" not in span.attributes
    assert span.attributes["url.full"] == "https://a.example/b"
    assert span.attributes["dns.answers"] == ["192.0.2.1", "192.0.2.2"]
    assert (span.attributes["server.address"], span.attributes["server.port"]) == ("2001:db8::1", 25)


def test_redaction__reaches_every_text_but_names_and_ids() -> None:
    told = replace(
        facts.failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED, final=True),
        detail="said hunter2 " + "x" * 300,
        facts={"dns.answers": "hunter2, b", "tls.server.subject": "hunter2"},
    )
    kept = batch(rows(facts.launched(until=Hop.SMTP_AUTH), told, now=6))

    cleaned = kept.redacted(lambda text: text.replace("hunter2", "***"))

    text = codec.dumps(cleaned)
    assert "hunter2" in codec.dumps(kept)
    assert "hunter2" not in text
    assert max(len(one.error or "") for one in cleaned.spans) == 256
    assert [one.key for one in cleaned.spans] == [one.key for one in kept.spans]


def test_what_is_frozen__comes_back_as_it_was() -> None:
    kept = batch(rows(*CONFIRMED, now=11))

    again = codec.loads(TraceBatch, codec.dumps(kept))

    assert codec.dumps(again) == codec.dumps(kept)
    assert again.spans[0].kind is SpanKind.INTERNAL
