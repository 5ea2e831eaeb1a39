"""Parts of traces that are to be sent, and the rows that they are made of."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, select, update
from sqlalchemy.engine import Connection, Row

from canary.canary import Canary, Token
from canary.hop import Channel
from canary.incident import Incident, IncidentKind
from canary.instruments import metrics
from canary.path import PathName
from canary.signature import CanaryId
from canary.trace import TraceId
from canary.verdict import Judgement, Verdict
from runners.contracts import BEGUN
from runners.export_contracts import (
    KEPT_UNSENT,
    LONGEST_REMOVAL,
    ExportState,
    PartKey,
    Removal,
    TracePart,
    TraceRows,
)
from runners.store import codec, observing, plain
from runners.store.columns import instant
from runners.store.counters import Tally
from runners.store.outbox import DEAD, PENDING
from runners.store.sql import chunks
from runners.store.tables import export_outbox, incident

TRACE = "trace"
_KIND_OF_ERROR = "traces"
"""The label `kind` of the counter of export errors."""
_NEWEST_INCIDENTS = 20
"""A canary belongs to one of the newest of its path, or is too old to say."""

_BY_KEY = and_(
    export_outbox.c.kind == TRACE,
    export_outbox.c.canary_id == bindparam("b_canary"),
    export_outbox.c.part == bindparam("b_part"),
)
_HOLD = """
    UPDATE export_outbox SET holder = :holder, held_until = :held_until
    WHERE kind = 'trace' AND canary_id = :canary_id AND part = :part
"""
_FREEZE = """
    UPDATE export_outbox SET body = :body
    WHERE kind = 'trace' AND canary_id = :canary_id AND part = :part AND body IS NULL
"""
_FROZEN = """
    SELECT body FROM export_outbox
    WHERE kind = 'trace' AND canary_id = :canary_id AND part = :part AND body IS NOT NULL
"""
_SENT = "DELETE FROM export_outbox WHERE kind = 'trace' AND canary_id = :canary_id AND part = :part"
# The newest first: after an outage, what is going on now is wanted before what went on at its begin.
_DUE = """
    SELECT canary_id, part, attempts, body FROM export_outbox
    WHERE state = 'pending' AND kind = 'trace' AND next_at <= :now AND next_at > :since
        AND (held_until IS NULL OR held_until <= :now)
    ORDER BY next_at DESC, canary_id DESC, part DESC LIMIT :most
"""
_NO_WAITING = {"postgresql": "FOR UPDATE SKIP LOCKED"}
"""What a claim says besides; SQLite lets one write at a time anyway."""


def is_any_due(connection: Connection, now: datetime) -> bool:
    """Whether there is something to claim: asked first, so that an idle prober writes nothing."""
    return plain.execute(connection, _DUE, _due(now, 1)).first() is not None


def claim(
    connection: Connection, now: datetime, *, holder: str, lease_until: datetime, limit: int
) -> list[TracePart]:
    """Take parts that are due for a while, the newest first."""
    words = _DUE + _NO_WAITING.get(connection.dialect.name, "")
    rows = plain.execute(connection, words, _due(now, limit)).all()
    if rows:
        held = {"holder": holder, "held_until": plain.moment(lease_until)}
        plain.execute(
            connection, _HOLD, *({"canary_id": row.canary_id, "part": row.part, **held} for row in rows)
        )
    return [TracePart(PartKey(CanaryId(row.canary_id), row.part), row.attempts, row.body) for row in rows]


def freeze(connection: Connection, bodies: Mapping[PartKey, str]) -> dict[PartKey, str]:
    """Keep what parts were made of, each once; returns what is kept."""
    if not bodies:
        return {}
    wanted = [{**key._asdict(), "body": body} for key, body in sorted(bodies.items())]
    if plain.execute(connection, _FREEZE, *wanted).rowcount == len(wanted):
        return dict(bodies)
    found = ((key, plain.execute(connection, _FROZEN, key._asdict()).first()) for key in sorted(bodies))
    return {key: row.body for key, row in found if row is not None}


def sent(connection: Connection, keys: Sequence[PartKey]) -> None:
    """Parts were taken: they are forgotten. Nothing writes them a second time: a verdict is reached once."""
    if keys:
        plain.execute(connection, _SENT, *(one._asdict() for one in sorted(keys)))


def deferred(
    connection: Connection,
    key: PartKey,
    *,
    at: datetime,
    next_at: datetime,
    error: str,
    is_attempt: bool,
    prober: str | None,
) -> None:
    """A part is to be tried again then; where nobody was there to take any, no attempt of its own is counted."""
    connection.execute(
        update(export_outbox)
        .where(_BY_KEY, export_outbox.c.state == PENDING)
        .values(
            attempts=export_outbox.c.attempts + int(is_attempt),
            next_at=next_at,
            error=error,
            holder=None,
            held_until=None,
        ),
        _named(key),
    )
    _count(connection, prober, at)


def given_up(connection: Connection, key: PartKey, *, at: datetime, error: str, prober: str | None) -> None:
    """A part will never be taken; counted once."""
    done = connection.execute(
        update(export_outbox)
        .where(_BY_KEY, export_outbox.c.state == PENDING)
        .values(
            state=DEAD,
            attempts=export_outbox.c.attempts + 1,
            next_at=at,
            error=error,
            body=None,
            holder=None,
            held_until=None,
        )
        .returning(export_outbox.c.part),
        _named(key),
    ).all()
    if done:
        _count(connection, prober, at)


def release(connection: Connection, keys: Sequence[PartKey], *, holder: str) -> None:
    """Give back what a holder took; what somebody else has taken since stays theirs."""
    for key in sorted(keys):
        connection.execute(
            update(export_outbox)
            .where(_BY_KEY, export_outbox.c.holder == holder)
            .values(holder=None, held_until=None),
            _named(key),
        )


def state(connection: Connection) -> ExportState:
    """What waits, and what is dead."""
    table = export_outbox
    found = {
        row.state: row
        for row in connection.execute(
            select(table.c.state, func.count().label("parts"), func.min(table.c.next_at).label("oldest_at"))
            .where(table.c.kind == TRACE)
            .group_by(table.c.state)
        )
    }
    last = connection.scalar(
        select(table.c.error)
        .where(table.c.kind == TRACE, table.c.error.is_not(None))
        .order_by(table.c.next_at.desc())
        .limit(1)
    )
    waiting, dead = found.get(PENDING), found.get(DEAD)
    return ExportState(
        pending=waiting.parts if waiting is not None else 0,
        oldest_at=waiting.oldest_at if waiting is not None else None,
        dead=dead.parts if dead is not None else 0,
        last_error=last,
    )


def rows_of(connection: Connection, canary_ids: Sequence[CanaryId]) -> dict[CanaryId, TraceRows]:
    """What the traces of these canaries are made of; of one that is pending or forgotten, nothing."""
    found: dict[CanaryId, TraceRows] = {}
    for chunk in chunks(sorted(set(canary_ids))):
        observations = observing.observations_of(connection, chunk)
        removals = _removals(connection, chunk)
        ids, values = plain.listed("id", chunk)
        for row in plain.execute(connection, _SETTLED.format(ids=ids), values):
            one = _canary_of(row)
            judged = codec.loads(Judgement, row.judgement_body)
            found[one.id] = TraceRows(
                canary=one,
                judgement=judged,
                observations=tuple(observations.get(one.id, ())),
                incident=_incident_of(connection, one, judged),
                removals=removals.get(one.id, ()),
            )
    return found


_SETTLED = """
    SELECT canary.*, judgement.body AS judgement_body
    FROM canary JOIN judgement ON judgement.canary_id = canary.id
    WHERE canary.settled_at IS NOT NULL AND canary.id IN ({ids})
