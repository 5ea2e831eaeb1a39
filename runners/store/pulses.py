"""The pulse of paths: a few steps of an index a path, however many canaries are kept."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.engine import Connection, Row

from canary.ahead import MOST_AHEAD
from canary.path import PathName
from runners.pulse import MOST_FAILURES, Pulse
from runners.store import plain
from runners.store.columns import instant

_PENDING = """
    SELECT path, count(*) AS number, min(launched_at) AS oldest_at
    FROM canary WHERE verdict = 'pending' GROUP BY path
"""
_LAST = """
    SELECT (SELECT max(launched_at) FROM canary WHERE path = :path AND launched_at <= :upto) AS launch_at,
        (SELECT max(settled_at) FROM canary WHERE path = :path AND settled_at <= :upto) AS verdict_at
"""
_LAST_SUCCESS = """
    SELECT settled_at, launched_at FROM canary
    WHERE path = :path AND verdict = 'confirmed' AND settled_at <= :upto
    ORDER BY settled_at DESC, launched_at DESC LIMIT 1
"""
_FAILED = """
    SELECT count(*) FROM (
        SELECT id FROM canary WHERE path = :path AND verdict IN ('breached', 'late', 'lost')
            AND settled_at <= :upto LIMIT :most
    ) AS failed
"""
# Settled at the same moment, the later launch came later: so the fold takes them, too.
_FAILED_SINCE = """
    SELECT count(*) FROM (
        SELECT id FROM canary WHERE path = :path AND verdict IN ('breached', 'late', 'lost')
            AND settled_at >= :settled_at AND settled_at <= :upto AND NOT (settled_at = :settled_at AND launched_at <= :launched_at)
        LIMIT :most
    ) AS failed
"""


_EVER = datetime.max.replace(tzinfo=UTC)


def pulses(connection: Connection, paths: Sequence[PathName], *, now: datetime) -> dict[PathName, Pulse]:
    """The pulse of each path; one of which nothing is kept has an empty one."""
    pending = {row.path: row for row in plain.execute(connection, _PENDING)}
    return {path: _pulse(connection, path, pending.get(path), now + MOST_AHEAD) for path in paths}


def _pulse(connection: Connection, path: PathName, pending: Row[Any] | None, upto: datetime) -> Pulse:
    launch_at, verdict_at = _last(connection, path, upto)
    if launch_at is None or verdict_at is None:
        launch_ahead_at, verdict_ahead_at = _last(connection, path, _EVER)
        if verdict_at is None and verdict_ahead_at is not None:
            upto = _EVER
        launch_at, verdict_at = launch_at or launch_ahead_at, verdict_at or verdict_ahead_at
    success = _success(connection, path, upto)
    proof = success if success is not None or upto is _EVER else _success(connection, path, _EVER)
    return Pulse(
        in_flight=pending.number if pending is not None else 0,
        oldest_in_flight_at=instant(pending.oldest_at) if pending is not None else None,
        consecutive_failures=_failures(connection, path, success, upto),
        last_launch_at=launch_at,
        last_verdict_at=verdict_at,
        last_success_at=instant(proof.settled_at) if proof is not None else None,
    )


def _last(connection: Connection, path: PathName, upto: datetime) -> tuple[datetime | None, datetime | None]:
    """The last launch and the last verdict up to that time."""
    row = plain.execute(connection, _LAST, {"path": path, "upto": plain.moment(upto)}).one()
    return plain.time_of(row.launch_at), plain.time_of(row.verdict_at)


def _success(connection: Connection, path: PathName, upto: datetime) -> Row[Any] | None:
    values = {"path": path, "upto": plain.moment(upto)}
    return plain.execute(connection, _LAST_SUCCESS, values).one_or_none()


def _failures(connection: Connection, path: PathName, success: Row[Any] | None, upto: datetime) -> int:
    words = _FAILED
    values: dict[str, object] = {"path": path, "most": MOST_FAILURES, "upto": plain.moment(upto)}
    if success is not None:
        words = _FAILED_SINCE
        values |= {"settled_at": success.settled_at, "launched_at": success.launched_at}
    return int(plain.execute(connection, words, values).scalar_one())
