"""Spans out of the door: kept spans become OpenTelemetry's, and go to a receiver by OTLP over HTTP.

OpenTelemetry's SDK is loaded in a thread, with the first part that is sent. Its documentation would rather have a
`ReadableSpan` made by a tracer only: that it can be made like this is held by tests.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

from canary.instrument_spans import SCOPE
from canary.trace import span_id
from probes.contracts import Clock
from probes.mailbox.worker import Worker
from runners.config.telemetry import OtlpConfig
from runners.telemetry.otlp_requests import HeaderFields, NotSent, one_try_session
from runners.telemetry.span_rows import Attributes, TraceBatch

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

_MORE_SECONDS: Final = 1.0


@dataclass(slots=True)
class _Opened:
    """An exporter, the header fields that it was made with, and what its last request came to."""

    exporter: "OTLPSpanExporter"
    headers: Mapping[str, str]
    failures: list[NotSent]


class _Line:
    """A thread and the exporter that it opened: one that is left behind has nothing in common with the next."""

    def __init__(self, otlp: OtlpConfig) -> None:
        self._otlp = otlp
        self._worker = Worker("otlp")
        self._is_begun = False
        self._opened: _Opened | None = None

    def export(self, batches: Sequence[TraceBatch], headers: Mapping[str, str]) -> "Future[NotSent | None]":
        """Have parts sent in one request; what comes is why they were not taken."""
        self._is_begun = True
        return self._worker.submit(partial(self._export, batches, headers))

    def close(self) -> None:
        """Let the thread end, whose last work is to close what it opened; returns at once."""
        if self._is_begun:
            self._worker.submit(self._shut)
            self._worker.stop()

    # in the thread
    def _export(self, batches: Sequence[TraceBatch], headers: Mapping[str, str]) -> NotSent | None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        opened = self._opened
        if opened is None or opened.headers != headers:
            self._shut()
            opened = self._opened = _open(self._otlp, headers)
        opened.failures.clear()
        result = opened.exporter.export(to_spans(*batches))
        if result is SpanExportResult.SUCCESS:
            return None
        return opened.failures[-1] if opened.failures else NotSent("the exporter refuses it", permanent=True)

    # in the thread
    def _shut(self) -> None:
        if self._opened is not None:
            self._opened.exporter.shutdown()  # type: ignore[no-untyped-call]
            self._opened = None


class OtlpSender:
    """Sends parts of traces, each request tried once: who repeats them is the outbox.

    The exporter blocks, so it has a thread of its own that keeps no process alive.
    """

    def __init__(self, otlp: OtlpConfig, *, clock: Clock) -> None:
        self._otlp = otlp
        self._clock = clock
        self._fields = HeaderFields(otlp)
        self._line = _Line(otlp)

    @property
    def limit_seconds(self) -> float:
        """What one sending may take at most."""
        return self._otlp.timeout_seconds + _MORE_SECONDS

    def close(self) -> None:
        """Let the thread and its connections end; the next sending begins another one."""
        self._line.close()
        self._line = _Line(self._otlp)

    async def send(self, *batches: TraceBatch) -> None:
        """Send parts in one request. Cancellable: what is under way may still arrive, and is sent again.

        Raises:
            NotSent: they were not taken; of several, some may have been (a 500, spans that were rejected).
        """
        await self._send(batches)

    async def knock(self) -> None:
        """Send a request without a span, to see whether it is taken.

        Raises:
            NotSent: it is not.
        """
        await self._send(())

    async def _send(self, batches: Sequence[TraceBatch]) -> None:
        headers = await self._headers()
        sending = self._line.export(batches, headers)
        try:
            async with self._clock.timeout(self.limit_seconds):
                failure = await asyncio.wrap_future(sending)
        except TimeoutError:
            # A receiver that sends a byte now and then: its thread is left behind, and ends with the process.
            self.close()
            raise NotSent(f"no answer within {self._otlp.timeout_seconds:g} s") from None
        self._fields.answered(failure)
        if failure is not None:
            raise failure

    async def _headers(self) -> Mapping[str, str]:
        try:
            async with self._clock.timeout(self.limit_seconds):
                return await self._fields.read()
        except TimeoutError:
            raise NotSent("a header field can't be had in time") from None


def _open(otlp: OtlpConfig, headers: Mapping[str, str]) -> _Opened:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # What it would log is stored and counted by us, in our words.
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL + 1)
    failures: list[NotSent] = []
    exporter = OTLPSpanExporter(
        endpoint=otlp.url,
        certificate_file=otlp.ca_file,
        client_certificate_file=otlp.client_certificate,
        client_key_file=otlp.client_key,
        headers=dict(headers),
        timeout=otlp.timeout_seconds,
        compression=Compression(otlp.compression.value),
        session=one_try_session(failures.append, _rejected, ca_file=otlp.ca_file),
    )
    return _Opened(exporter, headers, failures)


def _rejected(answer: bytes) -> str | None:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    found = ExportTraceServiceResponse.FromString(answer).partial_success
    return (
        f"{found.rejected_spans} spans were rejected: {found.error_message}" if found.rejected_spans else None
    )


def to_spans(*batches: TraceBatch) -> "Sequence[ReadableSpan]":
    """Parts as the SDK has spans."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    @cache
    def scope(version: str) -> InstrumentationScope:
        return InstrumentationScope(SCOPE, version)

    # Nearly all parts come from the same; the encoder looks each span's up, and compares no object with itself.
    resources: dict[frozenset[tuple[str, str]], Resource] = {}
    spans: list[ReadableSpan] = []
    for batch in batches:
        key = frozenset(batch.resource.items())
        if key not in resources:
            resources[key] = Resource(dict(batch.resource))
        spans += _spans_of(batch, resources[key], scope(batch.version))
    return spans


def _spans_of(
    batch: TraceBatch, resource: "Resource", scope: "InstrumentationScope"
) -> "Iterator[ReadableSpan]":
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

    trace, sampled = int(batch.trace_id, 16), TraceFlags(1)

    @cache
    def number(key: str) -> int:
        return int(span_id(batch.canary_id, key), 16)

    for row in batch.spans:
        yield ReadableSpan(
            name=row.name,
            context=SpanContext(trace, number(row.key), False, sampled),
            parent=SpanContext(trace, number(row.parent), True, sampled) if row.parent is not None else None,
            resource=resource,
            instrumentation_scope=scope,
            kind=SpanKind[row.kind.value],
            attributes=_plain(row.attributes),
            events=[Event(one.name, _plain(one.attributes), timestamp=one.at_ns) for one in row.events],
            links=[
                Link(
                    SpanContext(int(one.trace_id, 16), int(one.span_id, 16), True, sampled),
                    _plain(one.attributes),
                )
                for one in row.links
            ],
            start_time=row.begin_ns,
            end_time=row.end_ns,
            status=Status(StatusCode.ERROR, row.error) if row.error is not None else Status(StatusCode.UNSET),
        )


def _plain(attributes: Attributes) -> dict[str, Any]:
    return {name: list(one) if isinstance(one, list | tuple) else one for name, one in attributes.items()}
