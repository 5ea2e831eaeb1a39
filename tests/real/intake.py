"""A prober's folder over a running sandbox: its configuration, and the command line as a user runs it."""

import asyncio
import imaplib
import json
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from runners.cli.app import main
from runners.clock import SystemClock
from runners.contracts import Record
from runners.launch import LEASE
from runners.store import open_store
from tests.processes import run
from tests.sandbox import ROOT, Endpoints, Sandbox

LIMIT_SECONDS = 120.0
"""A run looks for 30 s beyond the deadline at most, and cleans."""

CLOSED = {3, 4}
"""Of the helpdesk's states: resolved, closed."""

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
    """A configuration file in a folder of its own; the store lies beside it, unless it is a server's."""

    directory: Path
    store: str

    @property
    def configuration(self) -> Path:
        return self.directory / "intake.yaml"

    def words(self, *arguments: str) -> list[str]:
        """What follows the program's name, with this configuration."""
        return ["--config", str(self.configuration), "--allow-literal-secrets", *arguments]

    def command(self, *arguments: str) -> list[str]:
        """The program with this configuration, as a list of words."""
        return [sys.executable, "-m", "runners", *self.words(*arguments)]

    def tell(self, *arguments: str, seconds: float = LIMIT_SECONDS) -> Answer:
        """Run a command with ``--json`` to its end.

        Raises:
            AssertionError: it said no JSON, or a traceback.
        """
        ended = run(main, self.words("--json", *arguments), seconds=seconds)
        if "Traceback" in ended.notes or not ended.said.strip():
            raise AssertionError(f"{arguments} exits {ended.status}: {ended.said}{ended.notes}")
        return Answer(ended.status, json.loads(ended.said), ended.notes)

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
    return write_intake(directory, merged(standard(directory, endpoints), changes or {}))


def write_intake(directory: Path, tree: Tree) -> Intake:
    """Write a configuration into a folder of its own."""
    directory.mkdir(parents=True, exist_ok=True)
    intake = Intake(directory, tree["prober"]["store"])
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
                "deadline": "6s",
                "horizon": "16s",
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


def tell_until_clean(intake: Intake) -> None:
    """Sweep until nothing is outstanding, beyond the horizon if need be.

    Raises:
        AssertionError: something still is.
    """
    intake.tell("sweep")
    if not (left := asyncio.run(outstanding(intake))):
        return
    over_at = max(one.canary.horizon_at for one in left)
    if not all(one.launch_ended for one in left):
        over_at = max(over_at, SystemClock().now() + LEASE)
    # Nothing can be asked whether it is that time yet.
    threading.Event().wait(max(0.0, (over_at - SystemClock().now()).total_seconds()))
    swept = intake.tell("sweep")
    left = asyncio.run(outstanding(intake))
    assert not left, f"not clean after its horizon: {left[0].verdict} {swept.said['canaries']}"


async def outstanding(intake: Intake) -> Sequence[Record]:
    """The canaries with which the prober has not done yet."""
    clock = SystemClock()
    async with open_store(intake.store, clock=clock, read_only=True) as store:
        return await store.outstanding(clock.now())


def left_of(sandbox: Sandbox, canary_ids: Sequence[str]) -> list[str]:
    """What lies about of these canaries: open tickets, and mails in either mailbox."""
    left = []
    for one in canary_ids:
        mine = [of_it for of_it in sandbox.tickets() if one in f"{of_it['title']} {of_it['description']}"]
        left += [f"ticket {of_it['title']}" for of_it in mine if of_it["status"] not in CLOSED]
    for account in (sandbox.support, sandbox.canary):
        with imaplib.IMAP4(sandbox.endpoints.host, sandbox.endpoints.imap_port) as imap:
            imap.starttls(ssl.create_default_context(cafile=sandbox.endpoints.ca_file))
            imap.login(account.address, account.password)
            for folder in ("INBOX", "Junk"):
                imap.select(folder, readonly=True)
                for one in canary_ids:
                    _, [found] = imap.search(None, "TEXT", one)
                    left += [f"{account.address} {folder}: {one}" for _ in (found or b"").split()]
    return left
