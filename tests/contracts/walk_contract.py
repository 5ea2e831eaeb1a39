"""What every store says of walks: each is kept whole, by its name, until nobody goes on with it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from canary.signature import CanaryId
from canary.walk import KEPT, ORPHANS, Position, Walk
from runners.contracts import Store
from tests.contracts.store_cases import NOON, StorePlace
from tests.contracts.store_contract import run

SECOND = timedelta(seconds=1)
WALK = Walk(
    place="desk",
    look="wide",
    started_at=NOON,
    began_at=NOON + SECOND,
    since=NOON - timedelta(hours=1),
    asked=frozenset({CanaryId("canary-1"), CanaryId("canary-2")}),
    position=Position(NOON - timedelta(minutes=3), '{"words": {"number": 7}}'),
    moved_at=NOON + 2 * SECOND,
    seen=frozenset({CanaryId("canary-2")}),
    hidden=frozenset({CanaryId("canary-1")}),
)


class WalkContract:
    """Where looks go on that take several. A subclass gives the fixture ``place``."""

    def test_walk_that_is_kept__is_told_as_it_was(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.keep_walk(WALK)

            assert await store.walks("desk", "wide") == (WALK,)

        run(place, scenario)

    def test_walk_of_another_process__is_found_after_a_restart(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as store:
                await store.keep_walk(WALK)
            async with place.open() as store:
                assert await store.walks("desk", "wide") == (WALK,)

        asyncio.run(main())

    def test_other_looks_and_systems__have_their_own(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.keep_walk(WALK)
            await store.keep_walk(replace(WALK, look="suspended"))
            await store.keep_walk(replace(WALK, place="other-desk"))

            assert await store.walks("desk", "wide") == (WALK,)
            assert await store.walks("other-desk", "suspended") == ()

        run(place, scenario)

    def test_walk_that_is_kept_again__is_as_it_is_now(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            over = WALK.moved(None, seen={CanaryId("canary-1")}, at=NOON + timedelta(minutes=1))
            await store.keep_walk(WALK)
            await store.keep_walk(over)
            await store.keep_walk(over)

            assert await store.walks("desk", "wide") == (over,)

        run(place, scenario)

    def test_walk_for_orphans__is_not_one_for_nobody(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            orphans = replace(WALK, asked=ORPHANS, seen=frozenset(), position=Position())
            await store.keep_walk(orphans)

            assert await store.walks("desk", "wide") == (orphans,)

        run(place, scenario)

    def test_several_walks_of_a_look__are_told_oldest_first(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            later = replace(WALK, started_at=NOON + SECOND)
            await store.keep_walk(later)
            await store.keep_walk(WALK)

            assert await store.walks("desk", "wide") == (WALK, later)

        run(place, scenario)

    def test_walk_that_nobody_goes_on_with__is_forgotten(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            fresh = replace(WALK, started_at=NOON + SECOND, moved_at=NOON + timedelta(hours=1))
            await store.keep_walk(WALK)
            await store.keep_walk(fresh)
            await store.forget(WALK.moved_at + KEPT + SECOND)

            assert await store.walks("desk", "wide") == (fresh,)

        run(place, scenario)

    def test_walks_that_are_dropped__are_gone_also_as_they_were_kept_meanwhile(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            other = replace(WALK, started_at=NOON + SECOND)
            elsewhere = replace(WALK, place="other-desk")
            for one in (WALK, other, elsewhere):
                await store.keep_walk(one)
            await store.keep_walk(replace(WALK, moved_at=NOON + timedelta(hours=1)))
            await store.drop_walks((WALK, replace(WALK, look="suspended")))
            await store.drop_walks((WALK,))
            await store.drop_walks(())

            assert await store.walks("desk", "wide") == (other,)
            assert await store.walks("other-desk", "wide") == (elsewhere,)

        run(place, scenario)
