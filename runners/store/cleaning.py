"""Cleaning: what is left over of canaries, and the append-only audit of what was done about it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, delete, false, func, select, true, update
from sqlalchemy.engine import Connection

from canary.instruments import metrics
from canary.path import PathName
from canary.signature import CanaryId
from runners.contracts import BEGUN, AuditEntry, Leftover, RemovalKind, TriedRemoval
from runners.export_contracts import cleanup_part
from runners.store import outbox
from runners.store.columns import storable
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import audit, canary, lease, leftover

_Line = tuple[str, datetime, str, str, str, str, str]

_SOMETHING = ""
"""The identity of a thing that is only known to be there."""
_DISPOSED = ("done", "accepted")
"""The outcomes that changed something at the place; a refusal or a failure did not."""


def note_begun(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Write lines of the audit, and nothing else."""
    _write(connection, entries)


def note_removed(connection: Connection, several: Sequence[TriedRemoval]) -> None:
    """Write lines of the audit, and what became of the leftovers; a line that is there already changes nothing.

    What is still there of a canary that was clean makes it outstanding again.
    """
    # In one order, so that two processes that clean the same canaries seldom lock each other out (and then try again).
    in_order = sorted(several, key=lambda one: one.entry.canary_id)
    paths = _paths_of(connection, {one.entry.canary_id for one in in_order})
    new = _write(connection, [one.entry for one in in_order])
    counted = []
    for one in in_order:
        if one.entry.canary_id in paths and (line := _line(one.entry)) in new:
            new.discard(line)
            counted.append(one)
    gone = [one.entry for one in counted if one.next_at is None]
    still_there = [(one.entry, one.next_at) for one in counted if one.next_at is not None]
    _gone(connection, gone, paths)
    _still_there(connection, still_there, paths)
    latest = max(one.entry.at for one in several)
    outbox.enqueue_traces(connection, _parts(connection, [one.entry for one in counted]), at=latest)
    tally = Tally(latest)
    for one in counted:
        labels = {"path": paths[one.entry.canary_id], "kind": one.entry.kind, "outcome": one.entry.outcome}
        tally.count(metrics.CLEANUP_ATTEMPTS, labels)
    tally.write(connection)


def finish_clean(connection: Connection, canary_ids: Sequence[CanaryId], *, at: datetime) -> None:
    """Nothing of these canaries is left, and none can come any more."""
    for chunk in chunks(sorted(_paths_of(connection, canary_ids))):
        connection.execute(_IS_CLEAN, {"b_ids": chunk, "b_at": at})
        connection.execute(_ALL_GONE, {"b_ids": chunk})
        connection.execute(delete(lease).where(lease.c.canary_id.in_(chunk)))


_IS_CLEAN = (
    update(canary)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)), canary.c.is_clean == false())
    .values(is_clean=true(), cleaned_at=bindparam("b_at"))
)
_ALL_GONE = (
    update(leftover)
    .where(leftover.c.canary_id.in_(bindparam("b_ids", expanding=True)))
    .values(is_gone=true())
)
_REMAINING = (
    select(leftover)
    .where(leftover.c.is_gone == false())
    .order_by(leftover.c.since_at, leftover.c.canary_id, leftover.c.kind, leftover.c.place, leftover.c.what)
)


def leftovers(connection: Connection) -> list[Leftover]:
    """All that is still to be removed, oldest first."""
    rows = connection.execute(_REMAINING)
    return [
        Leftover(
            canary_id=CanaryId(row.canary_id),
            path=PathName(row.path),
            kind=RemovalKind(row.kind),
            place=row.place,
            what=row.what,
            attempts=row.attempts,
            next_at=row.next_at,
            since=row.since_at,
            detail=row.detail,
        )
        for row in rows
    ]


def read_audit(connection: Connection, *, since: datetime | None, limit: int) -> list[AuditEntry]:
    """The audit, newest first."""
    statement = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(limit)
    if since is not None:
        statement = statement.where(audit.c.at >= since)
    return [
        AuditEntry(
            at=row.at,
            prober=row.prober,
            canary_id=CanaryId(row.canary_id),
            kind=RemovalKind(row.kind),
            place=row.place,
            what=row.what,
            action=row.action,
            outcome=row.outcome,
            detail=row.detail,
        )
        for row in connection.execute(statement)
    ]


def disposals_since(connection: Connection, place: str, since: datetime) -> int:
    """How many things were removed at a place, or promised to be, since then."""
    return connection.scalar(_DISPOSALS, {"b_place": place, "b_since": since}) or 0


_DISPOSALS = select(func.count()).where(
    audit.c.place == bindparam("b_place"), audit.c.at >= bindparam("b_since"), audit.c.outcome.in_(_DISPOSED)
)


def _line(entry: AuditEntry) -> _Line:
    """What makes a line of the audit the same as another, as it is kept."""
    place, what = storable(entry.place), storable(entry.what)
    return entry.canary_id, entry.at, entry.kind.value, place, what, entry.action, entry.outcome


