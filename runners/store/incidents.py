"""Incidents as the fold left them, and what the fold remembers of each path."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, or_, select, update
from sqlalchemy.engine import Connection

from canary.incident import Change, Incident, IncidentKind, Progress, Transition
from canary.instruments import metrics
from canary.path import PathName
from runners.contracts import SettlementConflict
from runners.store import codec
from runners.store.counters import Tally
from runners.store.sql import insert_into, inserted
from runners.store.tables import incident, incident_transition, path_progress


def progress(connection: Connection, path: PathName) -> tuple[Progress, int]:
    """What the fold remembers of a path, and its version."""
    row = connection.execute(select(path_progress).where(path_progress.c.path == path)).one_or_none()
    if row is None:
        return Progress(), 0
    return codec.loads(Progress, row.body), row.version


def store_progress(
    connection: Connection, path: PathName, fresh: Progress | None, *, version: int, at: datetime
) -> None:
    """Store what the fold remembers, and the open incidents as it now sees them; None leaves both as they are.

    Raises:
        SettlementConflict: the stored version is not the one that was read.
    """
    table = path_progress
    if version == 0:
        is_ours = inserted(
            connection, table, path=path, version=1, updated_at=at, body=codec.dumps(fresh or Progress())
        )
        stored = 0 if is_ours else None
    else:
        found = select(table.c.version).where(table.c.path == path).with_for_update()
        stored = connection.scalar(found)
    if stored != version:
        raise SettlementConflict(f"the progress of path {path} is no longer at version {version}")
    if fresh is None:
        return
    if version:
        connection.execute(
            update(table)
            .where(table.c.path == path)
            .values(version=version + 1, updated_at=at, body=codec.dumps(fresh))
        )
    for still_open in (fresh.target, fresh.blindness):
        if still_open is not None:
            _keep(connection, still_open)


def store_changes(connection: Connection, changes: Sequence[Change], *, tally: Tally, at: datetime) -> None:
    """Store incidents that opened, changed or ended; count those of the target that opened."""
    for change in changes:
        _keep(connection, change.incident)
        connection.execute(
            insert(incident_transition).values(
                incident_id=change.incident.id,
                at=at,
                transition=change.transition,
                body=codec.dumps(change.incident),
            )
        )
        if change.transition is Transition.OPENED and change.incident.kind is IncidentKind.TARGET:
            opened = change.incident
            tally.count(metrics.INCIDENTS, {"path": opened.path, "blame": opened.stop.hop})
            delay_seconds = (at - opened.onset_at).total_seconds()
            tally.measure(metrics.INCIDENT_DETECTION_DELAY, {"path": opened.path}, delay_seconds)


def change(
    connection: Connection,
    path: PathName,
    fresh: Progress,
    *,
    version: int,
    changes: Sequence[Change],
    at: datetime,
) -> None:
    """Store a change that no verdict made, as that of a path that was retired.

    Raises:
        SettlementConflict: the stored version is not the one that was read.
    """
    store_progress(connection, path, fresh, version=version, at=at)
    tally = Tally(at)
    store_changes(connection, changes, tally=tally, at=at)
    tally.write(connection)


def find(
    connection: Connection, *, path: PathName | None, since: datetime | None, limit: int
) -> list[Incident]:
    """Incidents, newest first: all that are open, and as many ended ones as the limit leaves room for.

    Args:
        connection: an open transaction.
        path: of this path only.
        since: only those that still lasted then.
        limit: how many at most, open ones not refused.
    """
    statement = select(incident.c.body, incident.c.opened_at, incident.c.id)
    if path is not None:
        statement = statement.where(incident.c.path == path)
    lasting = connection.execute(statement.where(incident.c.resolved_at.is_(None))).all()
    ended = statement.where(incident.c.resolved_at.is_not(None))
    if since is not None:
        ended = ended.where(or_(incident.c.opened_at >= since, incident.c.resolved_at >= since))
    newest = ended.order_by(incident.c.opened_at.desc(), incident.c.id.desc())
    over = connection.execute(newest.limit(max(0, limit - len(lasting)))).all()
    rows = sorted((*lasting, *over), key=lambda row: (row.opened_at, row.id), reverse=True)
    return [codec.loads(Incident, row.body) for row in rows]


def transitions(connection: Connection, incident_id: str) -> list[tuple[datetime, Transition]]:
    """What happened to an incident, oldest first."""
    table = incident_transition
    rows = connection.execute(select(table).where(table.c.incident_id == incident_id).order_by(table.c.id))
    return [(row.at, Transition(row.transition)) for row in rows]


def _keep(connection: Connection, one: Incident) -> None:
    known_as = one.sharper or one.stop
    values = {
        "path": one.path,
        "kind": one.kind.value,
        "onset_at": one.onset_at,
        "opened_at": one.opened_at,
        "resolved_at": one.resolved_at,
        "blame": known_as.hop.value,
        "reason": known_as.reason.value,
        "body": codec.dumps(one),
    }
    connection.execute(
        insert_into(connection.dialect.name, incident)
        .values(id=one.id, **values)
        .on_conflict_do_update(index_elements=[incident.c.id], set_=values)
    )
