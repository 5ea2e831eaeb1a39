"""Calls of ticketing systems, counted in the store for all processes: what the adapters ask, who know no store."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Self, TypeVar

from canary.call_share import Grant, Stretch, Want
from canary.hush import Hush
from probes.contracts import Clock, Uncounted
from probes.ticketing.shared_calls import SharedCalls
from probes.ticketing.walks import Walks
from runners.call_contracts import CallStore
from runners.config.config import Config
from runners.contracts import StoreError

T = TypeVar("T")

AGAIN_SECONDS: Final = 5.0
"""How long nothing is asked of a system whose calls could not be counted, before the store is asked again."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a ticketing system keeps where it outlives this process: counts of calls, and walks; None: not at all."""

    shared: SharedCalls
    walks: Walks | None = None


class CountedCalls:
    """Satisfies `probes.ticketing.shared_calls.SharedCalls`; a store that fails is `Uncounted`."""

    def __init__(self, store: CallStore) -> None:
        self._store = store

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window."""
        return await _counted(self._store.stretches(account))

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls; one grant a want, in their order."""
        return await _counted(self._store.take_calls(account, wants, now=now))

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone."""
        return await _counted(self._store.hush(account))

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it."""
        await _counted(self._store.keep_hush(account, hush))


class CallsCountedLate:
    """The same where no store is open: `check` and `ticketing try` open it with the first call that is to be counted."""

    def __init__(
        self,
        opening: Callable[[], AbstractAsyncContextManager[CallStore]],
        reading: Callable[[], AbstractAsyncContextManager[CallStore]] | None = None,
    ) -> None:
        self._opening = opening
        self._reading = reading or opening
        self._store: CallStore | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window."""
        return await (await self._counting()).stretches(account)

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls; one grant a want, in their order."""
        return await (await self._counting()).take_calls(account, wants, now=now)

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone."""
        if self._store is None:
            return await _counted(self._hush_read(account))
        return await _counted(self._store.hush(account))

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it."""
        await (await self._counting()).keep_hush(account, hush)

    async def _hush_read(self, account: str) -> Hush | None:
        """Nothing is made for it, neither a file nor a table: who has no store was not asked."""
        from runners.store.faults import NoStoreYet

        try:
            async with self._reading() as store:
                return await store.hush(account)
        except NoStoreYet:
            return None

    async def _counting(self) -> CountedCalls:
        if self._store is None:
            self._store = await _counted(self._opened())
        return CountedCalls(self._store)

    async def _opened(self) -> CallStore:
        return await self._stack.enter_async_context(self._opening())


def counted_late(config: Config, clock: Clock) -> CallsCountedLate:
    """Counts in the store of a configuration, once there is something to count."""

    def opening(*, read_only: bool = False) -> AbstractAsyncContextManager[CallStore]:
        from runners.store import open_store

        prober = config.prober
        return open_store(prober.store_url, clock=clock, prober=prober.name, read_only=read_only)

    return CallsCountedLate(opening, partial(opening, read_only=True))


async def _counted(work: Awaitable[T]) -> T:
    try:
        return await work
    except StoreError as error:
        raise Uncounted(
            f"what all processes have asked of it can't be counted: {error}",
            retry_after_seconds=AGAIN_SECONDS,
        ) from None
