"""What every store says of a process's own figures, and of turns."""

import asyncio
from datetime import timedelta

from canary.instruments import metrics
from runners.contracts import Sample, Store
from tests.contracts.store_cases import StorePlace, after
from tests.contracts.store_contract import run

_MINE = {"prober": "fra-1"}
_KIND = {"prober": "fra-1", "kind": "metrics"}
_LAG = metrics.PROBER_SCHEDULER_LAG.name
_ERRORS = metrics.PROBER_EXPORT_ERRORS.name
_UNTIL = timedelta(seconds=20)


async def _by_name(store: Store) -> dict[str, Sample]:
    return {one.name: one for one in await store.samples()}


class FigureContract:
    """What one-shot runs count themselves outlives them; of two that push, one waits."""

    def test_figures_of_two_processes__add_up(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            first = Sample(_LAG, _MINE, 0.7, (0, 1, 1, 0, 0, 0, 0, 0), least=0.2, greatest=0.5)
            second = Sample(_LAG, _MINE, 70.0, (0, 0, 0, 0, 0, 0, 1, 0), least=70.0, greatest=70.0)
            await store.add_figures([Sample(_ERRORS, _KIND, 2.0), first], at=after(1))
            await store.add_figures([Sample(_ERRORS, _KIND, 1.0), second], at=after(2))

            kept = await _by_name(store)
            assert kept[_ERRORS].value == 3
            assert kept[_LAG].value == 70.7
            assert kept[_LAG].counts == (0, 1, 1, 0, 0, 0, 1, 0)
            assert (kept[_LAG].least, kept[_LAG].greatest) == (0.2, 70.0)

        run(place, scenario)

    def test_figures_of_a_seeded_series__are_added_to_its_zero(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.seed({_ERRORS: [_KIND], _LAG: [_MINE]}, at=after(0))
            await store.add_figures([Sample(_ERRORS, _KIND, 1.0)], at=after(1))
            await store.add_figures([], at=after(2))

            kept = await _by_name(store)
            assert kept[_ERRORS].value == 1
            assert sum(kept[_LAG].counts) == 0

        run(place, scenario)

    def test_turn_that_another_has__is_not_taken_until_it_is_given_up(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            now = after(0)
            assert await store.take_turn("push", holder="a", now=now, until=now + _UNTIL)
            assert not await store.take_turn("push", holder="b", now=now, until=now + _UNTIL)
            assert await store.take_turn("another", holder="b", now=now, until=now + _UNTIL)
            await store.end_turn("push", holder="b")
            assert not await store.take_turn("push", holder="b", now=now, until=now + _UNTIL)

            await store.end_turn("push", holder="a")
            assert await store.take_turn("push", holder="b", now=now, until=now + _UNTIL)

        run(place, scenario)

    def test_turn_of_a_process_that_is_gone__lapses(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            now = after(0)
            assert await store.take_turn("push", holder="a", now=now, until=now + _UNTIL)
            assert await store.take_turn("push", holder="a", now=now, until=now + _UNTIL)

            later = now + _UNTIL
            assert await store.take_turn("push", holder="b", now=later, until=later + _UNTIL)
            await store.end_turn("push", holder="a")
            assert not await store.take_turn("push", holder="a", now=later, until=later + _UNTIL)

        run(place, scenario)

    def test_turn_that_several_want_at_once__is_taken_by_one(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            now = after(0)
            got: list[bool] = []

            async def want(holder: str) -> None:
                got.append(await store.take_turn("push", holder=holder, now=now, until=now + _UNTIL))

            async with asyncio.TaskGroup() as group:
                for number in range(8):
                    group.create_task(want(f"run {number}"))

            assert got.count(True) == 1

        run(place, scenario)
