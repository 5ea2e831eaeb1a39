"""Prometheus Alertmanager, by its API v2. What it is not told again, it takes for resolved."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from canary.alert import Alert, AlertKind, AlertTransition
from canary.concern import cause_of
from runners.alerts.contracts import Clock, Undelivered
from runners.alerts.posting import Poster
from runners.alerts.wording import Known, page_of, words

EVERY_SECONDS: Final = 60.0
"""How often what lasts is sent again."""
_LEAST_LIFE: Final = timedelta(minutes=5)
_RESOLVED_FOR: Final = timedelta(minutes=15)
"""How long a resolved alert is sent on, as Prometheus does: a member that was away learns of it too."""
_NAMES: Final[Mapping[AlertKind, str]] = {
    AlertKind.INCIDENT: "IntakePathBroken",
    AlertKind.BLINDNESS: "IntakeProberBlind",
    AlertKind.GAUGE: "IntakePlaceAtLimit",
    AlertKind.UNREADABLE: "IntakePlaceUnreadable",
    AlertKind.DEGRADED: "IntakePathDegraded",
    AlertKind.NOT_PROBED: "IntakePathNotProbed",
    AlertKind.LEFTOVERS: "IntakeLeftovers",
    AlertKind.DELIVERY: "IntakeAlertsNotDelivered",
    AlertKind.FLOOD: "IntakePagesHeldBack",
}
_TARGET: Final = frozenset({AlertKind.INCIDENT, AlertKind.GAUGE, AlertKind.DEGRADED})


@dataclass(slots=True)
class Alertmanager:
    """Posts to every member of a cluster: they gossip what was notified, not what is firing.

    An alert has arrived when one member has it; the others get it with the next refresh.

    Attributes:
        urls: the base of each member, not of a balancer before them.
        every_seconds: how often `refresh` is called.
    """

    name: str
    urls: tuple[str, ...]
    poster: Poster
    clock: Clock
    known: Known
    every_seconds: float = EVERY_SECONDS
    _ended: dict[str, tuple[Alert, datetime]] = field(default_factory=dict, init=False)

    async def deliver(self, alert: Alert) -> None:
        """Post one alert. Raises `Undelivered` where no member took it; cancellable."""
        now = self.clock.now()
        if alert.transition is AlertTransition.RESOLVED:
            self._ended[alert.key] = (alert, now)
        await self._post([self._entry(alert, now)])

    async def refresh(self, still_open: Sequence[Alert]) -> None:
        """Post all that lasts, and what ended in the last quarter of an hour. Raises `Undelivered`."""
        now = self.clock.now()
        self._ended = {key: one for key, one in self._ended.items() if now - one[1] < _RESOLVED_FOR}
        # Whoever asked for the open ones may have done so before the end of one was delivered.
        entries = [self._entry(one, now) for one in still_open if one.key not in self._ended]
        entries += [self._entry(one, now) for one, _ in self._ended.values()]
        if entries:
            await self._post(entries)

    def _entry(self, alert: Alert, now: datetime) -> dict[str, Any]:
        life = max(_LEAST_LIFE, timedelta(seconds=3 * self.every_seconds))
        is_over = alert.transition is AlertTransition.RESOLVED
        # It refuses an end before the beginning.
        ends_at = max(alert.at, alert.concern.since) if is_over else now + life
        return {
            "labels": labels_of(alert),
            "annotations": _annotations(alert, self.known),
            "startsAt": alert.concern.since.isoformat(),
            "endsAt": ends_at.isoformat(),
            "generatorURL": page_of(alert, self.known) or "",
        }

    async def _post(self, entries: Sequence[Mapping[str, Any]]) -> None:
        body = json.dumps(entries).encode()
        failures: list[Undelivered] = []

        async def post_to(url: str) -> None:
            try:
                await self.poster.post(f"{url.rstrip('/')}/api/v2/alerts", body)
            except Undelivered as error:
                failures.append(error)

        async with asyncio.TaskGroup() as group:
            for url in self.urls:
                group.create_task(post_to(url))
        if len(failures) == len(self.urls):
            raise Undelivered(
                "; ".join(dict.fromkeys(str(one) for one in failures)),
                permanent=all(one.permanent for one in failures),
                retry_after_seconds=max((one.retry_after_seconds or 0.0 for one in failures), default=0.0)
                or None,
            ) from failures[0]


def labels_of(alert: Alert) -> dict[str, str]:
    """Its identity: only what stays the same from the opening to the end, else the end would miss it.

    Paths may join while it lasts: they stand in the annotations. An empty label is refused.
    """
    concern = alert.concern
    labels = {
        "alertname": _NAMES[concern.kind],
        "severity": alert.severity.value,
        "category": "target" if concern.kind in _TARGET else "prober",
        "kind": concern.kind.value,
        "subject": concern.subject,
        "place": concern.place or "",
        "cause": cause_of(concern) or "",
        "key": alert.key,
    }
    return {name: value for name, value in labels.items() if value}


def _annotations(alert: Alert, known: Known) -> dict[str, str]:
    said = words(alert, known)
    concern = alert.concern
    found = {
        "summary": said.title,
        "description": "\n".join(f"{one.label}: {one.text}" for one in said.lines),
        "paths": ", ".join(concern.paths),
        "prober": alert.prober,
        "runbook_url": next((one.url for one in said.links if one.text != "Page"), ""),
    }
    if concern.stop is not None:
        found |= {"blame": concern.stop.hop.value, "reason": concern.stop.reason.value}
    return {name: value for name, value in found.items() if value}
