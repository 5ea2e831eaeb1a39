"""Make what telemetry is told of its document and of OpenTelemetry's standard variables.

One rule for all of them: each setting of each signal by itself, first the configuration, then the variable for that
signal, then the variable for everything, then the default. What is said for traces alone is never sent to the receiver
of metrics. `OTEL_SDK_DISABLED=true` alone is stronger than the configuration. A variable
that can't be followed stops the sending, never the prober: it was perhaps set for another program.
"""

import math
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple
from urllib.parse import unquote, urlsplit

from probes.masking import Secret
from probes.servers import SecretSource
from runners.config.document_telemetry import OtlpDocument, TelemetryDocument
from runners.config.needs import NamedFile
from runners.config.reading import Loc
from runners.config.secrets import LiteralSecret
from runners.config.sources import Surroundings
from runners.config.telemetry import Compression, MetricsByOtlp, OtlpConfig, TelemetryConfig

TRACES_PATH: Final = "/v1/traces"
METRICS_PATH: Final = "/v1/metrics"
SERVICE: Final = "intake-prober"
_LOC: Final[Loc] = ("telemetry", "otlp")
_DEFAULT_SECONDS: Final = 10.0
_LONGEST_SECONDS: Final = 60.0
_AS_SECONDS: Final = 100.0
"""A timeout below this is meant in seconds, as Python's SDK reads it; the specification has milliseconds."""
_SHORTEST_SECRET: Final = 12
_PROTOBUF: Final = "http/protobuf"
_TELLING: Final = (
    "auth",
    "cookie",
    "key",
    "password",
    "secret",
    "token",
    "dsn",
    "credential",
    "honeycomb-team",
)
"""A header field whose name holds one of these words bears a credential."""


class _Unfit(Exception):
    """A variable can't be followed; the message says which, why, and what to do."""


def build_telemetry(document: TelemetryDocument, around: Surroundings, *, prober: str) -> TelemetryConfig:
    """Where telemetry goes; ``prober`` is the configured name, which is the service's instance."""
    receivers, problem = _Receivers(None, None), ""
    try:
        by_otlp = document.metrics.otlp is not MetricsByOtlp.NEVER
        receivers = _receivers(document.otlp, around, prober, is_for_metrics=by_otlp)
    except _Unfit as error:
        problem = str(error)
    return TelemetryConfig(
        receivers.traces,
        document.metrics.listen,
        document.metrics.pushgateway,
        _whole_path(document.metrics.textfile, around),
        problem,
        document.metrics.otlp,
        receivers.metrics,
    )


class _Receivers(NamedTuple):
    """Where either signal goes."""

    traces: OtlpConfig | None
    metrics: OtlpConfig | None


def _receivers(
    document: OtlpDocument | None, around: Surroundings, prober: str, *, is_for_metrics: bool
) -> _Receivers:
    given = document if document is not None else OtlpDocument.model_construct()
    configured, names = _configured_headers(given, around), _configured_files(given, around)
    if _Said(around.environ, _Signal.TRACES).is_true("OTEL_SDK_DISABLED"):
        return _Receivers(None, None)

    def receiver(signal: _Signal) -> OtlpConfig | None:
        said = _Said(around.environ, signal)
        url, said_by = _url(given, said)
        if url is None:
            return None
        ca, certificate, key = (
            configured_name or said.text(variable)
            for configured_name, variable in zip(
                names, ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"), strict=True
            )
        )
        return OtlpConfig(
            url=url,
            said_by=said_by,
            headers=MappingProxyType({**_told_headers(said, around), **configured}),
            ca_file=ca,
            client_certificate=certificate,
            client_key=key,
            timeout_seconds=min(
                _LONGEST_SECONDS, given.timeout or said.seconds("TIMEOUT") or _DEFAULT_SECONDS
            ),
            compression=given.compression or said.compression() or Compression.GZIP,
            resource=_resource(given, said, prober),
        )

    return _Receivers(receiver(_Signal.TRACES), receiver(_Signal.METRICS) if is_for_metrics else None)


class _Signal(StrEnum):
    """What is sent, as variables have it in their names."""

    TRACES = "TRACES"
    METRICS = "METRICS"

    @property
    def path(self) -> str:
        """What is added to a receiver's base."""
        return TRACES_PATH if self is _Signal.TRACES else METRICS_PATH


class _Said:
    """The standard variables, as they concern one signal.

    An empty one counts as not set (OpenTelemetry specification, "environment variables").
    """

    def __init__(self, environ: Mapping[str, str], signal: _Signal) -> None:
        self._environ = environ
        self.signal = signal

    def value(self, name: str) -> str | None:
        return self._environ.get(name, "").strip() or None

    def is_true(self, name: str) -> bool:
        return (self.value(name) or "").lower() == "true"

    def otlp(self, name: str) -> tuple[str, str] | None:
        """An exporter's setting and the variable that says it: the one for the signal before the one for everything."""
        for variable in (f"OTEL_EXPORTER_OTLP_{self.signal}_{name}", f"OTEL_EXPORTER_OTLP_{name}"):
            if (value := self.value(variable)) is not None:
                return value, variable
        return None

    def text(self, name: str) -> str | None:
        found = self.otlp(name)
        return found[0] if found is not None else None

    def seconds(self, name: str) -> float | None:
        found = self.otlp(name)
        if found is None:
            return None
        try:
            number = float(found[0])
        except ValueError:
            number = math.nan
        if not 0 < number < math.inf:
            raise _Unfit(f"{found[1]} is no time. Write milliseconds: 10000.")
        return number if number < _AS_SECONDS else number / 1000

    def compression(self) -> Compression | None:
        found = self.otlp("COMPRESSION")
        if found is None:
            return None
        if found[0].lower() not in set(Compression):
            raise _Unfit(f"{found[1]} says {found[0][:40]!r}. There are gzip, deflate and none.")
        return Compression(found[0].lower())

    def pairs(self, name: str, text: str) -> dict[str, str]:
        """``key=value,key=value``, percent-encoded (W3C Baggage)."""
        found = {}
        for one in filter(None, (pair.strip() for pair in text.split(","))):
            key, equals, value = one.partition("=")
            if not equals or not key.strip():
                raise _Unfit(f"{name} is no list of pairs. Write key=value,key=value.")
            found[unquote(key.strip())] = unquote(value.strip())
        return found


