"""Settling: a judgement with its incidents, its counters and its outbox rows, in one transaction."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from canary.blame import is_watched
from canary.hop import Channel
from canary.instruments import metrics
from canary.path import PathName
from canary.trace import TraceId
from canary.verdict import Judgement, Verdict
from runners.contracts import PathFacts, Settlement, SettlementConflict
from runners.store import codec, incidents, outbox
from runners.store.counters import Tally
from runners.store.sql import insert_into
from runners.store.tables import canary, judgement

_FORWARD = {
    Verdict.PENDING: frozenset(Verdict),
    Verdict.BREACHED: frozenset({Verdict.BREACHED, Verdict.LATE, Verdict.LOST}),
}
"""Where a stored verdict may go; every other one stays."""
_LAST_VERDICTS = 10


def settle(connection: Connection, settlement: Settlement) -> None:
    """Store one judgement and all that follows from it.

    Raises:
        SettlementConflict: the verdict or the progress is no longer the one that was read, or the verdict would
            move back.
    """
    fresh = settlement.judgement
    row = connection.execute(
        select(canary.c.verdict, canary.c.channel, canary.c.trace_id)
        .where(canary.c.id == fresh.canary_id)
        .with_for_update()
    ).one_or_none()
    before = Verdict(row.verdict) if row is not None else None
    if row is None or before is not settlement.expected:
        raise SettlementConflict(f"canary {fresh.canary_id} is {before}, not {settlement.expected}")
    if fresh.verdict not in _FORWARD.get(before, frozenset({before})):
        raise SettlementConflict(f"canary {fresh.canary_id} is {before} and never becomes {fresh.verdict}")
    is_transition = fresh.verdict is not before
    if not is_transition and settlement.replaces is not None:
        found = connection.scalar(select(judgement.c.body).where(judgement.c.canary_id == fresh.canary_id))
        if found != codec.dumps(settlement.replaces):
            raise SettlementConflict(f"canary {fresh.canary_id} was judged again meanwhile")
    if is_transition or settlement.progress is not None:
        incidents.store_progress(
            connection, fresh.path, settlement.progress, version=settlement.progress_version, at=settlement.at
        )
    _store(connection, settlement)
    tally = Tally(settlement.at)
    if is_transition:
        _count(tally, fresh, before, Channel(row.channel), TraceId(row.trace_id))
        _enqueue(connection, fresh, before, settlement.at)
    incidents.store_changes(connection, settlement.changes, tally=tally, at=settlement.at)
    tally.write(connection)


def path_facts(connection: Connection, path: PathName) -> PathFacts:
    """When a path was last heard of."""
    launched = select(canary.c.launched_at).where(canary.c.path == path)
    settled = (
        select(canary.c.settled_at, canary.c.verdict)
        .where(canary.c.path == path, canary.c.settled_at.is_not(None))
        .order_by(canary.c.settled_at.desc(), canary.c.launched_at.desc())
    )
    confirmed = settled.where(canary.c.verdict == Verdict.CONFIRMED.value)
    last = connection.execute(settled.limit(_LAST_VERDICTS)).all()
    return PathFacts(
        last_launch_at=connection.scalar(launched.order_by(canary.c.launched_at.desc()).limit(1)),
        last_verdict_at=last[0].settled_at if last else None,
        last_success_at=connection.scalar(confirmed.limit(1)),
        verdicts=tuple((row.settled_at, Verdict(row.verdict)) for row in last),
    )


def _store(connection: Connection, settlement: Settlement) -> None:
    fresh = settlement.judgement
    connection.execute(
        update(canary)
        .where(canary.c.id == fresh.canary_id)
        .values(verdict=fresh.verdict.value, settled_at=fresh.settled_at)
    )
    values = {
        "verdict": fresh.verdict.value,
        "blame": fresh.stop.hop.value if fresh.stop is not None else None,
        "reason": fresh.stop.reason.value if fresh.stop is not None else None,
        "side": fresh.stop.side.value if fresh.stop is not None else None,
        "settled_by": settlement.settled_by,
        "stored_at": settlement.at,
        "body": codec.dumps(fresh),
    }
    connection.execute(
        insert_into(connection.dialect.name, judgement)
        .values(canary_id=fresh.canary_id, **values)
        .on_conflict_do_update(index_elements=[judgement.c.canary_id], set_=values)
    )


def _count(tally: Tally, fresh: Judgement, before: Verdict, channel: Channel, trace_id: TraceId) -> None:
    """A canary counts once at each transition, and once in the figures of the SLO."""
    path = {"path": fresh.path}
    is_first = before is Verdict.PENDING
    reached = [fresh.verdict]
    if is_first and fresh.verdict in {Verdict.LATE, Verdict.LOST}:
        reached = [Verdict.BREACHED, fresh.verdict]
    for verdict in reached:
        tally.count(metrics.CANARY_VERDICTS, {**path, "channel": channel, "verdict": verdict})
    if is_first and fresh.verdict is not Verdict.INCONCLUSIVE:
        tally.count(metrics.SLO_ELIGIBLE, path)
    if fresh.verdict is Verdict.CONFIRMED:
        tally.count(metrics.SLO_GOOD, path)
    if is_first and fresh.verdict.is_breach and fresh.stop is not None:
        tally.count(metrics.CANARY_FAILURES, {**path, "hop": fresh.stop.hop, "reason": fresh.stop.reason})
    for hop in fresh.hops if is_first else ():
        if is_watched(hop) and hop.seconds is not None:
            labels = {**path, "hop": hop.hop, "outcome": hop.outcome}
            tally.measure(metrics.HOP_DURATION, labels, hop.seconds, trace_id=trace_id)
    if fresh.verdict in {Verdict.CONFIRMED, Verdict.LATE} and fresh.seconds is not None:
        tally.measure(
            metrics.CANARY_DURATION,
            {**path, "channel": channel, "verdict": fresh.verdict},
            fresh.seconds,
            trace_id=trace_id,
        )


def _enqueue(connection: Connection, fresh: Judgement, before: Verdict, at: datetime) -> None:
    if before is Verdict.PENDING:
        outbox.enqueue_trace(connection, fresh.canary_id, outbox.MAIN, at=at)
    if fresh.verdict in {Verdict.LATE, Verdict.LOST}:
        outbox.enqueue_trace(connection, fresh.canary_id, outbox.AFTERMATH, at=at)
