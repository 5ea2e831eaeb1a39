"""The ledger stores what is new, masked and signed; looks in vain that say the same are stored now and then."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.observation import Observation
from probes.masking import Masker, Secret
from runners.contracts import StoreError
from runners.ledger import LOOKS_APART, Ledger
from runners.progress import Silent
from tests.contracts.store_cases import looked, make_canary, seen_at
from tests.fakes.memory_store import MemoryStore

CANARY = make_canary()
SOON = timedelta(seconds=1)


class Told(MemoryStore):
    """A store that remembers what it was asked to keep."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Observation] = []

    async def append(self, *observations: Observation) -> Sequence[bool]:
        self.told.extend(observations)
        return await super().append(*observations)


def told(*observations: Observation) -> list[Observation]:
    store = Told()
    masker = Masker([Secret("hunter2-and-more")])

    async def tell(some: Iterable[Observation]) -> None:
        await store.record(CANARY, holder="a", lease_until=CANARY.deadline_at)
        ledger = Ledger(
            store,
            masker=masker,
            observer="a",
            progress=Silent(),
            canaries=lambda: {CANARY.id: CANARY},
            noticed=lambda _: None,
            placed=lambda text: text.replace("ticketing.desk", "intake.yaml:7: ticketing.desk"),
        )
        for one in some:
            await ledger(one)

    asyncio.run(tell(observations))
    return store.told


def test_detail_that_names_a_key__is_stored_with_its_line_where_something_failed_and_as_it_is_else() -> None:
    said = "desk: ticketing.desk.ticket.subject: the field is not there"
    blind = replace(VAIN, detail=said)
    fine = replace(seen_at(CANARY, seconds=6), detail=said)

    failed, good = told(blind, fine)

    assert failed.detail == "desk: intake.yaml:7: ticketing.desk.ticket.subject: the field is not there"
    assert good.detail == said


def later(observation: Observation, by: timedelta) -> Observation:
    return replace(observation, began_at=observation.began_at + by, ended_at=observation.ended_at + by)


VAIN = looked(CANARY, 5)


def test_look_in_vain__that_says_the_same_a_second_later__is_not_stored_again() -> None:
    assert len(told(VAIN, later(VAIN, SOON))) == 1


def test_look_in_vain__is_stored_again_after_a_while() -> None:
    assert len(told(VAIN, later(VAIN, LOOKS_APART))) == 2


def test_look_that_was_blind_in_between__lets_the_next_good_one_be_stored_at_once() -> None:
    assert VAIN.look is not None
    blind = later(replace(VAIN, look=replace(VAIN.look, is_blind=True, is_complete=False)), SOON)

    assert len(told(VAIN, blind, later(VAIN, 2 * SOON))) == 3


def test_look_in_vain_at_the_deadline__is_always_stored() -> None:
    at_deadline = later(VAIN, CANARY.deadline_at - VAIN.began_at)

    assert len(told(VAIN, at_deadline, later(at_deadline, SOON))) == 3


def test_what_was_seen__is_always_stored() -> None:
    seen = seen_at(CANARY)

    assert len(told(seen, later(seen, SOON))) == 2


@pytest.mark.parametrize("detail", ["refused for hunter2-and-more"])
def test_detail__is_masked_before_it_is_stored(detail: str) -> None:
    [one] = told(replace(seen_at(CANARY), detail=detail))

    assert one.detail == "refused for ***"
    assert one.observer == "a"


def test_look_in_vain_that_could_not_be_stored__is_stored_when_it_is_told_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = Told()
    append = store.append
    failed: list[bool] = []

    async def fail_once(*observations: Observation) -> Sequence[bool]:
        if not failed:
            failed.append(True)
            raise StoreError("intake.db: it is locked.")
        return await append(*observations)

    async def tell() -> None:
        await store.record(CANARY, holder="a", lease_until=CANARY.deadline_at)
        ledger = Ledger(
            store,
            masker=Masker(),
            observer="a",
            progress=Silent(),
            canaries=lambda: {CANARY.id: CANARY},
            noticed=lambda _: None,
        )
        with pytest.raises(StoreError):
            await ledger(VAIN)
        await ledger(later(VAIN, SOON))

    monkeypatch.setattr(store, "append", fail_once)
    asyncio.run(tell())

    assert len(store.told) == 1
