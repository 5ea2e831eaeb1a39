"""`serve` with an address of its own for the metrics: a real process, asked over real HTTP."""

import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.real.bare_intake import bare_intake
from tests.real.intake import Intake
from tests.real.scripted_http import closed_port

LIMIT_SECONDS = 60.0
TOKEN = "0123456789abcdef0123456789abcdef"
_PAUSE = threading.Event()


def intake_of(directory: Path, page: int, metrics: int, **web: object) -> Intake:
    listen = {"web": {"listen": f"127.0.0.1:{page}", **web}}
    return bare_intake(
        directory,
        f"http://127.0.0.1:{closed_port()}",
        {**listen, "telemetry": {"metrics": {"listen": f"127.0.0.1:{metrics}"}}},
    )


@contextmanager
def serving(intake: Intake, *ports: int) -> Iterator[subprocess.Popen[str]]:
    """The daemon, once it answers at these ports."""
    process = intake.start("serve")
    try:
        last = time.perf_counter() + LIMIT_SECONDS
        waiting = list(ports)
        while waiting:
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.perf_counter() < last
            _PAUSE.wait(0.1)
            waiting = [one for one in waiting if not answers(one)]
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        return get(port, "/metrics").status_code != httpx.codes.SERVICE_UNAVAILABLE
    except httpx.TransportError:
        return False


def get(port: int, address: str, **headers: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{address}", headers=headers, trust_env=False, timeout=20.0)


def test_metrics_listen__has_the_metrics_and_nothing_else_beside_the_page(tmp_path: Path) -> None:
    page, metrics = closed_port(), closed_port()
    with serving(intake_of(tmp_path, page, metrics), page, metrics) as process:
        found = get(metrics, "/metrics")
        others = [get(metrics, address).status_code for address in ("/", "/status.json", "/healthz")]
        on_page = [get(page, address).status_code for address in ("/", "/metrics")]
        process.send_signal(signal.SIGTERM)
        status = process.wait(LIMIT_SECONDS)

    assert found.status_code == 200
    assert "intake_prober_build_info" in found.text or "intake_build_info" in found.text
    assert others == [404, 404, 404]
    assert on_page == [200, 200]
    assert status == 0


def test_token_of_the_page__is_asked_for_at_the_metrics_too(tmp_path: Path) -> None:
    page, metrics = closed_port(), closed_port()
    with serving(intake_of(tmp_path, page, metrics, token=TOKEN), page, metrics):
        without = get(metrics, "/metrics")
        shown = get(metrics, "/metrics", Authorization=f"Bearer {TOKEN}")

    assert (without.status_code, shown.status_code) == (401, 200)


def test_port_of_the_metrics_in_use__ends_with_the_address_and_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = intake_of(tmp_path, closed_port(), port).start("serve")
        _, notes = process.communicate(timeout=LIMIT_SECONDS)

    assert process.returncode == 2, notes
    assert f"telemetry.metrics: 127.0.0.1:{port} can't be listened on: address already in use." in notes
    assert "name another port in telemetry.metrics.listen" in notes
