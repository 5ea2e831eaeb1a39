"""Figures by OTLP: a snapshot as OpenTelemetry's own data, handed to its exporter. No meter, no reader, no instrument.

Counters and histograms are cumulative since the row that keeps them was born: a restart, a second replica and a purge
change no number.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from canary.instruments import SCOPE, Kind
from probes.mailbox.worker import Worker
from runners.config.telemetry import OtlpConfig
from runners.telemetry.families import Buckets, Family, Point, Snapshot
from runners.telemetry.otlp_requests import HeaderFields, NotSent, one_try_session
from runners.telemetry.routes import NotPushed

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import Gauge, Histogram, MetricsData, Sum
    from opentelemetry.sdk.resources import Resource

KEY = "telemetry.otlp"
MOST_SECONDS = 8.0
"""A request may take no longer: it must end before it is given up."""


@dataclass(slots=True)
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
    _fields: HeaderFields = field(init=False)

    def __post_init__(self) -> None:
        """Ask nothing yet."""
        self._fields = HeaderFields(self.otlp)

    @property
    def name(self) -> str:
        """Its key in the configuration."""
        return KEY

    @property
    def needs_order(self) -> bool:
        """Every point bears its time."""
        return False

    async def push(self, snapshot: Snapshot) -> None:
        """Export it in a thread, by one request. Cancelled, the thread is left behind, and ends with its request.

        Raises:
            NotPushed: the endpoint did not take it.
        """
        await self._sent(snapshot.families, snapshot.at)

    async def knock(self, at: datetime) -> None:
        """Send a request without a metric, to see whether it is taken.

        Raises:
            NotPushed: it is not.
        """
        await self._sent((), at)

    async def _sent(self, families: Sequence[Family], at: datetime) -> None:
        try:
            headers = await self._fields.read()
        except NotSent as error:
            raise NotPushed(str(error)) from error
        # No thread of the loop's own: those are waited for at the end, also behind a receiver that only trickles.
        worker = Worker("otlp metrics")
        try:
            failure = await asyncio.wrap_future(worker.submit(partial(self._export, headers, families, at)))
        finally:
            worker.stop()
        self._fields.answered(failure)
        if failure is not None:
            # The first full stop ends the finding, for whoever shows both apart.
            cause = self.mask(" ".join(str(failure).replace(". ", "; ").rstrip(".").split()))
            raise NotPushed(f"{self.otlp.url} took no metrics ({cause}). {_remedy(failure)}") from failure

    # in a thread
    def _export(self, headers: Mapping[str, str], families: Sequence[Family], at: datetime) -> NotSent | None:
        from opentelemetry.sdk.metrics.export import MetricExportResult
        from opentelemetry.sdk.resources import Resource

        failures: list[NotSent] = []
        exporter = self._exporter(headers, failures.append)
        resource = Resource({**self.otlp.resource, "service.version": self.version})
        try:
            result = exporter.export(metrics_data(families, at, resource, version=self.version))
        finally:
            exporter.shutdown()
        if result is MetricExportResult.SUCCESS:
            return None
        return failures[-1] if failures else NotSent("the exporter refuses it", permanent=True)

    def _exporter(
        self, headers: Mapping[str, str], failed: Callable[[NotSent], None]
    ) -> "OTLPMetricExporter":
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter

        # What it would log is told by us, in our words.
        logging.getLogger(OTLPMetricExporter.__module__).setLevel(logging.CRITICAL + 1)
        otlp = self.otlp
        return OTLPMetricExporter(
            endpoint=otlp.url,
            certificate_file=otlp.ca_file,
            client_certificate_file=otlp.client_certificate,
            client_key_file=otlp.client_key,
            headers=dict(headers),
            timeout=min(otlp.timeout_seconds, MOST_SECONDS),
            compression=Compression(otlp.compression.value),
            session=one_try_session(failed, _rejected, ca_file=otlp.ca_file),
        )


def _rejected(answer: bytes) -> str | None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

    found = ExportMetricsServiceResponse.FromString(answer).partial_success
    points = found.rejected_data_points
    return f"{points} of its points were rejected: {found.error_message}" if points else None


def _remedy(failure: NotSent) -> str:
    match failure.status:
        case None:
            return "Start the receiver, or correct its address, its authorities (ca) or the way to it."
        case 401 | 403:
            return "Look at the credential in telemetry.otlp.headers or OTEL_EXPORTER_OTLP_HEADERS."
        case 404 | 405 | 501:
            return "Where it takes traces alone, say `otlp: never` below telemetry.metrics; else correct its address."
        case _:
            return "Look at the receiver's log."


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
