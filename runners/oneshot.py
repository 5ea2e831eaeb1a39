"""`run` and `sweep`: one shot, for cron, a CronJob and people."""

import asyncio
import contextlib
import logging
import secrets
from dataclasses import dataclass, field

from canary.canary import Canary
from canary.gauge import Gauge
from canary.observation import Observation
from canary.path import PathName
from canary.signature import CanaryId
from canary.slot import Slot
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.alerting import Alerting
from runners.alerts.delivery import DRAIN_SECONDS, Delivery
from runners.board import Board
from runners.clean import Cleaner
from runners.contracts import AuditEntry, Leftover, Record, Store, StoreError
from runners.gauging import Gauging
from runners.heard import keep_what_was_heard
from runners.housekeeping import Housekeeping
from runners.launch import LEASE, Launcher, Order
from runners.leases import new_holder
from runners.ledger import Ledger
from runners.orders import Orders
from runners.prober import Prober
from runners.progress import Progress
from runners.run_figures import RunFigures
from runners.settle import Settler
from runners.slot_contracts import SlotConflict
from runners.stopping import stoppable
from runners.strays import Strays
from runners.watch import Watch

_log = logging.getLogger(__name__)
CLEAN_SECONDS = 120.0
LAST_LOOK_SECONDS = 2.0
LAUNCHES_AT_ONCE = 10
"""A submission server allows a client no more connections than some ten or twenty."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run is asked to do.

    Attributes:
        paths: only these; empty: all that are enabled.
        only_due: only where a slot is due that nobody has claimed.
        detach: do not wait for the verdicts.
        until_horizon: wait until every canary has its last word.
        launches: False for `sweep`.
    """

    paths: tuple[PathName, ...] = ()
    only_due: bool = False
    detach: bool = False
    until_horizon: bool = False
    launches: bool = True


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run came to.

    Attributes:
        records: the canaries that were launched or changed verdict in this process, oldest first.
        first_verdicts: those among them that got their first verdict in this process.
        interrupted_by: the signal that ended it, or None.
        problem: why nothing could be recorded, or None.
        leftovers: what of ours is still to be removed, of whatever run; it changes no exit status.
        removed: what this process removed, in the order in which it did.
        waiting: canaries that this process watched and that are not at their end: out, or looked for until their horizon.
    """

    records: tuple[Record, ...]
    first_verdicts: tuple[Record, ...]
    gauges: tuple[Gauge, ...]
    interrupted_by: int | None = None
    problem: str | None = None
    leftovers: tuple[Leftover, ...] = ()
    removed: tuple[AuditEntry, ...] = ()
    waiting: tuple[Record, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 all confirmed, 1 a breach, 3 inconclusive or nothing recorded, 130 or 143 interrupted; 1 outranks 3."""
        if self.interrupted_by is not None:
            return 128 + self.interrupted_by
        verdicts = {record.verdict for record in self.first_verdicts}
        if any(verdict.is_breach for verdict in verdicts):
            return 1
        return 3 if Verdict.INCONCLUSIVE in verdicts or self.problem is not None else 0


@dataclass(slots=True)
class _Tally:
    """What this process launched and settled; ``open_ended``: launches whose end could not be recorded."""

    launched: set[CanaryId] = field(default_factory=set)
    open_ended: set[CanaryId] = field(default_factory=set)
    settled: dict[CanaryId, Record] = field(default_factory=dict)
    first: set[CanaryId] = field(default_factory=set)
    removed: list[AuditEntry] = field(default_factory=list)


