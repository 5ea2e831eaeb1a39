"""A Pushgateway, and a node exporter with nothing but its textfile collector, as children on loopback."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.real.servers.needed import NODE_EXPORTER, PUSHGATEWAY
from tests.real.servers.process import (
    HOST,
    Child,
    free_port,
    server_directory,
    unprivileged_account,
    wait_until,
)


@dataclass(frozen=True, slots=True)
class Exporter:
    """A running server with a page `/metrics`."""

    port: int
    child: Child

    @property
    def target(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.target}"

    def page(self) -> str:
        """What it shows now."""
        return httpx.get(f"{self.url}/metrics", trust_env=False, timeout=5).raise_for_status().text


@contextlib.contextmanager
def running_pushgateway() -> Iterator[Exporter]:
    """Start one that keeps nothing; gone at the end."""
    PUSHGATEWAY.require()
    port = free_port()
    words = ["/usr/bin/prometheus-pushgateway", f"--web.listen-address={HOST}:{port}"]
    with _running("pushgateway", words, port) as server:
        yield server


@contextlib.contextmanager
def running_node_exporter(folder: Path) -> Iterator[Exporter]:
    """Start one that shows what lies in the folder, as an account of its own."""
    NODE_EXPORTER.require()
    port = free_port()
    words = [
        "/usr/bin/prometheus-node-exporter",
        f"--web.listen-address={HOST}:{port}",
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={folder}",
    ]
    with _running("node-exporter", words, port) as server:
        yield server


@contextlib.contextmanager
def _running(name: str, words: list[str], port: int) -> Iterator[Exporter]:
    account = unprivileged_account()
    with server_directory(name, account) as directory:
        child = Child(words, log_path=directory / f"{name}.log", account=account, cwd=directory)
        server = Exporter(port, child)

        def is_ready() -> bool:
            with contextlib.suppress(httpx.TransportError):
                server.page()
                return True
            return False

        try:
            wait_until(is_ready, what=f"answer of {name}", child=child)
            yield server
        finally:
            child.stop()
