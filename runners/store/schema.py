"""Which revision the store has, and how it gets the newest: Alembic is imported only where something must change."""

import logging
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import Connection

from runners.store.connecting import Database

REVISIONS = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
    "0012",
    "0013",
    "0014",
)
"""All revisions, oldest first; a test holds them equal to the migrations' folder."""

MIGRATION_SECONDS = 600
"""An index over a million canaries takes longer than any other statement may, and whoever starts meanwhile waits for it."""
_log = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).parent / "migrations"
_POSTGRESQL_LOCK = 0x1A7A4E  # any number that nothing else in the database takes


async def bring_up(database: Database) -> None:
    """See that the store has our revision; migrate an older one, under a lock, so that first runs may overlap.

    Raises:
        StoreError: the store can't be reached, is newer than this program, or is older and open for reading only.
    """
    if database.is_read_only and not database.exists:
        raise database.faults.no_store_yet()
    found = await database.read(_revision)
    if found == REVISIONS[-1]:
        return
    _refuse_newer(database, found)
    if database.is_read_only:
        if found is None:
            raise database.faults.no_store_yet()
        raise database.faults.error(
            f"it has revision {found}, older than this program's {REVISIONS[-1]}",
            "Migrate it: any `intake-prober run` does.",
        )
    await database.migrate(_migrate(database))
    _log.info("store_migrated", extra={"detail": f"from {found or 'nothing'} to {REVISIONS[-1]}"})


def _refuse_newer(database: Database, found: str | None) -> None:
    if found is not None and found not in REVISIONS:
        raise database.faults.error(
            f"it has revision {found}, which this program does not know (its newest is {REVISIONS[-1]})",
            "A newer intake-prober wrote it: use that one, or another store.",
        )


def _revision(connection: Connection) -> str | None:
    """The stored revision; None in a database that has no table of ours."""
    if connection.dialect.name == "sqlite":
        is_there = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
    else:
        is_there = "SELECT 1 WHERE to_regclass('alembic_version') IS NOT NULL"
    if connection.scalar(text(is_there)) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _migrate(database: Database) -> Callable[[Connection], None]:
    def work(connection: Connection) -> None:
        if connection.dialect.name != "sqlite":
            for limit in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
                connection.execute(text(f"SET LOCAL {limit} = '{MIGRATION_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _POSTGRESQL_LOCK})
        found = _revision(connection)
        _refuse_newer(database, found)
        if found != REVISIONS[-1]:
            upgrade(connection)

    return work


def upgrade(connection: Connection) -> None:
    """Run the missing migrations in the connection's own transaction."""
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext, RevisionStep
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def steps(revision: str, context: MigrationContext) -> list[RevisionStep]:
        del context
        return list(script._upgrade_revs("head", revision))  # noqa: SLF001 -- what `alembic.command.upgrade` does

    with EnvironmentContext(config, script, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
