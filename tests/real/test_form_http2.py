"""HTTP/2 over TLS with a real server (Hypercorn): offered, and chosen by the server."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import pytest

from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from probes.form.settings import Confirmation
from tests.real.forms import PAGE, Seen, launched, settings
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


class GoingAway:
    """Takes every page; at the first post it says that it took none of it (GOAWAY, RFC 9113 section 6.8)."""

    def __init__(self) -> None:
        self.posts = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        connection.initiate_connection()
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        self._answer(connection, event)
                writer.write(connection.data_to_send())
                await writer.drain()
        writer.close()

    def _answer(self, connection: h2.connection.H2Connection, asked: h2.events.RequestReceived) -> None:
        headers = {bytes(name): bytes(value) for name, value in asked.headers}
        if headers[b":method"] == b"GET":
            page = [(":status", "200"), ("content-type", "text/html")]
            connection.send_headers(asked.stream_id, page)
            connection.send_data(asked.stream_id, PAGE.encode(), end_stream=True)
            return
        self.posts += 1
        if self.posts == 1:
            connection.close_connection(last_stream_id=1)
        else:
            connection.send_headers(asked.stream_id, [(":status", "200")], end_stream=True)


def test_post_that_the_server_says_it_did_not_take__is_not_sent_again(tmp_path: Path) -> None:
    certificates, site = make_certificates(tmp_path), GoingAway()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.valid.certificate_path, certificates.valid.key_path)
    context.set_alpn_protocols(["h2"])

    async def story() -> Seen:
        server = await asyncio.start_server(site.serve, HOST, 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        async with server:
            return await launched(
                settings(f"https://{HOST}:{port}/form", http2=True, ca_files=(str(certificates.ca_path),))
            )

    seen = asyncio.run(story())

    assert site.posts == 1
    end = seen.end
    assert (end.hop, end.outcome, end.reason) == (Hop.FORM_SUBMIT, Outcome.UNKNOWN, Reason.CONNECTION_LOST)
    assert not end.rules_out_ticket
