"""Many who ask at once are one rendering; meanwhile the last one is good enough."""

import asyncio

import pytest

from runners.contracts import StoreError
from runners.web.sharing import FRESH_SECONDS, USABLE_SECONDS, Shared
from tests.fakes.clock import FakeClock


class Counter:
    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    async def __call__(self) -> int:
        self.count += 1
        await FakeClock().sleep(0)
        if self.fails:
            raise StoreError("gone")
        return self.count


def test_many_who_ask_at_once__are_one_reading() -> None:
    async def ask() -> list[int]:
        shared, read = Shared[int](FakeClock()), Counter()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(shared.get(read, version=1)) for _ in range(50)]
        return [one.result().value for one in tasks]

    assert asyncio.run(ask()) == [1] * 50


def test_what_is_a_few_seconds_old__answers_and_is_due_and_says_whether_anything_changed() -> None:
    async def ask() -> list[tuple[int, bool, bool]]:
        clock, read = FakeClock(), Counter()
        shared = Shared[int](clock)
        found = [await shared.get(read, version=1), await shared.get(read, version=2)]
        clock.advance(FRESH_SECONDS)
        found.append(await shared.get(read, version=2))
        await shared.renew(read, version=2)
        found.append(await shared.get(read, version=2))
        return [(one.value, one.is_behind, one.is_due) for one in found]

    assert asyncio.run(ask()) == [(1, False, False), (1, True, False), (1, True, True), (2, False, False)]


def test_what_is_too_old_or_of_another_key__is_made_anew() -> None:
    async def ask() -> list[int]:
        clock, read = FakeClock(), Counter()
        shared = Shared[int](clock)
        found = [await shared.get(read, version=1, key="a"), await shared.get(read, version=1, key="b")]
        clock.advance(USABLE_SECONDS)
        found.append(await shared.get(read, version=1, key="b"))
        return [one.value for one in found]

    assert asyncio.run(ask()) == [1, 2, 3]


def test_failure__is_not_kept_and_a_renewal_that_fails_takes_nothing_away() -> None:
    async def ask() -> list[int]:
        clock, read = FakeClock(), Counter()
        shared = Shared[int](clock)
        read.fails = True
        with pytest.raises(StoreError, match="gone"):
            await shared.get(read, version=1)
        read.fails = False
        first = await shared.get(read, version=1)
        clock.advance(FRESH_SECONDS)
        read.fails = True
        await shared.renew(read, version=1)
        return [first.value, (await shared.get(read, version=1)).value]

    assert asyncio.run(ask()) == [2, 2]