class OneShot:
    """One run over a store that is open: the parts, joined."""

    def __init__(self, prober: Prober, store: Store, *, clock: Clock, progress: Progress) -> None:
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress
        self._tally = _Tally()
        self._board = Board(prober)
        observer = new_holder(prober.name, secrets.token_bytes)
        self._ledger = Ledger(
            store,
            masker=prober.masker,
            observer=observer,
            progress=progress,
            canaries=self._board.canaries,
            noticed=self._noticed,
            placed=prober.placed,
        )
        self._orders = Orders(prober, store, clock=clock, progress=progress, holder=observer)
        self._launcher = Launcher(prober, store, clock=clock, holder=observer, randomness=secrets.token_bytes)
        self._alerting = Alerting(prober, store, clock=clock)
        self._settler = Settler(
            prober,
            store,
            clock=clock,
            listener=progress,
            settled_by=observer,
            is_under_way=self._board.is_under_way,
            alerting=self._alerting,
        )
        self._gauging = Gauging(store, clock=clock, progress=progress)
        self._cleaner = Cleaner(
            prober,
            store,
            clock=clock,
            progress=progress,
            observer=prober.name,
            removed=self._tally.removed.append,
        )
        self._housekeeping = Housekeeping(
            prober, store, clock=clock, progress=progress, alerting=self._alerting, holder=observer
        )
        self._strays = Strays(
            prober, store, clock=clock, progress=progress, removed=self._tally.removed.append
        )
        self._watch = Watch(
            prober,
            store,
            self._board,
            settler=self._settler,
            gauging=self._gauging,
            report=self._ledger,
            clock=clock,
            progress=progress,
            settled=self._note_settled,
        )
        self._delivery = Delivery(
            store,
            prober.sinks,
            clock,
            observer,
            chance=secrets.SystemRandom().random,
            mask=prober.masker.mask,
        )
        self._figures = RunFigures(prober, store, clock=clock, holder=f"{observer}/{secrets.token_hex(4)}")
        self._launching = asyncio.Semaphore(LAUNCHES_AT_ONCE)
        self._waiting: set[Slot] = set()
        self._gauges: tuple[Gauge, ...] = ()
        self._problem: str | None = None
        self._leftovers: tuple[Leftover, ...] = ()
        self._unfinished: tuple[Record, ...] | None = None
        self._has_settled = asyncio.Event()

    async def run(self, options: RunOptions) -> RunResult:
        """Launch, watch, settle, clean; returns early, with all stored, on SIGINT or SIGTERM."""
        interrupted_by: int | None = None
        try:
            async with stoppable(is_patient=True) as caught:
                await self._whole(options)
            interrupted_by = caught.signal
        except* StoreError as errors:
            self._trouble(errors.exceptions[0])
        if interrupted_by is not None:
            await self._look_what_is_left()
        return self._result(interrupted_by)

    async def push(self) -> None:
        """Push the figures, bounded, after the run: whoever waits for its answer does not wait for this."""
        await self._figures.last()

    async def _whole(self, options: RunOptions) -> None:
        await self._housekeeping.begin()
        await self._housekeeping.retire()
        await self._take_what_is_left()
        orders = (
            await self._orders.orders(options.paths, only_due=options.only_due) if options.launches else []
        )
        if not orders:
            self._figures.begun()
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watch.run())
            pushing = group.create_task(self._figures.run())
            gauging = group.create_task(self._read_gauges())
            self._waiting = {Slot(one.path.name, one.slot_at) for one in orders if one.slot_at is not None}
            keeping = group.create_task(self._keep_claims())
            sending = [group.create_task(self._send(order)) for order in orders]
            looking = group.create_task(self._look_for_what_is_left())
            rehearsing = group.create_task(self._housekeeping.rehearse())
            await asyncio.wait([*sending, looking, gauging, rehearsing])
            if not options.detach:
                await self._wait_for_verdicts()
            if options.until_horizon:
                await self._wait_for_horizons()
            await self._watch.all_judged()
            watching.cancel()
            pushing.cancel()
            keeping.cancel()
        await self._clean(launches=options.launches)
        await self._note_what_is_left()
        await self._note_what_was_heard()
        await self._tell()
        await self._housekeeping.forget()

    async def _look_what_is_left(self) -> None:
        """Whoever interrupts it is told what is out; a store that does not answer at once makes nobody wait."""
        with contextlib.suppress(StoreError, TimeoutError):
            async with self._clock.timeout(LAST_LOOK_SECONDS):
                await self._note_what_is_left()

    async def _note_what_is_left(self) -> None:
        self._leftovers = tuple(await self._store.leftovers())
        ids = self._board.canaries()
        outstanding = await self._store.outstanding(self._clock.now())
        self._unfinished = tuple(one for one in outstanding if one.canary.id in ids and one.is_waiting)

    async def _take_what_is_left(self) -> None:
        for record in await self._store.outstanding(self._clock.now()):
            self._board.put(record)
        for canary in await self._launcher.take_over(self._ledger):
            self._progress.note(
                f"{canary.path}: the launch of canary {canary.id} was left unfinished; it is judged now"
            )

    async def _look_for_what_is_left(self) -> None:
        now = self._clock.now()
        old = [
            record.canary
            for record in self._board.records()
            if record.canary.id not in self._tally.launched
            and (record.verdict is not Verdict.PENDING or now >= record.canary.deadline_at)
            and not record.is_clean
        ]
        if old:
            things = "canary" if len(old) == 1 else "canaries"
            self._progress.note(f"looking for {len(old)} {things} of earlier runs")
            await self._watch.look_once(old)

    async def _keep_claims(self) -> None:
        """Keep the slots that are still to be launched: a run beside this one would take them over."""
        while self._waiting:
            await self._clock.sleep(LEASE.total_seconds() / 3)
            try:
                await self._orders.keep(self._waiting)
            except StoreError:
                _log.warning("lease_not_renewed")

    async def _send(self, order: Order) -> None:
        async with self._launching:
            if order.slot_at is not None:
                self._waiting.discard(Slot(order.path.name, order.slot_at))
            await self._send_one(order)

    async def _send_one(self, order: Order) -> None:
        canary: Canary | None = None
        try:
            minted = self._launcher.mint(order)
            await self._launcher.record(minted)
            canary = minted
            self._tally.launched.add(canary.id)
            self._board.put(Record(canary, None, launch_ended=False, is_clean=False), is_launching=True)
            self._progress.launched(canary)
            self._figures.launched(canary, order.slot_at)
            await self._launcher.send(canary, self._ledger)
            self._board.handed_over(canary.id, self._clock.now(), is_stored=True)
        except SlotConflict:
            self._figures.begun()  # nothing of ours leaves; the slot's canary is another's
        except StoreError as error:
            self._trouble(error)
            if canary is not None:
                self._tally.open_ended.add(canary.id)
                self._board.handed_over(canary.id, self._clock.now(), is_stored=False)

    def _noticed(self, observation: Observation) -> None:
        self._board.noticed(observation)
        self._prober.outside.noticed(observation)
        self._figures.noticed(observation)

    async def _read_gauges(self) -> None:
        try:
            self._gauges = await self._gauging.read(self._prober.gauges)
        except StoreError as error:
            self._trouble(error)
        for gauge in self._gauges:
            self._prober.outside.gauged(gauge)

    async def _note_what_was_heard(self) -> None:
        self._gauges += await keep_what_was_heard(self._prober, self._store)

    async def _tell(self) -> None:
        """Write what is to be told, and deliver what is due for a while; the next run goes on with the rest."""
        if not self._prober.alerts.tells_anybody:
            return
        await self._alerting.review(self._housekeeping.others_run)
        began_at = self._clock.monotonic()
        await self._delivery.drain()
        # What a sink just refused for good is told to the others now, not by the next run.
        if await self._alerting.review(self._housekeeping.others_run):
            await self._delivery.drain(max(1.0, DRAIN_SECONDS - (self._clock.monotonic() - began_at)))

    def _trouble(self, error: BaseException) -> None:
        """Note the first reason why something could not be recorded."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        self._figures.troubled()
        if self._problem is None:
            self._problem = self._prober.masker.mask(str(error))
            self._progress.note(self._problem)

    async def _wait_for_verdicts(self) -> None:
        while any(
            (record := self._board.get(canary_id)) is not None and record.verdict is Verdict.PENDING
            for canary_id in self._tally.launched - self._tally.open_ended
        ):
            self._has_settled.clear()
            await self._has_settled.wait()

    async def _wait_for_horizons(self) -> None:
        """Look for every breached canary until it is late, or was looked for once at its horizon."""
        done: set[CanaryId] = set()
        while open_ones := [
            one
            for one in self._board.records()
            if one.verdict in {Verdict.PENDING, Verdict.BREACHED}
            and (one.launch_ended or one.canary.id in self._tally.launched - self._tally.open_ended)
            and one.canary.id not in done
        ]:
            breached = [one.canary for one in open_ones if one.verdict is Verdict.BREACHED]
            began_at = self._clock.now()
            await self._watch.look_once(breached)
            done |= {one.id for one in breached if began_at >= one.horizon_at}
            await self._clock.sleep(1.0)

    async def _clean(self, *, launches: bool) -> None:
        ids = set(self._board.canaries())
        records = [one for one in await self._store.outstanding(self._clock.now()) if one.canary.id in ids]
        try:
            async with self._clock.timeout(CLEAN_SECONDS):
                await self._cleaner.clean(records, at_once=not launches)
                if not launches:
                    await self._strays.remove()
        except TimeoutError:
            self._progress.note(
                "cleaning took too long; the next run or `intake-prober sweep` goes on with it"
            )

    def _note_settled(self, before: Verdict, after: Record) -> None:
        if after.verdict is before:
            return
        self._has_settled.set()
        if before is Verdict.PENDING:
            self._tally.first.add(after.canary.id)
        self._tally.settled[after.canary.id] = after

    def _result(self, interrupted_by: int | None) -> RunResult:
        changed = dict(self._tally.settled)
        for canary_id in self._tally.launched:
            if (record := self._board.get(canary_id)) is not None:
                changed.setdefault(canary_id, record)
        records = tuple(sorted(changed.values(), key=lambda one: one.canary.launched_at))
        first = tuple(one for one in records if one.canary.id in self._tally.first)
        waiting = self._unfinished
        if waiting is None:  # the store was not asked, or did not answer: as far as is known here
            waiting = tuple(one for one in self._board.records() if one.is_waiting)
        removed = tuple(self._tally.removed)
        return RunResult(
            records, first, self._gauges, interrupted_by, self._problem, self._leftovers, removed, waiting
        )
