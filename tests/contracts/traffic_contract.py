"""What every store says of real tickets: each is counted once, whoever saw it, and only hours are kept."""

import asyncio
from datetime import datetime, timedelta

from canary.traffic import KEPT, Watched, Way
from runners.contracts import Store
from tests.contracts.store_cases import NOON, StorePlace
from tests.contracts.store_contract import run

HOUR = timedelta(hours=1)


def at(minutes: float) -> datetime:
    """So many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def watched(begin: float, end: float, *mails: float, others: tuple[float, ...] = ()) -> Watched:
    """A stretch from one minute after noon to another, and when tickets came in it."""
    created = {Way.EMAIL: tuple(map(at, mails)), Way.OTHER: tuple(map(at, others))}
    return Watched(at(begin), at(end), 1.5, {way: times for way, times in created.items() if times})


class TrafficContract:
    """Counts and times of strangers' tickets. A subclass gives the fixture ``place``."""

    def test_system_that_was_never_watched__has_no_history(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("other-desk", watched(0, 10, 5))

            assert await store.traffic("desk") is None

        run(place, scenario)

    def test_stretch__is_kept_as_counts_and_seconds_by_the_hour(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(30, 90, 31, 59.9, 60, others=(70,)))

            history = await store.traffic("desk")
            assert history is not None
            assert history.seconds == {NOON: 1800.0, NOON + HOUR: 1800.0}
            assert history.tickets == {Way.EMAIL: {NOON: 2, NOON + HOUR: 1}, Way.OTHER: {NOON + HOUR: 1}}
            assert history.newest == {Way.EMAIL: at(60), Way.OTHER: at(70)}
            mark = history.mark
            assert (mark.since, mark.until, mark.unbroken_since) == (at(30), at(90), at(30))
            assert mark.skew_seconds == 1.5

        run(place, scenario)

    def test_two_who_saw_the_same__count_it_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(0, 10, 1, 9))
            await store.note_traffic("desk", watched(0, 10, 1, 9))
            await store.note_traffic("desk", watched(5, 15, 9, 12))

            history = await store.traffic("desk")
            assert history is not None
            assert history.tickets == {Way.EMAIL: {NOON: 3}}
            assert history.seconds == {NOON: 900.0}

        run(place, scenario)

    def test_several_at_the_same_time__count_each_ticket_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(store.note_traffic("desk", watched(0, 10, 1, 9)))

            history = await store.traffic("desk")
            assert history is not None
            assert history.tickets == {Way.EMAIL: {NOON: 2}}
            assert history.seconds == {NOON: 600.0}

        run(place, scenario)

    def test_time_that_nobody_watched__is_a_gap(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(0, 10, 1))
            await store.note_traffic("desk", watched(30, 40, 30))

            history = await store.traffic("desk")
            assert history is not None
            assert history.seconds == {NOON: 1200.0}
            assert history.tickets == {Way.EMAIL: {NOON: 2}}
            assert (history.mark.since, history.mark.unbroken_since) == (at(0), at(30))

        run(place, scenario)

    def test_look_that_goes_further_back__adds_the_past(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(50, 60, 55))
            await store.note_traffic("desk", watched(-60, 65, -30, 55, 62))

            history = await store.traffic("desk")
            assert history is not None
            assert history.tickets == {Way.EMAIL: {NOON - HOUR: 1, NOON: 1, NOON + HOUR: 1}}
            assert history.mark.unbroken_since == at(-60)

        run(place, scenario)

    def test_newest_ticket__never_goes_back(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(0, 10, 9))
            await store.note_traffic("desk", watched(-60, 5, -3))

            history = await store.traffic("desk")
            assert history is not None
            assert history.newest == {Way.EMAIL: at(9)}
            assert history.mark.until == at(10)

        run(place, scenario)

    def test_hours_that_are_too_old__are_forgotten(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.note_traffic("desk", watched(0, 120, 1, 61))
            await store.forget(NOON + HOUR + KEPT)

            history = await store.traffic("desk")
            assert history is not None
            assert history.seconds == {NOON + HOUR: 3600.0}
            assert history.tickets == {Way.EMAIL: {NOON + HOUR: 1}}

        run(place, scenario)
