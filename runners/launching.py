"""Launching by schedule: whatever becomes due is claimed, recorded and sent; at the end, what is under way may end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial

from canary.canary import Canary
from canary.hop import Channel
from canary.path import PathName
from canary.slot import Slot
from probes.contracts import Clock, Report
from runners.board import Board
from runners.contracts import Record, StoreError
from runners.launch import Launcher, Order
from runners.orders import Orders
from runners.prober import Prober
from runners.progress import Progress
from runners.schedule import Timer
from runners.slot_contracts import SlotConflict
from runners.supervisor import Supervisor

AT_ONCE = {Channel.EMAIL: 10, Channel.FORM: 10, Channel.PORTAL: 4}
"""A submission server allows a client no more connections than some ten or twenty; a slow portal holds up no mail."""
OVERDUE = timedelta(minutes=2)
RETRY_SECONDS = 5.0
RETRIES = 12
"""A slot that can't be claimed for want of the store is tried again for a minute; then it is missed."""


class Launching:
    """Launches what the timer announces, one canary a slot at most.

    Args:
        lagged: hears how many seconds after its slot a canary was launched.
        troubled: hears what the store would not do.
    """

    def __init__(
        self,
        prober: Prober,
        board: Board,
        *,
        orders: Orders,
        launcher: Launcher,
        report: Report,
        timer: Timer,
        supervisor: Supervisor,
        clock: Clock,
        progress: Progress,
        lagged: Callable[[float], None],
        troubled: Callable[[StoreError | None], None],
    ) -> None:
        self._prober = prober
        self._board = board
        self._orders = orders
        self._launcher = launcher
        self._report = report
        self._timer = timer
        self._supervisor = supervisor
        self._clock = clock
        self._progress = progress
        self._lagged = lagged
        self._troubled = troubled
        self._turns = {channel: asyncio.Semaphore(most) for channel, most in AT_ONCE.items()}
        self._next_behind = {channel: asyncio.Lock() for channel in AT_ONCE}
        self._expected: dict[PathName, datetime | None] = {}
        self._waiting: set[PathName] = set()
        self._behind: set[PathName] = set()
        self._recording: set[PathName] = set()
        self._announce: Callable[[PathName, datetime | None], None] | None = None
        self._is_closing = False
        self._under_way: set[asyncio.Task[None]] = set()

    async def run_until(self, stopping: asyncio.Event, *, drain_seconds: float) -> None:
        """Launch until told to stop; then give what is under way so long to end.

        What takes longer is cut off, and is taken over by whoever comes next.
        """
        async with asyncio.TaskGroup() as group:
            scheduling = group.create_task(
                self._supervisor.keep("schedule", lambda: self._schedule(group)), name="schedule"
            )
            await stopping.wait()
            self._is_closing = True
            scheduling.cancel()
            await asyncio.wait([scheduling])
            if self._under_way:
                self._progress.note(
                    f"stopping: {len(self._under_way)} launches under way may take {drain_seconds:.0f} s"
                )
                cutting = group.create_task(self._cut(drain_seconds))
                while self._under_way:
                    await asyncio.wait(set(self._under_way))
                cutting.cancel()

    def overdue(self, now: datetime) -> list[PathName]:
        """The paths whose slot became due a while ago, and which nobody here even tried to launch."""
        return [
            path
            for path, at in self._expected.items()
            if at is not None and now - at > OVERDUE and path not in self._waiting | self._behind
        ]

    def announce_all(self) -> None:
        """Time has passed without us: look at every path again."""
        self._timer.wake()
        if self._announce is not None:
            for path in list(self._expected):
                self._announce(path, None)

    def resume(self, slot: Slot) -> None:
        """Whoever claimed this slot, the latest of its path, did not launch it: take it over, among those that are late.

        What this process is about to record is not passed by itself: the store is away, or slow.
        """
        if self._announce is not None and slot.path in self._expected and slot.path not in self._recording:
            self._announce(slot.path, slot.at)

    async def _cut(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        for one in set(self._under_way):
            one.cancel()

    async def _schedule(self, group: asyncio.TaskGroup) -> None:
        """Launch what became due while nobody ran, and then whatever is announced."""

        def announce(path: PathName, slot_at: datetime | None = None, *, is_behind: bool = False) -> None:
            now = self._clock.now()
            due_at = slot_at or self._expected.get(path) or now
            if slot_at is None:
                self._expected[path] = self._prober.timetable[path](now)
            # One that waits for its turn is enough: it will ask which slot is due by then. But what becomes due now
            # does not wait among those that are late.
            lane = self._behind if is_behind else self._waiting
            if path in self._waiting | lane or self._is_closing:
                return
            lane.add(path)
            launch = partial(self._launch_due, path, min(due_at, now), is_behind=is_behind)
            task = group.create_task(
                self._supervisor.once(f"launch of {path}", launch), name=f"launch {path}"
            )
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

        enabled = {
            name: next_due
            for name, next_due in self._prober.timetable.items()
            if self._prober.paths[name].is_enabled
        }
        self._announce = partial(announce, is_behind=True)
        for name in enabled:
            announce(name, is_behind=True)
        await self._timer.run(enabled, announce)

    async def _launch_due(self, path: PathName, due_at: datetime, *, is_behind: bool) -> None:
        """Launch one canary down a path, if its slot is due and nobody else's; the turn comes before the claim.

        A slot that is claimed and then waits would go stale in a queue, and look missed to everybody else.
        """
        lane = self._behind if is_behind else self._waiting
        try:
            async with self._turn(self._prober.paths[path].channel, is_behind=is_behind):
                lane.discard(path)
                for order in [] if self._is_closing else await self._claimed(path):
                    await self._launch(order, due_at)
        finally:
            lane.discard(path)

    @asynccontextmanager
    async def _turn(self, channel: Channel, *, is_behind: bool) -> AsyncIterator[None]:
        """A turn to launch. Of those that are late already, one at a time waits for it: whoever is on time passes the rest.

        At a start with two hundred paths the others waited behind all of them, seven seconds and more.
        """
        turn = self._turns[channel]
        if is_behind:
            async with self._next_behind[channel]:
                await turn.acquire()
        else:
            await turn.acquire()
        try:
            yield
        finally:
            turn.release()

    async def _claimed(self, path: PathName) -> list[Order]:
        for _ in range(RETRIES):
            try:
                orders = await self._orders.orders([path], only_due=True)
            except StoreError as error:
                self._troubled(error)
                await self._clock.sleep(RETRY_SECONDS)
                if self._is_closing:
                    return []
            else:
                self._troubled(None)
                return orders
        self._progress.note(
            f"{path}: no slot could be claimed for a minute; it is tried again with the next one"
        )
        return []

    async def launch(self, order: Order) -> None:
        """Launch what is beside the schedule; returns when the canary was sent."""
        async with self._turns[order.path.channel]:
            await self._launch(order, self._clock.now())

    async def _recorded(self, order: Order) -> Canary:
        """Mint and record a canary; its slot is ours already, so a store that blinks is asked again for a while.

        With the same canary: where only the answer was lost, another one would be the slot's second.

        Raises:
            StoreError: it would not take it; nothing was sent.
            SlotConflict: the slot is another's by now; nothing was sent.
        """
        canary = self._launcher.mint(order)
        self._recording.add(order.path.name)
        try:
            for _ in range(RETRIES - 1):
                try:
                    await self._launcher.record(canary)
                except StoreError as error:
                    self._troubled(error)
                    await self._clock.sleep(RETRY_SECONDS)
                else:
                    return canary
            await self._launcher.record(canary)
        finally:
            self._recording.discard(order.path.name)
        return canary

    async def _launch(self, order: Order, due_at: datetime) -> None:
        canary: Canary | None = None
        is_stored = False
        try:
            canary = await self._recorded(order)
            self._lagged(max(0.0, (canary.launched_at - due_at).total_seconds()))
            self._board.put(Record(canary, None, launch_ended=False, is_clean=False), is_launching=True)
            self._progress.launched(canary)
            await self._launcher.send(canary, self._report)
            is_stored = True
        except SlotConflict:
            self._troubled(None)  # the store answered; the slot's canary is another's
        except StoreError as error:
            self._troubled(error)
        finally:
            if canary is not None:
                self._board.handed_over(canary.id, self._clock.now(), is_stored=is_stored)
