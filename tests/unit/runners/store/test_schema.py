"""Migrations make what the tables say; the store imports no more than it needs."""

import asyncio
import re
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from canary.path import PathName
from canary.slot import Slot
from runners.contracts import StoreError
from runners.store import open_store, schema
from runners.store.columns import metadata
from runners.store.tables import EXPRESSION_INDEXES, PARTIAL_INDEXES
from tests.fakes.clock import FakeClock


def created(path: Path) -> str:
    address = f"sqlite:///{path}"

    async def main() -> None:
        async with open_store(address, clock=FakeClock()) as store:
            assert list(await store.leftovers()) == []

    asyncio.run(main())
    return address


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
def test_migrated_store__has_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = create_engine(created(tmp_path / "intake.db"), poolclass=NullPool)
    with engine.connect() as connection:
        made = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'index'")))
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        difference = compare_metadata(context, metadata)

    extra = {step[1].name for step in difference if step[0] == "remove_index"}
    assert extra == PARTIAL_INDEXES
    assert made >= EXPRESSION_INDEXES
    assert len(difference) == len(extra)


def test_revisions__are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")

    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]

    assert tuple(reversed(found)) == schema.REVISIONS


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        (
            "import runners.store",
            r"alembic|psycopg|sqlalchemy\.ext\.asyncio|sqlalchemy\.dialects\.[a-z]|opentelemetry|httpx|probes",
        ),
        (
            (
                "import asyncio, sys; from runners.store import open_store\n"
                "from tests.fakes.clock import FakeClock\n"
                "async def main():\n"
                "    async with open_store(sys.argv[1], clock=FakeClock()) as store: await store.leftovers()\n"
                "asyncio.run(main())"
            ),
            r"alembic|psycopg|sqlalchemy\.ext|sqlalchemy\.dialects\.(postgresql|mysql|oracle|mssql)|opentelemetry|httpx",
        ),
    ],
)
def test_store__imports_only_what_it_uses(tmp_path: Path, code: str, unwanted: str) -> None:
    address = created(tmp_path / "intake.db")

    done = subprocess.run(  # noqa: S603 -- our own interpreter
        [sys.executable, "-X", "importtime", "-c", code, address],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "runners.store" in imported
    assert {one for one in imported if re.match(unwanted, one)} == set()


def at_revision(path: Path, revision: str) -> str:
    """A store that an older version left."""
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    with (
        engine.begin() as connection,
        EnvironmentContext(
            config, script, fn=lambda found, _: list(script._upgrade_revs(revision, found))
        ) as environment,
    ):
        environment.configure(connection=connection)
        environment.run_migrations()
    return f"sqlite:///{path}"


def test_store_of_the_first_revision__keeps_its_canaries_and_counts_when_it_is_brought_up(
    tmp_path: Path,
) -> None:
    address = at_revision(tmp_path / "intake.db", "0001")
    with sqlite3.connect(tmp_path / "intake.db") as old:
        old.execute(
            "INSERT INTO canary (id, path, channel, token, marker, sender, launched_at, deadline_at, horizon_at,"
            " trace_id, span_id, prober, by_hand, verdict, is_clean) VALUES"
            " ('agrctyyfmyk3pqpl', 'support-mail', 'email', 'agrctyyfmyk3pqplaaaa', 'intakecanary', 'a@b.example',"
            " 1700000000000000, 1700000600000000, 1700086400000000, '00', '00', 'fra-1', 0, 'pending', 0)"
        )
        old.execute("INSERT INTO counter VALUES ('intake.canary.launched', '{}', 7.0, 1700000000000000)")

    async def main() -> None:
        async with open_store(address, clock=FakeClock()) as store, open_store(address, clock=FakeClock()):
            (record,) = await store.find("agrctyyfmyk3pqpl")
            assert record.canary.path == "support-mail"
            assert record.is_thinned is False
            assert [one.value for one in await store.samples()] == [7.0]
            assert await store.outbox() == {}

    asyncio.run(main())


def test_slot_claimed_by_an_older_program__is_neither_taken_over_nor_in_vain(tmp_path: Path) -> None:
    """Its row does not say whether it was launched; a claim that is made beside it by such a program does not, either."""
    address = at_revision(tmp_path / "intake.db", "0008")
    claimed = (
        "INSERT INTO slot (path, slot_at, holder, claimed_at) VALUES ('mail', {}, 'older', 1700000000000000)"
    )
    with sqlite3.connect(tmp_path / "intake.db") as old:
        old.execute(claimed.format(1_700_000_000_000_000))

    async def main() -> None:
        async with open_store(address, clock=FakeClock()) as store:
            with sqlite3.connect(tmp_path / "intake.db") as beside:
                beside.execute(claimed.format(1_700_000_600_000_000))
            now = FakeClock().now()
            assert list(await store.claimed_in_vain(None, before=now)) == []
            for seconds in (1_700_000_000, 1_700_000_600):
                slot = Slot(PathName("mail"), datetime.fromtimestamp(seconds, UTC))
                assert not await store.take_slot(slot, holder="newer", claimed_before=now, at=now)
                assert not await store.claim(slot, holder="newer", at=now)

    asyncio.run(main())


def test_store_of_an_older_revision__is_not_read_without_the_right_to_bring_it_up(tmp_path: Path) -> None:
    address = at_revision(tmp_path / "intake.db", "0001")

    async def main() -> None:
        async with open_store(address, clock=FakeClock(), read_only=True):
            raise AssertionError("it was opened")

    with pytest.raises(StoreError, match="it has revision 0001, older than this program's"):
        asyncio.run(main())
