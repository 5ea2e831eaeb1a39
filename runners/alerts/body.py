"""What a webhook is sent: `intake-prober/alert/1`. Fields are added to it, never taken away or given another meaning."""

from datetime import UTC, datetime
from typing import Any, Final, Literal

from typing_extensions import TypedDict

from canary.alert import Alert, PathBlame
from canary.trace import trace_id
from canary.verdict import Verdict
from runners.alerts.wording import Known, words

SCHEMA: Final = "intake-prober/alert/1"


class AlertLine(TypedDict):
    """One thing that is told in words."""

    label: str
    text: str


class AlertLink(TypedDict):
    """Somewhere to read more."""

    text: str
    url: str


class AlertBlame(TypedDict):
    """What one path bears."""

    path: str
    blame: str
    reason: str
    side: Literal["target", "prober", "either"]
    bisected: Literal["confirmed", "breached"] | None
    canary: str | None


class AlertData(TypedDict):
    """One alert.

    ``id`` is the message's, the same when it is sent again; ``key`` the concern's, the same from its opening to its
    end; ``seq`` orders the messages of a key. ``since`` is when the concern began, in all of its messages;
    ``read_at`` when a gauge's reading was taken that it tells of, ``over_at`` since when it is well again.
    ``tickets_at_risk``: how many real ones would usually have come in the impact window, where that is known.
    ``paths`` are those affected. ``each`` is empty where ``blame``, ``reason`` and ``bisected`` are true of all of them;
    where they differ it has each path's own, and ``blame`` is the first one's. What does not apply is null.
    """

    id: str
    key: str
    seq: int
    transition: Literal["opened", "changed", "reminder", "resolved"]
    kind: str
    severity: Literal["page", "ticket"]
    subject: str
    prober: str
    at: str
    since: str
    paths: list[str]
    place: str | None
    blame: str | None
    reason: str | None
    side: Literal["target", "prober", "either"] | None
    failures: int
    only_sender: str | None
    bisected: Literal["confirmed", "breached"] | None
    each: list[AlertBlame]
    incidents: list[str]
    canary: str | None
    trace_id: str | None
    impact_from: str | None
    impact_until: str | None
    tickets_at_risk: float | None
    retired: bool
    working: list[str]
    detail: str
    read_at: str | None
    over_at: str | None
    title: str
    lines: list[AlertLine]
    links: list[AlertLink]


class AlertBody(TypedDict):
    """The body of a webhook. ``type`` is ``intake.<kind>.<transition>``, ``timestamp`` that of the alert."""

    type: str
    timestamp: str
    schema: Literal["intake-prober/alert/1"]
    data: AlertData


def body_of(alert: Alert, known: Known) -> AlertBody:
    """The body of an alert; the same alert gives the same body."""
    concern, said = alert.concern, words(alert, known)
    ending = alert.ending
    return {
        "type": f"intake.{concern.kind}.{alert.transition}",
        "timestamp": _stamp(alert.at),
        "schema": "intake-prober/alert/1",
        "data": {
            "id": alert.id,
            "key": alert.key,
            "seq": alert.seq,
            "transition": alert.transition.value,
            "kind": concern.kind.value,
            "severity": alert.severity.value,
            "subject": concern.subject,
            "prober": alert.prober,
            "at": _stamp(alert.at),
            "since": _stamp(concern.since),
            "paths": list(concern.paths),
            "place": concern.place,
            "blame": concern.stop.hop.value if concern.stop is not None else None,
            "reason": concern.stop.reason.value if concern.stop is not None else None,
            "side": concern.stop.side.value if concern.stop is not None else None,
            "failures": concern.failures,
            "only_sender": concern.only_sender,
            "bisected": _bisected(concern.bisected),
            "each": [_blame(one) for one in concern.each],
            "incidents": list(concern.incidents),
            "canary": concern.canary,
            "trace_id": trace_id(concern.canary) if concern.canary is not None else None,
            "impact_from": _stamp(concern.impact_from) if concern.impact_from is not None else None,
            "impact_until": _stamp(ending.impact_until)
            if ending is not None and ending.impact_until is not None
            else None,
            "tickets_at_risk": round(alert.at_risk, 1) if alert.at_risk is not None else None,
            "retired": ending is not None and ending.is_retired,
            "working": list(alert.working),
            "detail": _detail(alert),
            "read_at": _stamp(concern.read_at) if concern.read_at is not None else None,
            "over_at": _over_at(alert),
            "title": said.title,
            "lines": [{"label": one.label, "text": one.text} for one in said.lines],
            "links": [{"text": one.text, "url": one.url} for one in said.links],
        },
    }


def _detail(alert: Alert) -> str:
    """Of a gauge that is well again what is read now; else what the concern says."""
    if alert.ending is not None and alert.ending.detail:
        return alert.ending.detail
    return ": ".join(one for one in (alert.concern.headline, alert.concern.detail) if one)


def _over_at(alert: Alert) -> str | None:
    """Since when it is well; of what is retired nobody knows whether it is."""
    if alert.ending is None or alert.ending.is_retired:
        return None
    return _stamp(alert.ending.over_at or alert.at)


def _blame(one: PathBlame) -> AlertBlame:
    return {
        "path": one.path,
        "blame": one.stop.hop.value,
        "reason": one.stop.reason.value,
        "side": one.stop.side.value,
        "bisected": _bisected(one.bisected),
        "canary": one.canary,
    }


def _bisected(verdict: Verdict | None) -> Literal["confirmed", "breached"] | None:
    if verdict is None:
        return None
    return "confirmed" if verdict is Verdict.CONFIRMED else "breached"


def body_schema() -> dict[str, Any]:
    """The JSON Schema of the body (draft 2020-12)."""
    from pydantic import TypeAdapter

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **TypeAdapter(AlertBody).json_schema(mode="serialization"),
    }


def _stamp(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds, as in every `--json` answer."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
