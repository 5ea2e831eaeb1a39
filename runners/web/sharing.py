"""One rendering for all who ask at the same time: a change makes every open page ask at once."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from probes.contracts import Clock
from runners.contracts import StoreError

T = TypeVar("T")

FRESH_SECONDS: Final = 1.0
"""So long an answer is handed on whatever changed: a hundred open pages cost what one does."""
USABLE_SECONDS: Final = 30.0
"""So old an answer may be while a newer one is being made; it says itself as of when it is, and the page asks again."""


@dataclass(frozen=True, slots=True)
class Lent(Generic[T]):
    """What was made last.

    Attributes:
        is_behind: something changed since it was made.
        is_due: a newer one is to be made.
    """

    value: T
    is_behind: bool
    is_due: bool


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    made_at: float
    version: int
    key: object
    value: T


class Shared(Generic[T]):
    """What was made last, while it is young enough; whoever asks meanwhile waits for the one under way."""

    def __init__(self, clock: Clock, *, usable_seconds: float = USABLE_SECONDS) -> None:
        """Keep the clock; what is older than ``usable_seconds`` is made anew before it is given."""
        self._clock = clock
        self._usable_seconds = usable_seconds
        self._making = asyncio.Lock()
        self._kept: _Kept[T] | None = None

    async def get(self, make: Callable[[], Awaitable[T]], *, version: int, key: object = None) -> Lent[T]:
        """What is young enough, else what ``make`` gives now; its failure is not kept.

        Args:
            make: makes it anew; cancelled with whoever asked, and the next one makes it.
            version: how many changes were noted when it was asked for.
            key: what is made of another one is of no use.
        """
        kept = self._younger_than(self._usable_seconds, key)
        if kept is None:
            async with self._making:
                kept = self._younger_than(self._usable_seconds, key)
                if kept is None:
                    kept = await self._make(make, version, key)
        is_due = self._younger_than(FRESH_SECONDS, key) is None
        return Lent(kept.value, is_behind=kept.version < version, is_due=is_due)

    async def renew(self, make: Callable[[], Awaitable[T]], *, version: int, key: object = None) -> None:
        """Make a newer one, unless somebody does; where the store can't be read, the old one stays until it is too old."""
        if self._making.locked():
            return
        async with self._making:
            if self._younger_than(FRESH_SECONDS, key) is None:
                with contextlib.suppress(StoreError):
                    await self._make(make, version, key)

    def _younger_than(self, seconds: float, key: object) -> _Kept[T] | None:
        kept = self._kept
        if kept is None or kept.key != key or self._clock.monotonic() - kept.made_at >= seconds:
            return None
        return kept

    async def _make(self, make: Callable[[], Awaitable[T]], version: int, key: object) -> _Kept[T]:
        made_at = self._clock.monotonic()
        self._kept = kept = _Kept(made_at, version, key, await make())
        return kept


class Aside:
    """Work that would hold the event loop for too long, in a thread; one at a time, since threads share one processor."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def __call__(self, work: Callable[[], T]) -> T:
        """What the work gives."""
        async with self._turn:
            return await asyncio.to_thread(work)
