"""Counters and histograms: tables bumped in the transaction of the fact that they count, never recomputed.

Bumps of one transaction are gathered in a `Tally` and written at its end in one order, so that two transactions that
count the same series never wait for each other in a circle.
"""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.engine import Connection

from canary.instruments import Instrument, by_name
from canary.trace import TraceId
from runners.contracts import Exemplar, Sample
from runners.store.sql import insert_into, inserted
from runners.store.tables import counter, histogram


@dataclass(frozen=True, slots=True)
class _Measured:
    instrument: Instrument
    labels: str
    value: float
    trace_id: TraceId | None


class Tally:
    """What one transaction counts."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._counts: dict[tuple[str, str], float] = {}
        self._measured: list[_Measured] = []

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
        self._measured.append(_Measured(instrument, text_of(instrument, labels), max(0.0, value), trace_id))

    def write(self, connection: Connection) -> None:
        """Write all of it; the last thing that a transaction does."""
        bumps = [
            {"name": name, "labels": labels, "value": value, "created_at": self._at}
            for (name, labels), value in sorted(self._counts.items())
        ]
        if bumps:
            connection.execute(_bump(connection.dialect.name), bumps)
        for one in sorted(self._measured, key=lambda one: (one.instrument.name, one.labels)):
            _add(connection, one, self._at)


def text_of(instrument: Instrument, labels: Mapping[str, str]) -> str:
    """The labels as the key of their series.

    Raises:
        ValueError: they are not the labels that the catalogue gives the instrument.
    """
    if set(labels) != set(instrument.labels):
        raise ValueError(f"{instrument.name} has the labels {instrument.labels}, not {tuple(labels)}")
    return json.dumps(
        {name: str(labels[name]) for name in sorted(labels)}, separators=(",", ":"), ensure_ascii=False
    )


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
    for table in (counter, histogram):
        known = connection.execute(
            select(table.c.name, table.c.labels).where(table.c.name.in_(sorted(series)))
        )
        for row in known:
            wanted.pop((row.name, row.labels), None)
    # Counters before histograms, each by name, as a tally writes them: nobody waits for another in a circle.
    for (name, text), instrument in sorted(wanted.items(), key=lambda one: (bool(one[1].bounds), one[0])):
        if instrument.bounds:
            _new_histogram(connection, instrument, text, at)
        else:
            inserted(connection, counter, name=name, labels=text, value=0.0, created_at=at)


def samples(connection: Connection) -> list[Sample]:
    """All series, by name and labels."""
    found = [
        Sample(row.name, json.loads(row.labels), row.value, created_at=row.created_at)
        for row in connection.execute(select(counter).order_by(counter.c.name, counter.c.labels))
    ]
    for row in connection.execute(select(histogram).order_by(histogram.c.name, histogram.c.labels)):
        exemplars = json.loads(row.exemplars)
        found.append(
            Sample(
                name=row.name,
                labels=json.loads(row.labels),
                value=row.sum,
                counts=tuple(json.loads(row.counts)),
                created_at=row.created_at,
                least=row.min,
                greatest=row.max,
                exemplars={int(bucket): _exemplar(one) for bucket, one in exemplars.items()},
            )
        )
    return found


_FIND = (
    select(histogram)
    .where(histogram.c.name == bindparam("b_name"), histogram.c.labels == bindparam("b_labels"))
    .with_for_update()
)
_GROW = update(histogram).where(
    histogram.c.name == bindparam("b_name"), histogram.c.labels == bindparam("b_labels")
)


@cache
def _bump(dialect: str) -> Executable:
    statement = insert_into(dialect, counter)
    return statement.on_conflict_do_update(
        index_elements=[counter.c.name, counter.c.labels],
        set_={"value": counter.c.value + statement.excluded.value},
    )


def _add(connection: Connection, one: _Measured, at: datetime) -> None:
    key = {"b_name": one.instrument.name, "b_labels": one.labels}
    row = connection.execute(_FIND, key).one_or_none()
    if row is None:
        _new_histogram(connection, one.instrument, one.labels, at)
        row = connection.execute(_FIND, key).one()
    counts = json.loads(row.counts)
    bucket = bisect_left(one.instrument.bounds, one.value)
    counts[bucket] += 1
    exemplars = json.loads(row.exemplars)
    if one.trace_id is not None:
        exemplars[str(bucket)] = [one.trace_id, one.value, at.isoformat()]
    grown = {
        "counts": json.dumps(counts),
        "sum": row.sum + one.value,
        "min": one.value if row.min is None else min(row.min, one.value),
        "max": one.value if row.max is None else max(row.max, one.value),
        "exemplars": json.dumps(exemplars),
    }
    connection.execute(_GROW, {**key, **grown})


def _new_histogram(connection: Connection, instrument: Instrument, labels: str, at: datetime) -> None:
    inserted(
        connection,
        histogram,
        name=instrument.name,
        labels=labels,
        counts=json.dumps([0] * (len(instrument.bounds) + 1)),
        sum=0.0,
        min=None,
        max=None,
        exemplars="{}",
        created_at=at,
    )


def _exemplar(stored: tuple[TraceId, float, str]) -> Exemplar:
    trace_id, value, at = stored
    return Exemplar(trace_id, value, datetime.fromisoformat(at))