"""
_LINES = "SELECT * FROM audit WHERE canary_id IN ({ids}) ORDER BY canary_id, id"
_INCIDENTS = (
    select(incident.c.body)
    .where(
        incident.c.path == bindparam("b_path"),
        incident.c.kind == bindparam("b_kind"),
        incident.c.onset_at <= bindparam("b_at"),
    )
    .order_by(incident.c.opened_at.desc())
    .limit(_NEWEST_INCIDENTS)
)


def _incident_of(connection: Connection, one: Canary, judged: Judgement) -> Incident | None:
    """The incident that a canary belongs to: launched after its onset, and before what ended its impact."""
    if judged.verdict is Verdict.CONFIRMED:
        return None
    kind = IncidentKind.TARGET if judged.verdict.is_breach else IncidentKind.BLIND
    values = {"b_path": one.path, "b_kind": kind.value, "b_at": one.launched_at}
    for body in connection.scalars(_INCIDENTS, values):
        found = codec.loads(Incident, body)
        ended_at = found.impact_until or found.resolved_at
        if ended_at is None or one.launched_at < ended_at:
            return found
    return None


def _removals(connection: Connection, canary_ids: Sequence[CanaryId]) -> dict[CanaryId, tuple[Removal, ...]]:
    """The tries to clean in the order of their numbers: that in which the audit has them."""
    found: dict[CanaryId, tuple[Removal, ...]] = {}
    begun: dict[tuple[str, ...], datetime] = {}
    ids, values = plain.listed("id", canary_ids)
    for line in plain.execute(connection, _LINES.format(ids=ids), values):
        at = instant(line.at)
        place = (line.canary_id, line.kind, line.place)
        if line.outcome == BEGUN:
            begun[place] = at
            continue
        # One line says that a place is being cleaned; each thing in it then has an end of its own.
        begun_at = begun.get(place)
        is_of_it = begun_at is not None and timedelta(0) <= at - begun_at <= LONGEST_REMOVAL
        one = Removal(
            at=at,
            begun_at=begun_at if is_of_it else None,
            prober=line.prober,
            kind=line.kind,
            place=line.place,
            what=line.what,
            outcome=line.outcome,
            detail=line.detail,
        )
        canary_id = CanaryId(line.canary_id)
        found[canary_id] = (*found.get(canary_id, ()), one)
    return found


def _canary_of(row: Row[Any]) -> Canary:
    return Canary(
        id=CanaryId(row.id),
        path=PathName(row.path),
        channel=Channel(row.channel),
        token=Token(row.token),
        marker=row.marker,
        sender=row.sender,
        launched_at=instant(row.launched_at),
        deadline_at=instant(row.deadline_at),
        horizon_at=instant(row.horizon_at),
        trace_id=TraceId(row.trace_id),
        prober=row.prober,
        slot_at=plain.time_of(row.slot_at),
        by_hand=bool(row.by_hand),
    )


def _due(now: datetime, most: int) -> plain.Values:
    return {"now": plain.moment(now), "since": plain.moment(now - KEPT_UNSENT), "most": most}


def _named(key: PartKey) -> dict[str, Any]:
    return {"b_canary": key.canary_id, "b_part": key.part}


def _count(connection: Connection, prober: str | None, at: datetime) -> None:
    """A process that ends soon counts here, for its own counters would begin anew at every run."""
    if prober is None:
        return
    tally = Tally(at)
    tally.count(metrics.PROBER_EXPORT_ERRORS, {"prober": prober, "kind": _KIND_OF_ERROR})
    tally.write(connection)
