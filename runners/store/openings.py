"""What opened pages: whether a sink took it, and once more to one that refused it for good."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.engine import Connection

from canary.alert import AlertTransition, Severity
from runners.alert_contracts import Opening
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


def try_again(connection: Connection, *, alert_ids: Collection[str], at: datetime) -> None:
    """Have messages that were given up delivered once more, unless their end is written by now: it may be on its way."""
    connection.execute(
        update(alert_outbox)
        .where(alert_outbox.c.id.in_(alert_ids), alert_outbox.c.state == DEAD, ~_IS_OVER)
        .values(state=AGAIN, next_at=at)
    )
