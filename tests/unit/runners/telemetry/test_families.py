"""Series are gathered once each, and a stored histogram has a count for every bucket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.instruments import metrics
from canary.trace import TraceId
from runners.contracts import Exemplar, Sample
from runners.telemetry.families import Points, buckets_of
from tests.contracts.store_cases import NOON

LAG = metrics.PROBER_SCHEDULER_LAG


def test_series_that_is_there_already__stays_as_it_is() -> None:
    points = Points()
    points.add(metrics.SLO_GOOD, 1.0, {"path": "a"})
    points.add(metrics.SLO_GOOD, 2.0, {"path": "a"})
    points.add(metrics.SLO_GOOD, 3.0, {"path": "b"})

    [family] = points.families()
    assert [(one.labels, one.value) for one in family.points] == [(("a",), 1.0), (("b",), 3.0)]


@pytest.mark.parametrize("labels", [{}, {"place": "a"}, {"path": "a", "place": "b"}])
def test_labels_that_the_catalogue_does_not_give__are_refused(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"intake\.slo\.good has the labels"):
        Points().add(metrics.SLO_GOOD, 1.0, labels)


def test_families__come_in_the_order_of_the_catalogue_with_labels_in_its_order() -> None:
    points = Points()
    points.add(metrics.BUILD_INFO, 1.0, {"prober": "p", "python": "y", "revision": "r", "version": "v"})
    points.add(metrics.CANARY_LAUNCHED, 1.0, {"channel": "email", "path": "a"})

    assert [one.instrument for one in points.families()] == [metrics.CANARY_LAUNCHED, metrics.BUILD_INFO]
    assert [one.points[0].labels for one in points.families()] == [("a", "email"), ("v", "r", "y", "p")]


@given(st.lists(st.integers(0, 1000), max_size=20))
def test_stored_histogram__has_a_count_for_each_bucket_and_loses_none(counts: list[int]) -> None:
    buckets = buckets_of(LAG, Sample(LAG.name, {"prober": "p"}, 1.0, tuple(counts)))

    assert len(buckets.counts) == 8
    assert sum(buckets.counts) == sum(counts)
    assert list(buckets.counts[:7]) == [*counts[:7], *[0] * (7 - len(counts))]


def test_exemplar_above_the_bounds_of_this_version__stands_in_the_last_bucket() -> None:
    one = Exemplar(TraceId("ab"), 400.0, NOON)
    sample = Sample(LAG.name, {"prober": "p"}, 1.0, (0,) * 10, exemplars={1: one, 9: one})

    assert dict(buckets_of(LAG, sample).exemplars) == {1: one, 7: one}
