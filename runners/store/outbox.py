"""What is to be sent out: rows written in the transaction of the fact, drained by whoever exports."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.engine import Connection

from canary.signature import CanaryId
from runners.store.sql import insert_or_nothing
from runners.store.tables import export_outbox

MAIN = "main"
"""The part of a trace that is sent at the first verdict."""
AFTERMATH = "aftermath"
"""The part that is sent when a breached canary turned out late or lost."""


def cleanup_part(number: int) -> str:
    """The part that is sent after one try to clean, counted from 1."""
    return f"cleanup/{number}"


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
                "state": "pending",
                "attempts": 0,
                "next_at": at,
            }
            for canary_id, part in sorted(parts)
        ],
    )
