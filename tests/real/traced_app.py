"""A target that is instrumented by OpenTelemetry itself: the contact form, whose server spans go to a receiver."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.asgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from tests.real.contact_app import app
from tests.real.otlp_receiver import Receiver


class _Ready(uvicorn.Server):
    """Tells when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = threading.Event()

    async def startup(self, sockets: "list[object] | None" = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        self.listens.set()


@contextmanager
def traced_form(receiver: Receiver) -> Iterator[str]:
    """The form's base address; each request that it serves is a span, sent to the receiver when it ends."""
    provider = TracerProvider(resource=Resource({"service.name": "the-target"}))
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{receiver.url}/v1/traces")))
    traced = OpenTelemetryMiddleware(app, tracer_provider=provider, exclude_spans=["receive", "send"])
    server = _Ready(uvicorn.Config(traced, port=0, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        assert server.listens.wait(30)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()
        provider.shutdown()
