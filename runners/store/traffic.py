"""Real tickets of strangers: counts by the hour, and how far a system was watched. Nothing of a ticket itself."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.engine import Connection

from canary.traffic import History, Mark, Taken, Watched, Way, take
from runners.store.sql import insert_into, inserted
from runners.store.tables import traffic_hour, traffic_mark, traffic_newest

_ALL = ""
"""Stands for no way: that row says how long an hour was watched."""
_MARK = select(traffic_mark).where(traffic_mark.c.place == bindparam("b_place"))
_LOCKED_MARK = _MARK.with_for_update()
_MOVE = update(traffic_mark).where(traffic_mark.c.place == bindparam("b_place"))
_HOURS = select(traffic_hour).where(traffic_hour.c.place == bindparam("b_place"))
_NEWEST = select(traffic_newest).where(traffic_newest.c.place == bindparam("b_place"))


def note(connection: Connection, *, place: str, watched: Watched) -> None:
    """Add what a stretch shows that nobody has counted yet; of two who note at once, the second waits."""
    first = {"since_at": watched.since, "until_at": watched.until, "unbroken_at": watched.since}
    inserted(
        connection, traffic_mark, place=place, **first, skew_seconds=watched.skew_seconds, is_begun=False
    )
    row = connection.execute(_LOCKED_MARK, {"b_place": place}).one()
    before = Mark(row.since_at, row.until_at, row.unbroken_at, row.skew_seconds) if row.is_begun else None
    taken = take(before, watched)
    rows = _rows(place, taken)
    dialect = connection.dialect.name
    if rows:
        connection.execute(_add(dialect), rows)
    if taken.newest:
        newest = [
            {"place": place, "way": way.value, "created_at": at} for way, at in sorted(taken.newest.items())
        ]
        connection.execute(_note_newest(dialect), newest)
    if taken.mark != before:
        connection.execute(
            _MOVE.values(
                since_at=taken.mark.since,
                until_at=taken.mark.until,
                unbroken_at=taken.mark.unbroken_since,
                skew_seconds=taken.mark.skew_seconds,
                is_begun=True,
            ),
            {"b_place": place},
        )


def history(connection: Connection, *, place: str) -> History | None:
    """All that is kept of a system; None: it was never watched."""
    row = connection.execute(_MARK, {"b_place": place}).one_or_none()
    if row is None or not row.is_begun:
        return None
    seconds: dict[datetime, float] = {}
    tickets: dict[Way, dict[datetime, int]] = {}
    for one in connection.execute(_HOURS, {"b_place": place}):
        if one.way == _ALL:
            seconds[one.hour_at] = one.seconds
        else:
            tickets.setdefault(Way(one.way), {})[one.hour_at] = one.tickets
    newest = {Way(one.way): one.created_at for one in connection.execute(_NEWEST, {"b_place": place})}
    mark = Mark(row.since_at, row.until_at, row.unbroken_at, row.skew_seconds)
    return History(mark, seconds, tickets, newest)


def _rows(place: str, taken: Taken) -> list[dict[str, object]]:
    """In one order, whoever writes them."""
    watched = [(_ALL, hour, 0, seconds) for hour, seconds in taken.seconds.items()]
    came = [(way.value, hour, count, 0.0) for (way, hour), count in taken.tickets.items()]
    return [
        {"place": place, "way": way, "hour_at": hour, "tickets": count, "seconds": seconds}
        for way, hour, count, seconds in sorted(watched + came)
    ]


@cache
def _add(dialect: str) -> Executable:
    statement = insert_into(dialect, traffic_hour)
    return statement.on_conflict_do_update(
        index_elements=list(traffic_hour.primary_key.columns),
        set_={
            "tickets": traffic_hour.c.tickets + statement.excluded.tickets,
            "seconds": traffic_hour.c.seconds + statement.excluded.seconds,
        },
    )


@cache
def _note_newest(dialect: str) -> Executable:
    statement = insert_into(dialect, traffic_newest)
    return statement.on_conflict_do_update(
        index_elements=list(traffic_newest.primary_key.columns),
        set_={"created_at": statement.excluded.created_at},
        where=traffic_newest.c.created_at < statement.excluded.created_at,
    )
