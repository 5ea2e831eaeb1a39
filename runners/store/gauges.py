"""Gauge readings of places, and what controls came to."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, func, select, update
from sqlalchemy.engine import Connection, Row

from canary.ahead import MOST_AHEAD, is_ahead
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from runners.store import plain
from runners.store.columns import instant
from runners.store.sql import insert_into, insert_or_nothing
from runners.store.tables import control, gauge, latest_gauge

_NO_RESOURCE = ""


def add(connection: Connection, readings: Sequence[Gauge]) -> None:
    """Keep readings; one of the same place, name, resource and time is kept once."""
    rows = [
        {
            "place": one.place,
            "name": one.name,
            "resource": one.resource or _NO_RESOURCE,
            "read_at": one.read_at,
            "value": one.value,
            "unit": one.unit,
            "capacity": one.limit,
            "state": one.state,
            "detail": one.detail,
            "oldest_at": one.oldest_at,
        }
        for one in sorted(readings, key=lambda one: (one.place, one.name, one.resource or _NO_RESOURCE))
    ]
    connection.execute(insert_or_nothing(connection.dialect.name, gauge), rows)
    newest = [{name: row[name] for name in ("place", "name", "resource", "read_at")} for row in rows]
    connection.execute(_note_latest(connection.dialect.name), newest)


@cache
def _note_latest(dialect: str) -> Executable:
    statement = insert_into(dialect, latest_gauge)
    return statement.on_conflict_do_update(
        index_elements=list(latest_gauge.primary_key.columns),
        set_={"read_at": statement.excluded.read_at},
        where=latest_gauge.c.read_at < statement.excluded.read_at,
    )


_SERIES = (
    select(gauge)
    .where(
        gauge.c.place == bindparam("b_place"),
        gauge.c.name == bindparam("b_name"),
        gauge.c.resource == bindparam("b_resource"),
        gauge.c.read_at >= bindparam("b_since"),
    )
    .order_by(gauge.c.read_at)
)


def series(
    connection: Connection, *, place: str, name: GaugeName, resource: Resource | None, since: datetime
) -> list[Gauge]:
    """The readings of one gauge since then, oldest first."""
    wanted = {
        "b_place": place,
        "b_name": name,
        "b_resource": resource or _NO_RESOURCE,
        "b_since": since,
    }
    return [_gauge_of(row) for row in connection.execute(_SERIES, wanted)]


def latest(connection: Connection, now: datetime | None = None) -> list[Gauge]:
    """The newest reading of each place, name and resource; of the future only where there is no other."""
    found = [
        replace(_gauge_of(row), read_at=instant(row.read_at), oldest_at=plain.time_of(row.oldest_at))
        for row in plain.execute(connection, _LATEST)
    ]
    return found if now is None else [_by_now(connection, one, now) for one in found]


_LATEST = """
    SELECT gauge.* FROM gauge JOIN latest_gauge AS newest
        ON gauge.place = newest.place AND gauge.name = newest.name
        AND gauge.resource = newest.resource AND gauge.read_at = newest.read_at
    ORDER BY gauge.place, gauge.name, gauge.resource
"""


def _by_now(connection: Connection, reading: Gauge, now: datetime) -> Gauge:
    """What was read last, where the newest reading is of before the clock was set back."""
    if not is_ahead(reading.read_at, now):
        return reading
    row = connection.execute(
        select(gauge)
        .where(
            gauge.c.place == reading.place,
            gauge.c.name == reading.name,
            gauge.c.resource == (reading.resource or _NO_RESOURCE),
            gauge.c.read_at <= now + MOST_AHEAD,
        )
        .order_by(gauge.c.read_at.desc())
        .limit(1)
    ).one_or_none()
    return reading if row is None else _gauge_of(row)


def note_control(connection: Connection, prober: str, name: str, *, at: datetime, worked: bool) -> None:
    """Keep what a control came to; an older answer changes nothing that a newer one said."""
    statement = insert_into(connection.dialect.name, control).values(
        prober=prober, control=name, tried_at=at, worked=worked, worked_at=at if worked else None
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[control.c.prober, control.c.control],
            set_={
                "tried_at": statement.excluded.tried_at,
                "worked": statement.excluded.worked,
                "worked_at": func.coalesce(statement.excluded.worked_at, control.c.worked_at),
            },
            where=control.c.tried_at <= statement.excluded.tried_at,
        )
    )


def control_worked_at(connection: Connection, prober: str, name: str) -> datetime | None:
    """When a control last worked from this prober; None: never."""
    found: datetime | None = connection.scalar(
        select(control.c.worked_at).where(control.c.prober == prober, control.c.control == name)
    )
    return found


def note_excuse(connection: Connection, prober: str, name: str, *, at: datetime) -> None:
    """Keep when the failure of a control that was tried last excused this prober."""
    connection.execute(
        update(control).where(control.c.prober == prober, control.c.control == name).values(excused_at=at)
    )


def excused_at(connection: Connection, prober: str) -> datetime | None:
    """When the failure of a control last excused this prober; None: never."""
    found: datetime | None = connection.scalar(
        select(func.max(control.c.excused_at)).where(control.c.prober == prober)
    )
    return found


def _gauge_of(row: Row[Any]) -> Gauge:
    return Gauge(
        place=row.place,
        name=GaugeName(row.name),
        value=row.value,
        unit=row.unit,
        limit=row.capacity,
        read_at=row.read_at,
        state=GaugeState(row.state),
        resource=Resource(row.resource) if row.resource else None,
        detail=row.detail,
        oldest_at=row.oldest_at,
    )
