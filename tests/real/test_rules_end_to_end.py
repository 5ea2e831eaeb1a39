"""Break the sandbox: `serve`, Prometheus and Alertmanager page within the time that `check` promises. Heal it: it resolves."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import loads
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from runners.cli.app import main
from runners.config.fields import parse_duration
from tests.processes import run
from tests.real.intake import LIMIT_SECONDS, Intake, new_intake
from tests.real.servers.alertmanager import running_alertmanager
from tests.real.servers.process import HOST, free_port
from tests.real.servers.prometheus import running_prometheus
from tests.real.test_serve import serving, until
from tests.sandbox import Sandbox, start_sandbox

PATH = "support-email"
PAGER = "/intake-pager-support"


@dataclass
class Webhooks:
    """What Alertmanager told each of its receivers, with the time; the path of a request is the receiver's name."""

    port: int = 0
    heard: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)

    def told(self, receiver: str, status: str, alert: str) -> list[tuple[float, dict[str, Any]]]:
        """When it was told of an alert in this state, and the alert."""
        return [
            (at, one)
            for at, path, message in list(self.heard)
            for one in message["alerts"]
            if path == receiver and one["status"] == status and one["labels"]["alertname"] == alert
        ]


@contextmanager
def webhooks() -> Iterator[Webhooks]:
    """Receivers on loopback."""
    made = Webhooks()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = loads(self.rfile.read(int(self.headers["Content-Length"])))
            made.heard.append((time.perf_counter(), self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        made.port = server.server_port
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


def configured(directory: Path, sandbox: Sandbox, port: int) -> Intake:
    """A path that is launched every five seconds; alerts go by Prometheus."""
    changes: dict[str, Any] = {
        "web": {"listen": f"{HOST}:{port}"},
        "alerts": {"open": "2 of 3", "resolve": 1, "via": "prometheus", "prometheus": {"team": "intake-ops"}},
        "paths": {
            PATH: {"every": "5s", "deadline": "4s", "horizon": "60s", "labels": {"team": "support"}},
        },
    }
    return new_intake(directory, sandbox.endpoints, changes)


def rendered(intake: Intake, target: str) -> str:
    """What `render` writes to a file."""
    file = intake.directory / f"{target}.yml"
    ended = run(main, intake.words("render", target, "--output", str(file)), seconds=LIMIT_SECONDS)
    assert ended.status == 0, ended.notes
    return file.read_text()


def with_receivers(configuration: str, port: int) -> str:
    """The same routes, but every receiver is a webhook of ours."""
    tree = yaml.safe_load(configuration)
    for one in tree["receivers"]:
        name = one["name"]
        sends_resolved = all(value.get("send_resolved", True) for value in one.get("webhook_configs", []))
        hook = {"url": f"http://{HOST}:{port}/{name}", "send_resolved": sends_resolved}
        one.clear()
        one.update(name=name, webhook_configs=[hook])
    return yaml.safe_dump(tree)


def promised_seconds(intake: Intake) -> float:
    """Within which time `check` says that an outage pages."""
    checks = intake.tell("check").said["checks"]
    (finding,) = [one["finding"] for one in checks if one["place"] == PATH and one["name"] == "schedule"]
    match = re.search(r"a page within (\S+) where", finding)
    assert match is not None, finding
    return parse_duration(match[1])


def test_intake_that_breaks__pages_within_the_promised_time_and_resolves_when_it_is_healed(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    port = free_port()
    intake = configured(tmp_path / "prober", sandbox, port)
    rules, routes = rendered(intake, "prometheus-rules"), rendered(intake, "alertmanager")
    promised = promised_seconds(intake)

    with (
        webhooks() as hooks,
        running_alertmanager(configuration_text=with_receivers(routes, hooks.port)) as alertmanager,
        serving(intake, port) as daemon,
        running_prometheus(
            f"{HOST}:{port}", rules=rules, alertmanager=f"{HOST}:{alertmanager.port}"
        ) as prometheus,
    ):
        until(lambda: daemon.path()["state"] == "ok")
        until(lambda: prometheus.query("path:intake_info"))
        until(lambda: hooks.told("/intake-heartbeat", "firing", "IntakeWatchdog"))
        assert not hooks.told(PAGER, "firing", "IntakePathBroken")

        sandbox.faults(desk_poller_paused=True)
        broken_at = time.perf_counter()
        until(lambda: hooks.told(PAGER, "firing", "IntakePathBroken"), seconds=promised)
        ((paged_at, page), *_) = hooks.told(PAGER, "firing", "IntakePathBroken")
        sandbox.clear_faults()
        until(lambda: hooks.told(PAGER, "resolved", "IntakePathBroken"))

        assert daemon.end() == 0
    assert paged_at - broken_at <= promised
    assert page["labels"] | {"blame": "", "reason": ""} == {
        "alertname": "IntakePathBroken",
        "severity": "page",
        "category": "target",
        "path": PATH,
        "channel": "email",
        "team": "support",
        "domain": sandbox.support.address.partition("@")[2],
        "blame": "",
        "reason": "",
    }
    assert f"Support intake {PATH} is broken at {page['labels']['blame']}" in page["annotations"]["summary"]
    assert "not known" not in page["annotations"]["description"]
