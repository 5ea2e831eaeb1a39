"""The frames of canaries: what is asked of a canary with each of its observations, and never changes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.engine import Connection

from canary.path import PathName
from canary.signature import CanaryId
from canary.trace import TraceId
from runners.contracts import StoreError
from runners.store.sql import chunks
from runners.store.tables import canary

_REMEMBERED = 4096
_CANARIES = select(
    canary.c.id, canary.c.path, canary.c.deadline_at, canary.c.horizon_at, canary.c.trace_id
).where(canary.c.id.in_(bindparam("b_ids", expanding=True)))


@dataclass(frozen=True, slots=True)
class Frame:
    """What was recorded of a canary before it was sent."""

    path: PathName
    deadline_at: datetime
    horizon_at: datetime
    trace_id: TraceId


class Frames:
    """The frames that this process has read. Safe for the threads of several transactions.

    A canary that is forgotten meanwhile is refused all the same, by the foreign key.
    """

    def __init__(self) -> None:
        self._known: dict[CanaryId, Frame] = {}

    def of(self, connection: Connection, wanted: Collection[CanaryId]) -> Mapping[CanaryId, Frame]:
        """The frames of canaries, by id; the store is asked for those that were not read yet.

        Raises:
            StoreError: the store has no such canary.
        """
        found = {one: frame for one in wanted if (frame := self._known.get(one)) is not None}
        unknown = set(wanted) - found.keys()
        if unknown:
            fresh = _read(connection, unknown)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known.update(fresh)
            found |= fresh
        return found


def _read(connection: Connection, wanted: Collection[CanaryId]) -> dict[CanaryId, Frame]:
    found: dict[CanaryId, Frame] = {}
    for chunk in chunks(sorted(wanted)):
        for row in connection.execute(_CANARIES, {"b_ids": chunk}):
            found[CanaryId(row.id)] = Frame(
                PathName(row.path), row.deadline_at, row.horizon_at, TraceId(row.trace_id)
            )
    if missing := set(wanted) - found.keys():
        raise StoreError(f"store: it has no canary {min(missing)}, so nothing can be kept of it.")
    return found
