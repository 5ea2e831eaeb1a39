"""The scene of the benchmarks: a running sandbox, a prober for it with as many paths as wanted, and stop-watches."""

import asyncio
import contextlib
import resource
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, closing, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.signature import CanaryId
from canary.verdict import Verdict
from probes.contracts import Look
from probes.ticketing.helpdesk import Helpdesk
from runners.clock import SystemClock
from runners.config.load import load
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.progress import Silent
from runners.store import open_store
from runners.wiring import wired
from tests.real.intake import merged, new_intake
from tests.sandbox import Sandbox, start_sandbox

LOOK_SECONDS = 0.01
"""How often the desk's database is read by the observer: what it sees is late by half of it, in the mean."""
PATH = {"channel": "email", "from": ["canary"], "to": "support@acme.test", "mailbox": "support", "ticketing": "desk",
        "deadline": "60s", "horizon": "120s", "reply": True}  # fmt: skip


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    with (
        tempfile.TemporaryDirectory(prefix="intake-bench-") as directory,
        start_sandbox(Path(directory) / "sandbox") as sandbox,
    ):
        yield sandbox


@dataclass(frozen=True, slots=True)
class Cost:
    """What something cost this process."""

    wall_seconds: float
    cpu_seconds: float


@contextmanager
def costing() -> Iterator[list[Cost]]:
    """Yields a list that holds the cost when the scope has ended."""
    found: list[Cost] = []
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield found
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    found.append(Cost(time.perf_counter() - began, cpu))


@dataclass(slots=True)
class Seen(Silent):
    """Hears of each ticket when it was found, and of each canary when it was recorded."""

    launched_at: dict[CanaryId, float] = field(default_factory=dict)
    found_at: dict[CanaryId, float] = field(default_factory=dict)

    def launched(self, canary: Canary) -> None:
        self.launched_at[canary.id] = time.time()

    def observed(self, canary: Canary, observation: Observation) -> None:
        if observation.hop is Hop.TICKET_CREATED and observation.outcome is Outcome.OK:
            self.found_at.setdefault(canary.id, time.time())


class Ours:
    """The prober as it is, wired by its own composition root; it stays open from one run to the next."""

    def __init__(self, sandbox: Sandbox, paths: int = 1) -> None:
        self.seen = Seen()
        self._sandbox = sandbox
        self._paths = paths
        self._loop = asyncio.Runner()
        self._open = AsyncExitStack()
        self._loop.run(self._begin())

    def run(self) -> RunResult:
        """One canary a path: sent, seen, confirmed, cleaned.

        Raises:
            AssertionError: one was not confirmed.
        """
        result = self._loop.run(
            OneShot(self._prober, self._store, clock=SystemClock(), progress=self.seen).run(RunOptions())
        )
        verdicts = {one.verdict for one in result.records}
        assert verdicts == {Verdict.CONFIRMED}, verdicts
        return result

    def close(self) -> None:
        self._loop.run(self._open.aclose())
        self._loop.close()

    async def _begin(self) -> None:
        directory = Path(tempfile.mkdtemp(prefix="intake-bench-"))
        self._open.callback(shutil.rmtree, directory)
        paths = {f"support-{number:03}": deepcopy(PATH) for number in range(self._paths)}
        changes = merged({"paths": {"support-email": None}}, {"paths": paths})
        intake = new_intake(directory, self._sandbox.endpoints, changes)
        config, clock = load(intake.configuration, allow_literal_secrets=True), SystemClock()
        self._store = await self._open.enter_async_context(
            open_store(intake.store, clock=clock, prober=config.prober.name)
        )
        self._prober = await self._open.enter_async_context(
            wired(config, clock=clock, store=self._store, progress=self.seen)
        )


@dataclass(frozen=True, slots=True)
class LookUp:
    """One look into the ticketing system, however many pages it read: when it began, and how long it took."""

    at: float
    seconds: float


@contextmanager
def counting_look_ups() -> Iterator[list[LookUp]]:
    """The look-ups within the scope."""
    look_ups: list[LookUp] = []
    find = Helpdesk.find

    async def counted(self: Helpdesk, canaries: Sequence[Canary], depth: Depth) -> Look:
        at, began = time.time(), time.perf_counter()
        try:
            return await find(self, canaries, depth)
        finally:
            look_ups.append(LookUp(at, time.perf_counter() - began))

    setattr(Helpdesk, "find", counted)  # noqa: B010 -- the measuring stick, put back below
    try:
        yield look_ups
    finally:
        setattr(Helpdesk, "find", find)  # noqa: B010 -- as above


class Observer:
    """Reads the helpdesk's database and this process's connections, beside the run, from a thread of its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._file = next(sandbox.directory.rglob("desk.sqlite3"))
        self._imap_port, self._desk_port = (
            sandbox.endpoints.imap_port,
            int(sandbox.endpoints.desk_url.rpartition(":")[2]),
        )
        self._process = psutil.Process()
        self.there_at: dict[str, float] = {}
        self.most_imap = self.most_desk = 0

    def look(self) -> None:
        """Note new tickets, and how many connections there are."""
        with (
            contextlib.suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=5)) as desk,
        ):
            for (title,) in desk.execute("SELECT title FROM helpdesk_ticket"):
                self.there_at.setdefault(str(title).split()[1], time.time())

    def count(self) -> None:
        ports = [
            one.raddr.port
            for one in self._process.net_connections("tcp")
            if one.status == psutil.CONN_ESTABLISHED
        ]
        self.most_imap = max(self.most_imap, ports.count(self._imap_port))
        self.most_desk = max(self.most_desk, ports.count(self._desk_port))
