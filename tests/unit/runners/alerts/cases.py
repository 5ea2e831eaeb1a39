"""Paths and alerts for the tests of what people are told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Ending, Severity, Subject
from canary.blame import Stop
from canary.hop import Channel, Hop, route
from canary.incident import IncidentId
from canary.path import Path, PathName, Slo
from canary.reason import CAUSES, Reason, Side
from canary.signature import CanaryId
from runners.alerts.wording import Known

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIL, FORM, PORTAL = PathName("support-email"), PathName("contact-form"), PathName("support-portal")
FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)


def a_path(name: PathName = MAIL, channel: Channel = Channel.EMAIL, **more: object) -> Path:
    made = Path(
        name=name,
        channel=channel,
        route=route(channel),
        slo=Slo(deadline_seconds=600),
        ticketing="desk",
        mailbox="support",
        domain="acme.example",
        team="support",
        runbook="https://wiki.acme.example/intake",
    )
    return replace(made, **more)  # type: ignore[arg-type]


PATHS = {
    MAIL: a_path(),
    FORM: a_path(FORM, Channel.FORM, runbook=None, mailbox=None),
    PORTAL: a_path(PORTAL, Channel.PORTAL, runbook=None, mailbox=None),
}
KNOWN = Known(PATHS)


def stop(hop: Hop, reason: Reason = Reason.NOT_SEEN) -> Stop:
    side = CAUSES[reason].side
    return Stop(hop, reason, Side.TARGET if side is Side.EITHER else side)


def a_concern(**more: object) -> Concern:
    made = Concern(
        subject=Subject("incident/mailbox/support"),
        kind=AlertKind.INCIDENT,
        severity=Severity.PAGE,
        since=NOON,
        paths=(MAIL,),
        stop=FULL,
        incidents=(IncidentId("0198f0aa"),),
        canary=CanaryId("c4n4ry"),
        impact_from=NOON - timedelta(minutes=10),
        failures=2,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def an_alert(concern: Concern | None = None, **more: object) -> Alert:
    """Opened, 20 minutes after it began."""
    told = concern if concern is not None else a_concern()
    made = Alert(
        id="0198f0ab-0001",
        key="intake/fra-1/0198f0aa",
        seq=1,
        sink="pager",
        transition=AlertTransition.OPENED,
        severity=told.severity,
        at=NOON + timedelta(minutes=20),
        concern=told,
        prober="fra-1",
        working=(FORM,),
        opened_at=NOON + timedelta(minutes=20),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def resolved(*, is_retired: bool = False, minutes: int = 80) -> Alert:
    """The end of it, with the first canary that came through again ten minutes before."""
    at = NOON + timedelta(minutes=minutes)
    ending = Ending(is_retired) if is_retired else Ending(impact_until=at - timedelta(minutes=10))
    return an_alert(transition=AlertTransition.RESOLVED, at=at, seq=2, id="0198f0ab-0002", ending=ending)
