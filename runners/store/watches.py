"""Watches: an outstanding canary is watched by one process at a time, and by another one when that is gone."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, and_, bindparam, or_, select, update
from sqlalchemy.engine import Connection

from canary.signature import CanaryId
from runners.contracts import Record
from runners.store.canaries import OUTSTANDING_NOW, WATCH, of_ids
from runners.store.sql import insert_into
from runners.store.tables import canary, lease

_WATCHED = and_(lease.c.canary_id == canary.c.id, lease.c.kind == WATCH)
_FREE_OR_MINE = (
    select(canary.c.id, lease.c.holder, lease.c.until_at)
    .outerjoin(lease, _WATCHED)
    .where(
        OUTSTANDING_NOW,
        or_(
            lease.c.canary_id.is_(None),
            lease.c.until_at <= bindparam("b_now"),
            lease.c.holder == bindparam("b_holder"),
        ),
    )
    .order_by(canary.c.id)
)


def hold(connection: Connection, now: datetime, *, holder: str, lease_until: datetime) -> list[Record]:
    """Take what is free, keep what is this holder's; the records of both, oldest first."""
    wanted = [
        {"canary_id": row.id, "kind": WATCH, "holder": holder, "until_at": lease_until}
        for row in connection.execute(_FREE_OR_MINE, {"b_now": now, "b_holder": holder})
    ]
    if not wanted:
        return []
    held = connection.scalars(_take(connection.dialect.name), [{**one, "b_now": now} for one in wanted])
    return of_ids(connection, [CanaryId(one) for one in held])


def let_go(connection: Connection, *, holder: str, at: datetime) -> None:
    """End all watches of this holder."""
    connection.execute(
        update(lease)
        .where(lease.c.kind == WATCH, lease.c.holder == holder, lease.c.until_at > at)
        .values(until_at=at)
    )


@cache
def _take(dialect: str) -> Executable:
    statement = insert_into(dialect, lease)
    return statement.on_conflict_do_update(
        index_elements=[lease.c.canary_id, lease.c.kind],
        set_={"holder": statement.excluded.holder, "until_at": statement.excluded.until_at},
        where=or_(lease.c.until_at <= bindparam("b_now"), lease.c.holder == statement.excluded.holder),
    ).returning(lease.c.canary_id)
