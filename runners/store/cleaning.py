"""Cleaning: what is left over of canaries, and the append-only audit of what was done about it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import false, func, select, true, update
from sqlalchemy.engine import Connection

from canary.instruments import metrics
from canary.path import PathName
from canary.signature import CanaryId
from runners.contracts import BEGUN, AuditEntry, Leftover, RemovalKind, TriedRemoval
from runners.store import outbox
from runners.store.counters import Tally
from runners.store.sql import chunks, inserted
from runners.store.tables import audit, canary, leftover

_SOMETHING = ""
"""The identity of a thing that is only known to be there."""
_DISPOSED = ("done", "accepted")
"""The outcomes that changed something at the place; a refusal or a failure did not."""


def note_begun(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Write lines of the audit, and nothing else."""
    for entry in entries:
        _write(connection, entry)


def note_removed(connection: Connection, several: Sequence[TriedRemoval]) -> None:
    """Write lines of the audit, and what became of the leftovers; a line that is there already changes nothing.

    What is still there of a canary that was clean makes it outstanding again.
    """
    tally = Tally(max(one.entry.at for one in several))
    # In one order, so that two processes that clean the same canaries seldom lock each other out (and then try again).
    for one in sorted(several, key=lambda one: one.entry.canary_id):
        _note_removed(connection, one.entry, one.next_at, tally)
    tally.write(connection)


def _note_removed(connection: Connection, entry: AuditEntry, next_at: datetime | None, tally: Tally) -> None:
    path = _path_of(connection, entry.canary_id)
    if not _write(connection, entry) or path is None:
        return
    if next_at is None:
        _gone(connection, entry, path)
    else:
        _still_there(connection, entry, path, next_at)
    outbox.enqueue_trace(
        connection, entry.canary_id, outbox.cleanup_part(_tries(connection, entry.canary_id)), at=entry.at
    )
    tally.count(metrics.CLEANUP_ATTEMPTS, {"path": path, "kind": entry.kind, "outcome": entry.outcome})


def finish_clean(connection: Connection, canary_ids: Sequence[CanaryId], *, at: datetime) -> None:
    """Nothing of these canaries is left, and none can come any more."""
    for chunk in chunks(canary_ids):
        connection.execute(
            update(canary)
            .where(canary.c.id.in_(chunk), canary.c.is_clean == false())
            .values(is_clean=True, cleaned_at=at)
        )
        connection.execute(update(leftover).where(leftover.c.canary_id.in_(chunk)).values(is_gone=True))


def leftovers(connection: Connection) -> list[Leftover]:
    """All that is still to be removed, oldest first."""
    table = leftover
    rows = connection.execute(
        select(table)
        .where(table.c.is_gone == false())
        .order_by(table.c.since_at, table.c.canary_id, table.c.kind, table.c.place, table.c.what)
    )
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
    counted = select(func.count()).where(
        audit.c.place == place, audit.c.at >= since, audit.c.outcome.in_(_DISPOSED)
    )
    return connection.scalar(counted) or 0


def _write(connection: Connection, entry: AuditEntry) -> bool:
    """Write one line of the audit; False where it is there already."""
    return inserted(
        connection,
        audit,
        at=entry.at,
        prober=entry.prober,
        canary_id=entry.canary_id,
        kind=entry.kind,
        place=entry.place,
        what=entry.what,
        action=entry.action,
        outcome=entry.outcome,
        detail=entry.detail,
    )


def _path_of(connection: Connection, canary_id: CanaryId) -> PathName | None:
    """The canary's path, its row held, so that one canary is cleaned by one transaction at a time; None: unknown."""
    held = select(canary.c.path).where(canary.c.id == canary_id).with_for_update()
    path = connection.scalar(held)
    return PathName(path) if path is not None else None


def _tries(connection: Connection, canary_id: CanaryId) -> int:
    """How many tries to remove something of a canary the audit has the end of."""
    tried = select(func.count()).where(audit.c.canary_id == canary_id, audit.c.outcome != BEGUN)
    return connection.scalar(tried) or 0


def _gone(connection: Connection, entry: AuditEntry, path: PathName) -> None:
    """Mark it gone; whatever of the kind was only known to be there is found with it."""
    for what in {entry.what, _SOMETHING}:
        connection.execute(
            update(leftover)
            .where(
                leftover.c.canary_id == entry.canary_id,
                leftover.c.kind == entry.kind.value,
                leftover.c.place == entry.place,
                leftover.c.what == what,
            )
            .values(is_gone=True)
        )
    if entry.what != _SOMETHING:
        _insert(connection, entry, path, attempts=1, next_at=entry.at, is_gone=True)


def _still_there(connection: Connection, entry: AuditEntry, path: PathName, next_at: datetime) -> None:
    _insert(connection, entry, path, attempts=0, next_at=next_at, is_gone=False)
    connection.execute(
        update(leftover)
        .where(
            leftover.c.canary_id == entry.canary_id,
            leftover.c.kind == entry.kind.value,
            leftover.c.place == entry.place,
            leftover.c.what == entry.what,
        )
        .values(attempts=leftover.c.attempts + 1, next_at=next_at, detail=entry.detail, is_gone=False)
    )
    connection.execute(
        update(canary)
        .where(canary.c.id == entry.canary_id, canary.c.is_clean == true())
        .values(is_clean=False, cleaned_at=None)
    )


def _insert(
    connection: Connection,
    entry: AuditEntry,
    path: PathName,
    *,
    attempts: int,
    next_at: datetime,
    is_gone: bool,
) -> None:
    inserted(
        connection,
        leftover,
        canary_id=entry.canary_id,
        kind=entry.kind,
        place=entry.place,
        what=entry.what,
        path=path,
        attempts=attempts,
        next_at=next_at,
        since_at=entry.at,
        detail=entry.detail,
        url=None,
        is_gone=is_gone,
    )
