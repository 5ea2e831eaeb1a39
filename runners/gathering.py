"""Many callers, few transactions: what is asked for while one is under way goes together into the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True, eq=False)
class _Asked(Generic[T, R]):
    items: Sequence[T]
    results: Sequence[R] | None = None
    is_refused: bool = False


class Gathering(Generic[T, R]):
    """A call over some items that is made once for all who wait for their turn.

    Whoever comes first makes the call for all; nobody waits longer than for the call under way and the next one.
    There is no task and no timer of its own: alone, a caller makes its call at once. Where a call for several fails,
    each makes its own: what was wrong with the items of one is no other's fault, and no two share an exception.

    Args:
        call: takes items and returns a result for each, in order; all or none of it happens. It is repeated when it
            failed for several, or when the one who made it for others is cancelled, so it must be repeatable.
    """

    def __init__(self, call: Callable[[Sequence[T]], Awaitable[Sequence[R]]]) -> None:
        self._call = call
        self._turn = asyncio.Lock()
        self._asked: list[_Asked[T, R]] = []

    async def __call__(self, items: Sequence[T]) -> Sequence[R]:
        """Have the call made for these items, perhaps with others' beside them.

        Raises:
            Exception: whatever the call raised, made for these items alone.
        """
        mine: _Asked[T, R] = _Asked(items)
        self._asked.append(mine)
        try:
            async with self._turn:
                if mine.results is None and not mine.is_refused:
                    await self._make_call()
        finally:
            if mine in self._asked:
                self._asked.remove(mine)  # cancelled before its turn: then it was not asked for
        return await self._call(items) if mine.results is None else mine.results

    async def _make_call(self) -> None:
        together, self._asked = self._asked, []
        try:
            results = await self._call([item for one in together for item in one.items])
        except Exception:
            # not swallowed: each caller makes its own call, and meets what is wrong with its own items
            if len(together) == 1:
                raise
            for one in together:
                one.is_refused = True
            return
        except BaseException:
            self._asked = [*together, *self._asked]
            raise
        start = 0
        for one in together:
            one.results = results[start : start + len(one.items)]
            start += len(one.items)
