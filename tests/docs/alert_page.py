"""`python -m tests.docs.alert_page` prints the alerts that docs/guides/alerts.md shows: fixed inputs, the code's own words."""

import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Ending, Severity, Subject
from canary.blame import Stop
from canary.hop import Channel, Hop, route
from canary.incident import IncidentId
from canary.path import Path, PathName, Slo
from canary.reason import Reason, Side
from canary.signature import mint_id
from runners.alerts.wording import Known, words

MAIL, FORM = PathName("support-email"), PathName("contact-form")
BEGAN = datetime(2018, 8, 22, 19, 32, tzinfo=UTC)
KNOWN = Known(
    paths={
        MAIL: Path(
            MAIL,
            Channel.EMAIL,
            route(Channel.EMAIL),
            Slo(deadline_seconds=600),
            runbook="https://wiki.acme.example/intake",
        ),
        FORM: Path(FORM, Channel.FORM, route(Channel.FORM), Slo(deadline_seconds=300)),
    },
    page_url="https://prober.acme.example",
)


def opened() -> Alert:
    """A support mailbox is full; the contact form still works."""
    at = BEGAN + timedelta(minutes=22)
    concern = Concern(
        subject=Subject("incident/mailbox/support"),
        kind=AlertKind.INCIDENT,
        severity=Severity.PAGE,
        since=BEGAN,
        paths=(MAIL,),
        stop=Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET),
        incidents=(IncidentId("0165637e-b940-7a31-9d21-6d4f3a1c55e0"),),
        canary=mint_id(BEGAN, b"\x01\x02\x03\x04"),
        impact_from=BEGAN - timedelta(minutes=10),
        failures=2,
    )
    return Alert(
        id="0165637e-b940-7a31-9d21-000000000001",
        key=f"intake/acme/{concern.incidents[0]}",
        seq=1,
        sink="pager",
        transition=AlertTransition.OPENED,
        severity=Severity.PAGE,
        at=at,
        concern=concern,
        prober="fra-1",
        working=(FORM,),
        opened_at=at,
    )


def resolved() -> Alert:
    """It was emptied, and canaries come through."""
    at = BEGAN + timedelta(hours=1, minutes=31)
    return replace(
        opened(),
        id="0165637e-b940-7a31-9d21-000000000002",
        seq=2,
        transition=AlertTransition.RESOLVED,
        at=at,
        ending=Ending(impact_until=at - timedelta(minutes=11)),
    )


def sample() -> str:
    """Both, as plain text."""
    return "\n".join(words(one, KNOWN).text for one in (opened(), resolved()))


if __name__ == "__main__":
    sys.stdout.write(sample())
