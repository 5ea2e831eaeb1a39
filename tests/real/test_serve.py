"""`serve` over the sandbox and a real PostgreSQL: it launches, shows, alerts, reads anew, bears a lost store, and ends."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.real.intake import Intake, new_intake
from tests.real.servers.postgresql import PostgreSql, running_postgresql
from tests.sandbox import Sandbox, start_sandbox

LIMIT_SECONDS = 60.0
_PAUSE = threading.Event()


def until(what: Callable[[], object], *, seconds: float = LIMIT_SECONDS) -> None:
    """Wait for something to hold."""
    last = time.perf_counter() + seconds
    while time.perf_counter() < last:
        if what():
            return
        _PAUSE.wait(0.1)
    raise AssertionError("it did not come to hold")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port


@dataclass
class Receiver:
    """Takes webhooks; this is no simulator of anybody."""

    port: int = 0
    heard: list[dict[str, Any]] = field(default_factory=list)

    def types(self) -> list[str]:
        return [one["type"] for one in self.heard]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as running:
        yield running


@pytest.fixture(autouse=True)
def _whole_again(sandbox: Sandbox) -> Iterator[None]:
    yield
    sandbox.clear_faults()


@dataclass
class Serving:
    intake: Intake
    process: subprocess.Popen[str]
    page: httpx.Client
    notes: list[str] = field(default_factory=list)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.page.get("/status.json").json()
        return answer

    def path(self) -> dict[str, Any]:
        found: dict[str, Any] = self.status()["paths"][0]
        return found

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT_SECONDS)


@contextmanager
def serving(intake: Intake, port: int) -> Iterator[Serving]:
    """The daemon, until the end of the scope."""
    process = intake.start("serve")
    notes: list[str] = []

    def read() -> None:
        assert process.stderr is not None
        notes.extend(process.stderr)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as page:
            one = Serving(intake, process, page, notes)
            until(lambda: process.poll() is not None or _is_up(page))
            yield one
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        reading.join()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
    assert "Traceback" not in "".join(notes), "".join(notes)


def _is_up(page: httpx.Client) -> bool:
    try:
        return page.get("/healthz").status_code == 200
    except httpx.HTTPError:
        return False


def configured(
    directory: Path, sandbox: Sandbox, receiver: Receiver, port: int, *, store: str | None = None
) -> Intake:
    """A path that is launched every five seconds, and one sink."""
    changes: dict[str, Any] = {
        "web": {"listen": f"127.0.0.1:{port}"},
        "alerts": {
            "open": "2 of 3",
            "resolve": 1,
            "sinks": {
                "hook": {
                    "type": "webhook",
                    "url": f"http://127.0.0.1:{receiver.port}/",
                    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                    "allow_private": True,
                }
            },
        },
    }
    if store is not None:
        changes["prober"] = {"store": store}
    intake = new_intake(directory, sandbox.endpoints, changes)
    tree = yaml.safe_load(intake.configuration.read_text())
    for path in tree["paths"].values():
        path.update(every="5s", deadline="4s", horizon="60s")
    intake.configuration.write_text(yaml.safe_dump(tree, sort_keys=False))
    return intake


def test_serve__launches_shows_alerts_once_and_ends_clean(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    port = free_port()
    intake = configured(tmp_path / "prober", sandbox, receiver, port)

    with serving(intake, port) as daemon:
        until(lambda: daemon.path()["state"] == "ok")
        assert daemon.page.get("/readyz").status_code == 200
        assert 'intake_canary_verdicts_total{channel="email"' in daemon.page.get("/metrics").text
        assert "support-email" in daemon.page.get("/").text

        sandbox.faults(desk_poller_paused=True)
        until(lambda: receiver.types() == ["intake.incident.opened"])
        assert daemon.path()["state"] == "broken"
        sandbox.clear_faults()
        until(lambda: "intake.incident.resolved" in receiver.types())

        assert receiver.types() == ["intake.incident.opened", "intake.incident.resolved"]
        assert daemon.end() == 0

    answer = intake.tell("sweep")
    assert answer.exit in {0, 1}
    assert [one for one in answer.said["canaries"] if one["verdict"] == "pending"] == []


def _is_on(page: httpx.Client, said: str) -> bool:
    return said in page.get("/").text


def _with_prober(text: str, key: str, value: str) -> str:
    tree = yaml.safe_load(text)
    tree["prober"][key] = value
    return yaml.safe_dump(tree, sort_keys=False)


def test_serve__reads_the_file_anew_and_refuses_a_bad_one_with_the_reason_on_its_page(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    port = free_port()
    intake = configured(tmp_path / "prober", sandbox, receiver, port)
    good = intake.configuration.read_text()

    with serving(intake, port) as daemon:
        until(lambda: daemon.path()["state"] == "ok")
        intake.configuration.write_text(good.replace("every: 5s", "every: 5 parsecs"))
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: "he new configuration was refused" in daemon.page.get("/").text)
        assert "5 parsecs" in daemon.page.get("/").text

        (tmp_path / "cut.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB")
        bad_ones = {
            "prober.ca[0]": _with_prober(good, "ca", str(tmp_path / "cut.pem")),
            "half a character": _with_prober(good, "name", "NAME").replace("NAME", '"\\ud800"'),
        }
        for said, bad in bad_ones.items():
            intake.configuration.write_text(bad)
            daemon.process.send_signal(signal.SIGHUP)
            until(partial(_is_on, daemon.page, said))

        before = daemon.path()["last_launch_at"]
        until(lambda: daemon.path()["last_launch_at"] > before)

        intake.configuration.write_text(good.replace("support-email:", "mail-to-support:"))
        daemon.process.send_signal(signal.SIGHUP)
        until(lambda: [one["path"] for one in daemon.status()["paths"]] == ["mail-to-support"])
        until(lambda: daemon.path()["state"] == "ok")
        assert "he new configuration was refused" not in daemon.page.get("/").text
        assert daemon.end() == 0


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSql]:
    with running_postgresql() as server:
        yield server


def test_serve_whose_database_dies__says_so_launches_nothing_and_goes_on_when_it_is_back(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver, postgresql: PostgreSql
) -> None:
    port = free_port()
    intake = configured(tmp_path / "prober", sandbox, receiver, port, store=postgresql.new_database())

    with serving(intake, port) as daemon:
        until(lambda: daemon.path()["state"] == "ok")
        postgresql.kill()
        until(lambda: daemon.page.get("/readyz").status_code == 503)
        assert daemon.page.get("/healthz").status_code == 200
        assert 'intake_prober_blind{cause="store"' in daemon.page.get("/metrics").text
        assert daemon.page.get("/status.json").status_code == 503
        _PAUSE.wait(6)  # longer than an interval: what would be launched is not

        postgresql.start()
        until(lambda: daemon.page.get("/readyz").status_code == 200, seconds=120)
        before = time.time()
        until(lambda: daemon.path()["state"] == "ok", seconds=120)
        assert time.time() >= before
        assert daemon.end() == 0


def test_address_in_use__is_refused_by_name_with_the_remedy(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        intake = configured(tmp_path / "prober", sandbox, receiver, port)

        done = subprocess.run(
            intake.command("serve"), capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
        )

    assert done.returncode == 2
    assert f"127.0.0.1:{port} can't be listened on" in done.stderr
    assert "name another port in web.listen" in done.stderr
    assert "Traceback" not in done.stderr


def test_first_signal__lets_what_is_under_way_end_and_a_second_one_ends_at_once(
    tmp_path: Path, sandbox: Sandbox, receiver: Receiver
) -> None:
    port = free_port()
    intake = configured(tmp_path / "prober", sandbox, receiver, port)

    with serving(intake, port) as daemon:
        until(lambda: daemon.path()["state"] == "ok")
        sandbox.faults(smtp_banner_silent=True)
        before = daemon.path()["last_launch_at"]
        until(lambda: daemon.path()["last_launch_at"] > before)
        daemon.process.send_signal(signal.SIGINT)
        _PAUSE.wait(0.5)
        os.kill(daemon.process.pid, signal.SIGINT)
        status = daemon.process.wait(LIMIT_SECONDS)
    sandbox.clear_faults()

    assert status in {0, 130}
