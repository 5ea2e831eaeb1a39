"""Launching by schedule: whatever becomes due is claimed, recorded and sent; at the end, what is under way may end."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from canary.canary import Canary
from canary.path import PathName
from probes.contracts import Clock, Report
from runners.board import Board
from runners.contracts import Record, StoreError
from runners.launch import Launcher, Order
from runners.orders import Orders
from runners.prober import Prober
from runners.progress import Progress
from runners.schedule import Timer
from runners.supervisor import Supervisor

AT_ONCE = 10
"""A submission server allows a client no more connections than some ten or twenty."""
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
        self._turns = asyncio.Semaphore(AT_ONCE)
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
            scheduling.cancel()
            under_way = set(self._under_way)
            if under_way:
                self._progress.note(
                    f"stopping: {len(under_way)} launches under way may take {drain_seconds:.0f} s"
                )
                cutting = group.create_task(self._cut(under_way, drain_seconds))
                await asyncio.wait(under_way)
                cutting.cancel()

    async def _cut(self, under_way: set[asyncio.Task[None]], seconds: float) -> None:
        await self._clock.sleep(seconds)
        for one in under_way:
            one.cancel()

    async def _schedule(self, group: asyncio.TaskGroup) -> None:
        """Launch what became due while nobody ran, and then whatever is announced."""

        def announce(path: PathName) -> None:
            now = self._clock.now()
            due_at, expected[path] = expected.get(path) or now, self._prober.timetable[path](now)
            work = self._supervisor.once(
                f"launch of {path}", lambda: self._launch_due(path, min(due_at, now))
            )
            task = group.create_task(work, name=f"launch {path}")
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

        expected: dict[PathName, datetime | None] = {}
        enabled = {
            name: next_due
            for name, next_due in self._prober.timetable.items()
            if self._prober.paths[name].is_enabled
        }
        for name in enabled:
            announce(name)
        await self._timer.run(enabled, announce)

    async def _launch_due(self, path: PathName, due_at: datetime) -> None:
        """Launch one canary down a path, if its slot is due and nobody else's."""
        for order in await self._claimed(path):
            async with self._turns:
                await self._launch(order, due_at)

    async def _claimed(self, path: PathName) -> list[Order]:
        for _ in range(RETRIES):
            try:
                orders = await self._orders.orders([path], only_due=True)
            except StoreError as error:
                self._troubled(error)
                await self._clock.sleep(RETRY_SECONDS)
            else:
                self._troubled(None)
                return orders
        return []

    async def launch(self, order: Order) -> None:
        """Launch what is beside the schedule; returns when the canary was sent."""
        async with self._turns:
            await self._launch(order, self._clock.now())

    async def _launch(self, order: Order, due_at: datetime) -> None:
        canary: Canary | None = None
        is_stored = False
        try:
            canary = await self._launcher.record(order)
            self._lagged(max(0.0, (canary.launched_at - due_at).total_seconds()))
            self._board.put(Record(canary, None, launch_ended=False, is_clean=False), is_launching=True)
            self._progress.launched(canary)
            await self._launcher.send(canary, self._report)
            is_stored = True
        except StoreError as error:
            self._troubled(error)
        finally:
            if canary is not None:
                self._board.handed_over(canary.id, self._clock.now(), is_stored=is_stored)
