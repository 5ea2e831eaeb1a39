"""The fake store keeps the contract, so that what is tested on it holds for the real ones."""

import pytest

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
from tests.contracts.traffic_contract import TrafficContract
from tests.contracts.walk_contract import WalkContract
from tests.contracts.watch_contract import WatchContract
from tests.fakes.memory_store import MemoryStore


@pytest.fixture
def place() -> StorePlace:
    return MemoryStore()


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
