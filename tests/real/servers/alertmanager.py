"""Prometheus Alertmanager as a child: one member on loopback, which notifies nobody, a webhook, or whom it is told."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.real.servers.needed import ALERTMANAGER
from tests.real.servers.process import HOST, Child, free_port, run_as, server_directory, wait_until

_CONFIGURATION = """\
route: {receiver: nobody, group_by: [alertname], group_wait: 1s, group_interval: 1s}
receivers: [{name: nobody}]
"""
_TELLING = """\
route: {{receiver: hook, group_by: [key], group_wait: 0s, group_interval: 1s, repeat_interval: 4h}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""
"""Each key is a group of its own: what is told of it is told at once, and an end within the second."""


@dataclass(slots=True)
class Alertmanager:
    """A running member."""

    directory: Path
    port: int
    child: Child

    @property
    def url(self) -> str:
        """Its base."""
        return f"http://{HOST}:{self.port}"

    def alerts(self) -> Sequence[dict[str, Any]]:
        """What is firing, by its own word."""
        answer = httpx.get(f"{self.url}/api/v2/alerts", trust_env=False, timeout=5)
        found: list[dict[str, Any]] = answer.raise_for_status().json()
        return found

    def post(self, alerts: Sequence[Mapping[str, str]]) -> None:
        """Fire alerts, by their labels."""
        body = [{"labels": dict(one)} for one in alerts]
        httpx.post(f"{self.url}/api/v2/alerts", json=body, trust_env=False, timeout=5).raise_for_status()


def checked(configuration: str) -> str:
    """What `amtool check-config` says of a configuration.

    Raises:
        CommandError: it is wrong.
    """
    ALERTMANAGER.require()
    with server_directory("amtool") as directory:
        file = directory / "alertmanager.yml"
        file.write_text(configuration)
        return run_as(None, ["/usr/bin/amtool", "check-config", str(file)]).decode()


def receivers_of(configuration: str, **labels: str) -> str:
    """Which receivers an alert reaches, by `amtool config routes test`."""
    ALERTMANAGER.require()
    with server_directory("amtool") as directory:
        file = directory / "alertmanager.yml"
        file.write_text(configuration)
        words = [f"{name}={value}" for name, value in labels.items()]
        command = ["/usr/bin/amtool", "config", "routes", "test", f"--config.file={file}", *words]
        return run_as(None, command).decode().strip()


@contextlib.contextmanager
def running_alertmanager(
    hook: str | None = None, *, configuration_text: str | None = None
) -> Iterator[Alertmanager]:
    """Start a member on a free port; gone with its data at the end.

    Args:
        hook: the URL of a webhook that it notifies, a group a key; None: nobody.
        configuration_text: a whole configuration instead.
    """
    ALERTMANAGER.require()
    text = configuration_text or (_CONFIGURATION if hook is None else _TELLING.format(url=hook))
    with server_directory("alertmanager") as directory:
        configuration = directory / "alertmanager.yml"
        configuration.write_text(text)
        port = free_port()
        child = Child(
            [
                "/usr/bin/prometheus-alertmanager",
                f"--config.file={configuration}",
                f"--storage.path={directory}/data",
                f"--web.listen-address={HOST}:{port}",
                "--cluster.listen-address=",
            ],
            log_path=directory / "alertmanager.log",
        )
        server = Alertmanager(directory, port, child)
        try:
            wait_until(lambda: _is_ready(server), what="answer of Alertmanager", child=child)
            yield server
        finally:
            child.stop()


def _is_ready(server: Alertmanager) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{server.url}/-/ready", trust_env=False, timeout=2).status_code == httpx.codes.OK
    return False
