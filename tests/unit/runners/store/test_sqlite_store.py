"""The store in SQLite keeps the contract, and leaves no connection behind."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from runners.contracts import Store
from runners.store import open_store
from tests.contracts.alert_again_contract import AlertAgainContract
from tests.contracts.alert_contract import AlertContract
from tests.contracts.call_contract import CallContract
from tests.contracts.export_contract import ExportContract
from tests.contracts.figure_contract import FigureContract
from tests.contracts.past_contract import PastContract
from tests.contracts.pulse_contract import PulseContract
from tests.contracts.quarantine_contract import QuarantineContract
from tests.contracts.retention_contract import RetentionContract
from tests.contracts.slot_contract import SlotContract
from tests.contracts.store_cases import StorePlace, make_canary, recorded, seen_at
from tests.contracts.store_contract import CanaryContract, ObservationContract, SettlingContract
from tests.contracts.store_contract_more import (
    CleaningContract,
    GaugeContract,
    HousekeepingContract,
    IncidentContract,
    RaceContract,
)
from tests.contracts.together_contract import TogetherContract
from tests.contracts.traffic_contract import TrafficContract
from tests.contracts.walk_contract import WalkContract
from tests.contracts.watch_contract import WatchContract
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


class TestAlerts(AlertContract): ...


class TestAlertsAgain(AlertAgainContract): ...


class TestWatches(WatchContract): ...


class TestSlots(SlotContract): ...


class TestPulses(PulseContract): ...


class TestFigures(FigureContract): ...


class TestTraffic(TrafficContract): ...


class TestQuarantines(QuarantineContract): ...


class TestWalks(WalkContract): ...


class TestCalls(CallContract): ...


class TestPast(PastContract): ...


class TestExports(ExportContract): ...


class TestRetention(RetentionContract): ...


def test_histogram_that_only_another_version_knows__is_told_as_it_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "intake.db"

    async def main() -> None:
        async with SqliteFile(file).open() as store:
            canary = await recorded(store, make_canary())
            await store.append(seen_at(canary))
            with closing(sqlite3.connect(file)) as connection, connection:
                connection.execute("UPDATE histogram SET name = 'intake.of_another_version'")

            [kept] = [one for one in await store.samples() if one.name == "intake.of_another_version"]

        assert (sum(kept.counts), kept.value) == (1, 0.5)

    asyncio.run(main())
