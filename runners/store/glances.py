"""Several paths at once: what their states are judged by, and their past in figures.

Each statement walks an index from its newest end, so that a million canaries cost what a hundred do. What is read of
many rows comes as the numbers and words that are stored: to make a time or a verdict of each takes longer than to
read them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, ColumnElement, bindparam, func, select, type_coerce
from sqlalchemy.engine import Connection

from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.contracts import PathFacts
from runners.history import RECENT, Gist, Glance, Past, Point
from runners.store import codec
from runners.store.alert_tables import day
from runners.store.columns import instant
from runners.store.history import date_of
from runners.store.sql import chunks
from runners.store.tables import canary, judgement, missed_slot

_LAST_VERDICTS = 10
_VERDICTS: Final = {one.value: one for one in Verdict}
_COUNTING: Final = frozenset(one.value for one in Verdict if one is Verdict.CONFIRMED or one.is_breach)


def _number(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A time as it is stored."""
    return type_coerce(column, BigInteger)


_OF_PATH = canary.c.path == bindparam("b_path")
_NEWEST = (
    select(canary.c.id, _number(canary.c.launched_at), canary.c.verdict)
    .where(_OF_PATH)
    .order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    .limit(RECENT)
)
_SETTLED = (
    select(_number(canary.c.settled_at), canary.c.verdict)
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
    select(canary.c.id, _number(canary.c.launched_at), canary.c.verdict, canary.c.seconds)
    .where(_OF_PATH, canary.c.launched_at >= bindparam("b_since"))
    .order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    .limit(bindparam("b_points"))
)
_JUDGED = select(judgement.c.canary_id, judgement.c.body).where(
    judgement.c.canary_id.in_(bindparam("b_ids", expanding=True))
)
_PATHS: Final[BindParameter[Any]] = bindparam("b_paths", expanding=True)
_MISSED = (
    select(missed_slot.c.path, func.count())
    .where(missed_slot.c.path.in_(_PATHS), missed_slot.c.slot_at >= bindparam("b_since"))
    .group_by(missed_slot.c.path)
)
_ADDED = (
    select(day.c.path, day.c.verdict, func.sum(day.c.canaries))
    .where(day.c.path.in_(_PATHS), day.c.day >= bindparam("b_day"))
    .group_by(day.c.path, day.c.verdict)
)


def glances(connection: Connection, windows: Mapping[PathName, int]) -> dict[PathName, Glance]:
    """What the state of each path is judged by."""
    facts: dict[PathName, PathFacts] = {}
    wanted: dict[PathName, list[CanaryId]] = {}
    for path, window in windows.items():
        newest = connection.execute(_NEWEST, {"b_path": path}).all()
        facts[path] = _facts(connection, path, instant(newest[0][1]) if newest else None)
        wanted[path] = _wanted([(canary_id, verdict) for canary_id, _, verdict in newest], window)
    gists = _gists(connection, [one for ids in wanted.values() for one in ids])
    return {
        path: Glance(facts[path], tuple(gists[one] for one in ids if one in gists))
        for path, ids in wanted.items()
    }


def _facts(connection: Connection, path: PathName, last_launch_at: datetime | None) -> PathFacts:
    """As `settling.path_facts`; the last success is mostly among the last verdicts."""
    rows = connection.execute(_SETTLED, {"b_path": path}).all()
    last = [(instant(at), _VERDICTS[verdict]) for at, verdict in rows]
    confirmed = [at for at, verdict in last if verdict is Verdict.CONFIRMED]
    may_be_older = not confirmed and len(last) == _LAST_VERDICTS
    older = connection.scalar(_LAST_SUCCESS, {"b_path": path}) if may_be_older else None
    return PathFacts(
        last_launch_at=last_launch_at,
        last_verdict_at=last[0][0] if last else None,
        last_success_at=confirmed[0] if confirmed else older,
        verdicts=tuple(last),
    )


def _wanted(newest: Sequence[tuple[str, str]], window: int) -> list[CanaryId]:
    """The canaries whose judgements matter: to read forty of each path takes longer than all the rest."""
    wanted: list[CanaryId] = []
    counting, is_blind_known = 0, False
    for canary_id, verdict in newest:
        if verdict in _COUNTING and counting < window:
            counting += 1
            wanted.append(CanaryId(canary_id))
        elif verdict == Verdict.INCONCLUSIVE and not is_blind_known:
            is_blind_known = True
            wanted.append(CanaryId(canary_id))
    return wanted


def _gists(connection: Connection, canary_ids: Sequence[CanaryId]) -> dict[CanaryId, Gist]:
    return {
        CanaryId(canary_id): codec.loads(Gist, body)
        for chunk in chunks(canary_ids)
        for canary_id, body in connection.execute(_JUDGED, {"b_ids": chunk}).all()
    }


def pasts(
    connection: Connection, paths: Sequence[PathName], *, since: datetime, points: int
) -> dict[PathName, Past]:
    """The verdicts and missed slots of each path from that day on, and its newest canaries since then."""
    missed: dict[str, int] = {}
    verdicts: dict[str, dict[Verdict, int]] = {}
    for chunk in chunks(paths):
        missed |= {
            path: count for path, count in connection.execute(_MISSED, {"b_paths": chunk, "b_since": since})
        }
        for path, verdict, count in connection.execute(_ADDED, {"b_paths": chunk, "b_day": date_of(since)}):
            verdicts.setdefault(path, {})[_VERDICTS[verdict]] = int(count)
    return {
        path: Past(
            verdicts=verdicts.get(path, {}),
            missed=missed.get(path, 0),
            points=tuple(_points(connection, path, since=since, limit=points)) if points else (),
        )
        for path in paths
    }


def _points(connection: Connection, path: PathName, *, since: datetime, limit: int) -> list[Point]:
    rows = connection.execute(_POINTS, {"b_path": path, "b_since": since, "b_points": limit}).all()
    return [
        Point(CanaryId(canary_id), path, instant(at), _VERDICTS[verdict], seconds)
        for canary_id, at, verdict, seconds in rows
    ]
