"""Many who ask at once are one reading of the store."""

import asyncio

import pytest

from runners.web.sharing import FRESH_SECONDS, Shared
from tests.fakes.clock import FakeClock


class Counter:
    def __init__(self) -> None:
        self.count = 0
        self.fails = False

    async def __call__(self) -> int:
        self.count += 1
        await FakeClock().sleep(0)
        if self.fails:
            raise OSError("gone")
        return self.count


def test_many_who_ask_at_once__are_one_reading() -> None:
    async def ask() -> list[int]:
        shared, read = Shared[int](FakeClock()), Counter()
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(shared.get(read, version=1)) for _ in range(50)]
        return [one.result() for one in tasks]

    assert asyncio.run(ask()) == [1] * 50


def test_what_is_old_or_of_before_a_change__is_read_anew() -> None:
    async def ask() -> list[int]:
        clock, read = FakeClock(), Counter()
        shared = Shared[int](clock)
        found = [await shared.get(read, version=1), await shared.get(read, version=1)]
        found.append(await shared.get(read, version=2))
        clock.advance(FRESH_SECONDS)
        found.append(await shared.get(read, version=2))
        return found

    assert asyncio.run(ask()) == [1, 1, 2, 3]


def test_failure__is_not_kept() -> None:
    async def ask() -> int:
        shared, read = Shared[int](FakeClock()), Counter()
        read.fails = True
        with pytest.raises(OSError, match="gone"):
            await shared.get(read, version=1)
        read.fails = False
        return await shared.get(read, version=1)

    assert asyncio.run(ask()) == 2
