"""Desk: starts the helpdesk in a child process, steers it, and knows whether it lives."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from sandbox.faults import Faults

_START_LIMIT_SECONDS = 60.0
_ANSWER_LIMIT_SECONDS = 5.0
_STOP_LIMIT_SECONDS = 1.0


class DeskFailed(Exception):
    """The helpdesk didn't start, or is gone."""


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the child is told at its start, over its standard input.

    Attributes:
        directory: Where its database and attachments live.
        cache: Where the prepared database lives, which outlives a start.
        address: The mailbox that it fetches; also its sender.
        password: That account's password.
        imap_port: Port of the IMAP server.
        smtp_port: Port of the submission server.
        token: API token of its one agent.
        interval_seconds: Time between two polls.
        customer: Name by which the one customer logs in to the portal.
        customer_address: That customer's mail address.
        customer_password: That customer's password.
        totp_secret: That customer's secret for one-time passwords, in base32.
    """

    directory: str
    cache: str
    address: str
    password: str = field(repr=False)
    imap_port: int
    smtp_port: int
    token: str = field(repr=False)
    interval_seconds: float
    customer: str
    customer_address: str
    customer_password: str = field(repr=False)
    totp_secret: str = field(repr=False)


class Desk:
    """The child process. Start once, stop surely."""

    def __init__(self, settings: DeskSettings, log_file: Path) -> None:
        self._settings = settings
        self._log_file = log_file
        self._process: asyncio.subprocess.Process | None = None
        self._answers: dict[int, asyncio.Future[Mapping[str, object]]] = {}
        self._asked = 0
        self._running = True
        self._interval_seconds = settings.interval_seconds
        self.url = ""
        self.form_url = ""

    @property
    def alive(self) -> bool:
        """Whether the child runs."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start the child and wait until it serves.

        Raises:
            DeskFailed: It ended, or wasn't ready in time; its log says why.
        """
        with self._log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sandbox.desk_process",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        self._send(asdict(self._settings))
        try:
            async with asyncio.timeout(_START_LIMIT_SECONDS):
                line = await self._stdout.readline()
        except TimeoutError as error:
            raise DeskFailed(f"the helpdesk isn't ready after {_START_LIMIT_SECONDS:g} s") from error
        if not line:
            raise DeskFailed(f"the helpdesk ended while it started. Read {self._log_file}")
        started = json.loads(line)
        self.url, self.form_url = str(started["url"]), str(started["form_url"])

    async def run(self) -> None:
        """Read the child's answers until it ends or this is cancelled."""
        while line := await self._stdout.readline():
            answer = json.loads(line)
            waiting = self._answers.pop(int(answer["answer"]), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer["state"])
        for waiting in self._answers.values():
            if not waiting.done():
                waiting.set_exception(DeskFailed("the helpdesk has ended"))
        if self._process is not None:
            await self._process.wait()

    async def state(self) -> dict[str, object]:
        """What `/state` says of the desk; `alive` is false after a crash."""
        if not self.alive:
            return self._mute()
        self._asked += 1
        waiting = asyncio.get_running_loop().create_future()
        self._answers[self._asked] = waiting
        try:
            self._send({"ask": self._asked})
            async with asyncio.timeout(_ANSWER_LIMIT_SECONDS):
                return {"alive": True, **await waiting}
        except (TimeoutError, DeskFailed, ConnectionError):
            return self._mute()

    def _mute(self) -> dict[str, object]:
        """The state of a desk that says nothing: it has crashed, or it hangs."""
        code = self._process.returncode if self._process else None
        return {"alive": self.alive, "answers": False, "exit_code": code, "polling": False}

    def steer(self, faults: Faults) -> None:
        """Tell the child the faults in force."""
        self._tell({"faults": json.dumps(faults.as_json())})

    def poller(self, *, running: bool | None, interval_seconds: float | None) -> None:
        """Start, stop or time the fetching of mail; None leaves as it is."""
        self._running = self._running if running is None else running
        self._interval_seconds = self._interval_seconds if interval_seconds is None else interval_seconds
        self._tell({"poller": {"running": self._running, "interval_seconds": self._interval_seconds}})

    async def stop(self) -> None:
        """End the child: politely, then not. Repeatable."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(_STOP_LIMIT_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    @property
    def _stdout(self) -> asyncio.StreamReader:
        if self._process is None or self._process.stdout is None:
            raise DeskFailed("the helpdesk was not started")
        return self._process.stdout

    def _tell(self, message: Mapping[str, object]) -> None:
        if self.alive:
            self._send(message)

    def _send(self, message: Mapping[str, object]) -> None:
        if self._process is None or self._process.stdin is None:
            raise DeskFailed("the helpdesk was not started")
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
