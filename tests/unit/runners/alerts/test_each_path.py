"""Paths of one concern that stopped at different places: what is known of one is never said of another."""

from dataclasses import replace

import pytest
from pydantic import TypeAdapter

from canary.alert import Alert, Concern
from canary.blame import Stop
from canary.concern import incident_concerns
from canary.hop import Channel, Hop, route
from canary.incident import Bisected, Incident, IncidentId, IncidentKind
from canary.path import PathName
from canary.reason import Reason, Side
from canary.review import Review, Standing, review
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.alerts.body import AlertBody, body_of
from runners.alerts.wording import Known, Words, words
from runners.store import codec
from tests.unit.runners.alerts.cases import FORM, MAIL, NOON, PORTAL, a_path, an_alert

BILLING = PathName("billing-mail")
PATHS = {
    MAIL: a_path(),
    BILLING: a_path(BILLING, mailbox="billing", domain="billing.example"),
    FORM: a_path(FORM, Channel.FORM, mailbox=None, domain="www.example"),
    PORTAL: a_path(PORTAL, Channel.PORTAL, mailbox=None, domain="portal.example"),
}
NOT_SEEN = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
DAMAGED = Stop(Hop.TICKET_CONTENT, Reason.BODY_TRUNCATED, Side.TARGET)
REFUSED = Stop(Hop.SMTP_AUTH, Reason.CREDENTIALS_REJECTED, Side.PROBER)


def incident(path: PathName, stop: Stop = NOT_SEEN, **more: object) -> Incident:
    made = Incident(
        id=IncidentId(f"incident-{path}"),
        path=path,
        kind=IncidentKind.TARGET,
        first_canary=CanaryId(f"canary-{path}"),
        onset_at=NOON,
        opened_at=NOON,
        stop=stop,
        impact_from=None,
        failures=2,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def concern_of(*incidents: Incident) -> Concern:
    (only,) = incident_concerns(incidents, PATHS, now=NOON)
    return only


def told(*incidents: Incident) -> Words:
    return words(an_alert(concern_of(*incidents)), Known(PATHS))


def said(told: Words, label: str) -> str:
    return next((one.text for one in told.lines if one.label == label), "")


def test_bounce_that_sharpens_one_path__is_not_said_of_the_portal_beside_it() -> None:
    alert = told(incident(MAIL, sharper=FULL), incident(PORTAL))

    assert alert.title == (
        "PAGE: support-email broken at mailbox.arrival: mailbox_full;"
        " support-portal broken at ticket.created: not_seen"
    )
    assert said(alert, "Whose") == "the mail platform (support-email); the ticketing vendor (support-portal)"
    assert said(alert, "Where") == (
        "support-email: hop mailbox.arrival, reason mailbox_full;"
        " support-portal: hop ticket.created, reason not_seen"
    )
    assert said(alert, "Customers").count("(support-email)") == 1
    assert (
        "become no ticket that an agent sees: nobody answers, and they are told nothing (support-portal)"
        in (said(alert, "Customers"))
    )
    assert said(alert, "Do").startswith("support-email: Empty or enlarge the mailbox")
    assert "support-portal: " in said(alert, "Do")
    assert said(alert, "Evidence") == (
        "support-email: canary canary-support-email: intake-prober trace canary-support-email;"
        " support-portal: canary canary-support-portal: intake-prober trace canary-support-portal"
    )
    assert said(alert, "Runbook").startswith("mailbox_full, not_seen,")


def test_damaged_tickets_of_a_form__are_not_told_as_missing_ones() -> None:
    alert = told(incident(MAIL), incident(FORM, DAMAGED))

    assert "contact-form broken at ticket.content: body_truncated" in alert.title
    assert "not as they wrote them: text, sender or attachments are wrong (contact-form)" in (
        said(alert, "Customers")
    )


@pytest.mark.parametrize(
    ("verdict", "party"),
    [
        (Verdict.CONFIRMED, "the mail platform (support-email)"),
        (Verdict.BREACHED, "the ticketing vendor (support-email)"),
    ],
)
def test_bisect_canary_of_one_domain__says_nothing_of_the_other(verdict: Verdict, party: str) -> None:
    hidden = route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})
    known = Known({name: replace(one, route=hidden) for name, one in PATHS.items()})
    concern = concern_of(incident(MAIL, bisected=Bisected(CanaryId("b"), verdict)), incident(BILLING))

    alert = words(an_alert(concern), known)

    assert party in said(alert, "Whose")
    assert "it is not known which (billing-mail)" in said(alert, "Whose")
    assert said(alert, "Bisected").startswith("support-email: a canary that was sent past")
    assert "billing-mail" not in said(alert, "Bisected")


def test_paths_that_stopped_alike__are_told_as_one() -> None:
    concern = concern_of(incident(MAIL), incident(PORTAL))

    assert (concern.each, concern.stop) == ((), NOT_SEEN)
    assert words(an_alert(concern), Known(PATHS)).title == (
        "PAGE: support-email, support-portal broken at ticket.created: not_seen"
    )


def test_second_path_that_comes_to_differ__is_told_as_a_change() -> None:
    before = concern_of(incident(MAIL), incident(PORTAL))
    after = concern_of(incident(MAIL), incident(PORTAL, sharper=DAMAGED))

    def reviewed(standing: Standing | None, concern: Concern) -> Review:
        return review(standing, concern, sinks=["pager"], is_silenced=False, namespace="n", now=NOON)

    first = reviewed(None, before)
    again = reviewed(first.standing, after)

    assert [one.transition.value for one in again.notices] == ["changed"]
    assert reviewed(again.standing, after).notices == ()


def test_what_each_path_bears__is_in_the_webhook_and_outlives_the_store() -> None:
    concern = concern_of(incident(MAIL, sharper=FULL), incident(PORTAL))
    alert = codec.loads(Alert, codec.dumps(an_alert(concern)))

    body = body_of(alert, Known(PATHS))

    TypeAdapter(AlertBody).validate_python(body, strict=True)
    assert [(one["path"], one["blame"], one["reason"]) for one in body["data"]["each"]] == [
        ("support-email", "mailbox.arrival", "mailbox_full"),
        ("support-portal", "ticket.created", "not_seen"),
    ]


def blind(path: PathName, sender: str) -> Incident:
    return incident(path, REFUSED, kind=IncidentKind.BLIND, failed_senders=frozenset({sender}))


def test_log_ins_that_two_providers_refuse__are_two_concerns_and_of_one_sender_one() -> None:
    def subjects(*incidents: Incident) -> list[str]:
        return [one.subject for one in incident_concerns(incidents, PATHS, now=NOON)]

    assert subjects(blind(MAIL, "a@one.example"), blind(BILLING, "b@two.example")) == [
        "blindness/prober/credentials_rejected/a@one.example",
        "blindness/prober/credentials_rejected/b@two.example",
    ]
    assert len(subjects(blind(MAIL, "a@one.example"), blind(BILLING, "a@one.example"))) == 1
