"""The stage of the demonstration: the sandbox as a process of its own, steered over HTTP, and a configuration for it."""

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

START_SECONDS = 60.0
STOP_SECONDS = 5.0

CONFIGURATION = """\
prober:
  name: demo
  store: sqlite:///{directory}/intake.db
  signing_keys: [{{file: {directory}/secrets/signing-key}}]
  ca: {ca_file}
  artifacts: {{directory: {artifacts}}}
accounts:
  canary:                        # the customer that we play
    address: {canary_address}
    smtp: {{host: {smtp_host}, port: {submission_port}, tls: starttls, username: {canary_address}, password: {{file: {directory}/secrets/canary}}}}
    imap: {{host: {imap_host}, port: {imap_port}, tls: starttls, username: {canary_address}, password: {{file: {directory}/secrets/canary}}}}
mailboxes:
  support:
    imap: {{host: {imap_host}, port: {imap_port}, tls: starttls, username: {support_address}, password: {{file: {directory}/secrets/support}}}}
ticketing:
  desk: {{type: helpdesk, url: {desk_url}, token: {{file: {directory}/secrets/desk-token}}, cleanup: close, tag: synthetic}}
alerts: {{resolve: 1}}           # by default two in a row must be confirmed; the demonstration has less time
paths:
  support-email:
    channel: email
    from: [canary]
    to: {support_address}
    via: smtp
    mailbox: support
    ticketing: desk
    reply: true
    deadline: {deadline_seconds}s
    horizon: 10m
  support-portal:
    channel: portal
    from: [canary]
    url: {portal_url}
    login:
      - click: {{role: link, name: Log In}}
      - fill: {{label: Username, with: {portal_username}}}
      - fill: {{label: Password, with: {{file: {directory}/secrets/portal}}}}
      - click: {{role: button, name: Login}}
      - wait: {{gone: {{label: Password}}}}
    steps:
      - go: /tickets/submit/
      - fill: {{label: Summary of the problem, with: "{{{{ subject }}}}"}}
      - fill: {{label: Description of your issue, with: "{{{{ body }}}}"}}
      - fill: {{label: Your E-Mail Address, with: "{{{{ sender }}}}"}}
      - submit: {{role: button, name: Submit Ticket}}
      - confirm: {{text: '/\\[support-(?P<ticket>\\d+)\\]/'}}
    pace: 0s                     # a person needs longer; the demonstration doesn't wait
    limits: {{load: {portal_load_seconds}s}}
    ticketing: desk
    reply: true
    deadline: {portal_deadline_seconds}s
    horizon: 10m
  contact-form:
    channel: form
    from: [canary]
    type: html
    url: {form_url}
    fields: {{name: "{{{{ name }}}}", email: "{{{{ sender }}}}", subject: "{{{{ subject }}}}", message: "{{{{ body }}}}"}}
    confirm: {{text: '/number support-(?P<ticket>\\d+)/'}}
    ticketing: desk
    reply: true
    deadline: {deadline_seconds}s
    horizon: 10m
"""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited, in whole seconds, for what does not come. What comes ends a run at once.

    Attributes:
        deadline_seconds: of mail and contact form.
        portal_deadline_seconds: of the portal; a launch is over after three quarters of it.
        portal_load_seconds: until a page of the portal must be usable.
    """

    deadline_seconds: int = 60
    portal_deadline_seconds: int = 80
    portal_load_seconds: int = 30


class StageError(Exception):
    """The sandbox could not be started or steered; the message says what it said last."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the sandbox listens, as far as the demonstration needs it."""

    control: str
    support_address: str
    form_url: str
    raw: dict[str, Any]


