"""Claims: a slot belongs to whoever inserts its row; of one in vain, to whoever takes it over, or it is kept as missed.

What came of a claim stands in its row (decision 0022), so that one update of one row decides between those who take a
slot over, record its canary or keep it as missed: where two want the same row, PostgreSQL lets the second wait, and asks
its condition again of what the first one left. No clock has a part in that: one that was set makes a take-over early or
late, never a second canary.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, or_, select, tuple_, update
from sqlalchemy.engine import Connection

from canary.canary import Canary
from canary.instruments import metrics
from canary.path import PathName
from canary.slot import MissedCause, MissedSlot, Slot
from runners.slot_contracts import SlotConflict
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_or_nothing, inserted
from runners.store.tables import missed_slot, slot

_MISSED = "missed"
"""What came of a claim whose slot is kept as missed; the id of no canary."""
_THIS = (slot.c.path == bindparam("b_path"), slot.c.slot_at == bindparam("b_slot_at"))
_IS_OPEN = slot.c.came_of.is_(None)
_RENEW = (
    update(slot)
    .where(*_THIS, _IS_OPEN, slot.c.holder == bindparam("b_holder"))
    .values(claimed_at=bindparam("b_at"))
    .returning(slot.c.path)
)
_TAKE = (
    update(slot)
    .where(*_THIS, _IS_OPEN, slot.c.claimed_at < bindparam("b_before"))
    .values(holder=bindparam("b_holder"), claimed_at=bindparam("b_at"))
    .returning(slot.c.path)
)
_LAUNCH = (
    update(slot)
    .where(*_THIS, or_(_IS_OPEN, slot.c.came_of == bindparam("b_id")), slot.c.holder == bindparam("b_holder"))
    .values(came_of=bindparam("b_id"))
    .returning(slot.c.path)
)
_ROW = select(slot.c.path).where(*_THIS)
_IN_VAIN = (
    select(slot.c.path, slot.c.slot_at)
    .where(_IS_OPEN, slot.c.claimed_at < bindparam("b_before"))
    .order_by(slot.c.slot_at, slot.c.path)
)
_IN_VAIN_OF_PATH = _IN_VAIN.where(slot.c.path == bindparam("b_path"))


def claim(connection: Connection, one: Slot, *, holder: str, at: datetime) -> bool:
    """Insert (path, slot time); True for exactly one holder, again while nothing came of its claim."""
    row = {"path": one.path, "slot_at": one.at, "holder": holder, "claimed_at": at, "came_of": None}
    if inserted(connection, slot, **row):
        return True
    return connection.execute(_RENEW, {**_key(one), "b_holder": holder, "b_at": at}).first() is not None


def take(connection: Connection, one: Slot, *, holder: str, claimed_before: datetime, at: datetime) -> bool:
    """Take over a slot that was claimed before that time and of which nothing came."""
    values = {**_key(one), "b_holder": holder, "b_before": claimed_before, "b_at": at}
    return connection.execute(_TAKE, values).first() is not None


def launched(connection: Connection, several: Sequence[Canary], *, holder: str) -> None:
    """Note of which slots these canaries are; one whose slot has no row is beside the schedule.

    Raises:
        SlotConflict: a slot is another holder's by now, has another canary, or is kept as missed.
    """
    scheduled = [(Slot(one.path, one.slot_at), one.id) for one in several if one.slot_at is not None]
    for key, canary_id in sorted(scheduled, key=lambda pair: (pair[0].path, pair[0].at, pair[1])):
        values = {**_key(key), "b_holder": holder, "b_id": canary_id}
        if connection.execute(_LAUNCH, values).first() is not None:
            continue
        if connection.execute(_ROW, _key(key)).first() is not None:
            raise SlotConflict(
                f"the slot of {key.path} at {key.at:%Y-%m-%d %H:%M:%S} UTC was taken over by another process, or is"
                f" kept as missed: canary {canary_id} is not launched"
            )


def _key(one: Slot) -> dict[str, object]:
    return {"b_path": one.path, "b_slot_at": one.at}


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


def claimed_in_vain(connection: Connection, path: PathName | None, *, before: datetime) -> list[Slot]:
    """The slots that were claimed before that time and of which nothing came, oldest first; None: of all paths."""
    statement = _IN_VAIN if path is None else _IN_VAIN_OF_PATH
    rows = connection.execute(
        statement, {"b_before": before, **({"b_path": path} if path is not None else {})}
    )
    return [Slot(PathName(row.path), row.slot_at) for row in rows]


def note_missed(connection: Connection, missed: Sequence[MissedSlot], *, prober: str, at: datetime) -> int:
    """Keep slots as missed and count those that were not known; returns how many."""
    tally = Tally(at)
    new = 0
    statement = insert_or_nothing(connection.dialect.name, missed_slot).returning(missed_slot.c.path)
    for chunk in chunks(sorted(missed, key=lambda one: (one.slot.path, one.slot.at))):
        passed_over = _void(connection, [one.slot for one in chunk])
        rows = [
            {
                "path": one.slot.path,
                "slot_at": one.slot.at,
                "cause": one.cause.value,
                "noted_at": at,
            }
            for one in chunk
            if one.slot not in passed_over
        ]
        for path in connection.scalars(statement, rows) if rows else ():
            new += 1
            tally.count(metrics.PROBER_MISFIRES, {"path": path, "prober": prober})
    tally.write(connection)
    return new


def _void(connection: Connection, slots: Sequence[Slot]) -> set[Slot]:
    """Make the claims of these slots void; returns those of which a canary came: they are not missed."""
    these = tuple_(slot.c.path, slot.c.slot_at).in_([(one.path, one.at) for one in slots])
    connection.execute(update(slot).where(these, _IS_OPEN).values(came_of=_MISSED))
    rows = connection.execute(select(slot.c.path, slot.c.slot_at).where(these, slot.c.came_of != _MISSED))
    return {Slot(PathName(row.path), row.slot_at) for row in rows}


def missed(connection: Connection, path: PathName, *, since: datetime) -> list[MissedSlot]:
    """A path's missed slots, oldest first."""
    rows = connection.execute(
        select(missed_slot.c.slot_at, missed_slot.c.cause)
        .where(missed_slot.c.path == path, missed_slot.c.slot_at >= since)
        .order_by(missed_slot.c.slot_at)
    )
    return [MissedSlot(Slot(path, row.slot_at), MissedCause(row.cause)) for row in rows]
