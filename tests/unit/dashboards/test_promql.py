"""Queries are made of instruments: what isn't in the catalogue can't be asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.instruments import METRICS, Instrument, metrics
from dashboards.promql import (
    Matcher,
    any_of,
    buckets,
    duration,
    increase,
    last,
    max_by,
    over_time,
    quantile,
    renamed,
    series,
)
from tests.unit.dashboards.promql_names import CATALOGUE, selected


def test_condition_on_a_label_that_a_metric_has_not__is_refused() -> None:
    with pytest.raises(ValueError, match=r"intake\.path\.up|intake_path_up"):
        series(metrics.PATH_UP, Matcher("place", "=", "x"))


def test_grouping_by_a_label_that_a_metric_has_not__is_refused() -> None:
    with pytest.raises(ValueError, match="has no label sink"):
        max_by(("path", "sink"), series(metrics.PATH_UP))


def test_label_that_was_grouped_away__can_not_be_renamed() -> None:
    with pytest.raises(ValueError, match="has no label hop"):
        renamed(max_by(("path",), series(metrics.CANARY_FAILURES)), "hop", "blame")


def test_window_of_nothing__is_refused() -> None:
    with pytest.raises(ValueError, match="shorter than a second"):
        duration(0)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1s"),
        (90, "90s"),
        (900, "15m"),
        (5400, "90m"),
        (3600, "1h"),
        (86400, "1d"),
        (259200, "3d"),
        (0.2, "1s"),
    ],
)
def test_duration__is_in_the_largest_unit_that_holds_it(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_queries__are_as_prometheus_writes_them() -> None:
    final = any_of("reason", ["rejected", "bounced"])

    assert str(last(metrics.PATH_UP, 900)) == "last_over_time(intake_path_up[15m])"
    assert (
        str(last(metrics.CANARY_FAILURES, 900, final, before=3600))
        == 'last_over_time(intake_canary_failures_total{reason=~"rejected|bounced"}[15m] offset 1h)'
    )
    assert str(max_by(("path",), increase(metrics.SLO_GOOD, 3600))) == (
        "max by (path) (increase(intake_slo_good_total[1h]))"
    )
    assert str(over_time("predict_linear", metrics.MAILBOX_USED_RATIO, 21600, 86400)) == (
        "predict_linear(intake_mailbox_used_ratio[6h], 86400)"
    )


@given(st.sampled_from(METRICS), st.text(min_size=1, max_size=20))
def test_value_of_a_condition__never_ends_its_quotes(one: Instrument, value: str) -> None:
    text = value.replace("\n", " ").replace("\r", " ").replace("\x00", " ")

    ((name, labels),) = selected(str(series(one, Matcher(one.labels[0], "=", text))))

    assert name in CATALOGUE or f"{name}_bucket" in CATALOGUE
    assert labels == {one.labels[0]}


def test_variable_of_grafana__stands_where_a_duration_would() -> None:
    assert str(last(metrics.PATH_UP, "$lookback", before="$__range")) == (
        "last_over_time(intake_path_up[$lookback] offset $__range)"
    )


def test_quantile_of_what_is_no_histogram__is_refused() -> None:
    with pytest.raises(ValueError, match="is no histogram"):
        quantile(0.95, metrics.CANARY_LAUNCHED, 60.0)


def test_quantile__counts_replicas_once_and_drops_what_was_not_measured() -> None:
    found = quantile(0.95, metrics.HOP_DURATION, 3600.0, Matcher("path", "=", "p"), by=("hop",))

    assert str(found) == (
        "histogram_quantile(0.95, max by (hop, le) "
        '(increase(intake_hop_duration_seconds_bucket{path="p"}[1h]))) >= 0'
    )
    assert found.labels == {"hop"}


@pytest.mark.parametrize("instrument", [one for one in METRICS if one.bounds], ids=lambda one: one.name)
def test_buckets__are_those_of_the_catalogue(instrument: Instrument) -> None:
    assert CATALOGUE[buckets(instrument).name] == set(buckets(instrument).labels)


def test_window_of_another_function__has_its_conditions_and_its_arguments() -> None:
    asked = over_time(
        "predict_linear", metrics.MAILBOX_USED_RATIO, 3600.0, 86400.0, matchers=[Matcher("place", "=", "m")]
    )

    assert str(asked) == 'predict_linear(intake_mailbox_used_ratio{place="m"}[1h], 86400)'
