"""The YAML document's telemetry: where traces and metrics go."""

# ruff: noqa: RUF012 -- pydantic copies its models' defaults

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from runners.config.block import Block
from runners.config.document_page import Listen
from runners.config.fields import Duration, Line, Url, word
from runners.config.phrases import HeaderSetting
from runners.config.telemetry import Compression, MetricsByOtlp


class OtlpCertificateDocument(Block):
    """A certificate by which the receiver knows us."""

    certificate: Annotated[Line, Field(description="The PEM file.")]
    key: Annotated[Line, Field(description="The PEM file of its private key, not encrypted.")]


class OtlpDocument(Block):
    """A receiver of OTLP over HTTP (protobuf): a collector, Tempo, Jaeger, or a vendor."""

    url: Annotated[
        Url | None,
        Field(
            description="Its address; /v1/traces is added. Default: OTEL_EXPORTER_OTLP_ENDPOINT, else nothing is sent."
        ),
    ] = None
    headers: Annotated[
        dict[Line, HeaderSetting],
        Field(description="Extra header fields; what looks like a credential must be a secret."),
    ] = {}
    ca: Annotated[Line | None, Field(description="A PEM file of authorities, instead of the system's.")] = (
        None
    )
    client_certificate: Annotated[
        OtlpCertificateDocument | None, Field(description="For TLS client authentication.")
    ] = None
    timeout: Annotated[Duration | None, Field(description="Of one request; default 10s.")] = None
    compression: Annotated[
        Compression | None, word(Compression), Field(description="How requests are packed; default gzip.")
    ] = None
    resource: Annotated[
        dict[Line, Line],
        Field(description="What every span comes from, such as deployment.environment.name: production."),
    ] = {}


def _as_mapping(value: Any) -> Any:  # noqa: ANN401 -- whatever YAML holds
    return {"url": value} if isinstance(value, str) else value


def _or_url(schema: dict[str, Any]) -> None:
    """Its address alone is enough."""
    schema["anyOf"].insert(0, {"type": "string", "title": "URL", "pattern": "^(?:https?://.+)$"})


class MetricsDocument(Block):
    """How metrics leave."""

    listen: Annotated[
        Listen | None,
        Field(
            description="address:port where `serve` has /metrics alone, beside the page's. As with `web.listen`, any other"
            " than loopback demands `web.token` or `web.proxy`."
        ),
    ] = None
    pushgateway: Annotated[
        Url | None, Field(description="A Pushgateway's base address, for one-shot runs.")
    ] = None
    textfile: Annotated[
        Line | None,
        Field(
            description="A file for the node exporter's textfile collector, for one-shot runs; its name ends in .prom."
        ),
    ] = None
    otlp: Annotated[
        MetricsByOtlp,
        word(MetricsByOtlp),
        Field(
            description="Who sends metrics to telemetry.otlp: one-shot runs alone, always (`serve` too), or never."
        ),
    ] = MetricsByOtlp.ONE_SHOT


class TelemetryDocument(Block):
    """Where traces and metrics go."""

    otlp: Annotated[
        OtlpDocument | None,
        BeforeValidator(_as_mapping),
        Field(description="A receiver of OTLP over HTTP: its URL, or a mapping.", json_schema_extra=_or_url),
    ] = None
    metrics: Annotated[MetricsDocument, Field(description="How metrics leave.")] = (
        MetricsDocument.model_construct()
    )
