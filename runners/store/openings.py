"""What opened pages, and what ended: whether a sink took it, and once more to one that refused it for good."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, exists, or_, select, update
from sqlalchemy.engine import Connection

from canary.alert import Alert, AlertTransition, Severity
from runners.alert_contracts import Opening, RefusedEnd
from runners.store import codec
from runners.store.alert_tables import alert_outbox
from runners.store.outbox import AGAIN, DEAD, DELIVERED
from runners.store.sql import chunks

_LATER = alert_outbox.alias("later")
_IS_LATER = (
    (_LATER.c.sink == alert_outbox.c.sink)
    & (_LATER.c.dedup_key == alert_outbox.c.dedup_key)
    & (_LATER.c.seq > alert_outbox.c.seq)
)
_IS_OVER = exists().where(_IS_LATER, _LATER.c.transition == AlertTransition.RESOLVED.value)
_IS_END = alert_outbox.c.transition == AlertTransition.RESOLVED.value
_IS_LAST = ~exists().where(_IS_LATER)
_OTHER = alert_outbox.alias("other")
_IS_KNOWN = exists().where(
    _OTHER.c.sink == alert_outbox.c.sink,
    _OTHER.c.dedup_key == alert_outbox.c.dedup_key,
    _OTHER.c.seq < alert_outbox.c.seq,
    _OTHER.c.state == DELIVERED,
)
_IS_HEARD = (
    exists()
    .where(
        _OTHER.c.dedup_key == alert_outbox.c.dedup_key,
        _OTHER.c.transition == AlertTransition.RESOLVED.value,
        _OTHER.c.state == DELIVERED,
    )
    .label("is_heard")
)
_IS_TAKEN = or_(
    alert_outbox.c.state == DELIVERED, exists().where(_IS_LATER, _LATER.c.state == DELIVERED)
).label("is_taken")


def page_openings(connection: Connection, *, keys: Collection[str]) -> list[Opening]:
    """What opened the pages of these keys, a message each sink, the oldest first; of what is not yet over."""
    table, found = alert_outbox, []
    for chunk in chunks(sorted(keys)):
        rows = connection.execute(
            select(
                table.c.id,
                table.c.dedup_key,
                table.c.sink,
                table.c.state,
                table.c.written_at,
                table.c.next_at,
                table.c.error,
                _IS_TAKEN,
            ).where(
                table.c.dedup_key.in_(chunk),
                table.c.transition == AlertTransition.OPENED.value,
                table.c.severity == Severity.PAGE.value,
                ~_IS_OVER,
            )
        )
        found += [
            Opening(
                id=row.id,
                key=row.dedup_key,
                sink=row.sink,
                written_at=row.written_at,
                is_taken=bool(row.is_taken),
                given_up_at=row.next_at if row.state == DEAD else None,
                error=row.error,
            )
            for row in rows
        ]
    return sorted(found, key=lambda one: (one.written_at, one.key, one.sink))


def refused_ends(connection: Connection, *, since: datetime) -> list[RefusedEnd]:
    """What ended since then, was refused for good, and whose key that sink took something of; the oldest first."""
    table = alert_outbox
    rows = connection.execute(
        select(table, _IS_HEARD)
        .where(table.c.written_at >= since, table.c.state.in_((DEAD, AGAIN)), _IS_END, _IS_KNOWN, _IS_LAST)
        .order_by(table.c.written_at, table.c.id)
    )
    return [
        RefusedEnd(
            id=row.id,
            key=row.dedup_key,
            subject=codec.loads(Alert, row.body).concern.subject,
            sink=row.sink,
            severity=Severity(row.severity),
            written_at=row.written_at,
            is_heard=bool(row.is_heard),
            refused_at=row.next_at if row.state == DEAD else None,
            error=row.error,
        )
        for row in rows
    ]


def try_again(connection: Connection, *, alert_ids: Collection[str], at: datetime) -> None:
    """Have messages that were given up delivered once more, unless their end is written by now: it may be on its way.

    An end that came after what was begun anew under its key would end that.
    """
    is_due = or_(and_(_IS_END, _IS_LAST), and_(~_IS_END, ~_IS_OVER))
    connection.execute(
        update(alert_outbox)
        .where(alert_outbox.c.id.in_(alert_ids), alert_outbox.c.state == DEAD, is_due)
        .values(state=AGAIN, next_at=at)
    )
