"""The schedule: announces each path whose slot becomes due. Who launches it is decided by the store (decision 0005)."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Protocol

from canary.path import PathName

NextDue = Callable[[datetime], datetime | None]
"""The first time after the given one at which a slot of a path becomes due; None: never."""


class Timer(Protocol):
    """Announces paths as their slots become due."""

    async def run(self, due: Mapping[PathName, NextDue], announce: Callable[[PathName], None]) -> None:
        """Announce, until cancelled. After a pause each path is announced once: there is no burst."""
        ...

    def wake(self) -> None:
        """The wall clock was set, or the machine slept: wait for what becomes due after now, whatever was waited for."""
        ...


class SchedulerTimer:
    """APScheduler 3 as a timer (decision 0004): a job a path in memory, which announces it and nothing else.

    It asks the system's clocks itself, and waits by the monotonic one: whoever notices that the other was set, or that
    the machine slept, wakes it: unwoken, one that is set back would make it wait until the clock is where it was.
    """

    def __init__(self) -> None:
        self._wake: Callable[[], None] | None = None

    def wake(self) -> None:
        """Wait for what becomes due after now."""
        if self._wake is not None:
            self._wake()

    async def run(self, due: Mapping[PathName, NextDue], announce: Callable[[PathName], None]) -> None:
        """Announce, until cancelled."""
        from apscheduler.schedulers.asyncio import AsyncIOScheduler

        async def tell(path: PathName) -> None:
            announce(path)

        scheduler = AsyncIOScheduler(timezone=UTC)
        trigger = trigger_class()
        for path, next_due in due.items():
            scheduler.add_job(
                tell,
                trigger(next_due),
                args=[path],
                id=path,
                misfire_grace_time=None,
                coalesce=True,
                max_instances=3,
            )
        scheduler.start()

        def begin_anew() -> None:
            for path, next_due in due.items():
                # A job whose schedule never comes again is gone.
                if scheduler.get_job(path) is not None:
                    scheduler.reschedule_job(path, trigger=trigger(next_due))

        self._wake = begin_anew
        try:
            await asyncio.Event().wait()
        finally:
            self._wake = None
            scheduler.shutdown(wait=False)


def trigger_class() -> "type":
    """The trigger's class, made where it is needed: its base costs every command a tenth of a second."""
    from apscheduler.triggers.base import BaseTrigger

    class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
        """Fires whenever a slot of its path becomes due."""

        def __init__(self, next_due: NextDue) -> None:
            self._next_due = next_due

        def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
            """The next due time; after a pause the one that comes, not the many that passed."""
            return self._next_due(max(now, previous_fire_time or now))

    return SlotTrigger
