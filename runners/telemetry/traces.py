"""Spans out of the door: kept spans become OpenTelemetry's, and go to a receiver by OTLP over HTTP.

The one module that knows OpenTelemetry's SDK; it loads it in a thread, with the first part that is sent. The SDK's
documentation would rather have a `ReadableSpan` made by a tracer only: that it can be made like this is held by tests.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from canary.instrument_spans import SCOPE
from canary.trace import span_id
from probes.contracts import Clock
from probes.mailbox.worker import Worker
from probes.servers import SecretUnavailable
from runners.config.telemetry import OtlpConfig
from runners.telemetry.span_rows import Attributes, SpanRow, TraceBatch

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import ReadableSpan
    from requests import PreparedRequest, Response, Session

_OF_THE_PART: Final = frozenset({400, 413, 422})
"""By these the part itself is refused, and would be again: OTLP says of 400 that it must not be repeated."""
_PERHAPS_OF_A_PART: Final = frozenset({*_OF_THE_PART, 500})
_OF_THE_CREDENTIAL: Final = frozenset({401, 403})
_REDIRECT: Final = 300
_SAID_BYTES: Final = 400
_MORE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 3600.0


class NotSent(Exception):
    """A part was not taken.

    Attributes:
        permanent: it never will be; else it is to be tried again.
        may_be_of_one: of several that were sent together, one alone may be at fault.
        status: what HTTP said; None: there was no answer.
        retry_after_seconds: what the receiver asked for.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        status: int | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.may_be_of_one = permanent or status in _PERHAPS_OF_A_PART
        self.status = status
        self.retry_after_seconds = retry_after_seconds


@dataclass(slots=True)
class _Opened:
    """An exporter, the header fields that it was made with, and what its last request came to."""

    exporter: "OTLPSpanExporter"
    headers: Mapping[str, str]
    failures: list[NotSent]


class OtlpSender:
    """Sends parts of traces, each request tried once: who repeats them is the outbox.

    The exporter blocks, so it has a thread of its own that keeps no process alive.
    """

    def __init__(self, otlp: OtlpConfig, *, clock: Clock) -> None:
        self._otlp = otlp
        self._clock = clock
        self._worker = Worker("otlp")
        self._opened: _Opened | None = None
        self._must_renew = False

    @property
    def limit_seconds(self) -> float:
        """What one sending may take at most."""
        return self._otlp.timeout_seconds + _MORE_SECONDS

    def close(self) -> None:
        """Let the thread end; the next sending begins another one."""
        self._worker.stop()
        self._worker, self._opened = Worker("otlp"), None

    async def send(self, *batches: TraceBatch) -> None:
        """Send parts in one request. Cancellable: what is under way may still arrive, and is sent again.

        Raises:
            NotSent: it was not taken.
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
        sending = self._worker.submit(partial(self._export, batches, headers))
        try:
            async with self._clock.timeout(self.limit_seconds):
                failure = await asyncio.wrap_future(sending)
        except TimeoutError:
            # A receiver that sends a byte now and then: its thread is left behind, and ends with the process.
            self.close()
            raise NotSent(f"no answer within {self._otlp.timeout_seconds:g} s") from None
        if failure is not None:
            self._must_renew = failure.status in _OF_THE_CREDENTIAL
            raise failure

    async def _headers(self) -> Mapping[str, str]:
        try:
            async with self._clock.timeout(self.limit_seconds):
                return {
                    name: value
                    if isinstance(value, str)
                    else (await value.read(renew=self._must_renew)).reveal()
                    for name, value in self._otlp.headers.items()
                }
        except SecretUnavailable as error:
            raise NotSent(f"a header field can't be had: {error}") from error
        except TimeoutError:
            raise NotSent("a header field can't be had in time") from None

    # in the thread
    def _export(self, batches: Sequence[TraceBatch], headers: Mapping[str, str]) -> NotSent | None:
        from opentelemetry.sdk.trace.export import SpanExportResult

        opened = self._opened
        if opened is None or opened.headers != headers:
            opened = self._opened = _open(self._otlp, headers)
        opened.failures.clear()
        result = opened.exporter.export([span for batch in batches for span in to_spans(batch)])
        if result is SpanExportResult.SUCCESS:
            return None
        return opened.failures[-1] if opened.failures else NotSent("the exporter refuses it", permanent=True)


def _open(otlp: OtlpConfig, headers: Mapping[str, str]) -> _Opened:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    # What it would log is stored and counted by us, in our words.
    logging.getLogger(OTLPSpanExporter.__module__).setLevel(logging.CRITICAL + 1)
    failures: list[NotSent] = []
    exporter = OTLPSpanExporter(
        endpoint=otlp.traces_url,
        certificate_file=otlp.ca_file,
        client_certificate_file=otlp.client_certificate,
        client_key_file=otlp.client_key,
        headers=dict(headers),
        timeout=otlp.timeout_seconds,
        compression=Compression(otlp.compression.value),
        session=_session(failures.append),
    )
    return _Opened(exporter, headers, failures)


def _session(failed: Callable[[NotSent], None]) -> "Session":
    """A session whose every failure ends the export at once, and is told with its status."""
    import requests
    from requests.adapters import HTTPAdapter

    class OneTry(HTTPAdapter):
        def send(self, request: "PreparedRequest", *words: Any, **named: Any) -> "Response":  # noqa: ANN401 -- as its base
            cause: Exception | None = None
            try:
                response = super().send(request, *words, **named)
                refusal = _refusal(response)
            except requests.exceptions.Timeout as error:
                refusal, cause = NotSent("no answer in time"), error
            except (requests.exceptions.RequestException, OSError) as error:
                refusal, cause = NotSent(_said_of(error)), error
            else:
                if refusal is None:
                    return response
            failed(refusal)
            # No exception of `requests`: those the exporter would repeat by itself, within its time.
            raise refusal from cause

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, OneTry())
    return session


def _refusal(response: "Response") -> NotSent | None:
    """Why a part was not taken, by the answer; None: it was."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

    status = response.status_code
    if status >= _REDIRECT:
        said = _printable(response.raw.read(_SAID_BYTES, decode_content=True))
        response.close()
        asked = response.headers.get("Retry-After")
        return NotSent(
            " ".join(filter(None, (str(status), response.reason, said))),
            permanent=status in _OF_THE_PART,
            status=status,
            retry_after_seconds=_seconds(asked, response.headers.get("Date")),
        )
    is_protobuf = "protobuf" in response.headers.get("Content-Type", "")
    try:
        answer = ExportTraceServiceResponse.FromString(response.content if is_protobuf else b"")
    except Exception:  # noqa: BLE001 -- whatever protobuf says: an answer that can't be read is a 200 all the same
        return None
    rejected = answer.partial_success
    if rejected.rejected_spans:
        said = f"{rejected.rejected_spans} spans were rejected: {rejected.error_message}"
        return NotSent(said, permanent=True, status=status)
    return None


