"""Our plain text is that of Prometheus' own client, to the byte: whatever reads the one reads the other."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.utils import floatToGoString

from canary.instruments import METRICS, Instrument, Kind
from runners.telemetry.exposition import exposition
from runners.telemetry.families import Buckets, Family, Point, Snapshot
from runners.telemetry.plain_text import CONTENT_TYPE, number, plain_text
from tests.contracts.store_cases import NOON
from tests.unit.runners.telemetry.test_every_state import SNAPSHOT

NUMBERS = st.one_of(st.floats(), st.integers(-(10**20), 10**20).map(float))
WORDS = st.text(st.characters(codec="utf-8"), max_size=12)


def values_of(instrument: Instrument) -> st.SearchStrategy[float | Buckets]:
    if instrument.kind is not Kind.HISTOGRAM:
        return NUMBERS
    buckets = len(instrument.bounds) + 1
    counts = st.lists(st.integers(0, 10**9), min_size=buckets, max_size=buckets)
    return st.builds(Buckets, counts.map(tuple), NUMBERS)


def families_of(instrument: Instrument) -> st.SearchStrategy[Family]:
    labels = st.tuples(*(WORDS for _ in instrument.labels))
    points = st.lists(st.builds(Point, labels, values_of(instrument)), max_size=4)
    return st.builds(Family, st.just(instrument), points.map(tuple))


SNAPSHOTS = st.lists(st.sampled_from(METRICS).flatmap(families_of), max_size=4).map(
    lambda several: Snapshot(NOON, tuple(several), is_whole=True)
)


@given(SNAPSHOTS)
def test_any_snapshot__is_the_text_of_prometheus_own_client(snapshot: Snapshot) -> None:
    assert (CONTENT_TYPE, plain_text(snapshot)) == exposition(snapshot)


def test_snapshot_of_every_state__is_the_text_of_prometheus_own_client() -> None:
    assert plain_text(SNAPSHOT) == exposition(SNAPSHOT)[1]


@given(NUMBERS)
def test_any_number__is_written_as_prometheus_own_client_writes_it(value: float) -> None:
    assert number(value) == floatToGoString(value)  # type: ignore[no-untyped-call]  # the library gives it no types


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1.0"), (1234567, "1.234567e+06"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (math.nan, "NaN")],
)
def test_number__is_written_as_go_does(value: float, text: str) -> None:
    assert number(value) == text


def test_ways_out_that_take_plain_text__load_no_client_of_prometheus() -> None:
    program = (
        "import sys, runners.telemetry.textfile, runners.telemetry.pushgateway\n"
        "from runners.telemetry.plain_text import plain_text\n"
        "from runners.telemetry.families import Snapshot\n"
        "from datetime import UTC, datetime\n"
        "assert plain_text(Snapshot(datetime.now(UTC), (), is_whole=True)) == b''\n"
        "print([one for one in sys.modules if one.startswith('prometheus_client')])"
    )
    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[4],
    )

    assert done.stdout == "[]\n"
