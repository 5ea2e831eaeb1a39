"""Several paths at once: what their states are judged by, and their past in figures.

Each statement walks an index from its newest end, so that a million canaries cost what a hundred do.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy.engine import Connection

from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import PathFacts
from runners.history import RECENT, Glance, Past, Point
from runners.store.canaries import records_of
from runners.store.history import days_of
from runners.store.sql import chunks
from runners.store.tables import canary, missed_slot

_LAST_VERDICTS = 10

_OF_PATH = canary.c.path == bindparam("b_path")
_NEWEST = (
    select(canary.c.id, canary.c.launched_at, canary.c.verdict)
    .where(_OF_PATH)
    .order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    .limit(RECENT)
)
_SETTLED = (
    select(canary.c.settled_at, canary.c.verdict)
    .where(_OF_PATH, canary.c.settled_at.is_not(None))
    .order_by(canary.c.settled_at.desc(), canary.c.launched_at.desc())
    .limit(_LAST_VERDICTS)
)
_LAST_SUCCESS = (
    select(canary.c.settled_at)
    .where(_OF_PATH, canary.c.verdict == Verdict.CONFIRMED.value, canary.c.settled_at.is_not(None))
    .order_by(canary.c.settled_at.desc())
    .limit(1)
)
_POINTS = (
    select(canary.c.id, canary.c.launched_at, canary.c.verdict, canary.c.seconds)
    .where(_OF_PATH, canary.c.launched_at >= bindparam("b_since"))
    .order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    .limit(bindparam("b_points"))
)
_MISSED = (
    select(missed_slot.c.path, func.count().label("slots"))
    .where(
        missed_slot.c.path.in_(bindparam("b_paths", expanding=True)),
        missed_slot.c.slot_at >= bindparam("b_since"),
    )
    .group_by(missed_slot.c.path)
)


def glances(connection: Connection, windows: Mapping[PathName, int]) -> dict[PathName, Glance]:
    """What the state of each path is judged by."""
    facts: dict[PathName, PathFacts] = {}
    wanted: dict[PathName, list[CanaryId]] = {}
    for path, window in windows.items():
        newest = connection.execute(_NEWEST, {"b_path": path}).all()
        facts[path] = _facts(connection, path, newest[0].launched_at if newest else None)
        wanted[path] = _wanted([(CanaryId(row.id), Verdict(row.verdict)) for row in newest], window)
    records = records_of(connection, [one for ids in wanted.values() for one in ids])
    return {
        path: Glance(facts[path], tuple(records[one] for one in ids if one in records))
        for path, ids in wanted.items()
    }


def _facts(connection: Connection, path: PathName, last_launch_at: datetime | None) -> PathFacts:
    """As `settling.path_facts`; the last success is mostly among the last verdicts."""
    last = connection.execute(_SETTLED, {"b_path": path}).all()
    confirmed = [row.settled_at for row in last if row.verdict == Verdict.CONFIRMED.value]
    may_be_older = not confirmed and len(last) == _LAST_VERDICTS
    older = connection.scalar(_LAST_SUCCESS, {"b_path": path}) if may_be_older else None
    return PathFacts(
        last_launch_at=last_launch_at,
        last_verdict_at=last[0].settled_at if last else None,
        last_success_at=confirmed[0] if confirmed else older,
        verdicts=tuple((row.settled_at, Verdict(row.verdict)) for row in last),
    )


def _wanted(newest: Sequence[tuple[CanaryId, Verdict]], window: int) -> list[CanaryId]:
    """The canaries whose judgements matter: to read forty of each path takes longer than all the rest."""
    wanted: list[CanaryId] = []
    counting, is_blind_known = 0, False
    for canary_id, verdict in newest:
        counts = verdict is Verdict.CONFIRMED or verdict.is_breach
        if counts and counting < window:
            counting += 1
            wanted.append(canary_id)
        elif verdict is Verdict.INCONCLUSIVE and not is_blind_known:
            is_blind_known = True
            wanted.append(canary_id)
    return wanted


def pasts(
    connection: Connection, paths: Sequence[PathName], *, since: datetime, points: int
) -> dict[PathName, Past]:
    """Days and missed slots of each path since then, and its newest canaries."""
    missed: dict[str, int] = {}
    for chunk in chunks(paths):
        rows = connection.execute(_MISSED, {"b_paths": chunk, "b_since": since})
        missed |= {row.path: row.slots for row in rows}
    days = days_of(connection, paths, since=since)
    return {
        path: Past(
            days=tuple(days.get(path, ())),
            missed=missed.get(path, 0),
            points=tuple(_points(connection, path, since=since, limit=points)),
        )
        for path in paths
    }


def _points(connection: Connection, path: PathName, *, since: datetime, limit: int) -> list[Point]:
    rows = connection.execute(_POINTS, {"b_path": path, "b_since": since, "b_points": limit})
    return [Point(CanaryId(row.id), path, row.launched_at, Verdict(row.verdict), row.seconds) for row in rows]