class Stage:
    """A running sandbox."""

    def __init__(self, process: subprocess.Popen[str], endpoints: Endpoints, directory: Path) -> None:
        self.endpoints = endpoints
        self.directory = directory
        self._process = process

    def state(self) -> dict[str, Any]:
        """What the sandbox knows of itself: mailboxes, queue, desk."""
        return self._call("GET", "/state")

    def mailbox(self, verb: str, **arguments: object) -> None:
        """Steer the support mailbox: ``quota``, ``fill`` or ``empty``."""
        self._call("POST", f"/mailboxes/{self.endpoints.support_address}/{verb}", arguments)

    def faults(self, **switches: object) -> None:
        """Set switches; the helpdesk's process has them when this returns."""
        self._call("POST", "/faults", switches)
        self.state()  # it answers this after whatever it was told before

    def clear_faults(self) -> None:
        """Make the intake healthy again; the mailbox stays as full as it is."""
        self._call("POST", "/faults/clear", {})
        self.state()

    @property
    def artifacts(self) -> Path:
        """Where the prober keeps what it saw of failures."""
        return self.directory / "artifacts"

    @property
    def has_screenshots(self) -> bool:
        """Whether it has kept what a page looked like."""
        return any(self.artifacts.rglob("*.png"))

    def flush(self) -> None:
        """Deliver what is held in the queue now."""
        self._call("POST", "/queue/flush", {})

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        try:
            answer = httpx.request(
                method, f"{self.endpoints.control}{path}", json=body, timeout=10.0, trust_env=False
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise StageError(f"the sandbox did not do {method} {path}: {error}") from error
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self._process.poll() is None


def write_configuration(stage: Stage, patience: Patience) -> Path:
    """Write the configuration file."""
    raw = stage.endpoints.raw
    accounts, smtp, imap, portal = raw["accounts"], raw["smtp"], raw["imap"], raw["portal"]
    directory = stage.directory
    configuration = directory / "intake.yaml"
    configuration.write_text(
        CONFIGURATION.format(
            directory=directory,
            ca_file=raw["ca_file"],
            canary_address=accounts["canary"]["address"],
            support_address=accounts["support"]["address"],
            smtp_host=smtp["host"],
            submission_port=smtp["submission_port"],
            imap_host=imap["host"],
            imap_port=imap["port"],
            desk_url=raw["desk"]["url"],
            artifacts=stage.artifacts,
            portal_url=portal["url"],
            portal_username=portal["username"],
            portal_load_seconds=patience.portal_load_seconds,
            portal_deadline_seconds=patience.portal_deadline_seconds,
            form_url=stage.endpoints.form_url,
            deadline_seconds=patience.deadline_seconds,
        )
    )
    return configuration


def write_secrets(stage: Stage) -> None:
    """Write the secrets that the configuration names, readable by the owner alone."""
    raw = stage.endpoints.raw
    kept = stage.directory / "secrets"
    kept.mkdir(mode=0o700, exist_ok=True)
    values = {
        "signing-key": secrets.token_hex(32),
        "canary": raw["accounts"]["canary"]["password"],
        "support": raw["accounts"]["support"]["password"],
        "desk-token": raw["desk"]["token"],
        "portal": raw["portal"]["password"],
    }
    for name, value in values.items():
        with os.fdopen(os.open(kept / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(value)


@contextmanager
def stage(directory: Path, *, cache: Path | None) -> Iterator[Stage]:
    """Start the sandbox in a folder of its own and stop it, whatever happens; the folder is removed.

    Raises:
        StageError: it did not start.
    """
    directory.mkdir(parents=True, exist_ok=True)
    home = directory / "sandbox"
    command = [sys.executable, "-m", "sandbox", "--directory", str(home)]
    command += ["--cache", str(cache)] if cache is not None else []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(  # noqa: S603 -- our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        yield Stage(process, _endpoints(process, home), directory)
    finally:
        _stop(process)
        shutil.rmtree(directory, ignore_errors=True)


def _endpoints(process: subprocess.Popen[str], home: Path) -> Endpoints:
    if process.stdout is None:
        raise StageError("the sandbox has no standard output")
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = process.stdout.readline() if ready else ""
    if not line:
        log = home / "sandbox.log"
        said = log.read_text(errors="replace")[-2000:] if log.exists() else "nothing"
        raise StageError(f"the sandbox did not start within {START_SECONDS:.0f} s. Its log says: {said}")
    raw: dict[str, Any] = json.loads(line)
    return Endpoints(
        control=raw["control"],
        support_address=raw["accounts"]["support"]["address"],
        form_url=raw["contact_form"]["url"],
        raw=raw,
    )


def _stop(process: subprocess.Popen[str]) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(number)
        try:
            process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        break
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
