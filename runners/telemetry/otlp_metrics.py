"""Figures by OTLP: a snapshot as OpenTelemetry's own data, handed to its exporter. No meter, no reader, no instrument.

Counters and histograms are cumulative since the row that keeps them was born: a restart, a second replica and a purge
change no number.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, assert_never

from canary.instruments import SCOPE, Kind
from runners.telemetry.families import Buckets, Family, Point, Snapshot
from runners.telemetry.routes import NotPushed

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import Gauge, Histogram, MetricsData, Sum
    from opentelemetry.sdk.resources import Resource

KEY = "telemetry.otlp"
EXPORT_SECONDS = 10.0
"""How long one export may take, the exporter's own retries included."""
_LIBRARY = "opentelemetry.exporter.otlp.proto.http"


@dataclass(frozen=True, slots=True)
class OtlpMetrics:
    """Satisfies `runners.telemetry.routes.Route`.

    Attributes:
        make: an exporter for the endpoint; imports its library, so it is called in a thread, at the first push.
        resource: who we are: the same in every process of one prober.
        version: of this program, for the scope.
    """

    make: "Callable[[], OTLPMetricExporter]"
    resource: "Callable[[], Resource]"
    version: str
    mask: Callable[[str], str]

    @property
    def name(self) -> str:
        """Its key in the configuration."""
        return KEY

    @property
    def needs_order(self) -> bool:
        """Every point bears its time."""
        return False

    async def push(self, snapshot: Snapshot) -> None:
        """Export it in a thread. Cancelled, the exporter gives up as soon as it can.

        Raises:
            NotPushed: the endpoint did not take it.
        """
        exporter = await asyncio.to_thread(self.make)
        try:
            await asyncio.to_thread(self._export, exporter, snapshot)
        finally:
            exporter.shutdown()

    def _export(self, exporter: "OTLPMetricExporter", snapshot: Snapshot) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult

        data = metrics_data(snapshot, self.resource(), version=self.version)
        with _heard() as said:
            result = exporter.export(data)
        if result is not MetricExportResult.SUCCESS:
            words = self.mask(" ".join(said[-1].split())) if said else "the exporter does not say why"
            raise NotPushed(
                f"the endpoint took no metrics ({words}). Look at the collector; where it takes traces alone, say"
                " `telemetry.metrics.otlp: never`."
            )


def metrics_data(snapshot: Snapshot, resource: "Resource", *, version: str) -> "MetricsData":
    """The snapshot as OpenTelemetry's data, with the names of the catalogue."""
    from opentelemetry.sdk.metrics.export import Metric, MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    now = _nanoseconds(snapshot.at)
    several = [
        Metric(one.instrument.name, one.instrument.meaning, one.instrument.unit, _data(one, now))
        for one in snapshot.families
    ]
    scope = ScopeMetrics(InstrumentationScope(SCOPE, version), several, "")
    return MetricsData([ResourceMetrics(resource, [scope], "")])


def _data(family: Family, now: int) -> "Sum | Gauge | Histogram":
    match family.instrument.kind:
        case Kind.HISTOGRAM:
            return _histogram(family, now)
        case Kind.COUNTER:
            from opentelemetry.sdk.metrics.export import AggregationTemporality, Sum

            return Sum(list(_numbers(family, now)), AggregationTemporality.CUMULATIVE, is_monotonic=True)
        case Kind.GAUGE:
            from opentelemetry.sdk.metrics.export import Gauge

            return Gauge(list(_numbers(family, now)))
        case _:
            assert_never(family.instrument.kind)


def _numbers(family: Family, now: int) -> "Iterator[Any]":
    from opentelemetry.sdk.metrics.export import NumberDataPoint

    for point in family.points:
        if not isinstance(point.value, Buckets):
            yield NumberDataPoint(_attributes(family, point), _born(family, point, now), now, point.value)


def _histogram(family: Family, now: int) -> "Histogram":
    from opentelemetry.sdk.metrics.export import AggregationTemporality, Histogram, HistogramDataPoint

    points = [
        HistogramDataPoint(
            attributes=_attributes(family, point),
            start_time_unix_nano=_born(family, point, now),
            time_unix_nano=now,
            count=sum(point.value.counts),
            sum=point.value.total,
            bucket_counts=point.value.counts,
            explicit_bounds=family.instrument.bounds,
            # What has no least has none of it: the data knows no absence, and the encoder skips what is None.
            min=point.value.least,  # type: ignore[arg-type]
            max=point.value.greatest,  # type: ignore[arg-type]
        )
        for point in family.points
        if isinstance(point.value, Buckets)
    ]
    return Histogram(points, AggregationTemporality.CUMULATIVE)


def _attributes(family: Family, point: Point) -> Mapping[str, str]:
    return dict(zip(family.instrument.labels, point.labels, strict=True))


def _born(family: Family, point: Point, now: int) -> int:
    """Since when a cumulative series counts; a gauge has no beginning."""
    if family.instrument.kind is Kind.GAUGE:
        return 0
    return _nanoseconds(point.began_at) if point.began_at is not None else now


def _nanoseconds(at: datetime) -> int:
    # Not by float: it has no room for the microseconds of a date beside nanoseconds.
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000


@contextmanager
def _heard() -> Iterator[list[str]]:
    """What the library logs within the scope: the only place where it says why, and not for our log a second time."""
    said: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    library, ear = logging.getLogger(_LIBRARY), Ear()
    before = library.propagate
    library.addHandler(ear)
    library.propagate = False
    try:
        yield said
    finally:
        library.propagate = before
        library.removeHandler(ear)
