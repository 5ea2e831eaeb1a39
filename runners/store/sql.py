"""The one statement that the two databases spell alike but SQLAlchemy keeps apart: insert or, if it is there, else."""

from typing import TYPE_CHECKING

from sqlalchemy import Table
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert


def insert_into(connection: Connection, table: Table) -> "SqliteInsert | PostgresqlInsert":
    """An insert that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``; imports one dialect only."""
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)


def inserted(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row; False where one with its key is there already."""
    statement = insert_into(connection, table).values(**values).on_conflict_do_nothing()
    done = connection.execute(statement, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1
