"""Turns: what only one process may do at a time, and another one when the first is gone."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, delete, or_
from sqlalchemy.engine import Connection

from runners.store.sql import insert_into
from runners.store.tables import turn

_END = delete(turn).where(turn.c.name == bindparam("b_name"), turn.c.holder == bindparam("b_holder"))


def take(connection: Connection, *, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Take a turn that nobody has, that has lapsed, or that is this holder's already; whether it was taken."""
    values = {"name": name, "holder": holder, "until_at": until, "b_now": now}
    return connection.execute(_take(connection.dialect.name), values).first() is not None


def end(connection: Connection, *, name: str, holder: str) -> None:
    """Give a turn up, if it is this holder's."""
    connection.execute(_END, {"b_name": name, "b_holder": holder})


@cache
def _take(dialect: str) -> Executable:
    statement = insert_into(dialect, turn)
    return statement.on_conflict_do_update(
        index_elements=[turn.c.name],
        set_={"holder": statement.excluded.holder, "until_at": statement.excluded.until_at},
        where=or_(turn.c.until_at <= bindparam("b_now"), turn.c.holder == statement.excluded.holder),
    ).returning(turn.c.name)
