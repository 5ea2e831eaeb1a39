"""What is to be sent out: rows written in the transaction of the fact, drained by whoever exports."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    delete,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.engine import Connection

from canary.alert import Alert, AlertTransition, Severity, message_id
from canary.instruments import metrics
from canary.signature import CanaryId
from runners.alert_contracts import OutboxState, Outgoing
from runners.store import codec, plain
from runners.store.alert_tables import alert_outbox, alert_pause
from runners.store.columns import instant
from runners.store.counters import Tally
from runners.store.sql import insert_into, insert_or_nothing
from runners.store.tables import export_outbox

PENDING = "pending"
DELIVERED = "delivered"
DEAD = "dead"
AGAIN = "again"
"""Refused for good, and tried once more: dead until it is taken."""
WAITING = (PENDING, AGAIN)
_SKEW = timedelta(minutes=1)
"""A pause that was noted later than so long from now is one of a clock that was set back."""
MOST_WAIT = timedelta(minutes=7)
"""What waits longer was deferred by a clock that was set back: tries are at most 6 min apart, and what a sink asks for
beyond that is its pause."""
MOST_LEASE = timedelta(minutes=5)
"""Likewise what is held for longer: the slowest sink, with what its lease has beside, takes half of that."""


def _waits(table: FromClause) -> ColumnElement[bool]:
    """Whether a message is to be delivered; the states as words of the statement: only so is their index taken."""
    return table.c.state.in_([literal_column(f"'{state}'") for state in WAITING])


def enqueue_traces(connection: Connection, parts: Sequence[tuple[CanaryId, str]], *, at: datetime) -> None:
    """Have parts of canaries' traces sent; each once, however often it is asked for."""
    if not parts:
        return
    connection.execute(
        insert_or_nothing(connection.dialect.name, export_outbox),
        [
            {
                "kind": "trace",
                "canary_id": canary_id,
                "part": part,
                "state": PENDING,
                "attempts": 0,
                "next_at": at,
            }
            for canary_id, part in sorted(parts)
        ],
    )


def enqueue_alerts(connection: Connection, alerts: Sequence[Alert], *, at: datetime) -> None:
    """Write messages for their sinks; each once. A reminder that still waits is dropped for what is newer than it.

    Else a sink that is reached again after hours would hear that something lasts, and a moment later that it is over.
    """
    alerts = _numbered(connection, alerts)
    if not alerts:
        return
    _drop_reminders(connection, alerts, at=at)
    connection.execute(
        insert_or_nothing(connection.dialect.name, alert_outbox),
        [
            {
                "id": one.id,
                "sink": one.sink,
                "dedup_key": one.key,
                "seq": one.seq,
                "transition": one.transition,
                "severity": one.severity,
                "body": codec.dumps(one),
                "state": PENDING,
                "attempts": 0,
                "written_at": at,
                "next_at": at,
            }
            for one in alerts
        ],
    )


def _numbered(connection: Connection, alerts: Sequence[Alert]) -> list[Alert]:
    """The messages that are not there yet, in the order of each key.

    A key that begins anew, whatever the reason, goes on behind what it has: a number that another message bears would
    have the new one dropped, which is the end as soon as the old one had as many messages.
    """
    if not alerts:
        return []
    table = alert_outbox
    rows = connection.execute(
        select(table.c.sink, table.c.dedup_key, table.c.seq, table.c.body).where(
            table.c.sink.in_({one.sink for one in alerts}), table.c.dedup_key.in_({one.key for one in alerts})
        )
    ).all()
    last: dict[tuple[str, str], int] = {}
    for row in rows:
        last[row.sink, row.dedup_key] = max(row.seq, last.get((row.sink, row.dedup_key), 0))
    known = {(row.sink, row.dedup_key, row.body) for row in rows}
    found = []
    for one in sorted(alerts, key=lambda one: (one.sink, one.key, one.seq)):
        key = (one.sink, one.key)
        if (*key, codec.dumps(one)) in known:
            continue
        numbered = one
        if one.seq <= last.get(key, 0):
            seq = last[key] + 1
            numbered = replace(one, seq=seq, id=message_id(*key, seq))
        last[key] = numbered.seq
        found.append(numbered)
    return found


def _drop_reminders(connection: Connection, newer: Sequence[Alert], *, at: datetime) -> None:
    """Remove the reminders that these messages come after, but for what is on its way to its sink just now."""
    table = alert_outbox
    connection.execute(
        delete(table).where(
            table.c.state == PENDING,
            table.c.transition == AlertTransition.REMINDER.value,
            _is_free(at),
            or_(
                *(
                    and_(table.c.sink == one.sink, table.c.dedup_key == one.key, table.c.seq < one.seq)
                    for one in newer
                )
            ),
        )
    )


