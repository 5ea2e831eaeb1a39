"""Pages `/metrics` on loopback, and what the ways out of figures carry, in one form that can be compared."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from prometheus_client.parser import text_string_to_metric_families

from runners.telemetry.exposition import exposition
from runners.telemetry.families import Snapshot
from tests.real.servers.process import HOST

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]
"""Each series by its Prometheus name and its labels."""


@contextmanager
def served(snapshot: Callable[[], Snapshot]) -> Iterator[str]:
    """A page `/metrics` that shows what it is given; gives its host and port."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content_type, body = exposition(snapshot(), self.headers.get("Accept", ""))
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the library's name
            pass

    with ThreadingHTTPServer((HOST, 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="metrics")
        thread.start()
        try:
            yield f"{HOST}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def of_text(text: str, *, without: frozenset[str] = frozenset()) -> Series:
    """The series of this program in Prometheus' text format, some labels left out."""
    return {
        (
            one.name,
            _sorted({name: value for name, value in one.labels.items() if name not in without}),
        ): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
        if one.name.startswith("intake_")
    }


def of_otlp(body: bytes) -> Series:
    """The series in a request by OTLP, named as a collector names them for Prometheus."""
    found: Series = {}
    for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                found |= _of_metric(metric)
    return found


_UNITS = {"s": "_seconds", "By": "_bytes", "By/s": "_bytes_per_second"}


def _of_metric(metric: Metric) -> Series:
    """One metric, by the specification's rules ("Prometheus and OpenMetrics Compatibility"), not by our catalogue."""
    name = metric.name.replace(".", "_")
    suffix = _UNITS.get(metric.unit, "")
    name = name if name.endswith(suffix) else name + suffix
    kind = str(metric.WhichOneof("data"))
    found: Series = {}
    for point in getattr(metric, kind).data_points:
        labels = {one.key: one.value.string_value for one in point.attributes}
        if kind == "histogram":
            total = 0
            for bound, count in zip([*point.explicit_bounds, float("inf")], point.bucket_counts, strict=True):
                total += count
                found[f"{name}_bucket", _sorted({**labels, "le": str(bound)})] = total
            found[f"{name}_sum", _sorted(labels)] = point.sum
            found[f"{name}_count", _sorted(labels)] = point.count
        else:
            value = point.as_double if point.WhichOneof("value") == "as_double" else point.as_int
            found[f"{name}_total" if kind == "sum" else name, _sorted(labels)] = value
    return found


def _sorted(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """In order; a bound by its value, since a Pushgateway and a node exporter write 1 where we write 1.0."""
    same = {**labels, "le": str(float(labels["le"]))} if "le" in labels else labels
    return tuple(sorted(same.items()))
