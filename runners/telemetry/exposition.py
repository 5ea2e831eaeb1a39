"""A snapshot as the text that Prometheus scrapes, in whichever of its formats is asked for."""

import math
from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, assert_never

from canary.instruments import Instrument, Kind
from runners.contracts import Exemplar
from runners.telemetry.families import Buckets, Family, Snapshot

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.samples import Exemplar as ShownExemplar

    ShownBucket = tuple[str, float] | tuple[str, float, ShownExemplar]


def exposition(snapshot: Snapshot, accept: str = "") -> tuple[str, bytes]:
    """The content type and the body of an answer.

    Pure, but a hundred paths take about a second of one core: call it in a thread.

    Args:
        snapshot: what to show.
        accept: the request's field of that name; exemplars are shown to whoever takes OpenMetrics.
    """
    from prometheus_client import CollectorRegistry
    from prometheus_client.exposition import choose_encoder

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    encode, content_type = choose_encoder(accept)
    return content_type, encode(registry)


class _Collector:
    """What `prometheus_client` asks for its metrics."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> "Iterator[Metric]":
        for family in self._snapshot.families:
            yield _metric_of(family)


def _metric_of(family: Family) -> "Metric":
    """A family; when its series were born is not told, since the text format would make another gauge of that."""
    match family.instrument.kind:
        case Kind.HISTOGRAM:
            return _histogram(family)
        case Kind.COUNTER | Kind.GAUGE:
            return _numbers(family)
        case _:
            assert_never(family.instrument.kind)


def _numbers(family: Family) -> "Metric":
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    one = family.instrument
    of_kind = CounterMetricFamily if one.kind is Kind.COUNTER else GaugeMetricFamily
    metric = of_kind(one.prometheus, one.meaning, labels=one.labels)
    for point in family.points:
        if not isinstance(point.value, Buckets):
            metric.add_metric(point.labels, point.value)
    return metric


def _histogram(family: Family) -> "Metric":
    from prometheus_client.core import HistogramMetricFamily

    one = family.instrument
    metric = HistogramMetricFamily(one.prometheus, one.meaning, labels=one.labels)
    for point in family.points:
        if isinstance(point.value, Buckets):
            metric.add_metric(point.labels, _shown(one, point.value), point.value.total)
    return metric


def _shown(instrument: Instrument, buckets: Buckets) -> "list[ShownBucket]":
    """The buckets as Prometheus has them: cumulative, by the text of their upper bounds."""
    from prometheus_client.utils import floatToGoString

    shown: list[ShownBucket] = []
    bounds = (*instrument.bounds, math.inf)
    for index, (bound, count) in enumerate(zip(bounds, accumulate(buckets.counts), strict=True)):
        # Always a float's text: le="1" and le="1.0" would be two series.
        text: str = floatToGoString(bound)  # type: ignore[no-untyped-call]  # the library gives it no types
        exemplar = buckets.exemplars.get(index)
        shown.append((text, count) if exemplar is None else (text, count, _exemplar(exemplar)))
    return shown


def _exemplar(one: Exemplar) -> "ShownExemplar":
    from prometheus_client.samples import Exemplar as ShownExemplar

    return ShownExemplar({"trace_id": one.trace_id}, one.value, one.at.timestamp())
