"""Prometheus as a child: scrapes pages on loopback every second, and answers queries about it."""

import contextlib
import json
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.real.servers.needed import PROMETHEUS
from tests.real.servers.process import (
    HOST,
    Child,
    free_port,
    hand_over,
    run_as,
    server_directory,
    unprivileged_account,
    wait_until,
)

_CONFIGURATION = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: intake
  honor_labels: {honor_labels}
  static_configs: [{{targets: [{targets}]}}]
"""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running server."""

    port: int
    child: Child

    def query(self, expression: str) -> dict[tuple[tuple[str, str], ...], float]:
        """What an expression comes to now: each series' value by its labels, those of the scrape left out."""
        answer = self._asked("query", {"query": expression})
        return {
            tuple(
                sorted(
                    (name, value)
                    for name, value in one["metric"].items()
                    if name not in {"__name__", "instance", "job"}
                )
            ): float(one["value"][1])
            for one in answer["result"]
        }

    def exemplars(self, name: str) -> list[Mapping[str, str]]:
        """The labels of the exemplars that it took of a series."""
        span = {"query": name, "start": "0", "end": "9999999999"}
        return [
            one["labels"] for series in self._asked("query_exemplars", span) for one in series["exemplars"]
        ]

    def _asked(self, verb: str, parameters: Mapping[str, str]) -> Any:  # noqa: ANN401 -- whatever JSON holds
        url = f"http://{HOST}:{self.port}/api/v1/{verb}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return answer["data"]


def checked(exposition: bytes) -> str:
    """What `promtool check metrics` finds in an exposition; empty where all is as it should be."""
    PROMETHEUS.require()
    # It exits with 3 where it only has advice.
    return run_as(
        None,
        ["/bin/sh", "-c", "exec promtool check metrics 2>&1"],
        standard_input=exposition,
        accept=(0, 1, 3),
    ).decode()


def rules_checked(rules: str) -> str:
    """What `promtool check rules` says.

    Raises:
        CommandError: they are wrong.
    """
    PROMETHEUS.require()
    with server_directory("promtool") as directory:
        file = directory / "rules.yml"
        file.write_text(rules)
        return run_as(None, ["/usr/bin/promtool", "check", "rules", str(file)]).decode()


def rules_tested(files: Mapping[str, str], *, limit_seconds: float = 300.0) -> str:
    """What `promtool test rules` says of all ``*.test.yml`` among these files: as it is, be it good or bad."""
    PROMETHEUS.require()
    with server_directory("promtool") as directory:
        for name, text in files.items():
            (directory / name).write_text(text)
        tests = [str(directory / name) for name in files if name.endswith(".test.yml")]
        command = ["/bin/sh", "-c", 'exec promtool test rules "$@" 2>&1', "promtool", *tests]
        return run_as(None, command, accept=(0, 1), limit_seconds=limit_seconds).decode()


@contextlib.contextmanager
def running_prometheus(
    *targets: str, honor_labels: bool = False, rules: str | None = None, alertmanager: str | None = None
) -> Iterator[Prometheus]:
    """Start one that scrapes each ``host:port``; gone with all that it took at the end.

    Args:
        targets: what is scraped.
        honor_labels: labels of what is scraped win: for a Pushgateway.
        rules: a file of rules, as text.
        alertmanager: ``host:port`` of where alerts go.
    """
    PROMETHEUS.require()
    account = unprivileged_account()
    with server_directory("prometheus", account) as directory:
        configuration = directory / "prometheus.yml"
        text = _CONFIGURATION.format(
            targets=", ".join(f'"{one}"' for one in targets), honor_labels=str(honor_labels).lower()
        )
        if rules is not None:
            rule_file = directory / "intake.rules.yml"
            rule_file.write_text(rules)
            hand_over(rule_file, account)
            text += f"rule_files: [{rule_file}]\n"
        if alertmanager is not None:
            text += f'alerting: {{alertmanagers: [{{static_configs: [{{targets: ["{alertmanager}"]}}]}}]}}\n'
        configuration.write_text(text)
        hand_over(configuration, account)
        port = free_port()
        child = Child(
            [
                "/usr/bin/prometheus",
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'data'}",
                f"--web.listen-address={HOST}:{port}",
                "--enable-feature=exemplar-storage",
            ],
            log_path=directory / "prometheus.log",
            account=account,
            cwd=directory,
        )

        def is_ready() -> bool:
            try:
                with urllib.request.urlopen(f"http://{HOST}:{port}/-/ready", timeout=2):
                    return True
            except OSError:
                return False

        try:
            wait_until(is_ready, what="answer of Prometheus", child=child)
            yield Prometheus(port, child)
        finally:
            child.stop()
