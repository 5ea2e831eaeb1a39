"""What sinks did not take, in figures and in words."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from runners.alert_contracts import OutboxState

if TYPE_CHECKING:
    from runners.answer_shapes import UndeliveredAnswer

OVERDUE = timedelta(minutes=5)
"""What waits longer for a sink is told; less is on its way."""
DEAD_FOR = timedelta(hours=24)
"""So long people are told of what a sink refused for good."""


def undelivered(
    outbox: Mapping[str, OutboxState], *, now: datetime, sinks: Collection[str] | None = None
) -> "list[UndeliveredAnswer]":
    """Of each sink that has something to tell; what is only on its way is left out. Pure.

    Args:
        outbox: of every sink that ever was.
        now: aware UTC.
        sinks: those that are configured: nobody can mend another one. None: all.
    """
    from runners.answers import stamp

    return [
        {
            "sink": sink,
            "pending": one.pending,
            "oldest_at": stamp(one.oldest_at) if one.oldest_at is not None else None,
            "dead": one.dead,
            "partial": one.partial,
            "last_error": one.last_error,
        }
        for sink, one in sorted(outbox.items())
        if (sinks is None or sink in sinks)
        and (one.dead or one.partial or (one.oldest_at is not None and now - one.oldest_at >= OVERDUE))
    ]


def undelivered_words(one: "UndeliveredAnswer") -> str:
    """The same of one sink, in words."""
    words = [f"{one['pending']} wait"] if one["pending"] else []
    words += [f"{one['dead']} refused for good"] if one["dead"] else []
    words += [f"{one['partial']} did not reach everybody"] if one["partial"] else []
    return ", ".join(words) + (f" ({one['last_error']})" if one["last_error"] else "")
