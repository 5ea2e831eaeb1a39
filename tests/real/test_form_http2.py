"""HTTP/2 over TLS with a real server (Hypercorn): offered, and chosen by the server."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from canary.hop import Hop
from canary.observation import Outcome
from probes.form.settings import Confirmation
from tests.real.forms import Seen, launched, settings
from tests.real.servers.certificates import make_certificates
from tests.real.servers.process import HOST, free_port
from tests.sandbox import ROOT

pytestmark = pytest.mark.real
START_SECONDS = 20.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The URL of the form, and the file of its authority."""
    certificates, port = make_certificates(tmp_path_factory.mktemp("tls")), free_port()
    command = [sys.executable, "-m", "hypercorn", "--bind", f"{HOST}:{port}"]
    command += [
        "--certfile",
        str(certificates.valid.certificate_path),
        "--keyfile",
        str(certificates.valid.key_path),
    ]
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
    }
    process = subprocess.Popen(
        [*command, "tests.real.contact_app:app"],
        cwd=ROOT,
        env=environ,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _await_port(process, port)
        yield f"https://{HOST}:{port}/form", str(certificates.ca_path)
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        process.kill()
        process.communicate()


def _await_port(process: subprocess.Popen[bytes], port: int) -> None:
    ends_at = time.perf_counter() + START_SECONDS
    while time.perf_counter() < ends_at:
        if process.poll() is not None:
            said = process.communicate()[1].decode(errors="replace")
            raise AssertionError(f"Hypercorn did not start; it said: {said[-500:]}")
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=0.2):
            return
        time.sleep(0.05)
    raise AssertionError(f"Hypercorn did not start within {START_SECONDS} s")


@pytest.mark.parametrize(("http2", "version"), [(True, "2"), (False, "1.1")], ids=["offered", "not offered"])
def test_http2__is_spoken_where_it_is_offered(served: tuple[str, str], http2: bool, version: str) -> None:
    url, ca_file = served
    confirmation = Confirmation(text=re.compile(r"#(?P<ticket>HTTP/[\d.]+)"))

    seen: Seen = asyncio.run(
        launched(settings(url, http2=http2, ca_files=(ca_file,), confirmation=confirmation))
    )

    assert seen.end.outcome is Outcome.OK, seen.end.detail
    assert seen.last(Hop.FORM_SUBMIT).facts["network.protocol.version"] == version
    assert seen.end.facts["intake.ticket.id"] == f"HTTP/{version}"
