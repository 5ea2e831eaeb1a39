"""`serve`: launches by schedule, watches what is outstanding, settles, alerts and cleans, until it is told to stop.

A daemon is one configuration's worth of work over a store that stays open: a new configuration is a new daemon. Each
loop is kept alive by the supervisor, and what it needs of another it takes from the store.
"""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

from canary.incident import IncidentKind
from canary.observation import Observation
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.alerting import Alerting
from runners.bisecting import Bisecting
from runners.board import Board
from runners.clean import Cleaner
from runners.contracts import Record, StoreError
from runners.gauging import Gauging
from runners.holding import Holding
from runners.housekeeping import Housekeeping
from runners.launch import Launcher
from runners.launching import Launching
from runners.ledger import Ledger
from runners.lookback import Lookback
from runners.orders import Orders
from runners.pauses import Pause, PauseWatch
from runners.prober import Prober
from runners.settle import Settler
from runners.strays import Strays
from runners.supervisor import Supervisor
from runners.surroundings import Surroundings
from runners.telemetry.process_figures import StoreErrorKind
from runners.watch import Watch

REVIEW_SECONDS = 15.0
GAUGES_SECONDS = 300.0
CLEAN_SECONDS = 20.0
STRAYS_SECONDS = 3600.0
REHEARSE_SECONDS = 3600.0
FORGET_SECONDS = 6 * 3600.0
SPOOL_SECONDS = 5.0
GOODBYE_SECONDS = 5.0
PING_SECONDS = 60.0
_CAUSES = {
    Reason.NETWORK_UNAVAILABLE: "network",
    Reason.NO_ROUTE: "network",
    Reason.DNS_UNANSWERED: "dns",
    Reason.CREDENTIALS_REJECTED: "credentials",
    Reason.CLOCK_STEPPED: "clock",
    Reason.BROWSER_MISSING: "browser",
    Reason.BROWSER_CRASHED: "browser",
    Reason.BROWSER_UNRESPONSIVE: "browser",
    Reason.TICKET_API_UNREADABLE: "ticket_api",
    Reason.RATE_LIMITED: "ticket_api",
}
"""The cause of blindness, of `canary.instruments`, by the reason of its incident."""
STUCK = timedelta(seconds=30)
"""Without a beat for so long the process is stuck."""


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
        loops: dict[str, Callable[[], Awaitable[None]]] = {
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
        if self._around.pingers:
            loops["heartbeat"] = self._ping
        loops |= self._around.beside
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
            await self._note_blindness()
            await self._clock.sleep(REVIEW_SECONDS)

    async def _ping(self) -> None:
        while True:
            problems = self.problems()
            run_id = str(UUID(bytes=self._around.randomness(16), version=4))
            async with asyncio.TaskGroup() as group:
                for one in self._around.pingers:
                    work = one.failure(run_id, "\n".join(problems)) if problems else one.success(run_id)
                    group.create_task(work)
            await self._clock.sleep(PING_SECONDS)

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

    async def _note_blindness(self) -> None:
        """Show in the metrics for what this prober can't see, as its open incidents say."""
        causes = {
            _CAUSES.get(one.stop.reason)
            for one in await self._store.open_incidents()
            if one.is_open and one.kind is IncidentKind.BLIND
        }
        for cause in set(_CAUSES.values()):
            self._around.figures.blind(cause, is_blind=cause in causes)

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
        if observation.look is not None and observation.place in self._prober.places:
            self._around.figures.watcher(observation.place, is_up=not observation.look.is_blind)

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
        self._around.figures.blind("store", is_blind=error is not None)
        if error is None:
            self._around.notices.withdraw("store")
            return
        self._around.figures.store_error(StoreErrorKind.WRITE)
        said = self._prober.masker.mask(str(error))
        self._around.notices.say("store", f"{said} Nothing is launched that can't be recorded.")
        self._around.progress.note(said)

    def _forget(self, canary_ids: frozenset[CanaryId]) -> None:
        self._ledger.forget(canary_ids)
        self._watch.forget(canary_ids)
        self._lookback.forget(canary_ids)
