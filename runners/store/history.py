"""A path's past in figures: days, which outlive their canaries, and points for a picture."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, Select, Table, bindparam, select
from sqlalchemy.engine import Connection

from canary.instruments import metrics
from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict
from runners.history import Day, Point
from runners.store.alert_tables import day, day_seconds
from runners.store.sql import insert_into
from runners.store.tables import canary

_TIMED = frozenset({Verdict.CONFIRMED, Verdict.LATE})
_AFTER_BREACH = frozenset({Verdict.LATE, Verdict.LOST})


def count_days(connection: Connection, reached: Sequence[tuple[Judgement, datetime, Verdict]]) -> None:
    """Count canaries that reached a verdict into their days: each with its launch, and the verdict that it had."""
    verdicts: Counter[tuple[str, str, str]] = Counter()
    seconds: Counter[tuple[str, str, int]] = Counter()
    for fresh, launched_at, before in reached:
        date = date_of(launched_at)
        if before is Verdict.PENDING and fresh.verdict in _AFTER_BREACH:
            verdicts[fresh.path, date, Verdict.BREACHED] += 1
        verdicts[fresh.path, date, fresh.verdict] += 1
        if fresh.verdict in _TIMED and fresh.seconds is not None:
            bucket = bisect_left(metrics.CANARY_DURATION.bounds, max(0.0, fresh.seconds))
            seconds[fresh.path, date, bucket] += 1
    dialect = connection.dialect.name
    if verdicts:
        connection.execute(
            _bump(dialect, day, "canaries"),
            [
                {"path": path, "day": date, "verdict": verdict, "canaries": count}
                for (path, date, verdict), count in sorted(verdicts.items())
            ],
        )
    if seconds:
        connection.execute(
            _bump(dialect, day_seconds, "measured"),
            [
                {"path": path, "day": date, "bucket": bucket, "measured": count}
                for (path, date, bucket), count in sorted(seconds.items())
            ],
        )


def days(connection: Connection, path: PathName, *, since: datetime) -> list[Day]:
    """A path's days from the one of that time on, oldest first; a day without a verdict is left out."""
    verdicts: dict[str, dict[Verdict, int]] = {}
    counts: dict[str, list[int]] = {}
    wanted = {"b_path": path, "b_day": date_of(since)}
    for date, verdict, canaries in connection.execute(_DAYS, wanted).all():
        verdicts.setdefault(date, {})[Verdict(verdict)] = canaries
    for date, bucket, measured in connection.execute(_DAY_SECONDS, wanted).all():
        buckets = counts.setdefault(date, [0] * (len(metrics.CANARY_DURATION.bounds) + 1))
        buckets[min(bucket, len(buckets) - 1)] += measured
    return [
        Day(
            path,
            datetime.fromisoformat(date).replace(tzinfo=UTC),
            verdicts[date],
            tuple(counts.get(date, ())),
        )
        for date in sorted(verdicts)
    ]


_DAYS = select(day.c.day, day.c.verdict, day.c.canaries).where(
    day.c.path == bindparam("b_path"), day.c.day >= bindparam("b_day")
)
_DAY_SECONDS = select(day_seconds.c.day, day_seconds.c.bucket, day_seconds.c.measured).where(
    day_seconds.c.path == bindparam("b_path"), day_seconds.c.day >= bindparam("b_day")
)


def points(
    connection: Connection,
    path: PathName,
    *,
    since: datetime,
    limit: int,
    until: datetime | None = None,
) -> list[Point]:
    """A path's canaries, newest launch first."""
    statement = select(canary.c.id, canary.c.launched_at, canary.c.verdict, canary.c.seconds)
    statement = statement.where(canary.c.path == path, canary.c.launched_at >= since)
    if until is not None:
        statement = statement.where(canary.c.launched_at <= until)
    newest_first = statement.order_by(canary.c.launched_at.desc(), canary.c.id.desc())
    return _points(connection, path, newest_first.limit(limit))


def ends(
    connection: Connection,
    path: PathName,
    *,
    verdicts: Collection[Verdict],
    since: datetime,
    before: datetime | None,
    each: int,
) -> list[Point]:
    """The first and the last so many of a path's canaries of these verdicts, oldest first."""
    statement = select(canary.c.id, canary.c.launched_at, canary.c.verdict, canary.c.seconds)
    statement = statement.where(
        canary.c.path == path,
        canary.c.launched_at >= since,
        canary.c.verdict.in_(sorted(one.value for one in verdicts)),
    )
    if before is not None:
        statement = statement.where(canary.c.launched_at < before)
    first = statement.order_by(canary.c.launched_at, canary.c.id).limit(each)
    last = statement.order_by(canary.c.launched_at.desc(), canary.c.id.desc()).limit(each)
    found = {one.canary_id: one for part in (first, last) for one in _points(connection, path, part)}
    return sorted(found.values(), key=lambda one: (one.launched_at, one.canary_id))


def _points(connection: Connection, path: PathName, statement: Select[Any]) -> list[Point]:
    return [
        Point(CanaryId(row.id), path, row.launched_at, Verdict(row.verdict), row.seconds)
        for row in connection.execute(statement)
    ]


def date_of(at: datetime) -> str:
    """The UTC day of a time, as the days are kept."""
    return at.astimezone(UTC).date().isoformat()


@cache
def _bump(dialect: str, table: Table, column: str) -> Executable:
    statement = insert_into(dialect, table)
    values: dict[str, Any] = {column: table.c[column] + statement.excluded[column]}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=values)
