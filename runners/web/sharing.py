"""One reading of the store for all who ask at the same time: a change makes every open page ask at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from probes.contracts import Clock

T = TypeVar("T")

FRESH_SECONDS: Final = 1.0
"""So long an answer is handed on; nobody sees the difference, and a hundred open pages cost what one does."""


class Shared(Generic[T]):
    """What was read last, while it is fresh; whoever asks meanwhile waits for the one reading under way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reading = asyncio.Lock()
        self._kept: tuple[float, int, T] | None = None

    async def get(self, read: Callable[[], Awaitable[T]], *, version: int) -> T:
        """What is fresh and of this version, else what ``read`` gives now; its failure is not kept.

        Args:
            read: reads it anew; cancelled with whoever asked, and the next one reads.
            version: how many changes were noted when it was asked for.
        """
        async with self._reading:
            now = self._clock.monotonic()
            if self._kept is not None:
                read_at, of, value = self._kept
                if of >= version and now - read_at < FRESH_SECONDS:
                    return value
            value = await read()
            self._kept = (now, version, value)
            return value
