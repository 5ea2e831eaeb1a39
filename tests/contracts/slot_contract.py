"""What every store does with slots: one claims each, and those of which no canary came are kept as missed."""

import asyncio
from dataclasses import replace

import pytest

from canary.canary import Canary
from canary.instruments import metrics
from canary.slot import MissedCause, MissedSlot, Slot
from runners.contracts import Store
from runners.slot_contracts import SlotConflict
from tests.contracts.store_cases import FORM, MAIL, NOON, StorePlace, after, figure, make_canary, recorded
from tests.contracts.store_contract import run

SLOT = Slot(MAIL, NOON)


def of_slot(number: int, slot: Slot = SLOT) -> Canary:
    """A canary of a slot."""
    return replace(make_canary(number, path=slot.path), slot_at=slot.at)


async def take(store: Store, holder: str, *, at: float, lease: float = 30, slot: Slot = SLOT) -> bool:
    """Take a slot over whose claim is older than the lease, so many seconds after noon."""
    return await store.take_slot(slot, holder=holder, claimed_before=after(at - lease), at=after(at))


class SlotContract:
    """Claims, and what nobody launched."""

    def test_slot__belongs_to_exactly_one(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert await store.claim(Slot(MAIL, NOON), holder="host-a", at=NOON)
            assert not await store.claim(Slot(MAIL, NOON), holder="host-b", at=NOON)
            assert await store.claim(Slot(FORM, NOON), holder="host-b", at=NOON)
            assert await store.claim(Slot(MAIL, after(60)), holder="host-b", at=NOON)

        run(place, scenario)

    def test_claim_whose_answer_was_lost__is_its_holder_s_until_something_came_of_it(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            launched, missed = Slot(MAIL, NOON), Slot(MAIL, after(600))
            for slot in (launched, missed):
                await store.claim(slot, holder="host-a", at=NOON)
                assert await store.claim(slot, holder="host-a", at=after(5))
                assert not await store.claim(slot, holder="host-b", at=after(5))

            await recorded(store, replace(make_canary(1), slot_at=launched.at))
            await store.note_missed([MissedSlot(missed, MissedCause.STOPPED)], at=after(700))

            assert not await store.claim(launched, holder="host-a", at=after(700))
            assert not await store.claim(missed, holder="host-a", at=after(700))

        run(place, scenario)

    def test_last_slot__is_the_newest_claimed_or_missed_of_that_path(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert await store.last_slot_at(MAIL) is None

            await store.claim(Slot(MAIL, NOON), holder="host-a", at=NOON)
            await store.claim(Slot(FORM, after(900)), holder="host-a", at=NOON)
            assert await store.last_slot_at(MAIL) == NOON

            await store.note_missed([MissedSlot(Slot(MAIL, after(600)), MissedCause.CAP)], at=after(601))
            assert await store.last_slot_at(MAIL) == after(600)

        run(place, scenario)

    def test_others__are_those_who_claimed_of_late_under_another_name(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert not await store.others_claimed("host-a", since=NOON)

            await store.claim(Slot(MAIL, NOON), holder="host-a", at=after(10))

            assert not await store.others_claimed("host-a", since=NOON)
            assert await store.others_claimed("host-b", since=after(10))
            assert not await store.others_claimed("host-b", since=after(11))

        run(place, scenario)

    def test_slot_claimed_without_a_canary__is_in_vain_until_it_is_noted(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            launched, vain = Slot(MAIL, NOON), Slot(MAIL, after(600))
            for slot in (launched, vain):
                await store.claim(slot, holder="host-a", at=slot.at)
            await recorded(store, replace(make_canary(1), slot_at=launched.at))

            assert list(await store.claimed_in_vain(MAIL, before=after(600))) == []
            assert list(await store.claimed_in_vain(MAIL, before=after(601))) == [vain]
            assert list(await store.claimed_in_vain(FORM, before=after(601))) == []

            await store.note_missed([MissedSlot(vain, MissedCause.STOPPED)], at=after(700))
            assert list(await store.claimed_in_vain(MAIL, before=after(700))) == []

        run(place, scenario)

    def test_missed_slots__noted_twice__are_kept_and_counted_once(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            two = [
                MissedSlot(Slot(MAIL, after(600)), MissedCause.CAP),
                MissedSlot(Slot(MAIL, NOON), MissedCause.NOT_RUNNING),
            ]

            assert await store.note_missed(two, at=after(700)) == 2
            assert await store.note_missed([replace(two[0], cause=MissedCause.STOPPED)], at=after(800)) == 0

            assert list(await store.missed(MAIL, since=NOON)) == [two[1], two[0]]
            assert list(await store.missed(MAIL, since=after(1))) == [two[0]]
            assert list(await store.missed(FORM, since=NOON)) == []
            counted = [one.value for one in await store.samples() if one.name == metrics.PROBER_MISFIRES.name]
            assert counted == [2.0]

        run(place, scenario)

    def test_slot_claimed_in_vain__is_taken_over_once_its_lease_has_run_out(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            assert not await take(store, "host-b", at=31)
            await store.claim(SLOT, holder="host-a", at=NOON)

            assert not await take(store, "host-b", at=30)
            assert await take(store, "host-b", at=31)

            assert await store.claim(SLOT, holder="host-b", at=after(32))
            assert not await store.claim(SLOT, holder="host-a", at=after(32))
            assert list(await store.claimed_in_vain(MAIL, before=after(32))) == []

        run(place, scenario)

    def test_claim_that_is_renewed__is_not_taken_over(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(SLOT, holder="host-a", at=NOON)
            assert await store.claim(SLOT, holder="host-a", at=after(20))

            assert not await take(store, "host-b", at=50)
            assert await take(store, "host-b", at=51)

        run(place, scenario)

    def test_taker_that_is_gone_too__is_followed_by_another(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(SLOT, holder="host-a", at=NOON)
            assert await take(store, "host-b", at=31)

            assert not await take(store, "host-c", at=61)
            assert await take(store, "host-c", at=62)

            await recorded(store, of_slot(1), holder="host-c")
            assert not await take(store, "host-d", at=900)

        run(place, scenario)

    def test_record_of_whoever_lost_the_slot__is_refused_and_nothing_of_it_is_kept(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            late, good, beside = of_slot(1), of_slot(2), make_canary(3)
            await store.claim(SLOT, holder="host-a", at=NOON)
            await take(store, "host-b", at=31)

            with pytest.raises(SlotConflict, match="support-mail"):
                await store.record(beside, late, holder="host-a", lease_until=after(90))

            assert await store.known([late.id, beside.id]) == {}
            await recorded(store, good, holder="host-b")
            with pytest.raises(SlotConflict):
                await recorded(store, late, holder="host-a")
            assert set(await store.known([late.id, good.id])) == {good.id}
            labels = {"path": MAIL, "channel": "email"}
            assert await figure(store, "intake.canary.launched", **labels) == 1

        run(place, scenario)

    def test_record_whose_answer_was_lost__is_repeated_though_somebody_wanted_the_slot(
        self, place: StorePlace
    ) -> None:
        async def scenario(store: Store) -> None:
            canary = of_slot(1)
            await store.claim(SLOT, holder="host-a", at=NOON)
            await recorded(store, canary, holder="host-a")
            assert not await take(store, "host-b", at=900)

            await recorded(store, canary, holder="host-a")

            assert list(await store.claimed_in_vain(None, before=after(900))) == []

        run(place, scenario)

    def test_second_canary_of_a_slot__is_refused_to_its_holder_too(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(SLOT, holder="host-a", at=NOON)

            with pytest.raises(SlotConflict):
                await store.record(of_slot(1), of_slot(2), holder="host-a", lease_until=after(30))
            await recorded(store, of_slot(1))
            with pytest.raises(SlotConflict):
                await recorded(store, of_slot(2))

        run(place, scenario)

    def test_canary_of_a_slot_that_nobody_claimed__is_recorded(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            canary = await recorded(store, of_slot(1))

            assert set(await store.known([canary.id])) == {canary.id}

        run(place, scenario)

    def test_slot_noted_as_missed__is_neither_taken_over_nor_launched(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            await store.claim(SLOT, holder="host-a", at=NOON)
            await store.note_missed([MissedSlot(SLOT, MissedCause.STOPPED)], at=after(700))

            assert not await take(store, "host-b", at=701)
            with pytest.raises(SlotConflict):
                await recorded(store, of_slot(1), holder="host-a")

        run(place, scenario)

    def test_launched_slot__is_not_missed_whoever_notes_it_so(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            other = Slot(FORM, NOON)
            for slot in (SLOT, other):
                await store.claim(slot, holder="host-a", at=NOON)
            await recorded(store, of_slot(1))

            noted = [MissedSlot(one, MissedCause.STOPPED) for one in (SLOT, other)]
            assert await store.note_missed(noted, at=after(700)) == 1

            assert list(await store.missed(MAIL, since=NOON)) == []
            assert list(await store.missed(FORM, since=NOON)) == [noted[1]]

        run(place, scenario)

    def test_slots_in_vain__are_told_of_one_path_or_of_all(self, place: StorePlace) -> None:
        async def scenario(store: Store) -> None:
            other, old = Slot(FORM, after(60)), Slot(MAIL, after(-9 * 86400))
            for slot in (SLOT, other, old):
                await store.claim(slot, holder="host-a", at=NOON)

            assert list(await store.claimed_in_vain(None, before=after(1))) == [old, SLOT, other]
            assert list(await store.claimed_in_vain(MAIL, before=after(1))) == [old, SLOT]

        run(place, scenario)

    def test_two_takers_at_once__one_of_them_gets_each_slot(self, place: StorePlace) -> None:
        async def main() -> None:
            async with place.open() as one, place.open() as other:
                slots = [Slot(MAIL, after(60 * n)) for n in range(12)]
                for slot in slots:
                    await one.claim(slot, holder="gone", at=NOON)
                got: dict[Slot, list[bool]] = {slot: [] for slot in slots}

                async def take_all(store: Store, holder: str) -> None:
                    for slot in slots:
                        got[slot].append(await take(store, holder, at=31, slot=slot))

                async with asyncio.TaskGroup() as group:
                    group.create_task(take_all(one, "host-a"))
                    group.create_task(take_all(other, "host-b"))

                assert [sorted(answers) for answers in got.values()] == [[False, True]] * 12

        asyncio.run(main())

    def test_taker_noter_and_late_record_at_once__leave_one_canary_or_one_missed_slot(
        self, place: StorePlace
    ) -> None:
        """Each wants the same row at the same moment; the record's clock is far behind the taker's."""

        async def main() -> None:
            async with place.open() as one, place.open() as other, place.open() as third:
                for number in range(12):
                    slot = Slot(MAIL, after(60 * number))
                    await one.claim(slot, holder="late", at=after(-3600))
                    missed = [MissedSlot(slot, MissedCause.STOPPED)]

                    async with asyncio.TaskGroup() as group:
                        mine = group.create_task(_records(one, of_slot(2 * number, slot), "late"))
                        taken = group.create_task(take(other, "taker", at=31, slot=slot))
                        noted = group.create_task(third.note_missed(missed, at=after(31)))
                    theirs = await _records(other, of_slot(2 * number + 1, slot), "taker")

                    assert [mine.result(), theirs, noted.result() == 1].count(True) == 1
                    assert not theirs or taken.result()
                    known = await one.known([of_slot(2 * number + n, slot).id for n in (0, 1)])
                    assert len(known) + len(await one.missed(MAIL, since=slot.at)) == 1

        asyncio.run(main())


async def _records(store: Store, canary: Canary, holder: str) -> bool:
    try:
        await recorded(store, canary, holder=holder)
    except SlotConflict:
        return False
    return True
