"""Sights of canaries' tickets: with the mark of the quarantine rule, or without; one a canary."""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import Executable
from sqlalchemy.engine import Connection

from canary.observation import Observation
from canary.path import PathName
from canary.quarantine import Quarantine
from runners.quarantine_contracts import sight_of
from runners.store import plain
from runners.store.columns import instant
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import quarantine_sight

_MISSES = """
    SELECT path, count(*) AS misses, min(at) AS since_at FROM quarantine_sight AS sight
    WHERE path IN ({paths}) AND is_marked = false AND NOT EXISTS (
        SELECT * FROM quarantine_sight AS later
        WHERE later.path = sight.path AND later.is_marked = true AND later.at >= sight.at
    )
    GROUP BY path
"""
_MARKED = """
    SELECT path, max(at) AS marked_at FROM quarantine_sight
    WHERE path IN ({paths}) AND is_marked = true GROUP BY path
"""


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
        names, values = plain.listed("path", chunk)
        marked = {
            row.path: row.marked_at for row in plain.execute(connection, _MARKED.format(paths=names), values)
        }
        missed = {row.path: row for row in plain.execute(connection, _MISSES.format(paths=names), values)}
        for path in chunk:
            row = missed.get(path)
            found[path] = Quarantine(
                misses=row.misses if row is not None else 0,
                since=instant(row.since_at) if row is not None else None,
                marked_at=plain.time_of(marked.get(path)),
            )
    return found
