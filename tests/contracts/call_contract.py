"""What every store says of calls: taken by whoever comes first, given back, never more than the share of all together."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

from canary.call_share import KEPT, Unused, Want
from canary.hush import Hush
from runners.contracts import Store
from tests.contracts.store_cases import NOON, StorePlace, after
from tests.contracts.store_contract import run

ACCOUNT = "https://desk.acme.test"


def want(
    calls: int = 1, *, name: str = "minute", limit: int = 20, made: int = 0, unused: Unused | None = None
) -> Want:
    return Want(name, limit, 0.5, calls=calls, made=made, ends_at=after(30), unused=unused)


class CallContract:
    """The share of vendors' windows. A subclass gives the fixture ``place``."""

    def test_calls_that_were_taken__are_told_to_whoever_begins(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as store:
                (grant,) = await store.take_calls(ACCOUNT, [want(2)], now=NOON)
                assert (grant.calls, grant.taken, grant.most, grant.until_at) == (2, 2, 10, after(29))
            async with place.open() as store:
                (told,) = await store.stretches(ACCOUNT)
                assert (told.name, told.taken, told.limit) == ("minute", 2, 20)
                assert (told.began_at, told.counts_until, told.is_told) == (NOON, after(31), True)

        asyncio.run(main())

    def test_processes_that_take_at_once__have_no_more_than_the_share_together(
        self, place: StorePlace
    ) -> None:
        async def main() -> None:
            async with AsyncExitStack() as stack:
                stores = [await stack.enter_async_context(place.open()) for _ in range(3)]

                async def greedy(store: Store) -> int:
                    got = 0
                    while True:
                        (grant,) = await store.take_calls(ACCOUNT, [want(3)], now=NOON)
                        if not grant.calls:
                            return got
                        got += grant.calls

                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(greedy(one)) for one in stores]
                assert sum(one.result() for one in tasks) == 10

        asyncio.run(main())

    def test_windows_and_accounts__are_counted_apart(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            minute, day = await store.take_calls(ACCOUNT, [want(2), want(1, name="day")], now=NOON)
            (other,) = await store.take_calls("https://other.test", [want()], now=NOON)

            assert [(one.name, one.taken) for one in (minute, day, other)] == [
                ("minute", 2),
                ("day", 1),
                ("minute", 1),
            ]
            assert {one.name for one in await store.stretches(ACCOUNT)} == {"minute", "day"}
            assert list(await store.stretches("https://nobody.test")) == []

        run(place, scenario)

    def test_calls_that_were_not_made__are_given_back(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            (mine,) = await store.take_calls(ACCOUNT, [want(2, made=8)], now=NOON)
            assert (mine.calls, mine.taken) == (1, 9)
            assert mine.began_at is not None

            (given,) = await store.take_calls(ACCOUNT, [want(0, unused=Unused(mine.began_at, 1))], now=NOON)

            assert (given.calls, given.taken) == (0, 8)

        run(place, scenario)

    def test_window_that_is_over__is_begun_anew(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.take_calls(ACCOUNT, [want(made=10)], now=NOON)
            (before,) = await store.take_calls(ACCOUNT, [want()], now=after(30))
            (later,) = await store.take_calls(ACCOUNT, [want()], now=after(31))

            assert (before.calls, later.calls, later.taken) == (0, 1, 1)

        run(place, scenario)

    def test_wish_to_be_left_alone__is_told_to_the_next_process_beside_what_was_taken(
        self, place: StorePlace
    ) -> None:
        hush = Hush(NOON, after(1800), 503)

        async def main() -> None:
            async with place.open() as store:
                assert await store.hush(ACCOUNT) is None
                await store.take_calls(ACCOUNT, [want(2)], now=NOON)
                await store.keep_hush(ACCOUNT, hush)
                await store.take_calls(ACCOUNT, [want(1)], now=NOON)
            async with place.open() as store:
                assert await store.hush(ACCOUNT) == hush
                assert await store.hush("https://other.test") is None
                (told,) = await store.stretches(ACCOUNT)
                assert told.taken == 3

        asyncio.run(main())

    def test_two_wishes_to_be_left_alone__the_longer_one_stands_until_it_is_over(
        self, place: StorePlace
    ) -> None:
        first, shorter = Hush(NOON, after(1800)), Hush(after(5), after(60))
        last = Hush(after(1801), after(1831))

        async def scenario(store: Store) -> None:
            await store.keep_hush(ACCOUNT, first)
            await store.keep_hush(ACCOUNT, shorter)
            assert await store.hush(ACCOUNT) == first
            await store.keep_hush(ACCOUNT, last)
            assert await store.hush(ACCOUNT) == last

        run(place, scenario)

    def test_account_of_which_nobody_takes_any_more__is_forgotten(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.take_calls(ACCOUNT, [want()], now=NOON)
            await store.take_calls("https://other.test", [want()], now=after(60))
            await store.forget(NOON + KEPT + timedelta(seconds=1))

            assert list(await store.stretches(ACCOUNT)) == []
            assert len(await store.stretches("https://other.test")) == 1

        run(place, scenario)
