"""What the two databases spell alike but SQLAlchemy keeps apart: insert or, if it is there, else; and long lists."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Table
from sqlalchemy.engine import Connection

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

T = TypeVar("T")

_CHUNK = 500


def chunks(values: Sequence[T]) -> list[Sequence[T]]:
    """The values in lists that are short enough for one statement."""
    return [values[start : start + _CHUNK] for start in range(0, len(values), _CHUNK)]


@cache
def insert_into(dialect: str, table: Table) -> "SqliteInsert | PostgresqlInsert":
    """An insert that knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``; imports one dialect only.

    A statement is made once and run with its values as parameters: making one costs more than running it.

    Args:
        dialect: ``connection.dialect.name``.
        table: into which.
    """
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as sqlite_insert

        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert(table)


def inserted(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row; False where one with its key is there already."""
    statement = insert_or_nothing(connection.dialect.name, table)
    done = connection.execute(statement, values, execution_options={"preserve_rowcount": True})
    return done.rowcount == 1


@cache
def insert_or_nothing(dialect: str, table: Table) -> "SqliteInsert | PostgresqlInsert":
    """An insert that leaves a row whose key is there already as it is."""
    return insert_into(dialect, table).on_conflict_do_nothing()
