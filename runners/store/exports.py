"""Parts of traces that are to be sent, and the rows that they are made of."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.engine import Connection

from canary.canary import Canary
from canary.incident import Incident, IncidentKind
from canary.instruments import metrics
from canary.signature import CanaryId
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
from runners.store import canaries, codec, observing
from runners.store.counters import Tally
from runners.store.outbox import DEAD, PENDING
from runners.store.sql import chunks
from runners.store.tables import audit, canary, export_outbox, incident, judgement

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
_HOLD = (
    update(export_outbox)
    .where(_BY_KEY)
    .values(holder=bindparam("b_holder"), held_until=bindparam("b_held_until"))
)
_FREEZE = (
    update(export_outbox).where(_BY_KEY, export_outbox.c.body.is_(None)).values(body=bindparam("b_body"))
)
_FROZEN = select(export_outbox.c.canary_id, export_outbox.c.part, export_outbox.c.body).where(
    export_outbox.c.kind == TRACE,
    export_outbox.c.canary_id.in_(bindparam("b_ids", expanding=True)),
    export_outbox.c.body.is_not(None),
)
_DUE = (
    select(export_outbox)
    .where(
        # A word of the statement, not a parameter: only so is the partial index taken.
        export_outbox.c.state == literal_column(f"'{PENDING}'"),
        export_outbox.c.kind == TRACE,
        export_outbox.c.next_at <= bindparam("b_now"),
        export_outbox.c.next_at > bindparam("b_since"),
        or_(export_outbox.c.held_until.is_(None), export_outbox.c.held_until <= bindparam("b_now")),
    )
    # The newest first: after an outage, what is going on now is wanted before what went on at its begin.
    .order_by(export_outbox.c.next_at.desc(), export_outbox.c.canary_id.desc(), export_outbox.c.part.desc())
    .limit(bindparam("b_limit"))
)
_TAKEN = _DUE.with_for_update(skip_locked=True)


def is_any_due(connection: Connection, now: datetime) -> bool:
    """Whether there is something to claim: asked first, so that an idle prober writes nothing."""
    values = {"b_now": now, "b_since": now - KEPT_UNSENT, "b_limit": 1}
    return connection.execute(_DUE, values).first() is not None


def claim(
    connection: Connection, now: datetime, *, holder: str, lease_until: datetime, limit: int
) -> list[TracePart]:
    """Take parts that are due for a while, the newest first."""
    rows = connection.execute(_TAKEN, {"b_now": now, "b_since": now - KEPT_UNSENT, "b_limit": limit}).all()
    if rows:
        connection.execute(
            _HOLD,
            [
                {
                    **_named(PartKey(row.canary_id, row.part)),
                    "b_holder": holder,
                    "b_held_until": lease_until,
                }
                for row in rows
            ],
        )
    return [TracePart(PartKey(CanaryId(row.canary_id), row.part), row.attempts, row.body) for row in rows]


def freeze(connection: Connection, bodies: Mapping[PartKey, str]) -> dict[PartKey, str]:
    """Keep what parts were made of, each once; returns what is kept."""
    if not bodies:
        return {}
    connection.execute(_FREEZE, [{**_named(key), "b_body": body} for key, body in sorted(bodies.items())])
    kept: dict[PartKey, str] = {}
    for chunk in chunks(sorted(bodies)):
        for row in connection.execute(_FROZEN, {"b_ids": [key.canary_id for key in chunk]}):
            key = PartKey(CanaryId(row.canary_id), row.part)
            if key in bodies:
                kept[key] = row.body
    return kept


def sent(connection: Connection, keys: Sequence[PartKey]) -> None:
    """Parts were taken: they are forgotten. Nothing writes them a second time: a verdict is reached once."""
    connection.execute(delete(export_outbox).where(_BY_KEY), [_named(one) for one in sorted(keys)])


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
        for row in connection.execute(_SETTLED, {"b_ids": chunk}):
            one = canaries.canary_of(row)
            judged = codec.loads(Judgement, row.judgement_body)
            found[one.id] = TraceRows(
                canary=one,
                judgement=judged,
                observations=tuple(observations.get(one.id, ())),
                incident=_incident_of(connection, one, judged),
                removals=removals.get(one.id, ()),
            )
    return found


_SETTLED = (
    select(canary, judgement.c.body.label("judgement_body"))
    .join(judgement, judgement.c.canary_id == canary.c.id)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)), canary.c.settled_at.is_not(None))
)
_LINES = (
    select(audit)
    .where(audit.c.canary_id.in_(bindparam("b_ids", expanding=True)))
    .order_by(audit.c.canary_id, audit.c.id)
)
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
    for line in connection.execute(_LINES, {"b_ids": canary_ids}):
        place = (line.canary_id, line.kind, line.place)
        if line.outcome == BEGUN:
            begun[place] = line.at
            continue
        # One line says that a place is being cleaned; each thing in it then has an end of its own.
        begun_at = begun.get(place)
        is_of_it = begun_at is not None and timedelta(0) <= line.at - begun_at <= LONGEST_REMOVAL
        one = Removal(
            at=line.at,
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


def _named(key: PartKey) -> dict[str, Any]:
    return {"b_canary": key.canary_id, "b_part": key.part}


def _count(connection: Connection, prober: str | None, at: datetime) -> None:
    """A process that ends soon counts here, for its own counters would begin anew at every run."""
    if prober is None:
        return
    tally = Tally(at)
    tally.count(metrics.PROBER_EXPORT_ERRORS, {"prober": prober, "kind": _KIND_OF_ERROR})
    tally.write(connection)
