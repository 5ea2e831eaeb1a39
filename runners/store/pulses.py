"""The pulse of paths: a few steps of an index a path, however many canaries are kept."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, not_, select
from sqlalchemy.engine import Connection, Row

from canary.path import PathName
from canary.verdict import Verdict
from runners.pulse import MOST_FAILURES, Pulse
from runners.store.tables import canary

_PENDING = (
    select(canary.c.path, func.count().label("number"), func.min(canary.c.launched_at).label("oldest_at"))
    .where(canary.c.verdict == Verdict.PENDING.value)
    .group_by(canary.c.path)
)
_OF_PATH = canary.c.path == bindparam("b_path")
_LAST = select(
    select(func.max(canary.c.launched_at)).where(_OF_PATH).scalar_subquery().label("launch_at"),
    select(func.max(canary.c.settled_at)).where(_OF_PATH).scalar_subquery().label("verdict_at"),
)
_LAST_SUCCESS: Select[Any] = (
    select(canary.c.settled_at, canary.c.launched_at)
    .where(_OF_PATH, canary.c.verdict == Verdict.CONFIRMED.value, canary.c.settled_at.is_not(None))
    .order_by(canary.c.settled_at.desc(), canary.c.launched_at.desc())
    .limit(1)
)
_BREACHES = (Verdict.BREACHED.value, Verdict.LATE.value, Verdict.LOST.value)
_FAILED = select(canary.c.id).where(_OF_PATH, canary.c.verdict.in_(_BREACHES))
# Settled at the same moment, the later launch came later: so the fold takes them, too.
_FAILED_SINCE = _FAILED.where(
    canary.c.settled_at >= bindparam("b_settled_at"),
    not_(
        and_(
            canary.c.settled_at == bindparam("b_settled_at"),
            canary.c.launched_at <= bindparam("b_launched_at"),
        )
    ),
)
_COUNT_FAILED, _COUNT_FAILED_SINCE = (
    select(func.count()).select_from(one.limit(MOST_FAILURES).subquery()) for one in (_FAILED, _FAILED_SINCE)
)


def pulses(connection: Connection, paths: Sequence[PathName]) -> dict[PathName, Pulse]:
    """The pulse of each path; one of which nothing is kept has an empty one."""
    pending = {row.path: row for row in connection.execute(_PENDING)}
    return {path: _pulse(connection, path, pending.get(path)) for path in paths}


def _pulse(connection: Connection, path: PathName, pending: Row[Any] | None) -> Pulse:
    last = connection.execute(_LAST, {"b_path": path}).one()
    success = connection.execute(_LAST_SUCCESS, {"b_path": path}).one_or_none()
    return Pulse(
        in_flight=pending.number if pending is not None else 0,
        oldest_in_flight_at=pending.oldest_at if pending is not None else None,
        consecutive_failures=_failures(connection, path, success),
        last_launch_at=last.launch_at,
        last_verdict_at=last.verdict_at,
        last_success_at=success.settled_at if success is not None else None,
    )


def _failures(connection: Connection, path: PathName, success: Row[Any] | None) -> int:
    if success is None:
        return connection.scalar(_COUNT_FAILED, {"b_path": path}) or 0
    since = {"b_path": path, "b_settled_at": success.settled_at, "b_launched_at": success.launched_at}
    return connection.scalar(_COUNT_FAILED_SINCE, since) or 0
