"""Observations: each fact once; looks in vain in one row a place, stage and kind."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.engine import Connection

from canary.instruments import metrics
from canary.observation import Observation, Outcome, Stage
from canary.signature import CanaryId
from runners.store import codec, plain
from runners.store.columns import storable
from runners.store.counters import Tally
from runners.store.frames import Frame, Frames
from runners.store.quarantines import note_sights
from runners.store.sql import chunks, insert_or_nothing
from runners.store.tables import observation

_Key = tuple[CanaryId, str]

_ALL = "SELECT canary_id, body FROM observation WHERE canary_id IN ({ids}) ORDER BY ended_at, key"
_ONE = (
    select(observation.c.body)
    .where(observation.c.canary_id == bindparam("b_id"), observation.c.key == bindparam("b_key"))
    .with_for_update()
)
_SPAN = update(observation).where(
    observation.c.canary_id == bindparam("b_id"), observation.c.key == bindparam("b_key")
)


def append(
    connection: Connection, several: Sequence[Observation], *, frames: Frames, now: datetime
) -> list[bool]:
    """Keep observations and count them; of each whether it was new. A look in vain renews its row.

    Raises:
        StoreError: the store has no such canary.
    """
    canaries = frames.of(connection, {one.canary_id for one in several})
    keys = [_key(one, canaries[one.canary_id]) for one in several]
    new = _insert(connection, dict(reversed(list(zip(keys, several, strict=True)))))
    tally = Tally(now)
    are_new = []
    seen_again: list[tuple[_Key, Observation]] = []
    for key, one in zip(keys, several, strict=True):
        is_new = key in new
        new.discard(key)  # the same again is not new
        are_new.append(is_new)
        frame = canaries[one.canary_id]
        if not one.is_look_in_vain:
            if is_new:
                _count(tally, one, frame)
        elif not is_new:
            seen_again.append((key, one))
    # In one order for all processes: several places report in one transaction, each prober in an order of its own.
    for key, one in sorted(seen_again, key=lambda pair: pair[0]):
        frame = canaries[one.canary_id]
        _renew(connection, one, key[1], one.stage(frame.deadline_at, frame.horizon_at))
    tally.write(connection)
    note_sights(
        connection,
        [(canaries[one.canary_id].path, one) for one, is_new in zip(several, are_new, strict=True) if is_new],
    )
    return are_new


def _key(seen: Observation, frame: Frame) -> _Key:
    return seen.canary_id, storable(seen.key(frame.deadline_at, frame.horizon_at))


def _insert(connection: Connection, rows: Mapping[_Key, Observation]) -> set[_Key]:
    """Insert those that are not there yet, in one order for all processes; returns the keys of those."""
    values = [
        {
            "canary_id": canary_id,
            "key": key,
            "hop": seen.hop,
            "outcome": seen.outcome,
            "ended_at": seen.ended_at,
            "body": codec.dumps(seen),
        }
        for (canary_id, key), seen in sorted(rows.items(), key=lambda one: one[0])
    ]
    if not values:
        return set()
    done = connection.execute(_insert_new(connection.dialect.name), values)
    return {(row.canary_id, row.key) for row in done}


@cache
def _insert_new(dialect: str) -> Executable:
    return insert_or_nothing(dialect, observation).returning(observation.c.canary_id, observation.c.key)


def observations(connection: Connection, canary_id: CanaryId) -> list[Observation]:
    """All of a canary's observations, by the time they ended."""
    return observations_of(connection, [canary_id])[canary_id]


def observations_of(
    connection: Connection, canary_ids: Sequence[CanaryId]
) -> dict[CanaryId, list[Observation]]:
    """The observations of several canaries, by id, each by the time they ended."""
    found: dict[CanaryId, list[Observation]] = {one: [] for one in canary_ids}
    for chunk in chunks(list(found)):
        ids, values = plain.listed("id", chunk)
        for row in plain.execute(connection, _ALL.format(ids=ids), values):
            found[CanaryId(row.canary_id)].append(codec.loads(Observation, row.body))
    return found


def _renew(connection: Connection, seen: Observation, key: str, stage: Stage) -> None:
    """Let the row span both looks, with the words of the later one.

    The first complete look at or after the deadline stands for good: a verdict may already rest on it.
    """
    if (
        stage is not Stage.WAITING
        and seen.look is not None
        and seen.look.is_complete
        and not seen.look.is_blind
    ):
        return
    stored = codec.loads(
        Observation, connection.execute(_ONE, {"b_id": seen.canary_id, "b_key": key}).one().body
    )
    later = seen if seen.ended_at > stored.ended_at else stored
    spanning = replace(later, began_at=min(seen.began_at, stored.began_at))
    if spanning != stored:
        values = {"ended_at": spanning.ended_at, "body": codec.dumps(spanning)}
        connection.execute(_SPAN, {"b_id": seen.canary_id, "b_key": key, **values})


def _count(tally: Tally, seen: Observation, frame: Frame) -> None:
    labels = {"path": frame.path, "hop": seen.hop, "outcome": seen.outcome}
    tally.count(metrics.HOP_OBSERVATIONS, {**labels, "evidence": seen.evidence})
    if seen.seconds is not None and seen.outcome in {Outcome.OK, Outcome.FAILED}:
        tally.measure(metrics.HOP_DURATION, labels, seen.seconds, trace_id=frame.trace_id)
