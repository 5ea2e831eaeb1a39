"""Pages that no sink takes: tried again while they last, and said, for nobody else can say it."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final

from canary.alert import Severity
from canary.review import Standing
from runners.alert_contracts import AlertStore, Opening
from runners.undelivered import OVERDUE

AGAIN: Final = timedelta(minutes=5)
"""How long after a sink refused a page for good it is asked again: its key may have been mended."""


async def try_pages_again(
    store: AlertStore,
    standings: Iterable[Standing | None],
    *,
    sinks: Collection[str] | None,
    now: datetime,
) -> list[str]:
    """Have pages that last delivered again to whoever refused them; says those that no sink has taken, a sentence each.

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
    if not subjects:
        return []
    openings = await store.page_openings(subjects)
    ours = [one for one in openings if sinks is None or one.sink in sinks]
    due = [one.id for one in ours if _is_due(one, now)]
    if due:
        await store.try_again(due, at=now)
    taken = {one.key for one in openings if one.is_taken}
    found = []
    for key in dict.fromkeys(one.key for one in ours if one.key not in taken):
        first = [one for one in ours if one.key == key]
        if now - first[0].written_at >= OVERDUE:
            why = "; ".join(one.error or f"{one.sink}: it waits" for one in first)
            found.append(f"no sink took the page of {first[0].written_at:%H:%M} UTC, {subjects[key]}: {why}")
    return found


def _is_due(opening: Opening, now: datetime) -> bool:
    # A time in the future is one of a clock that was set back since.
    refused_at = opening.given_up_at
    return not opening.is_taken and refused_at is not None and not timedelta(0) <= now - refused_at < AGAIN
