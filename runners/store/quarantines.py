"""Sights of canaries' tickets: with the mark of the quarantine rule, or without; one a canary."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Executable, bindparam, exists, false, func, select, true
from sqlalchemy.engine import Connection

from canary.observation import Observation
from canary.path import PathName
from canary.quarantine import Quarantine
from runners.quarantine_contracts import sight_of
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import quarantine_sight

_later = quarantine_sight.alias("later")
_MISSES = (
    select(
        quarantine_sight.c.path,
        func.count().label("misses"),
        func.min(quarantine_sight.c.at).label("since_at"),
    )
    .where(
        quarantine_sight.c.path.in_(bindparam("b_paths", expanding=True)),
        quarantine_sight.c.is_marked == false(),
        ~exists().where(
            _later.c.path == quarantine_sight.c.path,
            _later.c.is_marked == true(),
            _later.c.at >= quarantine_sight.c.at,
        ),
    )
    .group_by(quarantine_sight.c.path)
)
_MARKED = (
    select(quarantine_sight.c.path, func.max(quarantine_sight.c.at).label("marked_at"))
    .where(
        quarantine_sight.c.path.in_(bindparam("b_paths", expanding=True)),
        quarantine_sight.c.is_marked == true(),
    )
    .group_by(quarantine_sight.c.path)
)


def note_sights(connection: Connection, seen: Sequence[tuple[PathName, Observation]]) -> None:
    """Keep what new observations say of the rule; the first sight of a canary stands for good."""
    rows: dict[str, dict[str, object]] = {}
    for path, one in seen:
        sight = sight_of(one)
        if sight is not None:
            values = {"path": path, "at": sight.at, "is_marked": sight.is_marked}
            rows.setdefault(sight.canary_id, {"canary_id": sight.canary_id, **values})
    if rows:
        # In one order for all processes: two who note several at once don't wait for each other.
        connection.execute(_insert(connection.dialect.name), [rows[one] for one in sorted(rows)])


@cache
def _insert(dialect: str) -> Executable:
    return insert_or_nothing(dialect, quarantine_sight)


def quarantines(connection: Connection, *, paths: Sequence[PathName]) -> dict[PathName, Quarantine]:
    """How well the rule works for each of these paths."""
    found = {one: Quarantine() for one in paths}
    for chunk in chunks(list(found)):
        marked = {row.path: row.marked_at for row in connection.execute(_MARKED, {"b_paths": chunk})}
        missed = {row.path: row for row in connection.execute(_MISSES, {"b_paths": chunk})}
        for path in chunk:
            row = missed.get(path)
            found[path] = Quarantine(
                misses=row.misses if row is not None else 0,
                since=row.since_at if row is not None else None,
                marked_at=marked.get(path),
            )
    return found
