"""A snapshot as text: what parses it reads back every series, and exemplars only where they are understood."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as open_metrics_families,
)
from prometheus_client.parser import text_string_to_metric_families as text_families

from canary.instruments import METRICS, Kind, metrics
from canary.trace import TraceId
from runners.contracts import Exemplar
from runners.store import open_store
from runners.telemetry.exposition import Expositions, exposition
from runners.telemetry.families import Buckets, Points, Snapshot
from tests.contracts.store_cases import MAIL, NOON, make_canary
from tests.fakes.clock import FakeClock
from tests.fakes.full_store import NOW, fill, snapshots
from tests.fakes.memory_store import MemoryStore

OPEN_METRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    file = tmp_path_factory.mktemp("store") / "intake.db"

    async def main() -> Snapshot:
        async with open_store(f"sqlite:///{file}", clock=FakeClock(), prober="fra-1") as store:
            await fill(store)
            return await snapshots(store).current()

    return asyncio.run(main())


def snapshot_of(points: Points) -> Snapshot:
    return Snapshot(NOON, points.families(), is_whole=True)


def lines(snapshot: Snapshot, accept: str = "") -> list[str]:
    return exposition(snapshot, accept)[1].decode().splitlines()


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        ("*/*", "text/plain; version=0.0.4; charset=utf-8"),
        ("text/html", "text/plain; version=0.0.4; charset=utf-8"),
        (OPEN_METRICS, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
    ],
)
def test_answer__is_of_the_format_that_was_asked_for(full: Snapshot, accept: str, content_type: str) -> None:
    assert exposition(full, accept)[0].startswith(content_type)


def test_full_snapshot__is_read_back_as_the_catalogue_names_it(full: Snapshot) -> None:
    read = {one.name: one for one in text_families("\n".join(lines(full)) + "\n")}

    kinds = {Kind.COUNTER: "counter", Kind.GAUGE: "gauge", Kind.HISTOGRAM: "histogram"}
    shown = {family.instrument for family in full.families}
    assert set(read) == {one.prometheus.removesuffix("_total") for one in shown}
    for one in shown:
        family = read[one.prometheus.removesuffix("_total")]
        assert (family.type, family.documentation) == (kinds[one.kind], one.meaning)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(one.labels)


def test_full_snapshot__has_no_series_twice_and_none_of_when_it_was_born(full: Snapshot) -> None:
    names = [line.rpartition(" ")[0] for line in lines(full) if not line.startswith("#")]

    assert len(names) == len(set(names))
    assert not [name for name in names if "_created" in name]


def test_histogram__is_cumulative_with_bounds_as_floats() -> None:
    points = Points()
    lag = Buckets((1, 0, 2, 0, 0, 0, 0, 3), total=1000.5)
    points.add(metrics.PROBER_SCHEDULER_LAG, lag, {"prober": "fra-1"})

    name = "intake_prober_scheduler_lag_seconds"
    assert lines(snapshot_of(points)) == [
        f"# HELP {name} From a slot to its launch.",
        f"# TYPE {name} histogram",
        f'{name}_bucket{{le="0.1",prober="fra-1"}} 1.0',
        f'{name}_bucket{{le="0.5",prober="fra-1"}} 1.0',
        f'{name}_bucket{{le="1.0",prober="fra-1"}} 3.0',
        f'{name}_bucket{{le="5.0",prober="fra-1"}} 3.0',
        f'{name}_bucket{{le="15.0",prober="fra-1"}} 3.0',
        f'{name}_bucket{{le="60.0",prober="fra-1"}} 3.0',
        f'{name}_bucket{{le="300.0",prober="fra-1"}} 3.0',
        f'{name}_bucket{{le="+Inf",prober="fra-1"}} 6.0',
        f'{name}_count{{prober="fra-1"}} 6.0',
        f'{name}_sum{{prober="fra-1"}} 1000.5',
    ]


def test_exemplar_of_a_stored_measurement__leads_to_its_trace_in_open_metrics_alone(full: Snapshot) -> None:
    plain, _, rest = "\n".join(lines(full, OPEN_METRICS)).partition("# TYPE intake_canary_duration_seconds")

    [exemplar] = [
        line for line in rest.splitlines() if line.startswith("intake_canary_duration") and "trace_id" in line
    ]
    assert f'verdict="confirmed"}} 1.0 # {{trace_id="{make_canary(0).trace_id}"}} 45.0 ' in exemplar
    assert 'le="60.0"' in exemplar
    assert "trace_id" not in plain
    assert "trace_id" not in "\n".join(lines(full))


def test_exemplar_of_a_bucket__stands_at_that_bucket() -> None:
    points = Points()
    one = Exemplar(TraceId("ab"), 400.0, NOON)
    lag = Buckets((0, 0, 0, 0, 0, 0, 0, 1), total=400.0, exemplars={7: one})
    points.add(metrics.PROBER_SCHEDULER_LAG, lag, {"prober": "fra-1"})

    [bucket] = [line for line in lines(snapshot_of(points), OPEN_METRICS) if "trace_id" in line]
    assert bucket == (
        'intake_prober_scheduler_lag_seconds_bucket{le="+Inf",prober="fra-1"} 1.0'
        ' # {trace_id="ab"} 400.0 1772452800.0'
    )


@given(st.text(max_size=40), st.floats(allow_nan=False))
def test_any_label_and_value__come_back_as_they_were(word: str, value: float) -> None:
    word = word.encode("utf-8", "replace").decode().replace("\r", "")
    points = Points()
    points.add(metrics.CLOCK_SKEW, value, {"place": word})

    _, body = exposition(snapshot_of(points), OPEN_METRICS)
    [family] = open_metrics_families(body.decode())  # type: ignore[no-untyped-call]  # has no types
    assert [(one.labels["place"], one.value) for one in family.samples] == [(word, value)]


def test_counter_of_everything__ends_in_total_and_nothing_else_does() -> None:
    points = Points()
    for one in METRICS:
        value = Buckets((0,) * (len(one.bounds) + 1)) if one.bounds else 1.0
        points.add(one, value, dict.fromkeys(one.labels, MAIL))

    names = {line.partition("{")[0] for line in lines(snapshot_of(points)) if not line.startswith("#")}

    assert {name for name in names if name.endswith("_total")} == {
        one.prometheus for one in METRICS if one.kind is Kind.COUNTER
    }


def test_scrapers_of_one_snapshot_and_format__get_the_same_body_until_there_is_another_snapshot() -> None:
    clock = FakeClock(NOW)

    async def main() -> None:
        page = Expositions(snapshots(MemoryStore(prober="fra-1"), clock))
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(page.answer()) for _ in range(5)]
        (content_type, first), *others = [task.result() for task in tasks]
        assert all(body is first for _, body in others)
        assert content_type.startswith("text/plain")
        assert b"intake_build_info" in first

        clock.advance(6)
        assert (await page.answer())[1] is not first

        asked = [await page.answer(OPEN_METRICS.replace("1.0.0", f"1.0.{number}")) for number in range(20)]
        assert all(body.endswith(b"# EOF\n") for _, body in asked)
        assert len(page._bodies) <= 8

    asyncio.run(main())


def test_help_of_a_command__imports_no_client_of_prometheus() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "runners", "run", "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[4],
    )

    assert "runners.cli" in done.stderr
    assert "prometheus_client" not in done.stderr


def test_modules_of_snapshots__import_no_client_of_prometheus_before_it_is_needed() -> None:
    program = (
        "import sys, runners.telemetry.exposition, runners.telemetry.snapshot, runners.telemetry.metrics_page;"
        "print([one for one in sys.modules if one.startswith(('prometheus_client', 'sqlalchemy'))])"
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