def _seconds(asked: str | None, date: str | None) -> float | None:
    """Seconds of a field Retry-After (RFC 9110 section 10.2.3); a date is compared with the receiver's own clock."""
    if asked is None:
        return None
    try:
        if asked.strip().isdigit():
            seconds = float(asked)
        else:
            seconds = (parsedate_to_datetime(asked) - parsedate_to_datetime(date or "")).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(0.0, seconds), _LONGEST_PAUSE_SECONDS)


def _printable(raw: bytes | None) -> str:
    text = (raw or b"").decode("utf-8", "replace")
    return " ".join("".join(one if one.isprintable() and one != "�" else " " for one in text).split())


def _said_of(error: BaseException) -> str:
    """The deepest cause: `requests` wraps what the system said three times."""
    seen: BaseException = error
    while (deeper := seen.__cause__ or seen.__context__) is not None:
        seen = deeper
    text = str(seen) or type(seen).__name__
    return text.rpartition(": ")[2] if "object at 0x" in text else text


def to_spans(batch: TraceBatch) -> "Sequence[ReadableSpan]":
    """A part as the SDK has spans."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope

    resource = Resource(dict(batch.resource))
    scope = InstrumentationScope(SCOPE, batch.version)
    return [_to_span(one, batch, resource, scope) for one in batch.spans]


def _to_span(row: SpanRow, batch: TraceBatch, resource: Any, scope: Any) -> "ReadableSpan":  # noqa: ANN401 -- the SDK's, imported late
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

    def context(key: str, *, is_remote: bool) -> SpanContext:
        return SpanContext(
            int(batch.trace_id, 16), int(span_id(batch.canary_id, key), 16), is_remote, TraceFlags(1)
        )

    return ReadableSpan(
        name=row.name,
        context=context(row.key, is_remote=False),
        parent=context(row.parent, is_remote=True) if row.parent is not None else None,
        resource=resource,
        instrumentation_scope=scope,
        kind=SpanKind[row.kind.value],
        attributes=_plain(row.attributes),
        events=[Event(one.name, _plain(one.attributes), timestamp=one.at_ns) for one in row.events],
        links=[
            Link(
                SpanContext(int(one.trace_id, 16), int(one.span_id, 16), True, TraceFlags(1)),
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
