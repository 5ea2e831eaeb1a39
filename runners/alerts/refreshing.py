"""Tell again what lasts, to sinks that forget it otherwise."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final

from canary.alert import Alert, AlertTransition
from canary.review import Standing
from runners.alerts.contracts import Clock, Refreshed, Undelivered
from runners.contracts import StoreError

EVERY_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


def still_open(standings: Iterable[Standing | None], sink: str, *, prober: str) -> list[Alert]:
    """What a sink knows of and what lasts, as if it were told now for the first time. Pure."""
    return [
        Alert(
            id=told.key,
            key=told.key,
            seq=told.seq,
            sink=sink,
            transition=AlertTransition.OPENED,
            severity=told.severity,
            at=one.told_at or one.opened_at,
            concern=one.concern,
            prober=prober,
            opened_at=one.opened_at,
        )
        for one in standings
        if one is not None
        for told in one.told
        if told.sink == sink
    ]


async def keep_fresh(
    sink: Refreshed,
    lasting: Callable[[], Awaitable[Sequence[Alert]]],
    *,
    clock: Clock,
    every_seconds: float = EVERY_SECONDS,
) -> None:
    """Refresh a sink for ever; what fails is logged and tried again with the next one. Cancellable.

    Args:
        sink: what forgets.
        lasting: what lasts, for this sink; may raise `StoreError`.
        clock: waits.
        every_seconds: how often.
    """
    while True:
        try:
            await sink.refresh(await lasting())
        except (Undelivered, StoreError) as error:
            _log.warning("alert_not_delivered", extra={"place": sink.name, "detail": str(error)})
        await clock.sleep(every_seconds)
