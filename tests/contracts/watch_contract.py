"""What every store does with watches: one process at a time, and another one when that is gone."""

from canary.verdict import Verdict
from runners.contracts import Store
from tests.contracts.store_cases import (
    StorePlace,
    after,
    judged,
    make_canary,
    recorded,
    settlement,
)
from tests.contracts.store_contract import run


async def held(store: Store, seconds: float, holder: str, *, lease: float = 30) -> list[str]:
    """What a holder watches so many seconds after noon."""
    records = await store.hold(after(seconds), holder=holder, lease_until=after(seconds + lease))
    return [one.canary_id for one in records]


class WatchContract:
    """A subclass gives the fixture ``place``."""

    def test_whoever_launches__watches_first(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1), holder="a", lease=30)
            two = await recorded(store, make_canary(2), holder="b", lease=30)

            assert await held(store, 10, "a") == [one.id]
            assert await held(store, 10, "b") == [two.id]
            assert await held(store, 10, "c") == []

        run(place, scenario)

    def test_watch_that_is_not_renewed__is_anothers_and_stays_it(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1), holder="a", lease=30)

            assert await held(store, 29, "b") == []
            assert await held(store, 30, "b") == [one.id]
            assert await held(store, 31, "a") == []
            assert await held(store, 50, "b") == [one.id]

        run(place, scenario)

    def test_watch_that_is_let_go__is_anothers_at_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1), holder="a", lease=30)
            await store.let_go(holder="a", at=after(5))

            assert await held(store, 6, "b") == [one.id]

        run(place, scenario)

    def test_what_is_outstanding_no_more__is_watched_by_nobody(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one = await recorded(store, make_canary(1), holder="a", lease=30)
            two = await recorded(store, make_canary(2), holder="a", lease=30)
            await store.settle(settlement(judged(one, Verdict.CONFIRMED)))

            records = await store.hold(after(10), holder="a", lease_until=after(40))
            assert [(held_one.canary_id, held_one.verdict) for held_one in records] == [
                (one.id, Verdict.CONFIRMED),
                (two.id, Verdict.PENDING),
            ]
            await store.finish_clean(one.id, at=after(20))
            assert await held(store, 21, "a") == [two.id]

        run(place, scenario)

    def test_many__are_each_held_by_one_of_three(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canaries = [await recorded(store, make_canary(n), holder="gone", lease=1) for n in range(1, 41)]

            first = await held(store, 10, "a")
            second = await held(store, 10, "b")
            third = await held(store, 12, "c")

            assert sorted(first) == sorted(one.id for one in canaries)
            assert (second, third) == ([], [])

        run(place, scenario)
