"""Silences: kept, ended before their time, and asked for."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.engine import Connection

from canary.silence import Silence, SilenceId
from runners.store import plain
from runners.store.alert_tables import silence
from runners.store.columns import instant
from runners.store.sql import inserted

_CURRENT = "SELECT * FROM silence WHERE ends_at > :now ORDER BY ends_at, id"


def add(connection: Connection, one: Silence) -> None:
    """Keep a silence; once, however often it is asked for."""
    inserted(
        connection,
        silence,
        id=one.id,
        path=one.about,
        begins_at=one.begins_at,
        ends_at=one.ends_at,
        why=one.why,
        who=one.who,
        created_at=one.created_at,
    )


def end(connection: Connection, silence_id: SilenceId, *, at: datetime) -> bool:
    """End a silence before its time; whether there was one that had not ended."""
    done = connection.execute(
        update(silence).where(silence.c.id == silence_id, silence.c.ends_at > at).values(ends_at=at),
        execution_options={"preserve_rowcount": True},
    )
    return done.rowcount == 1


def current(connection: Connection, now: datetime) -> list[Silence]:
    """Those that are in force or still to come, the one that ends first first."""
    rows = plain.execute(connection, _CURRENT, {"now": plain.moment(now)})
    return [
        Silence(
            id=SilenceId(row.id),
            about=row.path,
            begins_at=instant(row.begins_at),
            ends_at=instant(row.ends_at),
            why=row.why,
            who=row.who,
            created_at=instant(row.created_at),
        )
        for row in rows
    ]
