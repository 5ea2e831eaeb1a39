"""`serve`: launches by schedule, watches what is outstanding, settles, alerts and cleans, until it is told to stop.

A daemon is one configuration's worth of work over a store that stays open: a new configuration is a new daemon. Each
loop is kept alive by the supervisor, and what it needs of another it takes from the store.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from canary.observation import Observation
from canary.signature import CanaryId
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.alerting import Alerting
from runners.bisecting import Bisecting
from runners.board import Board
from runners.clean import Cleaner
from runners.contracts import Record, Store, StoreError
from runners.gauging import Gauging
from runners.holding import Holding
from runners.housekeeping import Housekeeping
from runners.launch import Launcher
from runners.launching import Launching
from runners.ledger import Ledger
from runners.lookback import Lookback
from runners.notices import Notices
from runners.orders import Orders
from runners.pauses import Pause, PauseWatch
from runners.prober import Prober
from runners.progress import Progress
from runners.schedule import Timer
from runners.settle import Settler
from runners.spool import Spool
from runners.strays import Strays
from runners.supervisor import Supervisor
from runners.watch import Watch

REVIEW_SECONDS = 15.0
GAUGES_SECONDS = 300.0
CLEAN_SECONDS = 20.0
STRAYS_SECONDS = 3600.0
REHEARSE_SECONDS = 3600.0
FORGET_SECONDS = 6 * 3600.0
SPOOL_SECONDS = 5.0
GOODBYE_SECONDS = 5.0
DRAIN_SECONDS = 30.0
"""At the end, so long launches that are under way may still take."""
STUCK = timedelta(seconds=30)
"""Without a beat for so long the process is stuck."""


class Deliverer(Protocol):
    """Whoever drains the outbox."""

    async def run(self) -> None:
        """Deliver for ever."""
        ...

    async def drain(self, seconds: float) -> None:
        """Deliver what is due, for so long at most."""
        ...

    def wake(self) -> None:
        """There is something to deliver."""
        ...


class Figures(Protocol):
    """What a process says of itself in its metrics."""

    def beat(self, at: datetime) -> None:
        """The loop went round."""
        ...

    def note_lag(self, seconds: float) -> None:
        """So long after its slot a canary was launched."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a daemon works with that outlives its configuration.

    Attributes:
        since_boot: seconds that the machine is up, its sleep included.
        spool: what was seen while the store could not be written.
        changed: hears that something is new in the store, and what.
    """

    store: Store
    clock: Clock
    progress: Progress
    timer: Timer
    since_boot: Callable[[], float]
    notices: Notices
    figures: Figures
    spool: Spool | None = None
    delivery: Deliverer | None = None
    changed: Callable[[str], None] = lambda _: None
    randomness: Callable[[int], bytes] = secrets.token_bytes
    drain_seconds: float = DRAIN_SECONDS


class Daemon:
    """The parts of one configuration, joined."""

    def __init__(self, prober: Prober, around: Surroundings, *, holder: str = "") -> None:
        self._prober = prober
        self._around = around
        self._store = around.store
        self._clock = around.clock
        self.holder = holder or f"{socket.gethostname()}/{os.getpid()}/{around.randomness(4).hex()}"
        self._board = Board(prober)
        self._ledger = Ledger(
            around.store,
            masker=prober.masker,
            observer=self.holder,
            progress=around.progress,
            canaries=self._board.canaries,
            noticed=self._noticed,
            spool=around.spool,
        )
        self._alerting = Alerting(prober, around.store, clock=around.clock)
        self._launcher = Launcher(
            prober, around.store, clock=around.clock, holder=self.holder, randomness=around.randomness
        )
        self._settler = Settler(
            prober,
            around.store,
            clock=around.clock,
            listener=around.progress,
            settled_by=self.holder,
            is_under_way=self._board.is_under_way,
            alerting=self._alerting,
        )
        self._gauging = Gauging(around.store, clock=around.clock, progress=around.progress)
        self._cleaner = Cleaner(
            prober, around.store, clock=around.clock, progress=around.progress, observer=prober.name
        )
        self._housekeeping = Housekeeping(
            prober, around.store, clock=around.clock, progress=around.progress, alerting=self._alerting
        )
        self._strays = Strays(prober, around.store, clock=around.clock, progress=around.progress)
        self._watch = Watch(
            prober,
            around.store,
            self._board,
            settler=self._settler,
            gauging=self._gauging,
            report=self._ledger,
            clock=around.clock,
            progress=around.progress,
            settled=self._note_settled,
        )
        self._holding = Holding(
            prober,
            around.store,
            self._board,
            launcher=self._launcher,
            report=self._ledger,
            clock=around.clock,
            progress=around.progress,
            holder=self.holder,
            forget=self._forget,
        )
        self._lookback = Lookback(self._board, self._watch, clock=around.clock)
        self._supervisor = Supervisor(
            clock=around.clock, mask=prober.masker.mask, failed=self._note_failed_loop
        )
        self._launching = Launching(
            prober,
            self._board,
            orders=Orders(prober, around.store, clock=around.clock, progress=around.progress),
            launcher=self._launcher,
            report=self._ledger,
            timer=around.timer,
            supervisor=self._supervisor,
            clock=around.clock,
            progress=around.progress,
            lagged=around.figures.note_lag,
            troubled=self._note_trouble,
        )
        self._bisecting = Bisecting(
            prober,
            around.store,
            alerting=self._alerting,
            clock=around.clock,
            progress=around.progress,
            launch=self._launching.launch,
        )
        self._stopping = asyncio.Event()
        self._beat_at: datetime | None = None

    @property
    def outstanding(self) -> int:
        """How many canaries this process watches."""
        return len(self._board.canaries())

    def stop(self) -> None:
        """Launch nothing more, let what is under way end, and return from `run`."""
        self._stopping.set()

    @property
    def is_stuck(self) -> bool:
        """Whether the event loop did not go round for a while: nothing else in this process can be trusted then."""
        return self._beat_at is not None and self._clock.now() - self._beat_at > STUCK

    def problems(self) -> list[str]:
        """Why this process is not doing its work, a sentence each; empty where it is."""
        found = list(self._supervisor.problems())
        if self.is_stuck:
            found.append(f"the process is stuck: no beat for {STUCK.total_seconds():.0f} s")
        return found

    async def run(self) -> None:
        """Work until `stop`; cancelled, it ends at once. Nothing is lost by either: the store has all of it."""
        keep = self._supervisor.keep
        loops = {
            "begin": self._begin,
            "watch": self._watch.run,
            "holding": self._holding.run,
            "lookback": self._lookback.run,
            "gauges": self._read_gauges,
            "cleaning": self._clean,
            "strays": self._remove_strays,
            "alerting": self._review,
            "bisecting": self._bisecting.run,
            "housekeeping": self._keep_house,
            "rehearsal": self._rehearse,
            "spool": self._drain_spool,
            "pulse": self._pulse,
        }
        if self._around.delivery is not None:
            loops["delivery"] = self._around.delivery.run
        async with asyncio.TaskGroup() as group:
            kept = [group.create_task(keep(name, work), name=name) for name, work in loops.items()]
            await self._launching.run_until(self._stopping, drain_seconds=self._around.drain_seconds)
            for one in kept:
                one.cancel()
        await self._say_goodbye()

    async def _say_goodbye(self) -> None:
        try:
            async with self._clock.timeout(GOODBYE_SECONDS):
                await self._holding.let_go()
        except (StoreError, TimeoutError):
            self._around.progress.note("the store did not take our watches back: they end by themselves")
        if self._around.delivery is not None:
            await self._around.delivery.drain(GOODBYE_SECONDS)

    # loops
    async def _begin(self) -> None:
        """Series at 0, incidents of paths that are gone; once, then nothing more."""
        await self._housekeeping.begin()
        await asyncio.Event().wait()

    async def _read_gauges(self) -> None:
        while True:
            for gauge in await self._gauging.read(self._prober.gauges):
                self._prober.outside.gauged(gauge)
            systems = [one.tickets for one in self._prober.places.values() if one.tickets is not None]
            heard = (
                *self._prober.outside.skews(),
                *(one for system in systems for one in system.gauges()),
            )
            await self._store.add_gauges(heard)
            self._around.changed("gauges")
            await self._clock.sleep(GAUGES_SECONDS)

    async def _clean(self) -> None:
        while True:
            await self._clock.sleep(CLEAN_SECONDS)
            due = [one for one in self._board.records() if self._cleaner.is_due(one)]
            if due:
                await self._cleaner.clean(due)

    async def _remove_strays(self) -> None:
        while True:
            await self._clock.sleep(STRAYS_SECONDS)
            await self._strays.remove()

    async def _review(self) -> None:
        while True:
            if await self._alerting.review() and self._around.delivery is not None:
                self._around.delivery.wake()
            await self._clock.sleep(REVIEW_SECONDS)

    async def _keep_house(self) -> None:
        while True:
            await self._clock.sleep(FORGET_SECONDS)
            await self._housekeeping.forget()

    async def _rehearse(self) -> None:
        while True:
            await self._housekeeping.rehearse()
            await self._clock.sleep(REHEARSE_SECONDS)

    async def _drain_spool(self) -> None:
        spool = self._around.spool
        if spool is None:
            await asyncio.Event().wait()
            return
        while True:
            if spool.size_bytes:
                new = await spool.drain(self._store)
                self._around.notices.withdraw("store")
                self._around.progress.note(
                    f"the store is back: {new} observations of the time without it were kept"
                )
            await self._clock.sleep(SPOOL_SECONDS)

    async def _pulse(self) -> None:
        watch = PauseWatch(
            clock=self._clock,
            since_boot=self._around.since_boot,
            beat=self._beat,
            paused=self._note_pause,
        )
        await watch.run()

    # what is noticed
    def _beat(self, at: datetime) -> None:
        self._beat_at = at
        if not self._supervisor.problems():
            self._around.figures.beat(at)

    def _note_pause(self, pause: Pause) -> None:
        self._around.notices.say(f"pause {pause.kind}", pause.words)
        self._around.progress.note(pause.words)

    def _noticed(self, observation: Observation) -> None:
        self._board.noticed(observation)
        self._prober.outside.noticed(observation)

    def _note_settled(self, before: Verdict, after: Record) -> None:
        if after.verdict is before:
            return
        self._around.changed("canaries")
        if self._around.delivery is not None:
            self._around.delivery.wake()

    def _note_failed_loop(self, name: str, problem: str) -> None:
        self._around.progress.note(f"{name} stopped: {problem}. It is begun again.")
        self._around.changed("health")

    def _note_trouble(self, error: StoreError | None) -> None:
        """The store would not take a launch; None: it took the last one."""
        if error is None:
            self._around.notices.withdraw("store")
            return
        said = self._prober.masker.mask(str(error))
        self._around.notices.say("store", f"{said} Nothing is launched that can't be recorded.")
        self._around.progress.note(said)

    def _forget(self, canary_ids: frozenset[CanaryId]) -> None:
        self._ledger.forget(canary_ids)
        self._watch.forget(canary_ids)
        self._lookback.forget(canary_ids)
