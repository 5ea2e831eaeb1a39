"""Several paths at once: what their states are judged by, and their past in figures.

Each statement walks an index from its newest end, so that a million canaries cost what a hundred do. What is read of
many rows comes as the numbers and words that are stored: to make a time or a verdict of each takes longer than to
read them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    bindparam,
    func,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.engine import Connection

from canary.ahead import MOST_AHEAD
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
from runners.store.tables import canary, judgement, missed_slot, slot

_Columns = Sequence[Any]
_OfOne = Callable[[BindParameter[str]], Select[Any]]
_LAST_VERDICTS = 10
_EVER: Final = datetime.max.replace(tzinfo=UTC)
_UPTO: Final[BindParameter[Any]] = bindparam("b_upto", type_=canary.c.settled_at.type)
_TOGETHER = 25
"""So many paths a statement."""
_VERDICTS: Final = {one.value: one for one in Verdict}
_COUNTING: Final = frozenset(one.value for one in Verdict if one is Verdict.CONFIRMED or one.is_breach)


def _number(column: ColumnElement[Any]) -> ColumnElement[int]:
    """A time as it is stored."""
    return type_coerce(column, BigInteger)


def _newest(path: BindParameter[str]) -> Select[Any]:
    """By their launches alone: with the ids in the order, too, the databases sort what the index has in order."""
    return (
        select(canary.c.path, canary.c.id, _number(canary.c.launched_at), canary.c.verdict, canary.c.seconds)
        .where(canary.c.path == path, canary.c.launched_at <= _UPTO)
        .order_by(canary.c.launched_at.desc())
        .limit(bindparam("b_most"))
    )


def _settled(path: BindParameter[str]) -> Select[Any]:
    return (
        select(canary.c.path, _number(canary.c.settled_at), _number(canary.c.launched_at), canary.c.verdict)
        .where(canary.c.path == path, canary.c.settled_at <= _UPTO)
        .order_by(canary.c.settled_at.desc(), canary.c.launched_at.desc())
        .limit(_LAST_VERDICTS)
    )


_LAST_SUCCESS = (
    select(canary.c.settled_at)
    .where(
        canary.c.path == bindparam("b_path"),
        canary.c.verdict == Verdict.CONFIRMED.value,
        canary.c.settled_at <= _UPTO,
    )
    .order_by(canary.c.settled_at.desc())
    .limit(1)
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
_FIRST_SLOTS = tuple(
    select(table.c.path, func.min(table.c.slot_at)).where(table.c.path.in_(_PATHS)).group_by(table.c.path)
    for table in (slot, missed_slot)
)
_ADDED = (
    select(day.c.path, day.c.verdict, func.sum(day.c.canaries))
    .where(day.c.path.in_(_PATHS), day.c.day >= bindparam("b_day"))
    .group_by(day.c.path, day.c.verdict)
)


def glances(
    connection: Connection, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
) -> dict[PathName, Glance]:
    """What the state of each path is judged by, and so many of its newest canaries."""
    paths = list(windows)
    upto = now + MOST_AHEAD
    newest = _not_ahead(connection, _newest, paths, upto, b_most=max(RECENT, points))
    settled = _not_ahead(connection, _settled, paths, upto)
    facts: dict[PathName, PathFacts] = {}
    wanted: dict[PathName, list[CanaryId]] = {}
    for path, window in windows.items():
        rows = newest[path] = sorted(newest[path], key=itemgetter(2, 1), reverse=True)
        wanted[path] = _wanted([(row[1], row[3]) for row in rows[:RECENT]], window)
        last = sorted(settled[path], key=itemgetter(1, 2), reverse=True)
        verdicts = [(instant(at), _VERDICTS[verdict]) for _, at, _, verdict in last]
        facts[path] = _facts(connection, path, instant(rows[0][2]) if rows else None, verdicts, upto)
    gists = _gists(connection, [one for ids in wanted.values() for one in ids])
    first_slots = _first_slots(connection, [path for path in paths if not facts[path].verdicts])
    return {
        path: Glance(
            facts[path],
            recent=tuple(gists[one] for one in ids if one in gists),
            points=_points(path, newest[path][:points]),
            first_slot_at=first_slots.get(path),
        )
        for path, ids in wanted.items()
    }


def _first_slots(connection: Connection, paths: Sequence[PathName]) -> dict[PathName, datetime]:
    """The first slot of each path, whether somebody claimed it or it was missed."""
    found: dict[PathName, datetime] = {}
    for some in chunks(paths):
        for statement in _FIRST_SLOTS:
            for path, at in connection.execute(statement, {"b_paths": some}):
                found[path] = min(at, found.get(path, at))
    return found


def _points(path: PathName, rows: Sequence[_Columns]) -> tuple[Point, ...]:
    return tuple(
        Point(CanaryId(canary_id), path, instant(at), _VERDICTS[verdict], seconds)
        for _, canary_id, at, verdict, seconds in rows
    )


def _facts(
    connection: Connection,
    path: PathName,
    last_launch_at: datetime | None,
    last: Sequence[tuple[datetime, Verdict]],
    upto: datetime,
) -> PathFacts:
    """As `settling.path_facts`; the last success is mostly among the last verdicts. One that lies ahead is one, too."""
    confirmed = [at for at, verdict in last if verdict is Verdict.CONFIRMED]
    other: datetime | None = None
    if last and not confirmed:
        for until in (upto, _EVER) if len(last) == _LAST_VERDICTS else (_EVER,):
            other = other or connection.scalar(_LAST_SUCCESS, {"b_path": path, "b_upto": until})
    return PathFacts(
        last_launch_at=last_launch_at,
        last_verdict_at=last[0][0] if last else None,
        last_success_at=confirmed[0] if confirmed else other,
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
        CanaryId(canary_id): _gist(body)
        for chunk in chunks(canary_ids)
        for canary_id, body in connection.execute(_JUDGED, {"b_ids": chunk}).all()
    }


@lru_cache(maxsize=2048)
def _gist(body: str) -> Gist:
    """Read once: when a page is read anew, most paths have been judged no further."""
    return codec.loads(Gist, body)


def pasts(connection: Connection, paths: Sequence[PathName], *, since: datetime) -> dict[PathName, Past]:
    """The verdicts and missed slots of each path from that day on."""
    missed: dict[str, int] = {}
    verdicts: dict[str, dict[Verdict, int]] = {}
    for chunk in chunks(paths):
        counted = connection.execute(_MISSED, {"b_paths": chunk, "b_since": since}).all()
        missed |= {path: slots for path, slots in counted}  # noqa: C416 -- a row is no pair for mypy
        for path, verdict, count in connection.execute(_ADDED, {"b_paths": chunk, "b_day": date_of(since)}):
            verdicts.setdefault(path, {})[_VERDICTS[verdict]] = int(count)
    return {path: Past(verdicts.get(path, {}), missed.get(path, 0)) for path in paths}


def _not_ahead(
    connection: Connection, of_one: _OfOne, paths: Sequence[PathName], upto: datetime, **values: object
) -> dict[PathName, list[_Columns]]:
    """The newest rows of each path up to that time; of one that has none, those that lie ahead of it."""
    found = _of_each(connection, of_one, paths, b_upto=upto, **values)
    without = [path for path in paths if not found[path]]
    return found | _of_each(connection, of_one, without, b_upto=_EVER, **values)


def _of_each(
    connection: Connection, of_one: _OfOne, paths: Sequence[PathName], **values: object
) -> dict[PathName, list[_Columns]]:
    """The rows of each path, whose name is their first column, in no order."""
    found: dict[PathName, list[_Columns]] = {path: [] for path in paths}
    for start in range(0, len(paths), _TOGETHER):
        several = paths[start : start + _TOGETHER]
        named = {f"b_path_{number}": path for number, path in enumerate(several)}
        for row in connection.execute(_together(of_one, len(several)), {**named, **values}).all():
            found[row[0]].append(row)
    return found


@cache
def _together(of_one: _OfOne, count: int) -> CompoundSelect[Any]:
    """One statement for so many paths: to send a statement takes longer than to read what it finds."""
    return union_all(*(select(of_one(bindparam(f"b_path_{number}")).subquery()) for number in range(count)))
