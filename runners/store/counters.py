"""Counters and histograms: tables bumped in the transaction of the fact that they count, never recomputed.

Bumps of one transaction are gathered in a `Tally` and written at its end in one order, so that two transactions that
count the same series never wait for each other in a circle.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Executable, bindparam, case, func, select
from sqlalchemy.engine import Connection, Row

from canary.instruments import Instrument, by_name
from canary.trace import TraceId
from runners.contracts import Exemplar, Sample
from runners.store import plain
from runners.store.columns import instant
from runners.store.sql import insert_into, insert_or_nothing
from runners.store.tables import counter, histogram


@dataclass(slots=True)
class _Bucket:
    """What one transaction measured into one bucket of a series; the exemplar is the newest with a trace."""

    count: int = 0
    sum: float = 0.0
    min: float | None = None
    max: float | None = None
    trace_id: TraceId | None = None
    traced_value: float | None = None

    def add(self, value: float, trace_id: TraceId | None) -> None:
        self.take(1, value, value, value)
        if trace_id is not None:
            self.trace_id, self.traced_value = trace_id, value

    def take(self, count: int, total: float, least: float | None, greatest: float | None) -> None:
        self.count += count
        self.sum += total
        if least is not None:
            self.min = least if self.min is None else min(self.min, least)
        if greatest is not None:
            self.max = greatest if self.max is None else max(self.max, greatest)


class Tally:
    """What one transaction counts."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._counts: dict[tuple[str, str], float] = {}
        self._buckets: dict[tuple[str, str, int], _Bucket] = {}

    def count(self, instrument: Instrument, labels: Mapping[str, str], value: float = 1.0) -> None:
        """Add to a counter."""
        key = (instrument.name, text_of(instrument, labels))
        self._counts[key] = self._counts.get(key, 0.0) + value

    def measure(
        self,
        instrument: Instrument,
        labels: Mapping[str, str],
        value: float,
        *,
        trace_id: TraceId | None = None,
    ) -> None:
        """Add a value to a histogram; a negative one (a stepped clock) counts as zero."""
        value = max(0.0, value)
        key = (instrument.name, text_of(instrument, labels), bisect_left(instrument.bounds, value))
        self._buckets.setdefault(key, _Bucket()).add(value, trace_id)

    def add(self, sample: Sample) -> None:
        """Add what a process counted or measured by itself.

        Raises:
            ValueError: the catalogue has no such series.
        """
        instrument = by_name(sample.name)
        if not instrument.bounds:
            self.count(instrument, sample.labels, sample.value)
            return
        labels, total = text_of(instrument, sample.labels), sample.value
        for index, count in enumerate(sample.counts):
            if count:
                bucket = self._buckets.setdefault((sample.name, labels, index), _Bucket())
                bucket.take(count, total, sample.least, sample.greatest)
                total = 0.0  # of the sum it is only known what all buckets together come to

    def write(self, connection: Connection) -> None:
        """Write all of it; the last thing that a transaction does."""
        bumps = [
            {"name": name, "labels": labels, "value": value, "created_at": self._at}
            for (name, labels), value in sorted(self._counts.items())
        ]
        if bumps:
            connection.execute(_bump(connection.dialect.name), bumps)
        grown = [
            _bucket_row(name, labels, bucket, self._buckets[name, labels, bucket], self._at)
            for name, labels, bucket in sorted(self._buckets)
        ]
        if grown:
            connection.execute(_grow(connection.dialect.name), grown)


def text_of(instrument: Instrument, labels: Mapping[str, str]) -> str:
    """The labels as the key of their series.

    Raises:
        ValueError: they are not the labels that the catalogue gives the instrument.
    """
    if set(labels) != set(instrument.labels):
        raise ValueError(f"{instrument.name} has the labels {instrument.labels}, not {tuple(labels)}")
    return _TEXT({name: str(labels[name]) for name in sorted(labels)})


_TEXT = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def seed(connection: Connection, series: Mapping[str, Sequence[Mapping[str, str]]], *, at: datetime) -> None:
    """Create series at 0 where they do not exist yet: of each instrument's name, the labels of its series.

    Raises:
        ValueError: a name or its labels are not in the catalogue.
    """
    wanted = {
        (one.name, text_of(one, labels)): one
        for one, several in ((by_name(name), several) for name, several in series.items())
        for labels in several
    }
    # Asked first, since nearly always all are there: a run of a hundred paths would insert thousands in vain.
    for known in (_COUNTERS, _HISTOGRAMS):
        for row in connection.execute(known, {"b_names": sorted(series)}):
            wanted.pop((row.name, row.labels), None)
    # Counters before histograms, each by name, as a tally writes them: nobody waits for another in a circle.
    new = sorted(wanted.items())
    counters = [
        {"name": name, "labels": text, "value": 0.0, "created_at": at}
        for (name, text), instrument in new
        if not instrument.bounds
    ]
    histograms = [
        _bucket_row(name, text, 0, _Bucket(), at) for (name, text), instrument in new if instrument.bounds
    ]
    for table, rows in ((counter, counters), (histogram, histograms)):
        if rows:
            connection.execute(insert_or_nothing(connection.dialect.name, table), rows)


