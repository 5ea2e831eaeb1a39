"""What is to be sent out: rows written in the transaction of the fact, drained by whoever exports."""

from datetime import datetime

from sqlalchemy.engine import Connection

from canary.signature import CanaryId
from runners.store.sql import inserted
from runners.store.tables import export_outbox

MAIN = "main"
"""The part of a trace that is sent at the first verdict."""
AFTERMATH = "aftermath"
"""The part that is sent when a breached canary turned out late or lost."""


def cleanup_part(number: int) -> str:
    """The part that is sent after one try to clean, counted from 1."""
    return f"cleanup/{number}"


def enqueue_trace(connection: Connection, canary_id: CanaryId, part: str, *, at: datetime) -> None:
    """Have a part of a canary's trace sent; once, however often it is asked for."""
    inserted(
        connection,
        export_outbox,
        kind="trace",
        canary_id=canary_id,
        part=part,
        state="pending",
        attempts=0,
        next_at=at,
    )