def _is_free(now: datetime) -> ColumnElement[bool]:
    """Whether nobody holds a message, or a lease has run out, or lasts longer than any."""
    held_until = alert_outbox.c.held_until
    return or_(held_until.is_(None), held_until <= now, held_until > now + MOST_LEASE)


def claim_alerts(
    connection: Connection,
    now: datetime,
    *,
    sinks: Sequence[str],
    holder: str,
    lease_until: datetime,
    limit: int,
) -> list[Outgoing]:
    """Take messages that are due, each the first of its key to its sink that was not delivered, for a while.

    Two who ask at the same time never get the same one: PostgreSQL passes over what another has locked, SQLite lets
    one write at a time.
    """
    earlier = alert_outbox.alias("earlier")
    is_behind = exists().where(
        earlier.c.sink == alert_outbox.c.sink,
        earlier.c.dedup_key == alert_outbox.c.dedup_key,
        earlier.c.seq < alert_outbox.c.seq,
        _waits(earlier),
    )
    is_paused = exists().where(
        alert_pause.c.sink == alert_outbox.c.sink,
        alert_pause.c.until > now,
        alert_pause.c.noted_at <= now + _SKEW,
    )
    rows = connection.execute(
        select(alert_outbox)
        .where(
            _waits(alert_outbox),
            alert_outbox.c.sink.in_(sinks),
            # One that was never tried waits for nothing: it was dated by a clock that was set back since.
            or_(
                alert_outbox.c.next_at <= now,
                and_(alert_outbox.c.attempts == 0, alert_outbox.c.next_at == alert_outbox.c.written_at),
                alert_outbox.c.next_at > now + MOST_WAIT,
            ),
            _is_free(now),
            ~is_behind,
            ~is_paused,
        )
        .order_by(alert_outbox.c.next_at, alert_outbox.c.written_at, alert_outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        connection.execute(
            update(alert_outbox)
            .where(alert_outbox.c.id.in_([row.id for row in rows]))
            .values(holder=holder, held_until=lease_until)
        )
    return [Outgoing(codec.loads(Alert, row.body), row.attempts, row.written_at) for row in rows]


def renew_alert(connection: Connection, *, alert_id: str, holder: str, lease_until: datetime) -> bool:
    """Keep a message for longer, unless another holder has it by now, or it is over."""
    renewed = connection.execute(
        update(alert_outbox)
        .where(alert_outbox.c.id == alert_id, _is_held_by(holder), _waits(alert_outbox))
        .values(held_until=lease_until)
    )
    return renewed.rowcount > 0


def _is_held_by(holder: str | None) -> ColumnElement[bool]:
    return alert_outbox.c.holder == holder if holder is not None else true()


def pause_sink(connection: Connection, *, sink: str, at: datetime, until: datetime) -> None:
    """A sink asked to be left alone until then; its newest word counts."""
    values = {"noted_at": at, "until": until}
    connection.execute(
        insert_into(connection.dialect.name, alert_pause)
        .values(sink=sink, **values)
        .on_conflict_do_update(index_elements=[alert_pause.c.sink], set_=values)
    )


def alert_delivered(
    connection: Connection, alert_id: str, *, at: datetime, refused: str | None, wakes_others: bool
) -> None:
    """A message arrived, perhaps not for everybody; counted once. What waits for the same sink may be tried at once."""
    _finish(connection, alert_id, state=DELIVERED, at=at, error=refused)
    if wakes_others:
        sink = select(alert_outbox.c.sink).where(alert_outbox.c.id == alert_id).scalar_subquery()
        connection.execute(
            update(alert_outbox)
            .where(
                alert_outbox.c.sink == sink,
                alert_outbox.c.state == PENDING,
                alert_outbox.c.next_at > at,
                alert_outbox.c.held_until.is_(None),
            )
            .values(next_at=at)
        )


def alert_given_up(
    connection: Connection, alert_id: str, *, at: datetime, error: str, holder: str | None
) -> None:
    """A sink will never take a message, unless another holder has it by now; counted once."""
    which = and_(alert_outbox.c.id == alert_id, _is_held_by(holder))
    _finish_all(connection, which, state=DEAD, at=at, error=error)


def alert_deferred(
    connection: Connection, alert_id: str, *, next_at: datetime, error: str, holder: str | None
) -> None:
    """A message is to be tried again then, unless another holder has it by now."""
    connection.execute(
        update(alert_outbox)
        .where(alert_outbox.c.id == alert_id, _is_held_by(holder), _waits(alert_outbox))
        .values(
            attempts=alert_outbox.c.attempts + 1, next_at=next_at, error=error, holder=None, held_until=None
        )
    )


def outbox_states(connection: Connection, *, dead_since: datetime | None) -> dict[str, OutboxState]:
    """Of each sink: how much is pending and since when, how much since then is dead or partial, and what it last said."""
    table = alert_outbox
    is_over = or_(
        table.c.state.in_((DEAD, AGAIN)), and_(table.c.state == DELIVERED, table.c.error.is_not(None))
    )
    if dead_since is not None:
        is_over = and_(is_over, table.c.written_at >= dead_since)
    is_told = or_(table.c.state == PENDING, is_over)
    found: dict[str, OutboxState] = {}
    since = 0 if dead_since is None else plain.moment(dead_since)
    for row in plain.execute(connection, _COUNTED, {"since": since}):
        before = found.get(row.sink, OutboxState())
        match row.state:
            case "pending":
                found[row.sink] = replace(before, pending=row.number, oldest_at=instant(row.oldest_at))
            case "dead" | "again":
                found[row.sink] = replace(before, dead=before.dead + row.number)
            case _:
                found[row.sink] = replace(before, partial=row.number)
    for sink, known in found.items():
        last = connection.scalar(
            select(table.c.error)
            .where(table.c.sink == sink, is_told, table.c.error.is_not(None))
            .order_by(table.c.written_at.desc())
            .limit(1)
        )
        refused_at = connection.scalar(
            select(func.min(table.c.written_at)).where(table.c.sink == sink, is_over)
        )
        found[sink] = replace(
            known, last_error=last, takes_others=_takes_others(connection, sink), refused_at=refused_at
        )
    return found


_COUNTED = """
    SELECT sink, state, count(*) AS number, min(written_at) AS oldest_at FROM alert_outbox
    WHERE state = 'pending'
        OR (written_at >= :since AND (state IN ('dead', 'again') OR (state = 'delivered' AND error IS NOT NULL)))
    GROUP BY sink, state
"""


def _takes_others(connection: Connection, sink: str) -> bool:
    table = alert_outbox
    refused_at, taken_at = connection.execute(
        select(
            func.max(table.c.written_at).filter(table.c.state.in_((DEAD, AGAIN))),
            func.max(table.c.delivered_at),
        ).where(table.c.sink == sink)
    ).one()
    return refused_at is not None and taken_at is not None and taken_at > refused_at


def pages_since(connection: Connection, since: datetime, *, until: datetime) -> int:
    """How many concerns were opened as a page in that time, whatever the number of sinks."""
    table = alert_outbox
    return int(
        connection.scalar(
            select(func.count(table.c.dedup_key.distinct())).where(
                table.c.written_at >= since,
                table.c.written_at <= until,
                table.c.transition == AlertTransition.OPENED.value,
                table.c.severity == Severity.PAGE.value,
            )
        )
        or 0
    )


def give_up_alerts(
    connection: Connection, *, but: Collection[str], before: datetime, at: datetime, error: str
) -> int:
    """Give up what is pending for any sink but these and was written before that time; counted once."""
    which = and_(alert_outbox.c.sink.not_in(but), alert_outbox.c.written_at < before)
    return _finish_all(connection, which, state=DEAD, at=at, error=error)


def _finish(connection: Connection, alert_id: str, *, state: str, at: datetime, error: str | None) -> None:
    _finish_all(connection, alert_outbox.c.id == alert_id, state=state, at=at, error=error)


def _finish_all(
    connection: Connection, which: ColumnElement[bool], *, state: str, at: datetime, error: str | None
) -> int:
    def finish(before: str) -> list[str]:
        statement = (
            update(alert_outbox)
            .where(which, alert_outbox.c.state == before)
            .values(
                state=state,
                attempts=alert_outbox.c.attempts + 1,
                # Of what is dead: since when, so that it is known when to try again.
                next_at=at if state == DEAD else alert_outbox.c.next_at,
                delivered_at=at if state == DELIVERED else None,
                error=error,
                holder=None,
                held_until=None,
            )
            .returning(alert_outbox.c.sink)
        )
        return list(connection.scalars(statement))

    again, done = finish(AGAIN), finish(PENDING)
    tally = Tally(at)
    for sink in [*done, *(again if state == DELIVERED else ())]:
        tally.count(metrics.PROBER_ALERTS_SENT, {"sink": sink, "outcome": state})
    tally.write(connection)
    return len(done)
