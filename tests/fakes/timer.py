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
        self._wake: Callable[[], None] | None = None

    async def run(self, due: Mapping[PathName, NextDue], announce: Callable[[PathName], None]) -> None:
        async with asyncio.TaskGroup() as group:
            waiting: list[asyncio.Task[None]] = []

            def begin_anew() -> None:
                for one in waiting:
                    one.cancel()
                waiting[:] = [
                    group.create_task(self._announce(path, next_due, announce))
                    for path, next_due in due.items()
                ]

            begin_anew()
            self._wake = begin_anew
            await asyncio.Event().wait()

    def wake(self) -> None:
        """Wait for what becomes due after now."""
        if self._wake is not None:
            self._wake()

    async def _announce(
        self, path: PathName, next_due: NextDue, announce: Callable[[PathName], None]
    ) -> None:
        while (at := next_due(self._clock.now())) is not None:
            while (left := (at - self._clock.now()).total_seconds()) > 0:
                await self._clock.sleep(left)
            announce(path)
