"""`serve`: launches by schedule, watches what is outstanding, settles, alerts and cleans, until it is told to stop.

A daemon is one configuration's worth of work over a store that stays open: a new configuration is a new daemon. Each
loop is kept alive by the supervisor, and what it needs of another it takes from the store.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

from canary.observation import Observation
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.alerting import Alerting
from runners.bisecting import Bisecting
from runners.blindness import own_blindness
from runners.board import Board
from runners.clean import Cleaner
from runners.contracts import Record, StoreError
from runners.gauging import GAUGES_SECONDS, Gauging
from runners.heard import keep_what_was_heard
from runners.holding import ROUND_SECONDS, Holding
from runners.housekeeping import Housekeeping
from runners.launch import Launcher
from runners.launching import Launching
from runners.leases import new_holder
from runners.ledger import Ledger
from runners.living import keep_pinging
from runners.lookback import Lookback
from runners.orders import Orders
from runners.pauses import Pause, PauseKind, PauseWatch
from runners.prober import Prober
from runners.progress import Heeding
from runners.settle import Settler
from runners.strays import Strays
from runners.supervisor import Supervisor
from runners.surroundings import Surroundings
from runners.telemetry.process_figures import StoreErrorKind
from runners.watch import Watch

REVIEW_SECONDS = 15.0
REMINDS_AFTER = timedelta(minutes=5)
"""After a start: by then what is outstanding was looked at, and what was out while nobody watched is judged."""
RETIRE_SECONDS = 60.0
CLEAN_SECONDS = 20.0
CLEAN_AGAIN = timedelta(hours=1)
LAST_LOOK = timedelta(minutes=2)
STRAYS_SECONDS = 3600.0
REHEARSE_SECONDS = 3600.0
FORGET_SECONDS = 3600.0
FORGET_AGAIN_SECONDS = 60.0
"""Where more is to be forgotten than one round does."""
SILENT = timedelta(minutes=1)
"""A store that was not written for so long, or a place that was not looked at, is not as it should be."""
GOODBYE_SECONDS = 5.0
STUCK = timedelta(seconds=30)
"""Without a beat for so long the process is stuck."""


class Daemon:
    """The parts of one configuration, joined."""

    def __init__(self, prober: Prober, around: Surroundings, *, holder: str = "") -> None:
        self._prober = prober
        self._around = around
        self._store = around.store
        self._clock = around.clock
        self.holder = holder or new_holder(prober.name, around.randomness)
        heeding = Heeding(around.progress, lambda: around.changed("incidents"))
        self._board = Board(prober)
        self._ledger = Ledger(
            around.store,
            masker=prober.masker,
            observer=self.holder,
            progress=around.progress,
            canaries=self._board.canaries,
            noticed=self._noticed,
            spool=around.spool,
            placed=prober.placed,
        )
        begun_at = around.clock.now()
        self._alerting = Alerting(
            prober, around.store, clock=around.clock, reminds_from=begun_at + REMINDS_AFTER
        )
        self._launcher = Launcher(
            prober, around.store, clock=around.clock, holder=self.holder, randomness=around.randomness
        )
        self._settler = Settler(
            prober,
            around.store,
            clock=around.clock,
            listener=heeding,
            settled_by=self.holder,
            is_under_way=self._board.is_under_way,
            alerting=self._alerting,
        )
        self._gauging = Gauging(around.store, clock=around.clock, progress=around.progress)
        self._cleaner = Cleaner(
            prober, around.store, clock=around.clock, progress=around.progress, observer=prober.name
        )
        self._housekeeping = Housekeeping(
            prober,
            around.store,
            clock=around.clock,
            progress=heeding,
            alerting=self._alerting,
            holder=self.holder,
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
        self._lookback = Lookback(self._board, self._watch, clock=around.clock)
        self._supervisor = Supervisor(
            clock=around.clock, mask=prober.masker.mask, failed=self._note_failed_loop
        )
        self._launching = Launching(
            prober,
            self._board,
            orders=Orders(
                prober, around.store, clock=around.clock, progress=around.progress, holder=self.holder
            ),
            launcher=self._launcher,
            report=self._ledger,
            timer=around.timer,
            supervisor=self._supervisor,
            clock=around.clock,
            progress=around.progress,
            lagged=around.figures.note_lag,
            troubled=self._note_trouble,
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
            resume=self._launching.resume,
        )
        self._bisecting = Bisecting(
            prober,
            around.store,
            alerting=self._alerting,
            clock=around.clock,
            progress=heeding,
            holder=self.holder,
            launch=self._launching.launch,
        )
        self._stopping = asyncio.Event()
        self._beat_at: datetime | None = None
        self._held_at: datetime | None = None
        self._looked_at: dict[str, datetime] = {}
        self._cleaned_at: dict[CanaryId, datetime] = {}

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
        """Why this process is not doing its work, or not at one place, a sentence each; empty where it is."""
        faults = self._prober.faults.problems(self._clock.monotonic())
        return [*self._stopped(), *self._alerting.untaken, *faults]

    def _stopped(self) -> list[str]:
        found, now = list(self._supervisor.problems()), self._clock.now()
        if self.is_stuck:
            found.append(f"the process is stuck: no beat for {STUCK.total_seconds():.0f} s")
        if self._held_at is not None and now - self._held_at > SILENT:
            found.append(f"the store was not written since {self._held_at:%H:%M:%S} UTC")
        if overdue := self._launching.overdue(now):
            found.append(f"slots are due and nobody launches: {', '.join(overdue[:5])}")
        if self._around.spool is not None and (why := self._around.spool.why_lost) is not None:
            found.append(f"observations were lost: the store can't be written, and {why}")
        return found

    async def run(self) -> None:
        """Work until `stop`; cancelled, it ends at once. Nothing is lost by either: the store has all of it."""
        keep = self._supervisor.keep
        loops: dict[str, Callable[[], Awaitable[None]]] = {
            "begin": self._begin,
            "watch": self._watch.run,
            "holding": self._hold,
            "lookback": self._lookback.run,
            "gauges": self._read_gauges,
            "cleaning": self._clean,
            "strays": self._remove_strays,
            "alerting": self._review,
            "bisecting": self._bisecting.run,
            "housekeeping": self._keep_house,
            "rehearsal": self._rehearse,
            "pulse": self._pulse,
        }
        if self._around.delivery is not None:
            loops["delivery"] = self._around.delivery.run
        if self._around.pingers:
            loops["heartbeat"] = partial(
                keep_pinging,
                self.problems,
                self._around.pingers,
                clock=self._clock,
                randomness=self._around.randomness,
            )
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
    async def _hold(self) -> None:
        """Watch what is outstanding; what was seen while the store was away goes first, or it would be judged without."""
        while True:
            await self._empty_spool()
            await self._holding.round()
            self._held_at = self._clock.now()
            self._around.figures.blind("store", is_blind=False)
            self._around.notices.withdraw("store")
            await self._clock.sleep(ROUND_SECONDS)

    async def _begin(self) -> None:
        """Series at 0; then, again and again, the incidents of paths that nobody probes any more."""
        await self._housekeeping.begin()
        while True:
            await self._housekeeping.retire()
            await self._clock.sleep(RETIRE_SECONDS)

    async def _read_gauges(self) -> None:
        while True:
            for gauge in await self._gauging.read(self._prober.gauges):
                self._prober.outside.gauged(gauge)
            await keep_what_was_heard(self._prober, self._store)
            self._around.changed("gauges")
            await self._clock.sleep(GAUGES_SECONDS)

    async def _clean(self) -> None:
        while True:
            await self._clock.sleep(CLEAN_SECONDS)
            now = self._clock.now()
            due = [one for one in self._board.records() if self._may_be_cleaned(one, now)]
            if due:
                await self._cleaner.clean(due)
            self._cleaned_at |= {one.canary.id: now for one in due if self._board.get(one.canary.id)}

    def _may_be_cleaned(self, record: Record, now: datetime) -> bool:
        """Whether the cleaner is to be asked now.

        A breached canary has its last look at the horizon, which says whether it is late or lost: cleaning must not
        be quicker. An inconclusive one may have a ticket until then; it is looked for seldom, for its system limps.
        """
        if not self._cleaner.is_due(record):
            return False
        if record.verdict is Verdict.BREACHED:
            return now >= record.canary.horizon_at + LAST_LOOK
        cleaned_at = self._cleaned_at.get(record.canary.id)
        if record.verdict is not Verdict.INCONCLUSIVE or cleaned_at is None:
            return True
        is_last = cleaned_at < record.canary.horizon_at <= now
        return is_last or now - cleaned_at >= CLEAN_AGAIN

    async def _remove_strays(self) -> None:
        while True:
            await self._clock.sleep(STRAYS_SECONDS)
            await self._strays.remove()

    async def _review(self) -> None:
        while True:
            if (
                await self._alerting.review(self._housekeeping.others_run)
                and self._around.delivery is not None
            ):
                self._around.delivery.wake()
            await self._note_blindness()
            self._note_silence()
            await self._clock.sleep(REVIEW_SECONDS)

    async def _keep_house(self) -> None:
        await self._clock.sleep(FORGET_AGAIN_SECONDS)
        while True:
            await self._housekeeping.give_up_alerts()
            is_behind = await self._housekeeping.forget()
            await self._clock.sleep(FORGET_AGAIN_SECONDS if is_behind else FORGET_SECONDS)

    async def _rehearse(self) -> None:
        while True:
            await self._housekeeping.rehearse()
            await self._clock.sleep(REHEARSE_SECONDS)

    async def _empty_spool(self) -> None:
        spool = self._around.spool
        if spool is not None and spool.has_some:
            new = await spool.drain(self._store)
            self._around.progress.note(
                f"the store is back: {new} observations of the time without it were kept"
            )

    async def _pulse(self) -> None:
        around = self._around
        watch = PauseWatch(
            clock=self._clock, since_boot=around.since_boot, beat=self._beat, paused=self._note_pause
        )
        await watch.run()

    async def _note_blindness(self) -> None:
        for cause, is_blind in (await own_blindness(self._store, self._prober.name)).items():
            self._around.figures.blind(cause, is_blind=is_blind)

    def _note_silence(self) -> None:
        """A place where something is outstanding and nobody has looked for a while has no watcher."""
        now = self._clock.now()
        for name in self._prober.places:
            waiting, due = self._board.wanted_at(name, now)
            since = [self._looked_at.get(name), *(one.launched_at for one in (*waiting, *due))]
            newest = max((one for one in since if one is not None), default=now)
            if (waiting or due) and now - newest > 2 * SILENT:
                self._around.figures.watcher(name, is_up=False)

    # what is noticed
    def _beat(self, at: datetime) -> None:
        self._beat_at = at
        if not self._stopped():
            self._around.figures.beat(at)

    def _note_pause(self, pause: Pause) -> None:
        if pause.kind is not PauseKind.STOOD_STILL:
            self._launching.announce_all()
        self._around.notices.say(f"pause {pause.kind}", pause.words)
        self._around.progress.note(pause.words)

    def _noticed(self, observation: Observation) -> None:
        self._board.noticed(observation)
        self._prober.outside.noticed(observation)
        if observation.look is not None and observation.place in self._prober.places:
            self._looked_at[observation.place] = observation.ended_at
            self._around.figures.watcher(observation.place, is_up=not observation.look.is_blind)

    def _note_settled(self, before: Verdict, after: Record) -> None:
        if after.verdict is before:
            return
        self._around.changed("canaries")
        if self._around.delivery is not None:
            self._around.delivery.wake()

    def _note_failed_loop(self, name: str, problem: str) -> None:
        if name == "holding":
            self._around.figures.blind("store", is_blind=True)
        self._around.progress.note(f"{name} stopped: {problem}. It is begun again.")
        self._around.changed("health")

    def _note_trouble(self, error: StoreError | None) -> None:
        """The store would not take a launch; None: it took the last one."""
        self._around.figures.blind("store", is_blind=error is not None)
        self._around.figures.blind("disk", is_blind=error is not None and error.is_of_disk)
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
        for one in canary_ids:
            self._cleaned_at.pop(one, None)
