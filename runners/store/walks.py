"""Walks of looks that take several: where each goes on, and whom it has asked for. Nothing of any ticket."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Executable, Row, bindparam, delete, select
from sqlalchemy.engine import Connection

from canary.signature import CanaryId
from canary.walk import Position, Walk
from runners.store.sql import insert_into
from runners.store.tables import look_walk

_SEPARATOR = ","
_OF_LOOK = (
    select(look_walk)
    .where(look_walk.c.place == bindparam("b_place"), look_walk.c.look == bindparam("b_look"))
    .order_by(look_walk.c.started_at)
)
_DROP = delete(look_walk).where(
    look_walk.c.place == bindparam("b_place"),
    look_walk.c.look == bindparam("b_look"),
    look_walk.c.started_at == bindparam("b_started_at"),
)


def of_look(connection: Connection, *, place: str, look: str) -> Sequence[Walk]:
    """The walks of one look of a system, oldest first."""
    rows = connection.execute(_OF_LOOK, {"b_place": place, "b_look": look})
    return tuple(_walk(one) for one in rows)


def keep(connection: Connection, *, walk: Walk) -> None:
    """Keep a walk; the last word stands, since each that was ever written is true by itself."""
    position = walk.position or Position()
    values = {
        "place": walk.place,
        "look": walk.look,
        "started_at": walk.started_at,
        "began_at": walk.began_at,
        "since_at": walk.since,
        "moved_at": walk.moved_at,
        "is_over": walk.is_over,
        "until_at": position.until,
        "page": position.page,
        "asked": _text(walk.asked),
        "seen": _text(walk.seen),
        "hidden": _text(walk.hidden),
    }
    connection.execute(_keep(connection.dialect.name), values)


def drop(connection: Connection, *, dropped: Sequence[Walk]) -> None:
    """Forget walks, whatever is kept of them."""
    for one in dropped:
        named = {"b_place": one.place, "b_look": one.look, "b_started_at": one.started_at}
        connection.execute(_DROP, named)


def _walk(row: Row[Any]) -> Walk:
    return Walk(
        place=row.place,
        look=row.look,
        started_at=row.started_at,
        began_at=row.began_at,
        since=row.since_at,
        asked=_ids(row.asked),
        position=None if row.is_over else Position(row.until_at, row.page),
        moved_at=row.moved_at,
        seen=_ids(row.seen),
        hidden=_ids(row.hidden),
    )


def _text(ids: Iterable[CanaryId]) -> str:
    """Each id is ended by the separator: the empty one stands for orphans, and is not nobody."""
    return "".join(f"{one}{_SEPARATOR}" for one in sorted(ids))


def _ids(text: str) -> frozenset[CanaryId]:
    return frozenset(CanaryId(one) for one in text.split(_SEPARATOR)[:-1])


@cache
def _keep(dialect: str) -> Executable:
    statement = insert_into(dialect, look_walk)
    key = list(look_walk.primary_key.columns)
    return statement.on_conflict_do_update(
        index_elements=key,
        set_={one.name: statement.excluded[one.name] for one in look_walk.columns if one not in set(key)},
    )
