"""Claims: a slot belongs to whoever inserts its row; one that nobody launched is kept as missed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Exists, exists, func, select
from sqlalchemy.engine import Connection

from canary.instruments import metrics
from canary.path import PathName
from canary.slot import MissedCause, MissedSlot, Slot
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_or_nothing, inserted
from runners.store.tables import canary, missed_slot, slot

_LOOK_BACK = timedelta(days=2)
"""A slot that was claimed in vain longer ago was noted by a run since then."""


def claim(connection: Connection, one: Slot, *, holder: str, at: datetime) -> bool:
    """Insert (path, slot time); True for exactly one holder, again while nothing came of its claim."""
    if inserted(connection, slot, path=one.path, slot_at=one.at, holder=holder, claimed_at=at):
        return True
    mine = select(slot.c.path).where(
        slot.c.path == one.path,
        slot.c.slot_at == one.at,
        slot.c.holder == holder,
        ~_has_canary(at),
        ~_IS_NOTED,
    )
    return connection.execute(mine).first() is not None


def _has_canary(near: datetime) -> Exists:
    """Whether a slot of about that time was launched."""
    return exists().where(
        canary.c.path == slot.c.path,
        canary.c.launched_at > near - _LOOK_BACK,
        canary.c.slot_at == slot.c.slot_at,
    )


_IS_NOTED = exists().where(missed_slot.c.path == slot.c.path, missed_slot.c.slot_at == slot.c.slot_at)


def last_slot_at(connection: Connection, path: PathName) -> datetime | None:
    """The newest slot of a path that was claimed or is known to be missed; None: there was none yet."""
    found = [
        connection.scalar(select(func.max(table.c.slot_at)).where(table.c.path == path))
        for table in (slot, missed_slot)
    ]
    return max((one for one in found if one is not None), default=None)


def others_claimed(connection: Connection, holder: str, *, since: datetime) -> bool:
    """Whether another holder claimed a slot, of whatever path, since that time."""
    found = select(slot.c.path).where(slot.c.claimed_at >= since, slot.c.holder != holder).limit(1)
    return connection.execute(found).first() is not None


def claimed_in_vain(connection: Connection, path: PathName, *, before: datetime) -> list[Slot]:
    """The slots that were claimed before that time, have no canary, and are not known to be missed; oldest first."""
    rows = connection.execute(
        select(slot.c.slot_at)
        .where(
            slot.c.path == path,
            slot.c.slot_at > before - _LOOK_BACK / 2,
            slot.c.claimed_at < before,
            ~_has_canary(before),
            ~_IS_NOTED,
        )
        .order_by(slot.c.slot_at)
    )
    return [Slot(path, row.slot_at) for row in rows]


def note_missed(connection: Connection, missed: Sequence[MissedSlot], *, prober: str, at: datetime) -> int:
    """Keep slots as missed and count those that were not known; returns how many."""
    tally = Tally(at)
    new = 0
    statement = insert_or_nothing(connection.dialect.name, missed_slot).returning(missed_slot.c.path)
    for chunk in chunks(sorted(missed, key=lambda one: (one.slot.path, one.slot.at))):
        rows = [
            {
                "path": one.slot.path,
                "slot_at": one.slot.at,
                "cause": one.cause.value,
                "noted_at": at,
            }
            for one in chunk
        ]
        for path in connection.scalars(statement, rows):
            new += 1
            tally.count(metrics.PROBER_MISFIRES, {"path": path, "prober": prober})
    tally.write(connection)
    return new


def missed(connection: Connection, path: PathName, *, since: datetime) -> list[MissedSlot]:
    """A path's missed slots, oldest first."""
    rows = connection.execute(
        select(missed_slot.c.slot_at, missed_slot.c.cause)
        .where(missed_slot.c.path == path, missed_slot.c.slot_at >= since)
        .order_by(missed_slot.c.slot_at)
    )
    return [MissedSlot(Slot(path, row.slot_at), MissedCause(row.cause)) for row in rows]
