"""Figures by OTLP: a snapshot as OpenTelemetry's own data, handed to its exporter. No meter, no reader, no instrument.

Counters and histograms are cumulative since the row that keeps them was born: a restart, a second replica and a purge
change no number.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from canary.instruments import SCOPE, Kind
from probes.mailbox.worker import Worker
from probes.servers import SecretUnavailable
from runners.config.telemetry import OtlpConfig
from runners.telemetry.families import Buckets, Family, Point, Snapshot
from runners.telemetry.routes import NotPushed

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import Gauge, Histogram, MetricsData, Sum
    from opentelemetry.sdk.resources import Resource

KEY = "telemetry.otlp"
MOST_SECONDS = 8.0
"""An export may take no longer, the exporter's own retries included: it must end before it is given up."""
_LIBRARY = "opentelemetry.exporter.otlp.proto.http"


@dataclass(frozen=True, slots=True)
class OtlpMetrics:
    """Satisfies `runners.telemetry.routes.Route`. Its library is imported with the first push.

    Attributes:
        otlp: the receiver, and who we are to it: the same in every process of one prober.
        version: of this program.
        mask: takes secrets out of what the other side says.
    """

    otlp: OtlpConfig
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
        await self._export(snapshot.families, snapshot.at)

    async def knock(self, at: datetime) -> None:
        """Send a request without a metric, to see whether it is taken.

        Raises:
            NotPushed: it is not.
        """
        await self._export((), at)

    async def _export(self, families: Sequence[Family], at: datetime) -> None:
        headers = await self._headers()
        # No thread of the loop's own: those are waited for at the end, also behind a receiver that only trickles.
        worker = Worker("otlp metrics")
        try:
            exporter = await asyncio.wrap_future(worker.submit(partial(self._exporter, headers)))
            try:
                await asyncio.wrap_future(worker.submit(partial(self._exported, exporter, families, at)))
            finally:
                exporter.shutdown()
        finally:
            worker.stop()

    async def _headers(self) -> Mapping[str, str]:
        try:
            return {
                name: value if isinstance(value, str) else (await value.read()).reveal()
                for name, value in self.otlp.headers.items()
            }
        except SecretUnavailable as error:
            raise NotPushed(f"a header field can't be had: {error}") from error

    # in a thread
    def _exporter(self, headers: Mapping[str, str]) -> "OTLPMetricExporter":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        otlp = self.otlp
        return OTLPMetricExporter(
            endpoint=otlp.url,
            certificate_file=otlp.ca_file,
            client_certificate_file=otlp.client_certificate,
            client_key_file=otlp.client_key,
            headers=dict(headers),
            timeout=min(otlp.timeout_seconds, MOST_SECONDS),
            compression=Compression(otlp.compression.value),
        )

    def _exported(self, exporter: "OTLPMetricExporter", families: Sequence[Family], at: datetime) -> None:
        from opentelemetry.sdk.metrics.export import MetricExportResult
        from opentelemetry.sdk.resources import Resource

        resource = Resource({**self.otlp.resource, "service.version": self.version})
        data = metrics_data(families, at, resource, version=self.version)
        with heard() as said:
            result = exporter.export(data)
        if result is not MetricExportResult.SUCCESS:
            words = self.mask(" ".join(said[-1].split())) if said else "the exporter does not say why"
            raise NotPushed(
                f"{self.otlp.url} took no metrics ({words}). Look at the receiver; where it takes traces alone,"
                " say `otlp: never` below telemetry.metrics."
            )


def metrics_data(
    families: Sequence[Family], at: datetime, resource: "Resource", *, version: str
) -> "MetricsData":
    """Figures of one time as OpenTelemetry's data, with the names of the catalogue."""
    from opentelemetry.sdk.metrics.export import Metric, MetricsData, ResourceMetrics, ScopeMetrics
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    now = _nanoseconds(at)
    several = [
        Metric(one.instrument.name, one.instrument.meaning, one.instrument.unit, _data(one, now))
        for one in families
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


class _Ear(logging.Handler):
    """Hears what the library logs, each thread its own: an export that was given up may go on for long."""

    def __init__(self) -> None:
        super().__init__()
        self._of_this_thread = threading.local()

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        said: list[str] = []
        self._of_this_thread.said = said
        try:
            yield said
        finally:
            self._of_this_thread.said = None

    def emit(self, record: logging.LogRecord) -> None:
        said: list[str] | None = getattr(self._of_this_thread, "said", None)
        if said is not None:
            said.append(record.getMessage())


_EAR = _Ear()


@contextmanager
def heard() -> Iterator[list[str]]:
    """What the library logs in this thread within the scope: the only place where it says why.

    It is not for our log a second time, and whatever it says outside of the scope is of an export that was given up. So
    it is kept out for good, rather than let in and out by threads that don't know of one another.
    """
    library = logging.getLogger(_LIBRARY)
    library.addHandler(_EAR)  # the same one again is none more
    library.propagate = False
    with _EAR.listening() as said:
        yield said
