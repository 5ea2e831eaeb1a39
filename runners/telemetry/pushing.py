"""Figures are pushed by whoever nobody scrapes: the whole snapshot, at the end and now and then while it goes on.

A way out that is closed costs nothing but its own counter and a line of the log. Nothing is imported, rendered or asked
before somebody wants it pushed.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from probes.contracts import Clock
from runners.contracts import Sample, Store, StoreError
from runners.telemetry.families import Snapshot
from runners.telemetry.process_figures import ExportKind, ProcessFigures
from runners.telemetry.routes import NotPushed, Route
from runners.telemetry.snapshot import Snapshots

PUSH_SECONDS = 60.0
"""How often whoever waits long pushes meanwhile."""
ROUTE_SECONDS = 10.0
"""How long one way out may take."""
KEEP_SECONDS = 5.0
"""How long the store may take to keep this process's own figures."""
LAST_SECONDS = 30.0
"""How long the push at the end may take, whatever hangs: then the process goes."""
TURN = timedelta(seconds=40)
"""A turn is taken from whoever did not give it back for so long: longer than waiting for another's snapshot, taking one, and
its ways out."""
TURN_SECONDS = 8.0
"""How long to wait for a turn. Without one, what needs its order is left to whoever has it: nearly the same figures."""
TURN_AGAIN_SECONDS = 0.2
TURN_NAME = "push figures of "
TURN_PLACE = "telemetry.metrics"

_log = logging.getLogger(__name__)


async def _nothing() -> None:
    """Nothing is to be done before a push."""


class Pushing:
    """Pushes the figures of one prober. Everything here can be cancelled, and repeated; nothing raises."""

    def __init__(
        self,
        routes: Sequence[Route],
        snapshots: Snapshots,
        figures: ProcessFigures,
        store: Store,
        *,
        clock: Clock,
        holder: str,
        mask: Callable[[str], str],
        keeps_figures: bool = False,
        before: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """Ask nothing yet.

        Args:
            routes: the ways out.
            snapshots: where the figures come from.
            figures: this process's own.
            store: where those are kept, and whose turn it is.
            clock: limits and stamps.
            holder: this process, for its turn.
            mask: takes secrets out of what is logged.
            keeps_figures: whether the store is to keep what this process counts, as for one-shot runs.
            before: called before each push, so that this process's gauges can be brought up to date.
        """
        self._routes = tuple(routes)
        self._snapshots = snapshots
        self._figures = figures
        self._store = store
        self._clock = clock
        self._holder = holder
        self._mask = mask
        self._keeps_figures = keeps_figures
        self._before = before
        self._is_seeded = False
        self._failing: dict[str, str] = {}

    async def run(self) -> None:
        """Push for ever, every `PUSH_SECONDS`, the first time so long after this was begun."""
        while True:
            await self._clock.sleep(PUSH_SECONDS)
            await self.push()

    async def last(self) -> None:
        """Push at the end, within `LAST_SECONDS`."""
        try:
            async with self._clock.timeout(LAST_SECONDS):
                await self.push()
        except TimeoutError:
            self._say("telemetry.metrics", f"the last push was given up after {LAST_SECONDS:g} s")

    async def push(self) -> None:
        """Push once, by every way out at the same time."""
        await self._before()
        await self._keep()
        failed = False
        async with self._turn(any(one.needs_order for one in self._routes)) as has_turn:
            snapshot = await self._snapshots.fresh()
            # One that says that the store can't be read overtakes none, and must be told by every way.
            is_free = has_turn or not snapshot.is_whole
            routes = [one for one in self._routes if is_free or not one.needs_order]
            async with asyncio.TaskGroup() as group:
                tries = [group.create_task(self._try(one, snapshot)) for one in routes]
            failed = not all(one.result() for one in tries)
        if failed:
            await self._keep()

    async def _try(self, route: Route, snapshot: Snapshot) -> bool:
        try:
            async with self._clock.timeout(ROUTE_SECONDS):
                await route.push(snapshot)
        except NotPushed as error:
            self._failed(route.name, str(error))
        except TimeoutError:
            self._failed(route.name, f"it was not done within {ROUTE_SECONDS:g} s")
        else:
            self._failing.pop(route.name, None)
            return True
        return False

    def _failed(self, route: str, detail: str) -> None:
        self._figures.export_error(ExportKind.METRICS)
        self._say(route, detail)

    def _say(self, route: str, detail: str) -> None:
        """One line, until something else is wrong."""
        if self._failing.get(route) != detail:
            self._failing[route] = detail
            _log.warning("export_failed", extra={"place": route, "detail": self._mask(detail)})

    async def _keep(self) -> None:
        """Have the store keep what was counted; what it does not take is taken again the next time."""
        if not self._keeps_figures:
            return
        taken: Sequence[Sample] = ()
        try:
            async with self._clock.timeout(KEEP_SECONDS):
                if not self._is_seeded:
                    await self._store.seed(self._figures.series(), at=self._clock.now())
                    self._is_seeded = True
                taken = self._figures.take()
                await self._store.add_figures(taken, at=self._clock.now())
        except BaseException as error:
            # One that took too long may be kept after all: then a fault is counted twice, and none is lost.
            self._figures.give_back(taken)
            if not isinstance(error, StoreError | TimeoutError):
                raise

    @asynccontextmanager
    async def _turn(self, is_needed: bool) -> AsyncIterator[bool]:
        """Only one process of this prober takes a snapshot and pushes it, or an older one might overtake a newer.

        A counter that goes back is a reset to whoever reads it: all that it ever counted would be counted again. So
        whoever has no turn, which is what this yields, does not push by a way that needs the order.
        """
        got = is_needed and await self._has_turn()
        try:
            yield got
        finally:
            if got:
                await self._give_turn_up()

    async def _has_turn(self) -> bool:
        """Whether the turn was had."""
        name = TURN_NAME + self._figures.prober
        try:
            async with self._clock.timeout(TURN_SECONDS):
                while True:
                    now = self._clock.now()
                    if await self._store.take_turn(name, holder=self._holder, now=now, until=now + TURN):
                        self._failing.pop(TURN_PLACE, None)
                        return True
                    await self._clock.sleep(TURN_AGAIN_SECONDS)
        except StoreError as error:
            self._say(TURN_PLACE, f"whose turn it is can't be told: {error}")
        except TimeoutError:
            self._say(
                TURN_PLACE, f"another process pushed for more than {TURN_SECONDS:g} s: it was left to it"
            )
        return False

    async def _give_turn_up(self) -> None:
        try:
            async with self._clock.timeout(KEEP_SECONDS):
                await self._store.end_turn(TURN_NAME + self._figures.prober, holder=self._holder)
        except (StoreError, TimeoutError):
            return  # it lapses
