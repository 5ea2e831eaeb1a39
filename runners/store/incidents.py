"""Incidents as the fold left them, and what the fold remembers of each path."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.engine import Connection

from canary.incident import Change, Incident, IncidentKind, Progress, Transition
from canary.instruments import metrics
from canary.path import PathName
from runners.contracts import SettlementConflict
from runners.store import codec, plain
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_into, insert_or_nothing
from runners.store.tables import incident, incident_transition, path_progress


@dataclass(frozen=True, slots=True)
class Grown:
    """What the fold remembers of a path from now on (None: as before), and the version that it was computed from."""

    path: PathName
    fresh: Progress | None
    version: int
    at: datetime


def progress(connection: Connection, path: PathName) -> tuple[Progress, int]:
    """What the fold remembers of a path, and its version."""
    return progress_of(connection, [path])[path]


def progress_of(connection: Connection, paths: Sequence[PathName]) -> dict[PathName, tuple[Progress, int]]:
    """What the fold remembers of several paths, by name."""
    found = {path: (Progress(), 0) for path in paths}
    for chunk in chunks(list(found)):
        for row in connection.execute(_PROGRESS, {"b_paths": chunk}):
            found[row.path] = (codec.loads(Progress, row.body), row.version)
    return found


_PROGRESS = select(path_progress).where(path_progress.c.path.in_(bindparam("b_paths", expanding=True)))
_VERSIONS = (
    select(path_progress.c.path, path_progress.c.version)
    .where(path_progress.c.path.in_(bindparam("b_paths", expanding=True)))
    .order_by(path_progress.c.path)
    .with_for_update()
)
_GROW = update(path_progress).where(path_progress.c.path == bindparam("b_path"))


def store_progress(connection: Connection, several: Sequence[Grown]) -> None:
    """Store what the fold remembers, and the open incidents as it now sees them.

    Two of one path follow one another: the second was computed from the version that the first makes.

    Raises:
        SettlementConflict: a stored version is not the one that was read.
    """
    stored: dict[PathName, int] = {}
    for chunk in chunks(sorted({one.path for one in several})):
        stored |= {row.path: row.version for row in connection.execute(_VERSIONS, {"b_paths": chunk})}
    new = {one.path for one in several} - set(stored)
    rows = _follow(stored, several)
    _begin(connection, {path: rows[path] for path in sorted(new)})
    grown = [{"b_path": path, **row} for path, row in sorted(rows.items()) if path not in new]
    if grown:
        connection.execute(_GROW, grown)
    remembered = [one.fresh for one in several if one.fresh is not None]
    for still_open in (kept for one in remembered for kept in (one.target, one.blindness)):
        if still_open is not None:
            _keep(connection, still_open)


def _follow(stored: dict[PathName, int], several: Sequence[Grown]) -> dict[PathName, dict[str, Any]]:
    """The row of each path after all of them, each computed from the version that the one before it made."""
    rows: dict[PathName, dict[str, Any]] = {}
    for one in several:
        if stored.get(one.path, 0) != one.version:
            raise SettlementConflict(f"the progress of path {one.path} is no longer at version {one.version}")
        if one.fresh is not None or one.version == 0:
            stored[one.path] = one.version + 1
            body = codec.dumps(one.fresh or Progress())
            rows[one.path] = {"version": one.version + 1, "updated_at": one.at, "body": body}
    return rows


def _begin(connection: Connection, rows: Mapping[PathName, Mapping[str, Any]]) -> None:
    """Insert the rows of paths of which nothing was remembered; another process may do the same at this moment."""
    if not rows:
        return
    statement = insert_or_nothing(connection.dialect.name, path_progress).returning(path_progress.c.path)
    done = connection.scalars(statement, [{"path": path, **row} for path, row in rows.items()])
    if missing := set(rows) - set(done):
        raise SettlementConflict(f"the progress of path {min(missing)} is no longer at version 0")


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


def lasting(connection: Connection) -> list[Incident]:
    """All that last, newest first; by the partial index, so that the ended ones cost nothing."""
    return [codec.loads(Incident, row.body) for row in plain.execute(connection, _ALL_LASTING)]


_ALL_LASTING = "SELECT body FROM incident WHERE resolved_at IS NULL ORDER BY opened_at DESC"
_LASTING = "SELECT body, opened_at, id FROM incident WHERE resolved_at IS NULL {of_path}"
_ENDED = """
    SELECT body, opened_at, id FROM incident WHERE resolved_at IS NOT NULL {of_path} {is_recent}
    ORDER BY opened_at DESC, id DESC LIMIT :most
"""


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
    given: dict[str, object] = {} if path is None else {"path": path}
    of_path = "" if path is None else "AND path = :path"
    lasting = plain.execute(connection, _LASTING.format(of_path=of_path), given).all()
    is_recent = "" if since is None else "AND (opened_at >= :since OR resolved_at >= :since)"
    given |= {"most": max(0, limit - len(lasting))} | (
        {} if since is None else {"since": plain.moment(since)}
    )
    over = plain.execute(connection, _ENDED.format(of_path=of_path, is_recent=is_recent), given).all()
    rows = sorted((*lasting, *over), key=lambda row: (row.opened_at, row.id), reverse=True)
    return [codec.loads(Incident, row.body) for row in rows]


def one(connection: Connection, incident_id: str) -> Incident | None:
    """One incident as it now stands; None where there is none."""
    body = connection.scalar(select(incident.c.body).where(incident.c.id == incident_id))
    return codec.loads(Incident, body) if body is not None else None


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
