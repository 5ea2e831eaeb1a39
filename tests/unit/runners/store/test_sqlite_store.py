"""The store in SQLite keeps the contract, and leaves no connection behind."""

import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.contracts import Store
from runners.store import open_store
from tests.contracts.slot_contract import SlotContract
from tests.contracts.store_cases import StorePlace
from tests.contracts.store_contract import CanaryContract, ObservationContract, SettlingContract
from tests.contracts.store_contract_more import (
    CleaningContract,
    GaugeContract,
    HousekeepingContract,
    IncidentContract,
    RaceContract,
)
from tests.contracts.together_contract import TogetherContract
from tests.fakes.clock import FakeClock

ENDS_SECONDS = 10.0
"""A connection's thread tells that it is closed just before it ends; that of a leaked one never does."""


@dataclass(frozen=True)
class SqliteFile:
    """A store in a file."""

    path: Path

    def open(self) -> AbstractAsyncContextManager[Store]:
        return open_store(f"sqlite:///{self.path}", clock=FakeClock())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[StorePlace]:
    before = set(threading.enumerate())

    yield SqliteFile(tmp_path / "intake.db")

    begun = set(threading.enumerate()) - before
    for thread in begun:
        thread.join(ENDS_SECONDS)
    assert [one.name for one in begun if one.is_alive()] == []


class TestCanaries(CanaryContract): ...


class TestObservations(ObservationContract): ...


class TestSettling(SettlingContract): ...


class TestIncidents(IncidentContract): ...


class TestCleaning(CleaningContract): ...


class TestGauges(GaugeContract): ...


class TestHousekeeping(HousekeepingContract): ...


class TestRaces(RaceContract): ...


class TestTogether(TogetherContract): ...


class TestSlots(SlotContract): ...