def _url(given: OtlpDocument, said: _Said) -> tuple[str | None, str]:
    """Where a signal goes, and who says so: perhaps to a receiver that takes no other."""
    if given.url is not None:
        return _with_path(given.url, said.signal.path), "telemetry.otlp"
    if (said.value(f"OTEL_{said.signal}_EXPORTER") or "otlp").lower() == "none":
        return None, ""
    found = said.otlp("ENDPOINT")
    if found is None:
        return None, ""
    url, variable = found
    protocol = said.otlp("PROTOCOL")
    if protocol is not None and protocol[0].lower() != _PROTOBUF:
        raise _Unfit(
            f"{protocol[1]} says {protocol[0][:40]}; this program speaks http/protobuf only."
            " Name the receiver's HTTP port (4318) in telemetry.otlp."
        )
    if not _is_url(url):
        raise _Unfit(f"{variable} is no URL. Write http://collector:4318.")
    if "@" in urlsplit(url).netloc:
        # The address is told in findings and lines of the log; header fields are not.
        raise _Unfit(
            f"{variable} holds a user or a token before the host."
            " Write it in OTEL_EXPORTER_OTLP_HEADERS: authorization=Bearer%20…"
        )
    is_whole = variable.endswith(f"_{said.signal}_ENDPOINT")
    return url if is_whole else _with_path(url, said.signal.path), variable


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _with_path(url: str, path: str) -> str:
    base = url.rstrip("/").removesuffix(TRACES_PATH).removesuffix(METRICS_PATH)
    return f"{base}{path}"


def _whole_path(name: str | None, around: Surroundings) -> str | None:
    """A file's name is relative to the configuration's folder, wherever the program starts."""
    return str(around.folder / name) if name is not None else None


def _told_headers(said: _Said, around: Surroundings) -> dict[str, str | SecretSource]:
    """Those of the variable, each of which is taken for a secret; a short plain word alone is masked nowhere."""
    variable = said.otlp("HEADERS")
    found: dict[str, str | SecretSource] = {}
    for name, value in said.pairs(variable[1], variable[0]).items() if variable is not None else ():
        secret = Secret(value)
        if _is_telling(name) or len(value) >= _SHORTEST_SECRET:
            around.masker.register(secret)
        found[name.lower()] = LiteralSecret(secret)
    return found


def _configured_headers(given: OtlpDocument, around: Surroundings) -> Mapping[str, str | SecretSource]:
    if not given.headers:
        return {}
    from runners.config.build_web import build_headers

    loc: Loc = (*_LOC, "headers")
    for name, value in given.headers.items():
        # `build_headers` knows the usual ones; vendors have names of their own (api-key, x-honeycomb-team).
        if isinstance(value, str) and _is_telling(name) and name.lower() not in {"authorization", "cookie"}:
            around.note(
                (*loc, name),
                "a secret stands here as text",
                "Write {env: NAME}, {file: PATH} or {exec: [command]}.",
            )
    built = build_headers(given.headers, around, loc)
    return {name.lower(): value for name, value in built.items()}


def _is_telling(name: str) -> bool:
    return any(one in name.lower() for one in _TELLING)


def _configured_files(given: OtlpDocument, around: Surroundings) -> tuple[str | None, ...]:
    """The authorities, our certificate and its key, as whole paths."""
    mine = given.client_certificate
    wanted: tuple[tuple[str | None, Loc], ...] = (
        (given.ca, (*_LOC, "ca")),
        (mine.certificate if mine else None, (*_LOC, "client_certificate", "certificate")),
        (mine.key if mine else None, (*_LOC, "client_certificate", "key")),
    )
    for name, loc in wanted:
        if name is not None:
            # Named, so that whoever renders a pod or a unit brings it along; the key as a secret.
            around.named(name)
            if loc == (*_LOC, "ca"):
                around.authority(name, loc)
            elif around.needs_secrets:
                around.content(name, loc)
    if mine is not None:
        around.needs.secret_files.add(NamedFile(mine.key, around.folder / mine.key))
    return tuple(str(around.folder / name) if name is not None else None for name, _ in wanted)


def _resource(given: OtlpDocument, said: _Said, prober: str) -> Mapping[str, str]:
    """What every span comes from: the same in every process of one prober."""
    text = said.value("OTEL_RESOURCE_ATTRIBUTES")
    told = said.pairs("OTEL_RESOURCE_ATTRIBUTES", text) if text is not None else {}
    service = said.value("OTEL_SERVICE_NAME")
    found = {"service.name": SERVICE, **told}
    if service is not None:
        found["service.name"] = service
    # The prober's name is configured, so no variable is stronger: a pod's name would make a new instance each run.
    return MappingProxyType({**found, **given.resource, "service.instance.id": prober})
