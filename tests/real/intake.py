"""A prober's folder over a running sandbox: its configuration, and the command line as a user runs it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox import ROOT, Endpoints

LIMIT_SECONDS = 120.0
"""A run looks for 30 s beyond the deadline at most, and cleans."""

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said: its exit status, the object on standard output, and standard error."""

    exit: int
    said: Tree
    notes: str

    @property
    def canary(self) -> Tree:
        """The one canary of the answer."""
        [one] = self.said["canaries"]
        found: Tree = one
        return found


@dataclass(frozen=True, slots=True)
class Intake:
    """A configuration file in a folder of its own; the store lies beside it."""

    directory: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "intake.yaml"

    def command(self, *arguments: str) -> list[str]:
        """The program with this configuration, as a list of words."""
        program = [sys.executable, "-m", "runners", "--config", str(self.configuration)]
        return [*program, "--allow-literal-secrets", *arguments]

    def tell(self, *arguments: str, seconds: float = LIMIT_SECONDS) -> Answer:
        """Run a command with ``--json`` to its end.

        Raises:
            AssertionError: it said no JSON, or a traceback.
        """
        done = subprocess.run(
            self.command("--json", *arguments),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if "Traceback" in done.stderr or not done.stdout.strip():
            raise AssertionError(f"{arguments} exits {done.returncode}: {done.stdout}{done.stderr}")
        return Answer(done.returncode, json.loads(done.stdout), done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Begin a command and leave it running; whoever begins it ends it."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )


def new_intake(directory: Path, endpoints: Endpoints, changes: Mapping[str, Any] | None = None) -> Intake:
    """Write the configuration of a prober for the sandbox, with some of its keys changed (None: left out)."""
    directory.mkdir(parents=True, exist_ok=True)
    tree = merged(standard(directory, endpoints), changes or {})
    intake = Intake(directory)
    intake.configuration.write_text(yaml.safe_dump(tree, sort_keys=False))
    return intake


def standard(directory: Path, endpoints: Endpoints) -> Tree:
    """All that the sandbox has, and a path by the target's own submission server, so that it can be blamed."""
    canary, support = endpoints.account("canary"), endpoints.account("support")

    def server(port: int, address: str, password: str) -> Tree:
        return {
            "host": endpoints.host,
            "port": port,
            "tls": "starttls",
            "username": address,
            "password": password,
        }

    return {
        "prober": {
            "name": "tests",
            "store": f"sqlite:///{directory / 'intake.db'}",
            "signing_keys": ["a key of the tests, 32 bytes long at least"],
            "ca": endpoints.ca_file,
        },
        "accounts": {
            "canary": {
                "address": canary.address,
                "smtp": server(endpoints.submission_port, canary.address, canary.password),
                "imap": server(endpoints.imap_port, canary.address, canary.password),
                "side": "target",
            }
        },
        "mailboxes": {"support": {"imap": server(endpoints.imap_port, support.address, support.password)}},
        "ticketing": {"desk": {"type": "helpdesk", "url": endpoints.desk_url, "token": endpoints.desk_token}},
        "paths": {
            "support-email": {
                "channel": "email",
                "from": ["canary"],
                "to": support.address,
                "mailbox": "support",
                "ticketing": "desk",
                "reply": True,
                "deadline": "4s",
                "horizon": "12s",
            }
        },
    }


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Tree:
    """The tree with the changes in it; None leaves a key out."""
    tree = dict(base)
    for key, value in changes.items():
        if value is None:
            tree.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(tree.get(key), Mapping):
            tree[key] = merged(tree[key], value)
        else:
            tree[key] = value
    return tree
