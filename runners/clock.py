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
