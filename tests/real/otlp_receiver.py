"""A receiver of traces, as a collector is: OTLP over HTTP, told to fail in every way."""

import gzip
import socket
import struct
import sys
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "": bytes,
}


@dataclass(frozen=True, slots=True)
class Taken:
    """One request: its header fields by names in small letters, and its body unpacked."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def request(self) -> ExportTraceServiceRequest:
        request: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(self.body)
        return request

    @property
    def spans(self) -> list[Span]:
        if not self.path.endswith("/v1/traces"):
            return []
        return [
            span
            for resource in self.request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@dataclass
class Receiver:
    """What came, and how it is answered.

    Attributes:
        status, headers, answer: of every answer until they are changed.
        is_silent: nothing is answered until the receiver ends.
        trickles: the answer comes a byte at a time, and never ends.
        resets: a request that holds this is answered by a reset of its connection.
    """

    port: int
    taken: list[Taken] = field(default_factory=list)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = ExportTraceServiceResponse().SerializeToString()
    is_silent: bool = False
    trickles: bool = False
    resets: bytes | None = None
    reset: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    came: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def spans(self) -> list[Span]:
        return [span for one in self.taken for span in one.spans]

    def named(self, name: str) -> Span:
        """The one span of that name; the same one sent twice counts once."""
        found = {one.span_id: one for one in self.spans if one.name == name}
        (span,) = found.values()
        return span


def attributes(span: Span) -> dict[str, Any]:
    """By name, as plain values."""
    return {one.key: _plain(one.value) for one in span.attributes}


def _plain(value: Any) -> Any:  # noqa: ANN401 -- protobuf's AnyValue
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(one) for one in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on loopback, until the end of the scope."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            packed = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            body = _UNPACK[self.headers.get("Content-Encoding", "")](packed)
            headers = {name.lower(): value for name, value in self.headers.items()}
            if receiver.resets is not None and receiver.resets in body:
                # No end of the stream, as `close` alone would make, but RST (socket(7), SO_LINGER).
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                receiver.reset += 1
                return
            receiver.taken.append(Taken(self.path, headers, body))
            receiver.came.set()
            if receiver.is_silent:
                receiver.ended.wait()
                return
            (self.send_response_only if "Date" in receiver.headers else self.send_response)(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            if receiver.trickles:
                self.end_headers()
                while not receiver.ended.wait(0.05):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                return
            content_type = "application/x-protobuf" if receiver.status == 200 else "text/plain"
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(receiver.answer)))
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its base's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # who goes away in the middle is what some tests are about

    server = Server(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


if __name__ == "__main__":
    # A process of its own, whose work is not that of whoever is measured: it says its address, and ends with its input.
    with receiving() as beside:
        sys.stdout.write(f"{beside.url}\n")
        sys.stdout.flush()
        sys.stdin.read()
