"""Try the receiver of traces: a request without a span, and what to do where it is not taken."""

from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Final

from probes.contracts import Check, CheckState, Clock
from runners.checks import CheckSource
from runners.config.config import Config
from runners.config.telemetry import OtlpConfig
from runners.telemetry.otlp_requests import NotSent
from runners.telemetry.traces import OtlpSender

PLACE: Final = "telemetry"
_TRACES: Final = "otlp"
_REMEDIES: Final = {
    HTTPStatus.UNAUTHORIZED: "Look at the credential in telemetry.otlp.headers or OTEL_EXPORTER_OTLP_HEADERS.",
    HTTPStatus.FORBIDDEN: "Look at the credential in telemetry.otlp.headers or OTEL_EXPORTER_OTLP_HEADERS.",
    HTTPStatus.NOT_FOUND: "This is no OTLP/HTTP receiver: name its base address, to which /v1/traces is added.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This is no OTLP/HTTP receiver: name its base address, to which /v1/traces is added.",
}
_GRPC_PORT: Final = ":4317"
_GRPC_REMEDY: Final = "Port 4317 usually speaks gRPC: name the one of OTLP over HTTP, usually 4318."
_OTHER_REMEDY: Final = (
    "Start the receiver, or correct its address. Canaries are judged and alerts sent without it."
)


def otlp_sources(config: Config, *, clock: Clock) -> tuple[CheckSource, ...]:
    """The receiver, where one is configured or was meant to be."""
    telemetry = config.telemetry
    if telemetry.otlp_problem:
        finding, _, remedy = telemetry.otlp_problem.partition(". ")
        found = Check(PLACE, _TRACES, CheckState.FAIL, f"nothing is sent by OTLP: {finding}", remedy)
        return (CheckSource(PLACE, partial(_told, found)),)
    if telemetry.otlp_traces is None:
        return ()
    return (CheckSource(PLACE, partial(_try, telemetry.otlp_traces, clock)),)


async def _told(found: Check) -> Sequence[Check]:
    return [found]


async def _try(otlp: OtlpConfig, clock: Clock) -> Sequence[Check]:
    sender = OtlpSender(otlp, clock=clock)
    began = clock.monotonic()
    try:
        await sender.knock()
    except NotSent as failure:
        finding = f"{otlp.url} ({otlp.said_by}): {failure}"
        return [Check(PLACE, _TRACES, CheckState.FAIL, finding, _remedy(otlp, failure))]
    finally:
        sender.close()
    seconds = clock.monotonic() - began
    finding = f"{otlp.url} ({otlp.said_by}) takes traces"
    return [Check(PLACE, _TRACES, CheckState.OK, finding, seconds=seconds)]


def _remedy(otlp: OtlpConfig, failure: NotSent) -> str:
    if failure.status is not None and failure.status in _REMEDIES:
        return _REMEDIES[HTTPStatus(failure.status)]
    return _GRPC_REMEDY if _GRPC_PORT in otlp.url else _OTHER_REMEDY
