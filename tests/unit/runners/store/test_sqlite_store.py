"""The store in SQLite keeps the contract, and leaves no connection behind."""

import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.contracts import Store
from runners.store import open_store
from tests.contracts.store_cases import StorePlace
from tests.contracts.store_contract import CanaryContract, ObservationContract, SettlingContract
from tests.contracts.store_contract_more import (
    CleaningContract,
    GaugeContract,
    HousekeepingContract,
    IncidentContract,
    RaceContract,
)
from tests.fakes.clock import FakeClock


@dataclass(frozen=True)
class SqliteFile:
    """A store in a file."""

    path: Path

    def open(self) -> AbstractAsyncContextManager[Store]:
        return open_store(f"sqlite:///{self.path}", clock=FakeClock())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[StorePlace]:
    yield SqliteFile(tmp_path / "intake.db")

    assert [one.name for one in threading.enumerate() if one is not threading.main_thread()] == []


class TestCanaries(CanaryContract): ...


class TestObservations(ObservationContract): ...


class TestSettling(SettlingContract): ...


class TestIncidents(IncidentContract): ...


class TestCleaning(CleaningContract): ...


class TestGauges(GaugeContract): ...


class TestHousekeeping(HousekeepingContract): ...


class TestRaces(RaceContract): ...
