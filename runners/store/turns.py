"""Turns: what only one process may do at a time, and another one when the first is gone."""

from datetime import datetime

from sqlalchemy.engine import Connection

from runners.store import plain

_TAKE = """
    INSERT INTO turn (name, holder, until_at) VALUES (:name, :holder, :until)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at
    WHERE turn.until_at <= :now OR turn.holder = excluded.holder
    RETURNING name
"""
_END = "DELETE FROM turn WHERE name = :name AND holder = :holder"


def take(connection: Connection, *, name: str, holder: str, now: datetime, until: datetime) -> bool:
    """Take a turn that nobody has, that has lapsed, or that is this holder's already; whether it was taken."""
    values = {"name": name, "holder": holder, "until": plain.moment(until), "now": plain.moment(now)}
    return plain.execute(connection, _TAKE, values).first() is not None


def end(connection: Connection, *, name: str, holder: str) -> None:
    """Give a turn up, if it is this holder's."""
    plain.execute(connection, _END, {"name": name, "holder": holder})
