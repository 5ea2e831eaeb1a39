"""What every store says of quarantine: of each canary the first sight, counted in a row by path."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Observation
from canary.path import PathName
from canary.quarantine import Quarantine
from canary.ticket import Ticket, TicketId, TicketRef
from runners.contracts import Store, StoreError
from tests.contracts.store_cases import FORM, MAIL, NOON, StorePlace, after, make_canary, seen_at
from tests.contracts.store_contract import run

_HELD = timedelta(hours=1)


def sight(canary: Canary, seconds: float, is_marked: bool | None, *, ticket: str = "1") -> Observation:
    """A ticket that was seen so many seconds after noon, with the mark, without, or not known which."""
    shown = Ticket(TicketRef("desk", TicketId(ticket)), is_quarantined=is_marked)
    return replace(seen_at(canary, Hop.TICKET_CREATED, seconds=seconds), place="desk", ticket=shown)


async def launched(store: Store, number: int, path: PathName = MAIL, at: datetime = NOON) -> Canary:
    """A canary that the store knows."""
    canary = make_canary(number, path=path, launched_at=at)
    await store.record(canary, holder="host-a", lease_until=at + _HELD)
    return canary


def one_of(number: int, *stores: Store) -> Store:
    """They take turns."""
    return stores[number % len(stores)]


async def seen(store: Store, *marks: bool | None, path: PathName = MAIL, start: int = 1) -> None:
    """Canaries of a path, each first seen a minute after the one before."""
    for number, is_marked in enumerate(marks, start=start):
        await store.append(sight(await launched(store, number, path), 60.0 * number, is_marked))


async def of(store: Store, path: PathName = MAIL) -> Quarantine:
    """What the store says of one path."""
    return (await store.quarantines([path]))[path]


class QuarantineContract:
    """First sights of canaries' tickets. A subclass gives the fixture ``place``."""

    def test_path_of_which_nothing_was_seen__has_no_misses(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await launched(store, 1)

            assert await store.quarantines([MAIL, FORM]) == {MAIL: Quarantine(), FORM: Quarantine()}

        run(place, scenario)

    def test_misses__are_counted_in_a_row_by_path(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await seen(store, False, False)
            await seen(store, True, False, path=FORM, start=10)

            assert await of(store) == Quarantine(2, after(60), None)
            assert await of(store, FORM) == Quarantine(1, after(660), after(600))

        run(place, scenario)

    def test_hit__begins_the_count_anew(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await seen(store, False, False, False, True)
            assert await of(store) == Quarantine(0, None, after(240))

            await seen(store, False, start=5)
            assert await of(store) == Quarantine(1, after(300), after(240))

        run(place, scenario)

    def test_ticket_whose_mark_was_not_shown__changes_nothing(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await seen(store, False, None)

            assert await of(store) == Quarantine(1, after(60), None)

        run(place, scenario)

    def test_canary__counts_once_whoever_sees_it_again_and_however_many_tickets_it_has(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = await launched(store, 1)
            await store.append(sight(canary, 60, is_marked=False))
            await store.append(sight(canary, 61, is_marked=True))
            await store.append(
                sight(canary, 62, is_marked=False, ticket="2"), sight(canary, 63, is_marked=True, ticket="3")
            )

            assert await of(store) == Quarantine(1, after(60), None)

        run(place, scenario)

    def test_two_seen_in_one_look__count_as_a_hit_where_one_of_them_is(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            one, other = await launched(store, 1), await launched(store, 2)
            await store.append(sight(one, 60, is_marked=True), sight(other, 60, is_marked=False))

            assert await of(store) == Quarantine(0, None, after(60))

        run(place, scenario)

    def test_replicas_that_see_different_canaries_at_once__lose_no_sight(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canaries = [await launched(store, number) for number in range(1, 9)]
            async with place.open() as other, asyncio.TaskGroup() as group:
                for number, one in enumerate(canaries):
                    group.create_task(one_of(number, store, other).append(sight(one, 60, is_marked=False)))

            assert (await of(store)).misses == 8

        run(place, scenario)

    def test_append_that_is_refused__leaves_no_sight(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            known, unknown = await launched(store, 1), make_canary(2)
            with pytest.raises(StoreError):
                await store.append(sight(known, 60, is_marked=False), sight(unknown, 60, is_marked=False))

            assert await of(store) == Quarantine()

        run(place, scenario)
