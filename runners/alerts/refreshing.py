"""Tell again what lasts, to sinks that forget it otherwise."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from canary.alert import Alert, AlertTransition, Ending, Subject
from canary.review import Standing
from runners.alert_contracts import AlertStore
from runners.alerts.contracts import AlertSink, Clock, Refreshed, Undelivered
from runners.contracts import StoreError

EVERY_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lasting:
    """What lasts at one moment.

    Attributes:
        alerts: of it, what one sink knows of.
        episodes: which occurrence of each subject lasts, whoever knows of it.
    """

    alerts: Sequence[Alert] = ()
    episodes: Mapping[Subject, str] = field(default_factory=dict)


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


def refreshing_loops(
    store: AlertStore, sinks: Mapping[str, AlertSink], *, prober: str, clock: Clock
) -> dict[str, Callable[[], Awaitable[None]]]:
    """A loop, by name, for each sink that forgets what it is not told again."""

    async def lasting(sink: str) -> Lasting:
        standings = {
            subject: one for subject, (one, _) in (await store.standings()).items() if one is not None
        }
        return Lasting(
            still_open(standings.values(), sink, prober=prober),
            {subject: one.episode for subject, one in standings.items()},
        )

    return {
        f"refreshing {name}": partial(keep_fresh, sink, partial(lasting, name), clock=clock)
        for name, sink in sinks.items()
        if isinstance(sink, Refreshed)
    }


async def keep_fresh(
    sink: Refreshed,
    lasting: Callable[[], Awaitable[Lasting]],
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
            await _refresh(sink, lasting, clock)
        except (Undelivered, StoreError) as error:
            _log.warning("alert_not_delivered", extra={"place": sink.name, "detail": str(error)})
        await clock.sleep(every_seconds)


async def _refresh(sink: Refreshed, lasting: Callable[[], Awaitable[Lasting]], clock: Clock) -> None:
    """Refresh once, and take back what ended meanwhile.

    Another process may deliver an end between our reading and our telling: what we told has then opened it again.
    Told at once, the end comes before anybody was notified of that. What counts is whether the occurrence lasts, not
    whether it is told under the same key: a ticket that grows into a page has another one.
    """
    told = await lasting()
    await sink.refresh(told.alerts)
    if not told.alerts:
        return
    left = await lasting()
    for one in told.alerts:
        subject = one.concern.subject
        if left.episodes.get(subject) == told.episodes.get(subject):
            continue
        ended = replace(one, transition=AlertTransition.RESOLVED, at=clock.now(), ending=Ending())
        try:
            await sink.deliver(ended)
        except Undelivered as error:
            # The others are to be taken back all the same.
            _log.warning("alert_not_delivered", extra={"place": sink.name, "detail": str(error)})