def _write(connection: Connection, entries: Sequence[AuditEntry]) -> set[_Line]:
    """Write lines of the audit; returns those that were not there already."""
    rows = [
        {
            "at": one.at,
            "prober": one.prober,
            "canary_id": one.canary_id,
            "kind": one.kind,
            "place": one.place,
            "what": one.what,
            "action": one.action,
            "outcome": one.outcome,
            "detail": one.detail,
        }
        for one in entries
    ]
    done = connection.execute(_write_new(connection.dialect.name), rows)
    return {(row.canary_id, row.at, row.kind, row.place, row.what, row.action, row.outcome) for row in done}


@cache
def _write_new(dialect: str) -> Executable:
    columns = audit.c
    return insert_or_nothing(dialect, audit).returning(
        columns.canary_id,
        columns.at,
        columns.kind,
        columns.place,
        columns.what,
        columns.action,
        columns.outcome,
    )


_PATHS = (
    select(canary.c.id, canary.c.path)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(canary.c.id)
    .with_for_update()
)
_TRIES = (
    select(audit.c.canary_id, func.count().label("tries"))
    .where(audit.c.canary_id.in_(bindparam("b_ids", expanding=True)), audit.c.outcome != BEGUN)
    .group_by(audit.c.canary_id)
)
_THING = (
    leftover.c.canary_id == bindparam("b_id"),
    leftover.c.kind == bindparam("b_kind"),
    leftover.c.place == bindparam("b_place"),
    leftover.c.what == bindparam("b_what"),
)
_IS_GONE = update(leftover).where(*_THING).values(is_gone=true())
_TRIED = update(leftover).where(*_THING).values(attempts=leftover.c.attempts + 1, is_gone=false())
_IS_UNCLEAN = (
    update(canary)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)), canary.c.is_clean == true())
    .values(is_clean=false(), cleaned_at=None)
)


def _paths_of(connection: Connection, wanted: Collection[CanaryId]) -> dict[CanaryId, PathName]:
    """The canaries' paths, their rows held, so that one canary is cleaned by one transaction at a time."""
    found: dict[CanaryId, PathName] = {}
    for chunk in chunks(sorted(wanted)):
        found |= {row.id: row.path for row in connection.execute(_PATHS, {"b_ids": chunk})}
    return found


def _parts(connection: Connection, written: Sequence[AuditEntry]) -> list[tuple[CanaryId, str]]:
    """The parts of traces that lines which were just written stand for: a canary's tries are numbered from 1."""
    added = Counter(one.canary_id for one in written)
    parts = []
    for chunk in chunks(sorted(added)):
        for row in connection.execute(_TRIES, {"b_ids": chunk}):
            first = row.tries - added[row.canary_id] + 1
            parts += [(row.canary_id, cleanup_part(number)) for number in range(first, row.tries + 1)]
    return parts


def _key(entry: AuditEntry, what: str) -> dict[str, Any]:
    return {"b_id": entry.canary_id, "b_kind": entry.kind, "b_place": entry.place, "b_what": what}


def _gone(connection: Connection, entries: Sequence[AuditEntry], paths: Mapping[CanaryId, PathName]) -> None:
    """Mark them gone; whatever of their kind was only known to be there is found with them."""
    things = [_key(one, what) for one in entries for what in sorted({one.what, _SOMETHING})]
    if things:
        connection.execute(_IS_GONE, things)
    named = [one for one in entries if one.what != _SOMETHING]
    _insert(connection, [_row(one, paths, attempts=1, next_at=one.at, is_gone=True) for one in named])


def _still_there(
    connection: Connection,
    entries: Sequence[tuple[AuditEntry, datetime]],
    paths: Mapping[CanaryId, PathName],
) -> None:
    if not entries:
        return
    _insert(
        connection,
        [_row(one, paths, attempts=0, next_at=next_at, is_gone=False) for one, next_at in entries],
    )
    connection.execute(
        _TRIED,
        [{**_key(one, one.what), "next_at": next_at, "detail": one.detail} for one, next_at in entries],
    )
    for chunk in chunks(sorted({one.canary_id for one, _ in entries})):
        connection.execute(_IS_UNCLEAN, {"b_ids": chunk})


def _row(
    entry: AuditEntry,
    paths: Mapping[CanaryId, PathName],
    *,
    attempts: int,
    next_at: datetime,
    is_gone: bool,
) -> dict[str, Any]:
    return {
        "canary_id": entry.canary_id,
        "kind": entry.kind,
        "place": entry.place,
        "what": entry.what,
        "path": paths[entry.canary_id],
        "attempts": attempts,
        "next_at": next_at,
        "since_at": entry.at,
        "detail": entry.detail,
        "url": None,
        "is_gone": is_gone,
    }


def _insert(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert_or_nothing(connection.dialect.name, leftover), rows)
