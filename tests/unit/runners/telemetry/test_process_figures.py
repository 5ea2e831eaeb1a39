"""This process's own figures: every known series from the start, nothing that no catalogue has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.instruments import Instrument, Source, metrics
from probes.request_outcome import RequestOutcome
from runners.telemetry.families import Buckets, Points
from runners.telemetry.process_figures import (
    Build,
    ExportKind,
    ProcessFigures,
    StoreErrorKind,
    this_build,
)
from tests.contracts.store_cases import NOON

BUILD = Build("1.2.3", "", "3.11.2")


def shown(
    figures: ProcessFigures, *, store_is_readable: bool = True
) -> dict[Instrument, dict[tuple[str, ...], object]]:
    points = Points()
    figures.add_to(points, store_is_readable=store_is_readable)
    return {
        family.instrument: {point.labels: point.value for point in family.points}
        for family in points.families()
    }


def test_new_process__shows_every_known_series_at_0_and_no_heartbeat() -> None:
    series = shown(ProcessFigures("fra-1", build=BUILD, systems=["desk"]))

    assert series == {
        metrics.TICKET_API_REQUESTS: {
            ("desk", outcome, "fra-1"): 0 for outcome in ("ok", "rate_limited", "unauthorised", "error")
        },
        metrics.PROBER_BLIND: {
            ("fra-1", cause): 0
            for cause in ("network", "dns", "credentials", "disk", "store", "clock", "browser", "ticket_api")
        },
        metrics.PROBER_SCHEDULER_LAG: {("fra-1",): Buckets((0, 0, 0, 0, 0, 0, 0, 0))},
        metrics.PROBER_STORE_ERRORS: {("fra-1", "read"): 0, ("fra-1", "write"): 0},
        metrics.PROBER_EXPORT_ERRORS: {("fra-1", "traces"): 0, ("fra-1", "metrics"): 0},
        metrics.BUILD_INFO: {("1.2.3", "", "3.11.2", "fra-1"): 1},
    }
    assert {instrument.source for instrument in series} == {Source.PROCESS}


def test_what_happened__is_counted() -> None:
    figures = ProcessFigures("fra-1", build=BUILD)
    figures.beat(NOON)
    figures.store_error(StoreErrorKind.WRITE)
    figures.export_error(ExportKind.TRACES)
    figures.export_error(ExportKind.TRACES)
    figures.api_request("desk", RequestOutcome.ERROR)
    figures.watcher("desk", is_up=True)
    figures.watcher("desk", is_up=False)

    series = shown(figures)

    assert series[metrics.PROBER_HEARTBEAT] == {("fra-1",): NOON.timestamp()}
    assert series[metrics.PROBER_STORE_ERRORS]["fra-1", "write"] == 1
    assert series[metrics.PROBER_EXPORT_ERRORS]["fra-1", "traces"] == 2
    assert series[metrics.TICKET_API_REQUESTS] == {("desk", "error", "fra-1"): 1}
    assert series[metrics.PROBER_WATCHER_UP] == {("desk", "fra-1"): 0}


def test_blindness__comes_and_goes_and_an_unreadable_store_is_one_more_of_that_moment() -> None:
    figures = ProcessFigures("fra-1", build=BUILD)
    figures.blind("dns", is_blind=True)
    figures.blind("disk", is_blind=True)
    figures.blind("disk", is_blind=False)

    def causes(*, store_is_readable: bool) -> set[str]:
        series = shown(figures, store_is_readable=store_is_readable)[metrics.PROBER_BLIND]
        return {labels[1] for labels, value in series.items() if value}

    assert causes(store_is_readable=False) == {"dns", "store"}
    assert causes(store_is_readable=True) == {"dns"}


def test_cause_of_blindness_that_the_catalogue_does_not_have__is_refused() -> None:
    with pytest.raises(ValueError, match="hangover"):
        ProcessFigures("fra-1", build=BUILD).blind("hangover", is_blind=True)


@given(st.lists(st.floats(-10, 1000, allow_nan=False)))
def test_lags__fall_each_into_the_first_bucket_that_holds_it(lags: list[float]) -> None:
    figures = ProcessFigures("fra-1", build=BUILD)
    for seconds in lags:
        figures.note_lag(seconds)

    buckets = shown(figures)[metrics.PROBER_SCHEDULER_LAG]["fra-1",]

    assert isinstance(buckets, Buckets)
    reached = [max(0.0, one) for one in lags]
    for index, bound in enumerate((0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, float("inf"))):
        assert sum(buckets.counts[: index + 1]) == sum(1 for one in reached if one <= bound)
    assert buckets.total == pytest.approx(sum(reached))
    assert (buckets.least, buckets.greatest) == (min(reached, default=None), max(reached, default=None))


def test_what_was_taken__is_taken_once_and_shown_for_ever() -> None:
    figures = ProcessFigures("fra-1", build=BUILD, systems=["desk"])
    figures.api_request("desk", RequestOutcome.OK)
    figures.note_lag(0.7)

    first, again = figures.take(), figures.take()
    figures.note_lag(0.2)
    (lag,) = figures.take()

    assert sorted((one.name, one.value) for one in first) == [
        (metrics.PROBER_SCHEDULER_LAG.name, 0.7),
        (metrics.TICKET_API_REQUESTS.name, 1.0),
    ]
    assert again == []
    assert lag.value == pytest.approx(0.2)
    assert (lag.counts, lag.least) == ((0, 1, 0, 0, 0, 0, 0, 0), 0.2)
    assert shown(figures)[metrics.TICKET_API_REQUESTS]["desk", "ok", "fra-1"] == 1


def test_what_is_given_back__is_taken_again_with_what_came_meanwhile() -> None:
    figures = ProcessFigures("fra-1", build=BUILD)
    figures.store_error(StoreErrorKind.READ)
    taken = figures.take()
    figures.store_error(StoreErrorKind.READ)

    figures.give_back(taken)

    assert [one.value for one in figures.take()] == [2.0]


def test_this_build__has_the_versions_of_the_program_and_of_python() -> None:
    build = this_build("abc")

    assert build.version[0].isdigit()
    assert build.python.startswith("3.")
    assert build.revision == "abc"
