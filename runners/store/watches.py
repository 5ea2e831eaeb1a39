"""Watches: an outstanding canary is watched by one process at a time, and by another one when that is gone."""

from datetime import datetime
from functools import cache

from sqlalchemy import Executable, and_, bindparam, or_, select, update
from sqlalchemy.engine import Connection

from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.leases import Held
from runners.store.canaries import OUTSTANDING_IDS, WATCH
from runners.store.sql import chunks, insert_into
from runners.store.tables import canary, lease

_WATCHED = and_(lease.c.canary_id == canary.c.id, lease.c.kind == WATCH)
_FREE_OR_MINE = (
    select(canary.c.id, canary.c.verdict, canary.c.launch_ended_at, lease.c.holder, lease.c.until_at)
    .outerjoin(lease, _WATCHED)
    .where(
        canary.c.id.in_(OUTSTANDING_IDS),
        or_(
            lease.c.canary_id.is_(None),
            lease.c.until_at <= bindparam("b_now"),
            lease.c.holder == bindparam("b_holder"),
        ),
    )
    .order_by(canary.c.launched_at, canary.c.id)
)


def hold(connection: Connection, now: datetime, *, holder: str, lease_until: datetime) -> list[Held]:
    """Take what is free, and renew what is this holder's and ends before half its time; both, oldest first."""
    rows = connection.execute(_FREE_OR_MINE, {"b_now": now, "b_holder": holder}).all()
    half = now + (lease_until - now) / 2
    taken = [
        {"canary_id": row.id, "kind": WATCH, "holder": holder, "until_at": lease_until, "b_now": now}
        for row in rows
        if row.until_at is None or row.holder != holder or row.until_at < half
    ]
    asked = {one["canary_id"] for one in taken}
    got = set(connection.scalars(_take(connection.dialect.name), taken)) if taken else set()
    return [
        Held(CanaryId(row.id), Verdict(row.verdict), row.launch_ended_at is not None)
        for row in rows
        if row.id not in asked or row.id in got
    ]


def let_go(connection: Connection, *, holder: str, at: datetime) -> None:
    """End all watches of this holder."""
    ids = connection.scalars(
        select(lease.c.canary_id)
        .where(
            lease.c.canary_id.in_(OUTSTANDING_IDS),
            lease.c.kind == WATCH,
            lease.c.holder == holder,
            lease.c.until_at > at,
        )
        .order_by(lease.c.canary_id),
        {"b_now": at},
    ).all()
    for chunk in chunks(ids):
        connection.execute(
            update(lease)
            .where(lease.c.canary_id.in_(chunk), lease.c.kind == WATCH, lease.c.holder == holder)
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
