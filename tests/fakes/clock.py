"""A clock that jumps to the next deadline when every task waits for it."""

import asyncio
import contextlib
import heapq
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
_IDLE_ROUNDS = 50


class FakeClock:
    """Time that passes only when nothing else can happen (inside `jumping`), or by `advance`."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic = 1000.0
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def step(self, seconds: float) -> None:
        """Set the wall clock without the monotonic one: what NTP or a person does."""
        self._now += timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass and wake whoever waited for it."""
        self._monotonic += seconds
        self._now += timedelta(seconds=seconds)
        while self._waiting and self._waiting[0][0] <= self._monotonic:
            heapq.heappop(self._waiting)[2]()

    def call_at(self, seconds: float, wake: Callable[[], None]) -> None:
        """Call back once this many seconds have passed."""
        self._count += 1
        heapq.heappush(self._waiting, (self._monotonic + seconds, self._count, wake))

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.call_at(seconds, lambda: _wake(future))
        await future

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return _Timeout(self, seconds)

    @asynccontextmanager
    async def jumping(self) -> AsyncIterator[None]:
        """Within this scope the clock jumps to the next waiter whenever the loop has nothing else to do."""
        jumper = asyncio.create_task(self._jump())
        try:
            yield
        finally:
            jumper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await jumper

    async def _jump(self) -> None:
        while True:
            for _ in range(_IDLE_ROUNDS):
                await asyncio.sleep(0)
            if self._waiting:
                self.advance(max(0.0, self._waiting[0][0] - self._monotonic))


class _Timeout:
    """`asyncio.timeout`, with its deadline on the fake clock."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._scope = asyncio.timeout(None)
        self._is_over = False

    async def __aenter__(self) -> asyncio.Timeout:
        await self._scope.__aenter__()
        self._clock.call_at(self._seconds, self._expire)
        return self._scope

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        await self._scope.__aexit__(kind, error, trace)

    def _expire(self) -> None:
        if not self._is_over:
            self._scope.reschedule(asyncio.get_running_loop().time() - 1)


def run_jumping(clock: FakeClock, work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on a new loop, the clock jumping whenever all tasks wait for it."""

    async def main() -> T:
        async with clock.jumping():
            return await work

    return asyncio.run(main())


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
