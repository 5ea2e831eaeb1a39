"""Where telemetry goes, with typed values: what the configuration and the standard variables come to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from probes.servers import SecretSource


class Compression(StrEnum):
    """How a request is packed."""

    GZIP = "gzip"
    DEFLATE = "deflate"
    NONE = "none"


class MetricsByOtlp(StrEnum):
    """Who sends metrics by OTLP, where a receiver is named."""

    ONE_SHOT = "one-shot"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class OtlpConfig:
    """A receiver of OTLP over HTTP, for one signal.

    Attributes:
        url: where the signal is posted, whole.
        said_by: which key or variable named it, for people.
        headers: extra header fields; a secret is read anew for each request.
        ca_file: a PEM file instead of the system's authorities; client_certificate, client_key: for mutual TLS.
        timeout_seconds: of one request.
        resource: what every span comes from: `service.name`, `service.instance.id` and whatever was given.
    """

    url: str
    said_by: str = "telemetry.otlp"
    headers: Mapping[str, str | SecretSource] = field(default_factory=lambda: MappingProxyType({}))
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    timeout_seconds: float = 10.0
    compression: Compression = Compression.GZIP
    resource: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class TelemetryConfig:
    """Where traces and metrics go; None: nowhere.

    Attributes:
        otlp_traces: the receiver of traces; otlp_metrics: that of metrics. Each with settings of its own: a credential
            for the one is none of the other's.
        metrics_listen: host and port of a /metrics of its own; port 0: any that is free.
        otlp_problem: why nothing is sent although somebody wanted it: a variable that can't be followed. The prober
            works without; `check` says it.
        textfile: the whole path.
        by_otlp: who sends metrics to their receiver.
    """

    otlp_traces: OtlpConfig | None
    metrics_listen: tuple[str, int] | None
    pushgateway_url: str | None
    textfile: str | None
    otlp_problem: str = ""
    by_otlp: MetricsByOtlp = MetricsByOtlp.ONE_SHOT
    otlp_metrics: OtlpConfig | None = None
