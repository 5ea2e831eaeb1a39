"""Statements in plain SQL, for what a short run asks once or twice.

SQLAlchemy makes the text of a statement anew in each process, which costs some ten times as much as running it (on SQLite
1.3 ms of CPU the first time, 0.1 ms from then on). What telemetry asks at the end of every run is therefore written out here and
there. It must be understood by SQLite and PostgreSQL alike; a time is `moment` on its way in and `columns.instant` on
its way out, since no type of a column converts it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from sqlalchemy.engine import Connection, CursorResult

from runners.store.columns import instant

Values = Mapping[str, object]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_COUNTS: Final = {"preserve_rowcount": True}
_PARAMETER: Final = re.compile(r":([a-z]\w*)")


def execute(connection: Connection, words: str, *values: Values) -> CursorResult[Any]:
    """Run a statement, once for each of the values; without any, it has no parameters.

    Args:
        connection: an open transaction.
        words: the statement, with parameters like ``:name``, and no colon for anything else.
        values: by the parameters' names.

    Returns:
        The rows; or of what changes rows, in ``rowcount``, how many it changed, all values together.
    """
    spoken = _of_psycopg(words) if connection.dialect.paramstyle == "pyformat" else words
    several = [dict(one) for one in values]
    given = several if len(several) > 1 else several[0] if several else None
    return connection.exec_driver_sql(spoken, given, execution_options=_COUNTS)


def listed(name: str, values: Sequence[object]) -> tuple[str, dict[str, object]]:
    """What stands in the brackets of an ``IN``, and the values for it; of an empty list, what nothing equals."""
    named = {f"{name}{index}": value for index, value in enumerate(values)}
    return ", ".join(f":{one}" for one in named) or "NULL", named


def moment(at: datetime) -> int:
    """A time as `columns.Instant` keeps it."""
    return (at - _EPOCH) // _MICROSECOND


def time_of(microseconds: int | None) -> datetime | None:
    """The time that may be kept there."""
    return None if microseconds is None else instant(microseconds)


@cache
def _of_psycopg(words: str) -> str:
    return _PARAMETER.sub(r"%(\1)s", words.replace("%", "%%"))
