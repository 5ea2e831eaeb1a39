"""A timer on the injected clock: what APScheduler is on the system's."""

import asyncio
from collections.abc import Callable, Mapping

from canary.path import PathName
from probes.contracts import Clock
from runners.schedule import NextDue


class ClockTimer:
    """Satisfies `Timer`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def run(self, due: Mapping[PathName, NextDue], announce: Callable[[PathName], None]) -> None:
        async with asyncio.TaskGroup() as group:
            for path, next_due in due.items():
                group.create_task(self._announce(path, next_due, announce))
            await asyncio.Event().wait()

    def wake(self) -> None:
        """It waits by the fake clock, which is woken by whoever steps it."""

    async def _announce(
        self, path: PathName, next_due: NextDue, announce: Callable[[PathName], None]
    ) -> None:
        while (at := next_due(self._clock.now())) is not None:
            while (left := (at - self._clock.now()).total_seconds()) > 0:
                await self._clock.sleep(left)
            announce(path)
