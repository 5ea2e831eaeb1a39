"""What every store does with slots: one claims each, and those of which no canary came are kept as missed."""

from dataclasses import replace

from canary.instruments import metrics
from canary.slot import MissedCause, MissedSlot, Slot
from runners.contracts import Store
from tests.contracts.store_cases import FORM, MAIL, NOON, StorePlace, after, make_canary, recorded
from tests.contracts.store_contract import run


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
