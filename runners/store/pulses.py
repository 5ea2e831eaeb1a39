"""The pulse of paths: a few steps of an index a path, however many canaries are kept."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Connection, Row

from canary.path import PathName
from runners.pulse import MOST_FAILURES, Pulse
from runners.store import plain
from runners.store.columns import instant

_PENDING = """
    SELECT path, count(*) AS number, min(launched_at) AS oldest_at
    FROM canary WHERE verdict = 'pending' GROUP BY path
"""
_LAST = """
    SELECT (SELECT max(launched_at) FROM canary WHERE path = :path) AS launch_at,
        (SELECT max(settled_at) FROM canary WHERE path = :path) AS verdict_at
"""
_LAST_SUCCESS = """
    SELECT settled_at, launched_at FROM canary
    WHERE path = :path AND verdict = 'confirmed' AND settled_at IS NOT NULL
    ORDER BY settled_at DESC, launched_at DESC LIMIT 1
"""
_FAILED = """
    SELECT count(*) FROM (
        SELECT id FROM canary WHERE path = :path AND verdict IN ('breached', 'late', 'lost') LIMIT :most
    ) AS failed
"""
# Settled at the same moment, the later launch came later: so the fold takes them, too.
_FAILED_SINCE = """
    SELECT count(*) FROM (
        SELECT id FROM canary WHERE path = :path AND verdict IN ('breached', 'late', 'lost')
            AND settled_at >= :settled_at AND NOT (settled_at = :settled_at AND launched_at <= :launched_at)
        LIMIT :most
    ) AS failed
"""


def pulses(connection: Connection, paths: Sequence[PathName]) -> dict[PathName, Pulse]:
    """The pulse of each path; one of which nothing is kept has an empty one."""
    pending = {row.path: row for row in plain.execute(connection, _PENDING)}
    return {path: _pulse(connection, path, pending.get(path)) for path in paths}


def _pulse(connection: Connection, path: PathName, pending: Row[Any] | None) -> Pulse:
    last = plain.execute(connection, _LAST, {"path": path}).one()
    success = plain.execute(connection, _LAST_SUCCESS, {"path": path}).one_or_none()
    return Pulse(
        in_flight=pending.number if pending is not None else 0,
        oldest_in_flight_at=instant(pending.oldest_at) if pending is not None else None,
        consecutive_failures=_failures(connection, path, success),
        last_launch_at=plain.time_of(last.launch_at),
        last_verdict_at=plain.time_of(last.verdict_at),
        last_success_at=instant(success.settled_at) if success is not None else None,
    )


def _failures(connection: Connection, path: PathName, success: Row[Any] | None) -> int:
    words, values = _FAILED, {"path": path, "most": MOST_FAILURES}
    if success is not None:
        words = _FAILED_SINCE
        values |= {"settled_at": success.settled_at, "launched_at": success.launched_at}
    return int(plain.execute(connection, words, values).scalar_one())
