"""A snapshot as the text that Prometheus scrapes, in whichever of its formats is asked for."""

import asyncio
import math
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, assert_never

from canary.instruments import Instrument, Kind
from runners.contracts import Exemplar
from runners.telemetry.families import Buckets, Family, Snapshot
from runners.telemetry.snapshot import Snapshots

if TYPE_CHECKING:
    from prometheus_client.core import Metric
    from prometheus_client.registry import Collector
    from prometheus_client.samples import Exemplar as ShownExemplar

    Encode = Callable[[Collector], bytes]
    ShownBucket = tuple[str, float] | tuple[str, float, ShownExemplar]


_MOST_KEPT = 8
"""So many formats of one snapshot are kept; the field that asks for them comes from outside."""


class Expositions:
    """What `/metrics` answers; scrapers of one snapshot and one format cost one rendering."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._one_at_a_time = asyncio.Lock()
        self._shown: Snapshot | None = None
        self._bodies: dict[str, bytes] = {}

    async def answer(self, accept: str = "") -> tuple[str, bytes]:
        """The content type and the body for a request with this field ``Accept``.

        It is rendered in a thread, so that nothing else waits for it. Can be cancelled, and repeated.
        """
        async with self._one_at_a_time:
            snapshot = await self._snapshots.current()
            if snapshot is not self._shown or len(self._bodies) >= _MOST_KEPT:
                self._shown, self._bodies = snapshot, {}
            content_type, encode = _encoder(accept)
            if content_type not in self._bodies:
                self._bodies[content_type] = await asyncio.to_thread(_encoded, snapshot, encode)
            return content_type, self._bodies[content_type]


def exposition(snapshot: Snapshot, accept: str = "") -> tuple[str, bytes]:
    """The content type and the body of an answer.

    Pure, but a hundred paths are 47,000 lines and take a second or two of one core: see `Expositions`.

    Args:
        snapshot: what to show.
        accept: the request's field of that name; exemplars are shown to whoever takes OpenMetrics.
    """
    content_type, encode = _encoder(accept)
    return content_type, _encoded(snapshot, encode)


def _encoder(accept: str) -> "tuple[str, Encode]":
    from prometheus_client.exposition import choose_encoder

    encode, content_type = choose_encoder(accept)
    return content_type, encode


def _encoded(snapshot: Snapshot, encode: "Encode") -> bytes:
    from prometheus_client import CollectorRegistry

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(snapshot))
    return encode(registry)


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
