"""One-shot runs over the sandbox with every way out of figures: open, closed, and one run after the other."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from canary.instruments import metrics
from tests.real.intake import Intake, new_intake
from tests.real.metrics_pages import Series, of_otlp, of_text
from tests.real.otlp_receiver import Receiver, receiving
from tests.real.servers.process import free_port
from tests.real.servers.pushgateway import Exporter, running_pushgateway
from tests.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway() -> Iterator[Exporter]:
    with running_pushgateway() as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def configured(directory: Path, sandbox: Sandbox, gateway_url: str, otlp_url: str, textfile: str) -> Intake:
    changes: dict[str, Any] = {
        "telemetry": {
            "otlp": {"url": otlp_url, "timeout": "2s"},
            "metrics": {"pushgateway": gateway_url, "textfile": textfile},
        }
    }
    return new_intake(directory, sandbox.endpoints, changes)


def value(series: Series, name: str, **labels: str) -> float:
    return series[name, tuple(sorted(labels.items()))]


def test_two_runs__leave_the_same_figures_by_every_way_and_the_second_goes_on(
    tmp_path: Path, sandbox: Sandbox, gateway: Exporter, receiver: Receiver
) -> None:
    intake = configured(tmp_path, sandbox, gateway.url, receiver.url, "figures.prom")
    verdicts, requests, seen = metrics.CANARY_VERDICTS.prometheus, metrics.TICKET_API_REQUESTS.prometheus, []

    for _ in range(2):
        assert intake.tell("run").exit == 0
        file = of_text((tmp_path / "figures.prom").read_text())
        pushed = [one for one in receiver.taken if one.path == "/v1/metrics"][-1]
        assert of_otlp(pushed.body) == pytest.approx(file)
        without = frozenset({"job", "instance", "prober"})
        assert of_text(gateway.page(), without=without) == of_text(
            (tmp_path / "figures.prom").read_text(), without=without
        )
        seen.append(file)

    confirmed = {"path": "support-email", "channel": "email", "verdict": "confirmed"}
    assert [value(one, verdicts, **confirmed) for one in seen] == [1, 2]
    first, second = (value(one, requests, place="desk", outcome="ok", prober="tests") for one in seen)
    assert 0 < first < second


def test_every_way_closed__the_run_exits_as_ever_within_seconds_and_the_next_tells_of_it(
    tmp_path: Path, sandbox: Sandbox, gateway: Exporter, receiver: Receiver
) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    good = configured(tmp_path, sandbox, gateway.url, receiver.url, "figures.prom")
    began = time.monotonic()
    intake = configured(tmp_path, sandbox, closed, closed, "gone/figures.prom")

    answer = intake.tell("--log-format", "json", "run")

    assert answer.exit == 0
    assert time.monotonic() - began < 60
    failed = [
        line
        for line in answer.notes.splitlines()
        if '"export_failed"' in line and '"runners.telemetry.pushing"' in line
    ]
    assert len(failed) == 3, answer.notes
    assert "its folder does not exist. Make it" in answer.notes

    good = configured(tmp_path, sandbox, gateway.url, receiver.url, "figures.prom")
    assert good.tell("sweep").exit == 0
    errors = of_text((tmp_path / "figures.prom").read_text())
    kind = {"prober": "tests", "kind": "metrics"}
    assert value(errors, metrics.PROBER_EXPORT_ERRORS.prometheus, **kind) == 3


def test_check__has_a_line_for_each_way_and_pushes_nothing(
    tmp_path: Path, sandbox: Sandbox, gateway: Exporter, receiver: Receiver
) -> None:
    before = gateway.page()
    intake = configured(tmp_path, sandbox, gateway.url, receiver.url, "figures.txt")

    good = {(one["place"], one["name"]): one for one in intake.tell("check").said["checks"]}

    assert good["telemetry.metrics", "pushgateway"]["state"] == "ok"
    assert good["telemetry.metrics", "otlp"]["state"] == "ok"
    assert good["telemetry.metrics", "textfile"]["state"] == "warn"
    assert ".prom" in good["telemetry.metrics", "textfile"]["remedy"]
    assert [line for line in gateway.page().splitlines() if line.startswith("intake_")] == [
        line for line in before.splitlines() if line.startswith("intake_")
    ]

    closed = f"http://127.0.0.1:{free_port()}"
    bad = configured(tmp_path, sandbox, closed, closed, "gone/figures.prom").tell("check")

    mine = [one for one in bad.said["checks"] if one["place"] == "telemetry.metrics"]
    assert bad.exit == 2
    assert [one["state"] for one in mine] == ["fail", "fail", "fail"]
    assert all(one["remedy"] for one in mine)
