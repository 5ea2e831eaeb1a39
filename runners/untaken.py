"""Pages that no sink takes, and ends: tried again, and said, for nobody else can say it."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from canary.ahead import is_ahead
from canary.alert import Severity
from canary.review import Standing
from runners.alert_contracts import AlertStore
from runners.undelivered import DEAD_FOR, OVERDUE

AGAIN: Final = timedelta(minutes=5)
"""How long after a sink refused a page or an end for good it is asked again: its key may have been mended."""


async def try_pages_again(
    store: AlertStore,
    standings: Iterable[Standing | None],
    *,
    sinks: Collection[str] | None,
    now: datetime,
) -> list[str]:
    """Have pages that last, and ends of the last day, delivered again to whoever refused them.

    Returns:
        those pages that no sink has taken, and ends of pages that none took, a sentence each.

    Args:
        store: the outbox.
        standings: what was told, of all that lasts.
        sinks: those that are configured here; None: all. Of others somebody else has to speak.
        now: aware UTC.

    Raises:
        StoreError: the store can't be read or written.
    """
    subjects = {
        told.key: one.concern.subject
        for one in standings
        if one is not None
        for told in one.told
        if told.severity is Severity.PAGE
    }
    openings = await store.page_openings(subjects) if subjects else ()
    ends = [one for one in await store.refused_ends(now - DEAD_FOR) if sinks is None or one.sink in sinks]
    ours = [one for one in openings if sinks is None or one.sink in sinks]
    due = [one.id for one in ours if not one.is_taken and _is_due(one.given_up_at, now)]
    due += [one.id for one in ends if _is_due(one.refused_at, now)]
    if due:
        await store.try_again(due, at=now)
    taken = {one.key for one in openings if one.is_taken}
    found = []
    for key in dict.fromkeys(one.key for one in ours if one.key not in taken):
        first = [one for one in ours if one.key == key]
        if _is_overdue(first[0].written_at, now):
            why = "; ".join(one.error or f"{one.sink}: it waits" for one in first)
            found.append(f"no sink took the page of {first[0].written_at:%H:%M} UTC, {subjects[key]}: {why}")
    unheard = [one for one in ends if one.severity is Severity.PAGE and not one.is_heard]
    for key in dict.fromkeys(one.key for one in unheard if _is_overdue(one.written_at, now)):
        last = [one for one in unheard if one.key == key]
        why = "; ".join(one.error or f"{one.sink}: it waits" for one in last)
        at = f"{last[0].written_at:%H:%M} UTC"
        found.append(f"no sink took the end of {at} of the page {last[0].subject}: {why}")
    return found


def _is_due(refused_at: datetime | None, now: datetime) -> bool:
    # A time in the future is one of a clock that was set back since.
    return refused_at is not None and not timedelta(0) <= now - refused_at < AGAIN


def _is_overdue(written_at: datetime, now: datetime) -> bool:
    return now - written_at >= OVERDUE or is_ahead(written_at, now)
