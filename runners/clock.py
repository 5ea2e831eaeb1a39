"""The only readers of time: the system's clocks."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime


def since_boot() -> float:
    """Seconds that the machine is up, the time that it slept included (CLOCK_BOOTTIME, Linux)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's wall clock and monotonic clock; satisfies `probes.contracts.Clock`."""

    def now(self) -> datetime:
        """Aware UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; never set back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait; cancellable."""
        await asyncio.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A scope that raises `TimeoutError` when it lasts longer."""
        return asyncio.timeout(seconds)


class ScaledClock:
    """A clock that runs faster than the machine's: an incident of a day in minutes. Satisfies `probes.contracts.Clock`.

    Args:
        speed: how many of its seconds pass in one.
        origin: what it shows when the machine's clock shows ``began``; processes that share both agree on the time.
        began: a time of the machine's clock, aware.
    """

    def __init__(self, speed: float, *, origin: datetime, began: datetime) -> None:
        self._speed = speed
        self._origin = origin
        self._began = began

    def now(self) -> datetime:
        """Aware UTC, scaled."""
        return self._origin + (datetime.now(UTC) - self._began) * self._speed

    def monotonic(self) -> float:
        """Scaled seconds since an arbitrary moment; never set back."""
        return time.monotonic() * self._speed

    async def sleep(self, seconds: float) -> None:
        """Wait so many scaled seconds; cancellable."""
        await asyncio.sleep(seconds / self._speed)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """A scope that raises `TimeoutError` when it lasts longer than so many scaled seconds."""
        return asyncio.timeout(seconds / self._speed)
