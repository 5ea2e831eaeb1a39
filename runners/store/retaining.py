"""Retention: what is old enough is dropped, some at a time, so that no transaction is long and any may be the last."""

import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import (
    BigInteger,
    Delete,
    Table,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.engine import Connection

from canary import call_share, walk
from canary.signature import CanaryId
from canary.traffic import KEPT
from canary.verdict import Verdict
from runners.export_contracts import KEPT_UNSENT
from runners.retention import LEAST_RECORDS, Retention
from runners.store.alert_tables import alert_outbox, alert_standing, silence
from runners.store.outbox import DEAD, DELIVERED, PENDING
from runners.store.tables import (
    audit,
    call_account,
    canary,
    export_outbox,
    gauge,
    incident,
    judgement,
    look_walk,
    missed_slot,
    observation,
    slot,
    traffic_hour,
)

CANARIES_AT_ONCE = 500
"""How many canaries one transaction drops."""
THINNED_AT_ONCE = 200
"""How many canaries lose their observations in one; each has about a dozen."""
ROWS_AT_ONCE = 2000
"""How many other rows one drops."""
MOST_ROUNDS = 100
"""So many transactions of one kind before the rest is left to the next time: a first run must come to its end."""

_MAY_CHANGE = [one.value for one in (Verdict.PENDING, Verdict.BREACHED)]
"""A breached canary may yet become late, by all that was seen of it."""
# Asked for what it is not, so that no index of verdicts is taken where that of the unthinned is meant.
_CAN_BE_THINNED = and_(canary.c.is_clean != false(), canary.c.verdict.not_in(_MAY_CHANGE))

_Work = Callable[[Connection], int]


async def forget(write: Callable[[_Work], Awaitable[int]], now: datetime, keep: Retention) -> int:
    """Drop all that is too old, each ``write`` one transaction; returns how many canaries went."""

    async def drop(some: _Work, at_once: int) -> int:
        dropped = 0
        for _ in range(MOST_ROUNDS):
            done = await write(some)
            dropped += done
            if done < at_once:
                break
        return dropped

    old = keep.canaries_before(now)
    for table in ROWS:
        before = now - SHORTER[table] if table in SHORTER else old
        await drop(partial(drop_rows, before=before, table=table), ROWS_AT_ONCE)
    await drop(partial(drop_alerts, before=old), ROWS_AT_ONCE)
    for state in (PENDING, DEAD):
        await drop(partial(drop_traces, before=now - KEPT_UNSENT, state=state), ROWS_AT_ONCE)
    for table, statement in _DROP_RECORDS.items():
        before = keep.audit_before(now) if table is audit else keep.incidents_before(now)
        await drop(partial(drop_records, before=before, statement=statement), ROWS_AT_ONCE)
    canaries = await drop(partial(drop_canaries, before=old), CANARIES_AT_ONCE)
    await drop(partial(thin, before=keep.observations_before(now)), THINNED_AT_ONCE)
    return canaries


def drop_canaries(connection: Connection, before: datetime) -> int:
    """Drop some clean, settled canaries launched before, with all that hangs on them; returns how many."""
    return connection.execute(_DROP_CANARIES, {"b_before": before}).rowcount


_DROP_CANARIES = delete(canary).where(
    canary.c.id.in_(
        select(canary.c.id)
        .where(
            canary.c.launched_at < bindparam("b_before"),
            canary.c.is_clean != false(),
            canary.c.verdict != Verdict.PENDING.value,
        )
        .order_by(canary.c.launched_at)
        .limit(CANARIES_AT_ONCE)
    )
)


def thin(connection: Connection, before: datetime) -> int:
    """Drop what was seen of some clean canaries that nothing can change any more; returns of how many.

    Verdict, blame, reason, flaws, ticket and seconds stay.
    """
    found = connection.scalars(_TO_BE_THINNED, {"b_before": before}).all()
    # Locked in the order of their ids, as by whoever settles or cleans the same canaries; some may be unclean by now.
    ids = [CanaryId(one) for one in connection.scalars(_STILL, {"b_ids": found})] if found else []
    if ids:
        connection.execute(_DROP_OBSERVATIONS, {"b_ids": ids})
        _drop_hops(connection, ids)
        connection.execute(_ARE_THINNED, {"b_ids": ids})
    return len(ids)


_TO_BE_THINNED = (
    select(canary.c.id)
    .where(canary.c.is_thinned == false(), canary.c.launched_at < bindparam("b_before"), _CAN_BE_THINNED)
    .order_by(canary.c.launched_at)
    .limit(THINNED_AT_ONCE)
)
_IN_IDS = canary.c.id.in_(bindparam("b_ids", expanding=True))
_STILL = select(canary.c.id).where(_IN_IDS, _CAN_BE_THINNED).order_by(canary.c.id).with_for_update()
_ARE_THINNED = update(canary).where(_IN_IDS).values(is_thinned=true())
_DROP_OBSERVATIONS = delete(observation).where(
    observation.c.canary_id.in_(bindparam("b_ids", expanding=True))
)
_JUDGEMENTS = select(judgement.c.canary_id, judgement.c.body).where(
    judgement.c.canary_id.in_(bindparam("b_ids", expanding=True))
)
_WITHOUT_HOPS = update(judgement).where(judgement.c.canary_id == bindparam("b_id"))


def _drop_hops(connection: Connection, ids: Sequence[CanaryId]) -> None:
    """Empty the lists of hops; the rest of each judgement stays as its version wrote it."""
    thinner = [
        {
            "b_id": row.canary_id,
            "body": json.dumps({**json.loads(row.body), "hops": []}, separators=(",", ":")),
        }
        for row in connection.execute(_JUDGEMENTS, {"b_ids": ids})
    ]
    if thinner:
        connection.execute(_WITHOUT_HOPS, thinner)


def drop_alerts(connection: Connection, before: datetime) -> int:
    """Drop some alerts written before that are delivered, or never will be; returns how many."""
    return connection.execute(_DROP_ALERTS, {"b_before": before}).rowcount


_DROP_ALERTS = delete(alert_outbox).where(
    alert_outbox.c.id.in_(
        select(alert_outbox.c.id)
        .where(alert_outbox.c.written_at < bindparam("b_before"), alert_outbox.c.state.in_([DELIVERED, DEAD]))
        .limit(ROWS_AT_ONCE)
    )
)


def drop_traces(connection: Connection, before: datetime, *, state: str) -> int:
    """Drop some parts of traces in that state that were last due before; returns how many."""
    return connection.execute(_DROP_TRACES[state], {"b_before": before}).rowcount


_TRACE_KEY = tuple_(*export_outbox.primary_key.columns)
_DROP_TRACES = {
    # The state as a word of the statement: only so is the index of those that are pending taken.
    state: delete(export_outbox).where(
        _TRACE_KEY.in_(
            select(*export_outbox.primary_key.columns)
            .where(
                export_outbox.c.state == literal_column(f"'{state}'"),
                export_outbox.c.next_at < bindparam("b_before"),
            )
            .limit(ROWS_AT_ONCE)
        )
    )
    for state in (PENDING, DEAD)
}


def drop_records(connection: Connection, before: datetime, *, statement: Delete) -> int:
    """Drop some ended incidents, standings that are over, or lines of the audit; returns how many."""
    return connection.execute(statement, {"b_before": before}).rowcount


# The key of a message ends with the episode: the incident's group, or itself.
_IS_UNTOLD = exists().where(
    alert_outbox.c.state == PENDING,
    or_(
        alert_outbox.c.dedup_key.contains(incident.c.id),
        alert_outbox.c.dedup_key.contains(incident.c.group_id),
    ),
)
# Its last days can't be deleted, whatever the clock says: a trigger of the table holds it.
_YOUNGEST_TO_GO = select(
    func.max(audit.c.at, type_=BigInteger) - literal(LEAST_RECORDS // timedelta(microseconds=1), BigInteger)
).scalar_subquery()
_DROP_RECORDS = {
    incident: delete(incident).where(
        incident.c.id.in_(
            select(incident.c.id)
            .where(incident.c.resolved_at < bindparam("b_before"), ~_IS_UNTOLD)
            .order_by(incident.c.resolved_at)
            .limit(ROWS_AT_ONCE)
        )
    ),
    # Whoever still holds its version reads it anew: a row that is gone fits none but 0.
    alert_standing: delete(alert_standing).where(
        alert_standing.c.subject.in_(
            select(alert_standing.c.subject)
            .where(alert_standing.c.body.is_(None), alert_standing.c.updated_at < bindparam("b_before"))
            .limit(ROWS_AT_ONCE)
        )
    ),
    audit: delete(audit).where(
        audit.c.id.in_(
            select(audit.c.id)
            .where(audit.c.at < bindparam("b_before"), audit.c.at <= _YOUNGEST_TO_GO)
            .order_by(audit.c.at)
            .limit(ROWS_AT_ONCE)
        )
    ),
}


def drop_rows(connection: Connection, before: datetime, *, table: Table) -> int:
    """Drop some rows of one of `ROWS` that are older; returns how many."""
    return connection.execute(_DROP_ROWS[table], {"b_before": before}).rowcount


_AGES = {
    gauge: gauge.c.read_at,
    slot: slot.c.slot_at,
    missed_slot: missed_slot.c.slot_at,
    silence: silence.c.ends_at,
    traffic_hour: traffic_hour.c.hour_at,
    look_walk: look_walk.c.moved_at,
    call_account: call_account.c.changed_at,
}
SHORTER = {traffic_hour: KEPT, look_walk: walk.KEPT, call_account: call_share.KEPT}
"""Those that go before the canaries of their time do."""
ROWS = tuple(_AGES)
"""Tables whose rows go by their age alone."""
_DROP_ROWS = {
    table: delete(table).where(
        tuple_(*table.primary_key.columns).in_(
            select(*table.primary_key.columns).where(at < bindparam("b_before")).limit(ROWS_AT_ONCE)
        )
    )
    for table, at in _AGES.items()
}
