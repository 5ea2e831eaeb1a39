"""The store in a real PostgreSQL keeps the contract; its faults are named."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace

import psycopg
import pytest

from canary.hop import Hop
from canary.observation import Observation
from runners.contracts import Store, StoreError, TriedRemoval
from runners.store import NoStoreYet, open_store
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
from tests.contracts.store_cases import NOON, StorePlace, after, looked, make_canary, recorded, removal
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
from tests.real.servers.postgresql import PostgreSql, running_postgresql


@dataclass(frozen=True)
class Database:
    """A database of its own for one test."""

    url: str

    def open(self) -> AbstractAsyncContextManager[Store]:
        return open_store(self.url, clock=FakeClock())

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)

    def deadlocks(self) -> int:
        """How many there were; all other connections must be closed by now."""
        with self.connect() as connection:
            found = connection.execute(
                "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            ).fetchone()
        assert found is not None
        return int(found[0])


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with running_postgresql() as postgresql:
        yield postgresql


@pytest.fixture
def database(server: PostgreSql) -> Iterator[Database]:
    made = Database(server.new_database())
    yield made
    with made.connect() as connection:
        others = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND state IS NOT NULL AND application_name = 'intake-prober' AND state <> 'idle'"
        ).fetchone()
    assert others == (0,)


@pytest.fixture
def place(database: Database) -> StorePlace:
    return database


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


def _error_of(url: str, *, read_only: bool = False) -> StoreError:
    async def main() -> None:
        async with open_store(url, clock=FakeClock(), read_only=read_only) as store:
            await recorded(store, make_canary())

    with pytest.raises(StoreError) as caught:
        asyncio.run(main())
    return caught.value


def test_server_that_is_not_there__is_named_without_the_password() -> None:
    error = _error_of("postgresql+psycopg://intake:geheim@127.0.0.1:1/intake")

    assert "postgresql+psycopg://intake:***@127.0.0.1:1/intake" in str(error)
    assert "no connection" in str(error)
    assert "geheim" not in repr(error)


def test_database_that_does_not_exist__is_said_with_the_command_that_makes_it(server: PostgreSql) -> None:
    assert "createdb nowhere" in str(_error_of(server.url_of("nowhere")))


def test_role_that_is_refused__is_said(server: PostgreSql) -> None:
    url = server.url.replace(f"//{server.account.name}@", "//stranger:geheim@")

    error = _error_of(url)

    assert "role" in str(error)
    assert "geheim" not in str(error)


def test_overlapping_first_runs__make_one_schema(database: Database) -> None:
    async def main() -> None:
        async def first_run(number: int) -> None:
            async with database.open() as store:
                await recorded(store, make_canary(number))

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(first_run(number))
        async with database.open() as store:
            assert len(await store.outstanding(NOON)) == 4

    asyncio.run(main())


def test_probers_that_report_the_same_looks_in_another_order__never_lock_each_other_out(
    database: Database,
) -> None:
    canaries = [make_canary(number) for number in range(40)]

    def desk_and_mailbox(seconds: float) -> tuple[list[Observation], list[Observation]]:
        desk = [looked(one, seconds) for one in canaries]
        return desk, [replace(one, hop=Hop.MAILBOX_ARRIVAL, place="support") for one in desk]

    async def main() -> None:
        async with database.open() as one, database.open() as other:
            await one.record(*canaries, holder="host-a", lease_until=after(30))
            for seconds in range(10):
                desk, mailbox = desk_and_mailbox(seconds)
                async with asyncio.TaskGroup() as group:
                    group.create_task(one.append(*desk, *mailbox))
                    group.create_task(other.append(*mailbox, *desk))

    asyncio.run(main())
    assert database.deadlocks() == 0


def test_launches_that_end_while_others_are_cleaned__never_lock_each_other_out(database: Database) -> None:
    async def main() -> None:
        async with database.open() as one, database.open() as other:
            for turn in range(8):
                canaries = [make_canary(1000 * turn + number) for number in range(60)]
                await one.record(*reversed(canaries), holder="host-a", lease_until=after(30))
                ids = [canary.id for canary in canaries]
                async with asyncio.TaskGroup() as group:
                    removed = (TriedRemoval(removal(canary_id), next_at=None) for canary_id in ids)
                    group.create_task(one.note_removed(*removed))
                    group.create_task(one.finish_clean(*ids, at=after(60)))
                    group.create_task(other.launch_ended(*ids))
                    group.create_task(other.finish_clean(*ids, at=after(60)))

    asyncio.run(main())
    assert database.deadlocks() == 0


def test_read_only__before_anything_was_stored__says_so_and_creates_nothing(database: Database) -> None:
    assert isinstance(_error_of(database.url, read_only=True), NoStoreYet)
    with database.connect() as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_audit__can_be_neither_changed_nor_deleted_nor_emptied(database: Database) -> None:
    async def main() -> None:
        async with database.open() as store:
            await store.note_removed(TriedRemoval(removal(make_canary().id), next_at=None))

    asyncio.run(main())
    with database.connect() as connection:
        for statement in ("UPDATE audit SET what = 'x'", "DELETE FROM audit", "TRUNCATE audit"):
            with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
                connection.execute(statement)


def test_server_killed_in_between__is_a_store_error_then_works_again_when_it_is_back(
    server: PostgreSql, database: Database
) -> None:
    name = database.url.rpartition("/")[2]

    async def main() -> None:
        with database.connect() as connection:
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
            # Else it would first write again what all tests before this one wrote.
            connection.execute("CHECKPOINT")
        async with database.open() as store:
            await recorded(store, make_canary(1))
            server.kill()
            try:
                with pytest.raises(StoreError, match="connection"):
                    await recorded(store, make_canary(2))
            finally:
                server.start()
            await recorded(store, make_canary(2))
            assert len(await store.outstanding(NOON)) == 2

    asyncio.run(main())


def test_newer_revision__is_refused(database: Database) -> None:
    async def main() -> None:
        async with database.open():
            pass

    asyncio.run(main())
    with database.connect() as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    assert "newer intake-prober" in str(_error_of(database.url))
