"""Settling: a judgement with its incidents, its counters and its outbox rows, in one transaction."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Executable, bindparam, select, update
from sqlalchemy.engine import Connection, Row

from canary.blame import is_watched
from canary.hop import Channel
from canary.incident import Change, Progress
from canary.instruments import metrics
from canary.path import PathName, is_bisect
from canary.signature import CanaryId
from canary.trace import TraceId
from canary.verdict import Judgement, Verdict
from runners.alert_contracts import AlertStep
from runners.contracts import PathFacts, Settlement, SettlementConflict
from runners.export_contracts import AFTERMATH, MAIN
from runners.store import codec, history, incidents, outbox, standings
from runners.store.counters import Tally
from runners.store.sql import chunks, insert_into
from runners.store.tables import canary, judgement

_FORWARD = {
    Verdict.PENDING: frozenset(Verdict),
    Verdict.BREACHED: frozenset({Verdict.BREACHED, Verdict.LATE, Verdict.LOST}),
}
"""Where a stored verdict may go; every other one stays."""
_LAST_VERDICTS = 10

_CANARIES = (
    select(canary.c.id, canary.c.verdict, canary.c.channel, canary.c.trace_id, canary.c.launched_at)
    .where(canary.c.id.in_(bindparam("b_ids", expanding=True)))
    .order_by(canary.c.id)
    .with_for_update()
)
_JUDGED = update(canary).where(canary.c.id == bindparam("b_id"))


def settle(connection: Connection, several: Sequence[Settlement]) -> None:
    """Store judgements of different canaries and all that follows from them, all or none.

    Raises:
        SettlementConflict: a verdict or a path's progress is no longer the one that was read, or a verdict would
            move back.
    """
    canaries: dict[CanaryId, Row[Any]] = {}
    for chunk in chunks(sorted({one.judgement.canary_id for one in several})):
        canaries |= {row.id: row for row in connection.execute(_CANARIES, {"b_ids": chunk})}
    for one in several:
        _refuse_conflict(connection, one, canaries.get(one.judgement.canary_id))
    transitions = [one for one in several if one.judgement.verdict is not one.expected]
    incidents.store_progress(
        connection,
        [
            incidents.Grown(one.judgement.path, one.progress, one.progress_version, one.at)
            for one in several
            if one.progress is not None or one in transitions
        ],
    )
    _store(connection, several)
    tally = Tally(max(one.at for one in several))
    for one in transitions:
        row = canaries[one.judgement.canary_id]
        _count(tally, one.judgement, one.expected, Channel(row.channel), TraceId(row.trace_id))
    _enqueue(connection, transitions)
    for one in several:
        incidents.store_changes(connection, one.changes, tally=tally, at=one.at)
        standings.store(connection, one.alerts, at=one.at)
    tally.write(connection)
    history.count_days(
        connection,
        [(one.judgement, canaries[one.judgement.canary_id].launched_at, one.expected) for one in transitions],
    )


def change(
    connection: Connection,
    path: PathName,
    fresh: Progress,
    *,
    version: int,
    changes: Sequence[Change],
    alerts: Sequence[AlertStep],
    at: datetime,
) -> None:
    """Store a change of incidents that no verdict made, as that of a path that was retired.

    Raises:
        SettlementConflict: the stored version is not the one that was read.
    """
    incidents.store_progress(connection, [incidents.Grown(path, fresh, version, at)])
    tally = Tally(at)
    incidents.store_changes(connection, changes, tally=tally, at=at)
    standings.store(connection, alerts, at=at)
    tally.write(connection)


def _refuse_conflict(connection: Connection, settlement: Settlement, row: Row[Any] | None) -> None:
    fresh = settlement.judgement
    before = Verdict(row.verdict) if row is not None else None
    if before is None or before is not settlement.expected:
        raise SettlementConflict(f"canary {fresh.canary_id} is {before}, not {settlement.expected}")
    if fresh.verdict not in _FORWARD.get(before, frozenset({before})):
        raise SettlementConflict(f"canary {fresh.canary_id} is {before} and never becomes {fresh.verdict}")
    if fresh.verdict is before and settlement.replaces is not None:
        found = connection.scalar(select(judgement.c.body).where(judgement.c.canary_id == fresh.canary_id))
        if found != codec.dumps(settlement.replaces):
            raise SettlementConflict(f"canary {fresh.canary_id} was judged again meanwhile")


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


def _store(connection: Connection, several: Sequence[Settlement]) -> None:
    by_id = sorted(several, key=lambda one: one.judgement.canary_id)
    connection.execute(
        _JUDGED,
        [
            {
                "b_id": one.judgement.canary_id,
                "verdict": one.judgement.verdict,
                "settled_at": one.judgement.settled_at,
                "seconds": one.judgement.seconds,
            }
            for one in by_id
        ],
    )
    connection.execute(_keep_judgement(connection.dialect.name), [_row_of(one) for one in by_id])


def _row_of(settlement: Settlement) -> dict[str, Any]:
    fresh = settlement.judgement
    return {
        "canary_id": fresh.canary_id,
        "verdict": fresh.verdict,
        "blame": fresh.stop.hop if fresh.stop is not None else None,
        "reason": fresh.stop.reason if fresh.stop is not None else None,
        "side": fresh.stop.side if fresh.stop is not None else None,
        "settled_by": settlement.settled_by,
        "stored_at": settlement.at,
        "body": codec.dumps(fresh),
    }


@cache
def _keep_judgement(dialect: str) -> Executable:
    statement = insert_into(dialect, judgement)
    values = {one.name: statement.excluded[one.name] for one in judgement.c if not one.primary_key}
    return statement.on_conflict_do_update(index_elements=[judgement.c.canary_id], set_=values)


def _count(tally: Tally, fresh: Judgement, before: Verdict, channel: Channel, trace_id: TraceId) -> None:
    """A canary counts once at each transition, and once in the figures of the SLO."""
    path = {"path": fresh.path}
    is_first = before is Verdict.PENDING
    reached = [fresh.verdict]
    if is_first and fresh.verdict in {Verdict.LATE, Verdict.LOST}:
        reached = [Verdict.BREACHED, fresh.verdict]
    for verdict in reached:
        tally.count(metrics.CANARY_VERDICTS, {**path, "channel": channel, "verdict": verdict})
    counts_in_slo = not is_bisect(fresh.path)
    if counts_in_slo and is_first and fresh.verdict is not Verdict.INCONCLUSIVE:
        tally.count(metrics.SLO_ELIGIBLE, path)
    if counts_in_slo and fresh.verdict is Verdict.CONFIRMED:
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


def _enqueue(connection: Connection, transitions: Sequence[Settlement]) -> None:
    parts: dict[datetime, list[tuple[CanaryId, str]]] = {}
    for one in transitions:
        wanted = parts.setdefault(one.at, [])
        if one.expected is Verdict.PENDING:
            wanted.append((one.judgement.canary_id, MAIN))
        if one.judgement.verdict in {Verdict.LATE, Verdict.LOST}:
            wanted.append((one.judgement.canary_id, AFTERMATH))
    for at, some in parts.items():
        outbox.enqueue_traces(connection, some, at=at)
