"""The sandbox for tests: started as a process of its own, steered over HTTP, surely stopped."""

import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "sandbox"
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class AccountEndpoint:
    address: str
    password: str


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the sandbox listens; `raw` is the whole JSON."""

    raw: Mapping[str, Any]
    control: str
    domain: str
    host: str
    mx_port: int
    submission_port: int
    submissions_port: int
    imap_port: int
    imaps_port: int
    ca_file: str
    desk_url: str
    desk_token: str
    portal_url: str
    portal_username: str
    portal_password: str
    portal_totp_secret: str
    contact_form_url: str

    def account(self, role: str) -> AccountEndpoint:
        found = self.raw["accounts"][role]
        return AccountEndpoint(found["address"], found["password"])


class Sandbox:
    """A running sandbox."""

    def __init__(self, process: subprocess.Popen[bytes], endpoints: Endpoints, directory: Path) -> None:
        self.process = process
        self.endpoints = endpoints
        self.directory = directory
        self._pause = threading.Event()
        self._http = httpx.Client(base_url=endpoints.control, timeout=15, trust_env=False)

    @property
    def support(self) -> AccountEndpoint:
        return self.endpoints.account("support")

    @property
    def canary(self) -> AccountEndpoint:
        return self.endpoints.account("canary")

    def state(self) -> dict[str, Any]:
        return self._call("GET", "/state")

    def faults(self, **switches: object) -> dict[str, Any]:
        """Set switches, also in the helpdesk's process; raises httpx.HTTPStatusError for an unknown one."""
        set_now = self._call("POST", "/faults", switches)
        self.state()  # the helpdesk answers it after whatever it was told before
        return set_now

    def clear_faults(self) -> None:
        self._call("POST", "/faults/clear")
        self.state()

    def quota(self, address: str, *, storage_bytes: int | None = None, messages: int | None = None) -> None:
        self._call(
            "POST", f"/mailboxes/{address}/quota", {"storage_bytes": storage_bytes, "messages": messages}
        )

    def fill(
        self, address: str, *, share: float | None = None, size_bytes: int | None = None, unread: bool = False
    ) -> dict[str, Any]:
        wanted = {"unread": unread, **({"share": share} if share is not None else {"bytes": size_bytes})}
        return self._call("POST", f"/mailboxes/{address}/fill", wanted)

    def empty(self, address: str, *, everything: bool = False) -> int:
        return int(self._call("POST", f"/mailboxes/{address}/empty", {"all": everything})["removed"])

    def deliver(self, address: str, raw: bytes) -> int:
        """Put a mail into INBOX as it is; returns its UID."""
        answer = self._http.post(f"/mailboxes/{address}/deliver", content=raw)
        answer.raise_for_status()
        return int(answer.json()["uid"])

    def flush_queue(self) -> int:
        return int(self._call("POST", "/queue/flush")["held"])

    def poller(self, *, running: bool | None = None, interval_seconds: float | None = None) -> None:
        self._call("POST", "/desk/poller", {"running": running, "interval_seconds": interval_seconds})

    def desk(self) -> httpx.Client:
        """A client of the helpdesk's API with its token; close it."""
        return httpx.Client(
            base_url=self.endpoints.desk_url,
            headers={"Authorization": f"Token {self.endpoints.desk_token}"},
            timeout=10,
            trust_env=False,
        )

    def tickets(self) -> list[dict[str, Any]]:
        """All tickets of the helpdesk."""
        with self.desk() as client:
            answer = client.get("/api/tickets/", params={"page_size": 5000})
            answer.raise_for_status()
            found: list[dict[str, Any]] = answer.json()["results"]
            return found

    def until(
        self, condition: Callable[[dict[str, Any]], object], *, seconds: float = 10.0
    ) -> dict[str, Any]:
        """Wait until the state meets a condition; fails with the last state."""
        ends_at = time.perf_counter() + seconds
        while True:
            state = self.state()
            if condition(state):
                return state
            if time.perf_counter() > ends_at:
                raise AssertionError(f"not met within {seconds} s: {state}")
            self._pause.wait(_LOOK_SECONDS)

    def stop(self) -> int:
        """End it by SIGTERM, or by SIGKILL if that does not help; returns the exit code. Repeatable."""
        self._http.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(_STOP_SECONDS)
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()

    def _call(self, method: str, path: str, body: Mapping[str, object] | None = None) -> dict[str, Any]:
        answer = self._http.request(method, path, json=body or {})
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


@contextmanager
def start_sandbox(directory: Path, *, cache: Path | None = CACHE) -> Iterator[Sandbox]:
    """Start a sandbox that writes below `directory`, and stop it in the end.

    Args:
        directory: Need not exist.
        cache: Where the helpdesk's prepared database is kept over starts; None: below the directory.
    """
    command = [sys.executable, "-m", "sandbox", "--directory", str(directory)]
    if cache is not None:
        command += ["--cache", str(cache)]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        endpoints = _endpoints(process, directory)
    except BaseException:
        process.kill()
        process.wait(_STOP_SECONDS)
        if process.stdout is not None:
            process.stdout.close()
        raise
    sandbox = Sandbox(process, endpoints, directory)
    try:
        yield sandbox
    finally:
        sandbox.stop()


def _endpoints(process: subprocess.Popen[bytes], directory: Path) -> Endpoints:
    stdout = process.stdout
    if stdout is None:
        raise AssertionError("the sandbox has no standard output")
    ready, _, _ = select.select([stdout], [], [], _START_SECONDS)
    line = stdout.readline() if ready else b""
    if not line:
        log = directory / "sandbox.log"
        said = log.read_text(errors="replace")[-2000:] if log.is_file() else "nothing"
        raise AssertionError(f"the sandbox did not start within {_START_SECONDS} s; it said: {said}")
    raw = json.loads(line)
    return Endpoints(
        raw=raw,
        control=raw["control"],
        domain=raw["domain"],
        host=raw["smtp"]["host"],
        mx_port=raw["smtp"]["mx_port"],
        submission_port=raw["smtp"]["submission_port"],
        submissions_port=raw["smtp"]["submissions_port"],
        imap_port=raw["imap"]["port"],
        imaps_port=raw["imap"]["imaps_port"],
        ca_file=raw["ca_file"],
        desk_url=raw["desk"]["url"],
        desk_token=raw["desk"]["token"],
        portal_url=raw["portal"]["url"],
        portal_username=raw["portal"]["username"],
        portal_password=raw["portal"]["password"],
        portal_totp_secret=raw["portal"]["totp_secret"],
        contact_form_url=raw["contact_form"]["url"],
    )