def add_figures(connection: Connection, figures: Sequence[Sample], *, at: datetime) -> None:
    """Add what a process counted and measured by itself.

    Raises:
        ValueError: the catalogue has no such series.
    """
    tally = Tally(at)
    for one in figures:
        tally.add(one)
    tally.write(connection)


def samples(connection: Connection) -> list[Sample]:
    """All series, by name and labels."""
    times = cache(instant)  # of all series of a path there are but a few
    found = [
        Sample(row.name, _LABELS(row.labels), row.value, created_at=times(row.created_at))
        for row in plain.execute(connection, _ALL_COUNTERS)
    ]
    rows = plain.execute(connection, _ALL_BUCKETS)
    for (name, labels), buckets in groupby(rows, key=itemgetter(0, 1)):
        found.append(_histogram_of(name, labels, list(buckets), times))
    return found


_LABELS = json.JSONDecoder().decode
_ALL_COUNTERS = "SELECT name, labels, value, created_at FROM counter ORDER BY name, labels"
_ALL_BUCKETS = "SELECT * FROM histogram ORDER BY name, labels, bucket"


_COUNTERS = select(counter.c.name, counter.c.labels).where(
    counter.c.name.in_(bindparam("b_names", expanding=True))
)
_HISTOGRAMS = (
    select(histogram.c.name, histogram.c.labels)
    .where(histogram.c.name.in_(bindparam("b_names", expanding=True)))
    .distinct()
)


@cache
def _bump(dialect: str) -> Executable:
    statement = insert_into(dialect, counter)
    return statement.on_conflict_do_update(
        index_elements=[counter.c.name, counter.c.labels],
        set_={"value": counter.c.value + statement.excluded.value},
    )


@cache
def _grow(dialect: str) -> Executable:
    statement = insert_into(dialect, histogram)
    stored, new = histogram.c, statement.excluded
    return statement.on_conflict_do_update(
        index_elements=list(histogram.primary_key.columns),
        set_={
            "measured": stored.measured + new.measured,
            "sum": stored.sum + new.sum,
            "min": case((stored.min < new.min, stored.min), else_=new.min),
            "max": case((stored.max > new.max, stored.max), else_=new.max),
            **{name: func.coalesce(new[name], stored[name]) for name in _EXEMPLAR},
        },
    )


_EXEMPLAR = ("trace_id", "traced_value", "traced_at")


def _bucket_row(name: str, labels: str, bucket: int, measured: _Bucket, at: datetime) -> dict[str, Any]:
    return {
        "name": name,
        "labels": labels,
        "bucket": bucket,
        "measured": measured.count,
        "sum": measured.sum,
        "min": measured.min,
        "max": measured.max,
        "trace_id": measured.trace_id,
        "traced_value": measured.traced_value,
        "traced_at": at if measured.trace_id is not None else None,
        "created_at": at,
    }


def _buckets_of(name: str) -> int:
    """How many buckets a histogram has by the catalogue; 0 for one of another version, which is told as it is kept."""
    try:
        return len(by_name(name).bounds) + 1
    except ValueError:
        return 0


def _histogram_of(
    name: str, labels: str, rows: Sequence[Row[Any]], times: Callable[[int], datetime]
) -> Sample:
    counts = [0] * max(_buckets_of(name), *(row.bucket + 1 for row in rows))
    for row in rows:
        counts[row.bucket] = row.measured
    return Sample(
        name=name,
        labels=_LABELS(labels),
        value=sum(row.sum for row in rows),
        counts=tuple(counts),
        created_at=times(min(row.created_at for row in rows)),
        least=min((row.min for row in rows if row.min is not None), default=None),
        greatest=max((row.max for row in rows if row.max is not None), default=None),
        exemplars={
            row.bucket: Exemplar(TraceId(row.trace_id), row.traced_value, times(row.traced_at))
            for row in rows
            if row.trace_id is not None
        },
    )
