"""PagerDuty, by its Events API v2 (PagerDuty developer documentation, Send an Alert Event)."""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from canary.alert import Alert, AlertTransition, Severity
from canary.concern import cause_of
from runners.alerts.contracts import ReadSecret
from runners.alerts.posting import Poster
from runners.alerts.wording import Known, Words, page_of, words

_KEY_CHARACTERS: Final = 255
_SUMMARY_CHARACTERS: Final = 1024
_SEVERITIES: Final = {Severity.PAGE: "critical", Severity.TICKET: "warning"}


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Triggers and resolves by ``dedup_key``, so that a message sent twice opens one alert.

    A reminder and a change are triggers of a known key: they add to its log and page nobody. An answer of 202 means
    taken in, not yet paged: their processing is asynchronous.
    """

    name: str
    routing_key: ReadSecret
    poster: Poster
    known: Known
    url: str

    async def deliver(self, alert: Alert) -> None:
        """Enqueue one event. Raises `Undelivered`; cancellable."""
        event = event_of(alert, self.known, routing_key=await self.routing_key())
        await self.poster.post(self.url, json.dumps(event).encode())


def event_of(alert: Alert, known: Known, *, routing_key: str) -> dict[str, Any]:
    """The event of an alert."""
    event: dict[str, Any] = {"routing_key": routing_key, "dedup_key": dedup_key(alert.key)}
    if alert.transition is AlertTransition.RESOLVED:
        return {**event, "event_action": "resolve"}
    said = words(alert, known)
    event |= {"event_action": "trigger", "payload": _payload(alert, said), "client": "intake-prober"}
    if said.links:
        event["links"] = [{"href": one.url, "text": one.text} for one in said.links]
    page = page_of(alert, known)
    return event if page is None else {**event, "client_url": page}


def dedup_key(key: str) -> str:
    """The alert's key, or, where it is longer than PagerDuty takes, its beginning and its digest."""
    if len(key) <= _KEY_CHARACTERS:
        return key
    digest = sha256(key.encode()).hexdigest()
    return f"{key[: _KEY_CHARACTERS - len(digest) - 1]}/{digest}"


def _payload(alert: Alert, said: Words) -> dict[str, Any]:
    concern = alert.concern
    payload = {
        "summary": said.title[:_SUMMARY_CHARACTERS],
        "source": alert.prober,
        "severity": _SEVERITIES[alert.severity],
        "timestamp": alert.at.isoformat(),
        "group": cause_of(concern) or ", ".join(concern.paths[:10]) or concern.place or concern.kind.value,
        "custom_details": {one.label: one.text for one in said.lines},
    }
    if concern.stop is not None:
        payload |= {"component": concern.stop.hop.value, "class": concern.stop.reason.value}
    elif concern.place is not None:
        payload |= {"component": concern.place, "class": concern.kind.value}
    return payload
