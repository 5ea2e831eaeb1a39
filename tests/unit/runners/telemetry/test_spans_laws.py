"""Laws of the spans, whatever was told of a canary and in whatever order."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans

from canary.instruments import ATTRIBUTES, EVENTS
from canary.observation import Observation
from canary.path import Path
from canary.verdict import judge
from runners.export_contracts import AFTERMATH, MAIN, TraceRows
from runners.store import codec
from runners.telemetry.span_rows import TraceBatch, nanoseconds
from runners.telemetry.spans import spans_of
from runners.telemetry.traces import to_spans
from tests.unit.canary import facts, strategies

PARTS = (MAIN, AFTERMATH)
KNOWN = {one.name for one in ATTRIBUTES}
KNOWN_EVENTS = {one.name: {*one.attributes} for one in EVENTS}

told = st.tuples(strategies.paths(), strategies.steady_observations, strategies.moments)
"""A path, what was seen of its one canary, and when it is judged."""


def rows(path: Path, seen: list[Observation], now: float | None = None) -> TraceRows:
    moment = facts.at(facts.FOREVER if now is None else now)
    canary = facts.canary(path)
    return TraceRows(canary, judge(path, canary, seen, moment), tuple(seen))


def batches(known: TraceRows) -> list[TraceBatch]:
    return [one for part in PARTS if (one := spans_of(known, part)) is not None]


@given(told, st.randoms(use_true_random=False))
def test_order_of_the_rows__changes_no_byte(
    case: tuple[Path, list[Observation], object], chance: object
) -> None:
    path, seen, _ = case
    shuffled = list(seen)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    known = rows(path, seen)

    texts = [codec.dumps(one) for one in batches(known)]

    assert [codec.dumps(one) for one in batches(replace(known, observations=tuple(shuffled)))] == texts
    assert [codec.dumps(one) for one in batches(replace(known, observations=(*seen, *seen)))] == texts


@given(told)
def test_part_that_was_just_made__is_sent_as_it_is_when_read_back(
    case: tuple[Path, list[Observation], object],
) -> None:
    path, seen, _ = case
    made = batches(rows(path, seen))

    read = [codec.loads(TraceBatch, codec.dumps(one)) for one in made]

    assert encode_spans(to_spans(*read)) == encode_spans(to_spans(*made))


@given(told)
def test_every_span__has_its_parent_in_the_trace_and_a_key_of_its_own(
    case: tuple[Path, list[Observation], object],
) -> None:
    path, seen, _ = case
    found = [span for one in batches(rows(path, seen)) for span in one.spans]
    keys = [one.key for one in found]

    assert len(keys) == len(set(keys))
    assert {one.parent for one in found} - {None} <= set(keys)
    assert [one.key for one in found if one.parent is None] == (["canary"] if found else [])


@given(told)
def test_every_span__begins_before_it_ends_and_no_hop_outlasts_the_settling(
    case: tuple[Path, list[Observation], object],
) -> None:
    path, seen, _ = case
    known = rows(path, seen)
    by_key = {span.key: span for one in batches(known) for span in one.spans}
    settled_at = known.judgement.settled_at

    for one in by_key.values():
        assert one.begin_ns <= one.end_ns
        parent = by_key[one.parent] if one.parent is not None else None
        if parent is not None and parent.key != "canary":
            assert parent.begin_ns <= one.begin_ns <= one.end_ns <= parent.end_ns
        elif parent is not None and one.key != "aftermath":
            assert settled_at is not None
            assert parent.begin_ns <= one.begin_ns
            assert one.end_ns <= nanoseconds(settled_at)


@given(told)
def test_everything_that_a_span_says__is_in_the_catalogue(
    case: tuple[Path, list[Observation], object],
) -> None:
    path, seen, _ = case
    for one in batches(rows(path, seen)):
        for span in one.spans:
            assert set(span.attributes) <= KNOWN
            for event in span.events:
                assert set(event.attributes) <= KNOWN_EVENTS[event.name]


@given(told)
def test_what_is_learnt_after_the_settling__changes_no_hop_that_was_sent(
    case: tuple[Path, list[Observation], object],
) -> None:
    path, seen, _ = case
    known = rows(path, seen)
    settled_at = known.judgement.settled_at
    if settled_at is None:
        return
    until_then = tuple(one for one in seen if one.ended_at <= settled_at)
    (first, *_), (again, *_) = (
        batches(known),
        batches(replace(known, observations=until_then)),
    )

    assert codec.dumps(again) == codec.dumps(first)
    assert settled_at - known.canary.launched_at >= timedelta(0)
