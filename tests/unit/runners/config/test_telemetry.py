"""Where traces go: what the configuration says, what the standard variables say, and which of them is heard."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from probes.servers import SecretSource
from runners.config.errors import ConfigErrors
from runners.config.load import load
from runners.config.secrets import EnvSecret, LiteralSecret
from runners.config.telemetry import Compression, OtlpConfig, TelemetryConfig
from tests.unit.runners.config.examples import AUTHORITY, ENVIRON, FULL, changed, mistakes

OTLP = 'telemetry: {otlp: "http://collector:4318", metrics: {listen: "127.0.0.1:9464"}}\n'
TRACES = "http://collector:4318/v1/traces"


def telemetry(folder: Path, otlp: str | None = None, **said: str) -> TelemetryConfig:
    """What a configuration with this ``telemetry.otlp`` comes to under these variables."""
    text = changed(OTLP, f"telemetry: {{otlp: {otlp}}}\n" if otlp is not None else "")
    file = folder / "intake.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, environ={**ENVIRON, **said}).telemetry


def otlp(folder: Path, setting: str | None = None, **said: str) -> OtlpConfig:
    found = telemetry(folder, setting, **said).otlp_traces
    assert found is not None
    return found


def test_nothing_said__is_nothing_sent(tmp_path: Path) -> None:
    assert telemetry(tmp_path) == TelemetryConfig(None, None, None, None)


@pytest.mark.parametrize(
    "written", ["http://collector:4318", "http://collector:4318/", TRACES, '{url: "http://collector:4318"}']
)
def test_address__has_the_path_of_traces_added_once(tmp_path: Path, written: str) -> None:
    assert otlp(tmp_path, written).url == TRACES


def test_defaults__are_gzip_ten_seconds_and_the_probers_name_as_the_instance(tmp_path: Path) -> None:
    found = otlp(tmp_path, "http://collector:4318")

    assert (found.compression, found.timeout_seconds, found.said_by) == (
        Compression.GZIP,
        10.0,
        "telemetry.otlp",
    )
    assert dict(found.resource) == {"service.name": "intake-prober", "service.instance.id": "fra-1"}
    assert (dict(found.headers), found.ca_file, found.client_key) == ({}, None, None)


@pytest.mark.parametrize(
    ("said", "url", "said_by"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otel.example/in/"},
            "https://otel.example/in/v1/traces",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://otel.example/own"},
            "https://otel.example/own",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "https://all.example",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://traces.example/t",
            },
            "https://traces.example/t",
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        ),
    ],
)
def test_variable__names_the_receiver_where_the_configuration_does_not(
    tmp_path: Path, said: Mapping[str, str], url: str, said_by: str
) -> None:
    found = otlp(tmp_path, **said)

    assert (found.url, found.said_by) == (url, said_by)


EVERY_VARIABLE = {
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://env:1/x",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "2500",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
    "OTEL_EXPORTER_OTLP_CERTIFICATE": "/etc/env.pem",
    "OTEL_SERVICE_NAME": "named",
    "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=prod,service.name=less,service.instance.id=pod-1,a=b%20c",
}


def test_variables__are_heard_each_by_itself(tmp_path: Path) -> None:
    found = otlp(tmp_path, **EVERY_VARIABLE)

    assert (found.timeout_seconds, found.compression, found.ca_file) == (
        2.5,
        Compression.NONE,
        "/etc/env.pem",
    )
    assert dict(found.resource) == {
        "service.name": "named",
        "deployment.environment.name": "prod",
        "a": "b c",
        "service.instance.id": "fra-1",
    }


def test_configuration__is_stronger_than_every_variable(tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text(AUTHORITY)
    written = (
        '{url: "http://collector:4318", timeout: 3s, compression: deflate, ca: own.pem,'
        " resource: {service.name: mine, a: z}}"
    )

    found = otlp(tmp_path, written, **EVERY_VARIABLE, OTEL_EXPORTER_OTLP_PROTOCOL="grpc")

    assert found.url == TRACES
    assert (found.timeout_seconds, found.compression) == (3.0, Compression.DEFLATE)
    assert found.ca_file == str(tmp_path / "own.pem")
    assert found.resource["service.name"] == "mine"
    assert found.resource["a"] == "z"


@pytest.mark.parametrize(("text", "seconds"), [("10000", 10.0), ("10", 10.0), ("0.5", 0.5), ("900000", 60.0)])
def test_timeout_variable__is_milliseconds_unless_that_makes_no_sense(
    tmp_path: Path, text: str, seconds: float
) -> None:
    said = {"OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": text}

    assert otlp(tmp_path, "http://c:4318", **said).timeout_seconds == seconds


def secret_of(found: str | SecretSource) -> str:
    assert isinstance(found, LiteralSecret | EnvSecret)
    return found.now().reveal()


def test_headers_of_both__are_sent_and_those_of_the_variable_are_secrets(tmp_path: Path) -> None:
    file = tmp_path / "intake.yaml"
    written = '{url: "http://c:4318", headers: {x-scope-orgid: tenant-1, Authorization: {env: DESK_TOKEN}}}'
    file.write_text(changed(OTLP, f"telemetry: {{otlp: {written}}}\n"))
    said = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=planted%20key,authorization=weaker,x-tenant=abc"}

    config = load(file, environ={**ENVIRON, **said})

    assert config.telemetry.otlp_traces is not None
    headers = config.telemetry.otlp_traces.headers
    assert headers["x-scope-orgid"] == "tenant-1"
    assert secret_of(headers["api-key"]) == "planted key"
    assert secret_of(headers["authorization"]) == "desk-token-planted"
    assert config.masker.mask("a planted key of abc") == "a *** of abc"
    assert "planted" not in repr(config.telemetry)


@pytest.mark.parametrize(
    "name", ["Authorization", "api-key", "x-honeycomb-team", "Lightstep-Access-Token", "Cookie"]
)
def test_credential_as_text__is_a_mistake(tmp_path: Path, name: str) -> None:
    text = changed(OTLP, f'telemetry: {{otlp: {{url: "http://c:4318", headers: {{{name}: abc}}}}}}\n')

    (found,) = mistakes(tmp_path, text)

    assert (found.key, found.message) == (
        f"telemetry.otlp.headers.{name}",
        "a secret stands here as text",
    )


@pytest.mark.parametrize(
    ("written", "key", "message"),
    [
        ('"collector:4318"', "telemetry.otlp.url", "is not a URL"),
        ("{url: 'http://c:4318', compresion: gzip}", "telemetry.otlp.compresion", "unknown key"),
        ("{url: 'http://c:4318', compression: zip}", "telemetry.otlp.compression", "zip is not known here"),
        ("{url: 'http://c:4318', ca: no.pem}", "telemetry.otlp.ca", "can't be read"),
        ("{url: 'http://c:4318', ca: intake.yaml}", "telemetry.otlp.ca", "holds no certificate"),
        (
            "{url: 'http://c:4318', headers: {Content-Type: x}}",
            "telemetry.otlp.headers.Content-Type",
            "set by the protocol",
        ),
    ],
)
def test_mistake__is_told_with_its_key(tmp_path: Path, written: str, key: str, message: str) -> None:
    found = mistakes(tmp_path, changed(OTLP, f"telemetry: {{otlp: {written}}}\n"))

    assert [one.key for one in found] == [key]
    assert message in found[0].message


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            (
                "OTEL_EXPORTER_OTLP_PROTOCOL says grpc; this program speaks http/protobuf only."
                " Name the receiver's HTTP port (4318) in telemetry.otlp."
            ),
        ),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json",
            },
            (
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL says http/json; this program speaks http/protobuf only."
                " Name the receiver's HTTP port (4318) in telemetry.otlp."
            ),
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT is no URL. Write http://collector:4318.",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_TIMEOUT": "soon"},
            "OTEL_EXPORTER_OTLP_TIMEOUT is no time. Write milliseconds: 10000.",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd"},
            "OTEL_EXPORTER_OTLP_COMPRESSION says 'zstd'. There are gzip, deflate and none.",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_HEADERS": "planted-secret"},
            "OTEL_EXPORTER_OTLP_HEADERS is no list of pairs. Write key=value,key=value.",
        ),
    ],
)
def test_variable_that_can_not_be_followed__stops_the_sending_and_not_the_prober(
    tmp_path: Path, said: Mapping[str, str], problem: str
) -> None:
    found = telemetry(tmp_path, **said)

    assert (found.otlp_traces, found.otlp_metrics, found.otlp_problem) == (None, None, problem)


def test_variables_of_other_programs__are_no_problem_where_no_receiver_is_named(tmp_path: Path) -> None:
    said = {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_HEADERS": "nonsense"}

    assert telemetry(tmp_path, **said) == TelemetryConfig(None, None, None, None)


@pytest.mark.parametrize("written", [None, "http://collector:4318"])
def test_sdk_disabled__is_stronger_than_the_configuration(tmp_path: Path, written: str | None) -> None:
    said = {"OTEL_SDK_DISABLED": "True", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}

    found = telemetry(tmp_path, written, **said)
    assert (found.otlp_traces, found.otlp_metrics) == (None, None)


def test_exporter_none__silences_the_variables_alone(tmp_path: Path) -> None:
    said = {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}

    assert telemetry(tmp_path, **said).otlp_traces is None
    assert otlp(tmp_path, "http://collector:4318", **said).url == TRACES


def test_metrics__go_where_no_traces_go(tmp_path: Path) -> None:
    without_traces = {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c"}
    metrics_alone = {"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m/own"}

    for said, url, said_by in (
        (without_traces, "http://c/v1/metrics", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (metrics_alone, "http://m/own", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
    ):
        found = telemetry(tmp_path, **said)
        assert found.otlp_traces is None
        assert found.otlp_metrics is not None
        assert (found.otlp_metrics.url, found.otlp_metrics.said_by) == (url, said_by)


def test_setting_of_one_signal__is_heard_for_that_signal_alone(tmp_path: Path) -> None:
    every = {
        "HEADERS": ("authorization=planted-of-traces", "authorization=planted-of-metrics"),
        "TIMEOUT": ("2000", "3000"),
        "COMPRESSION": ("none", "deflate"),
        "CERTIFICATE": ("/t.pem", "/m.pem"),
        "CLIENT_CERTIFICATE": ("/t.crt", "/m.crt"),
        "CLIENT_KEY": ("/t.key", "/m.key"),
    }
    said = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m/own"}
    for name, both in every.items():
        for signal, value in zip(("TRACES", "METRICS"), both, strict=True):
            said[f"OTEL_EXPORTER_OTLP_{signal}_{name}"] = value

    found = telemetry(tmp_path, **said)

    for one, of in ((found.otlp_traces, 0), (found.otlp_metrics, 1)):
        assert one is not None
        assert secret_of(one.headers["authorization"]) == every["HEADERS"][of].partition("=")[2]
        assert (one.timeout_seconds, one.compression) == ((2.0, 3.0)[of], every["COMPRESSION"][of])
        assert (one.ca_file, one.client_certificate, one.client_key) == tuple(
            every[name][of] for name in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY")
        )


@pytest.mark.parametrize("written", [None, "http://collector:4318"])
def test_credential_for_traces__is_never_for_the_receiver_of_metrics(
    tmp_path: Path, written: str | None
) -> None:
    said = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "https://vendor.example/t",
        "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=planted-of-traces",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "http://m/own",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=abc",
    }

    found = telemetry(tmp_path, written, **said)

    assert found.otlp_metrics is not None
    assert found.otlp_traces is not None
    assert {name: secret_of(one) for name, one in found.otlp_metrics.headers.items()} == {"x-tenant": "abc"}
    assert secret_of(found.otlp_traces.headers["authorization"]) == "planted-of-traces"


def test_both_exporters_none__is_nothing_sent(tmp_path: Path) -> None:
    said = {
        "OTEL_TRACES_EXPORTER": "none",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c",
    }

    assert telemetry(tmp_path, **said) == TelemetryConfig(None, None, None, None)


@pytest.mark.parametrize("name", [f"OTEL_EXPORTER_OTLP_{one}ENDPOINT" for one in ("", "TRACES_", "METRICS_")])
@pytest.mark.parametrize("url", ["https://pa55@otel.example", "https://u:pa55@otel.example:4318/v1/traces"])
def test_user_in_an_address__is_refused_and_not_told(tmp_path: Path, name: str, url: str) -> None:
    found = telemetry(tmp_path, **{name: url})

    assert (found.otlp_traces, found.otlp_metrics) == (None, None)
    assert found.otlp_problem.startswith(f"{name} holds a user or a token before the host. Write it in")
    assert "pa55" not in repr(found)


def test_metrics_address_that_is_none__is_told(tmp_path: Path) -> None:
    found = telemetry(tmp_path, OTEL_EXPORTER_OTLP_METRICS_ENDPOINT="collector:4318")

    problem = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is no URL. Write http://collector:4318."
    assert (found.otlp_metrics, found.otlp_problem) == (None, problem)


def test_tls_files__are_among_what_a_pod_must_be_given_and_the_key_is_a_secret(tmp_path: Path) -> None:
    pems = "ca: tls/ca.pem, client_certificate: {certificate: tls/own.pem, key: tls/own.key}"
    text = changed(OTLP, f'telemetry: {{otlp: {{url: "http://c:4318", {pems}}}}}\n')
    (tmp_path / "intake.yaml").write_text(text)

    config = load(tmp_path / "intake.yaml", environ=ENVIRON, needs_secrets=False)

    assert {"tls/ca.pem", "tls/own.pem"} <= {one.name for one in config.needs.files}
    assert "tls/own.key" in {one.name for one in config.needs.secret_files}
    assert config.telemetry.otlp_traces is not None
    assert config.telemetry.otlp_traces.client_key == str(tmp_path / "tls/own.key")


def test_empty_variables__count_as_not_set(tmp_path: Path) -> None:
    said = {"OTEL_EXPORTER_OTLP_ENDPOINT": " ", "OTEL_SDK_DISABLED": ""}

    assert telemetry(tmp_path, **said).otlp_traces is None


def test_configuration_of_the_examples__is_read(tmp_path: Path) -> None:
    (tmp_path / "intake.yaml").write_text(FULL)
    try:
        found = load(tmp_path / "intake.yaml", environ=ENVIRON)
    except ConfigErrors as errors:
        raise AssertionError(errors.errors) from errors

    assert found.telemetry.otlp_traces is not None
