"""Calls that come while one is under way are made together; whoever is cancelled takes nothing from the others."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from runners.contracts import StoreError
from runners.gathering import Gathering


class Calls:
    """Squares numbers, each call when it is let; remembers the calls."""

    def __init__(self) -> None:
        self.made: list[list[int]] = []
        self.gate = asyncio.Event()
        self.fails = False
        self.refuses: int | None = None

    async def __call__(self, items: Sequence[int]) -> Sequence[int]:
        self.made.append(list(items))
        await self.gate.wait()
        if self.fails:
            raise StoreError("the disk is full")
        if self.refuses in items:
            raise StoreError(f"{self.refuses} can't be stored")
        return [item * item for item in items]


async def turns(count: int = 10) -> None:
    loop = asyncio.get_running_loop()
    for _ in range(count):
        turned: asyncio.Future[None] = loop.create_future()
        loop.call_soon(turned.set_result, None)
        await turned


async def answer_or_error(gathering: Gathering[int, int], items: Sequence[int]) -> Sequence[int] | str:
    try:
        return await gathering(items)
    except StoreError as error:
        return str(error)


def test_alone__a_call_is_made_at_once() -> None:
    async def main() -> None:
        calls = Calls()
        calls.gate.set()
        assert await Gathering(calls)([3]) == [9]
        assert calls.made == [[3]]

    asyncio.run(main())


def test_those_who_come_meanwhile__share_the_next_call_and_each_gets_its_own() -> None:
    async def main() -> None:
        calls = Calls()
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(gathering([1]))
            await turns()
            others = [group.create_task(gathering(items)) for items in ([2, 3], [], [4])]
            await turns()
            calls.gate.set()
        assert calls.made == [[1], [2, 3, 4]]
        assert first.result() == [1]
        assert [list(one.result()) for one in others] == [[4, 9], [], [16]]

    asyncio.run(main())


def test_failure__is_told_to_everyone_whose_call_it_was_and_to_nobody_after() -> None:
    async def main() -> None:
        calls = Calls()
        calls.fails = True
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            several = [group.create_task(answer_or_error(gathering, [number])) for number in range(3)]
            await turns()
            calls.gate.set()
        assert [one.result() for one in several] == ["the disk is full"] * 3
        calls.fails = False
        assert await gathering([5]) == [25]

    asyncio.run(main())


def test_items_of_one_that_are_refused__are_no_other_callers_failure() -> None:
    async def main() -> None:
        calls = Calls()
        calls.refuses = 2
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            several = [group.create_task(answer_or_error(gathering, [number])) for number in range(4)]
            await turns()
            calls.gate.set()
        assert [one.result() for one in several] == [[0], [1], "2 can't be stored", [9]]
        assert calls.made == [[0], [1, 2, 3], [1], [2], [3]]

    asyncio.run(main())


def test_whoever_makes_the_call_is_cancelled__and_it_is_made_again_for_the_others() -> None:
    async def main() -> None:
        calls = Calls()
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(gathering([1]))
            await turns()
            second, third = group.create_task(gathering([2])), group.create_task(gathering([3]))
            await turns()
            first.cancel()
            await turns()
            assert calls.made == [[1], [2, 3]]
            second.cancel()
            await turns()
            assert calls.made == [[1], [2, 3], [3]]
            calls.gate.set()
        assert first.cancelled()
        assert second.cancelled()
        assert third.result() == [9]

    asyncio.run(main())


def test_whoever_is_cancelled_while_waiting__is_left_out() -> None:
    async def main() -> None:
        calls = Calls()
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            first = group.create_task(gathering([1]))
            await turns()
            second, third = group.create_task(gathering([2])), group.create_task(gathering([3]))
            await turns()
            second.cancel()
            await turns()
            calls.gate.set()
        assert second.cancelled()
        assert (first.result(), third.result()) == ([1], [9])
        assert calls.made == [[1], [3]]

    asyncio.run(main())


@given(
    st.lists(
        st.tuples(st.lists(st.integers(0, 99), max_size=3), st.integers(0, 6), st.booleans()), max_size=8
    )
)
def test_whatever_comes_whenever_and_is_cancelled__everyone_else_gets_its_own(
    callers: list[tuple[list[int], int, bool]],
) -> None:
    async def main() -> None:
        calls = Calls()
        gathering = Gathering(calls)
        async with asyncio.TaskGroup() as group:
            tasks = []
            for items, wait, _ in callers:
                tasks.append(group.create_task(gathering(items)))
                await turns(wait)
            for task, (_, wait, is_cancelled) in zip(tasks, callers, strict=True):
                if is_cancelled:
                    task.cancel()
                    await turns(wait)
            calls.gate.set()
        for task, (items, _, is_cancelled) in zip(tasks, callers, strict=True):
            assert task.cancelled() is is_cancelled
            if not is_cancelled:
                assert list(task.result()) == [item * item for item in items]

    asyncio.run(main())
