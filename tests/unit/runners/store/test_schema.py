"""Migrations make what the tables say; the store imports no more than it needs."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from runners.store import open_store, schema
from runners.store.columns import metadata
from runners.store.tables import PARTIAL_INDEXES
from tests.fakes.clock import FakeClock


def created(path: Path) -> str:
    address = f"sqlite:///{path}"

    async def main() -> None:
        async with open_store(address, clock=FakeClock()) as store:
            assert list(await store.leftovers()) == []

    asyncio.run(main())
    return address


def test_migrated_store__has_exactly_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = create_engine(created(tmp_path / "intake.db"), poolclass=NullPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        difference = compare_metadata(context, metadata)

    extra = {step[1].name for step in difference if step[0] == "remove_index"}
    assert extra == PARTIAL_INDEXES
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
