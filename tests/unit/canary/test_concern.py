"""Concerns: one for each common cause, of the right severity, and none that is not known."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.alert import AlertKind, Party, Severity, Subject, bisected_words, party
from canary.blame import Stop
from canary.concern import (
    LeftBehind,
    cause_of,
    common_cause,
    gauge_concerns,
    gauge_name,
    gauge_subject,
    incident_concerns,
    leftover_concerns,
    unreadable_concerns,
)
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel, Hop, route
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName, Slo
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.verdict import Verdict

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MAIL, BILLING, FORM = PathName("support-mail"), PathName("billing-mail"), PathName("contact-form")
SLO = Slo(deadline_seconds=600)
PATHS = {
    one.name: one
    for one in (
        Path(
            MAIL,
            Channel.EMAIL,
            route(Channel.EMAIL),
            SLO,
            interval_seconds=600,
            ticketing="desk",
            mailbox="support",
            domain="acme.example",
        ),
        Path(
            BILLING,
            Channel.EMAIL,
            route(Channel.EMAIL),
            SLO,
            interval_seconds=3600,
            ticketing="desk",
            mailbox="support",
            domain="acme.example",
        ),
        Path(
            FORM,
            Channel.FORM,
            route(Channel.FORM),
            SLO,
            interval_seconds=600,
            ticketing="desk",
            domain="www.acme.example",
        ),
    )
}
NOT_SEEN = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
BLIND = Stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED, Side.PROBER)


def incident(
    path: PathName, stop: Stop = NOT_SEEN, *, minutes: float = 0, kind: IncidentKind = IncidentKind.TARGET
) -> Incident:
    onset_at = NOON + timedelta(minutes=minutes)
    return Incident(
        id=IncidentId(f"incident-{path}"),
        path=path,
        kind=kind,
        first_canary=CanaryId(f"canary-{path}"),
        onset_at=onset_at,
        opened_at=onset_at + timedelta(minutes=20),
        stop=stop,
        impact_from=onset_at - timedelta(minutes=10),
        failures=2,
    )


def test_incidents_of_one_ticketing_system__are_one_concern_with_all_their_paths() -> None:
    concerns = incident_concerns([incident(FORM, minutes=5), incident(MAIL)], PATHS, now=NOON)

    (only,) = concerns
    assert only.subject == "incident/ticketing/desk"
    assert (only.paths, only.incidents) == ((FORM, MAIL), ("incident-support-mail", "incident-contact-form"))
    assert (only.severity, only.since, only.failures) == (Severity.PAGE, NOON, 4)
    assert only.impact_from == NOON - timedelta(minutes=10)


def test_full_mailbox_and_a_form_whose_tickets_are_missing__are_two_concerns() -> None:
    concerns = incident_concerns(
        [incident(MAIL, FULL), incident(BILLING, FULL), incident(FORM)], PATHS, now=NOON
    )

    assert [(one.subject, one.paths) for one in concerns] == [
        ("incident/mailbox/support", (BILLING, MAIL)),
        ("incident/ticketing/desk", (FORM,)),
    ]


def test_incident_that_is_over__and_one_of_a_path_that_is_gone__are_no_concern() -> None:
    over = replace(incident(MAIL), resolved_at=NOON)

    assert incident_concerns([over, incident(PathName("gone"))], PATHS, now=NOON) == []


def test_one_impact_window_that_is_not_known__and_the_concerns_is_not_either() -> None:
    unknown = replace(incident(FORM), impact_from=None)

    (only,) = incident_concerns([incident(MAIL), unknown], PATHS, now=NOON)

    assert only.impact_from is None


@pytest.mark.parametrize(
    ("path", "minutes", "severity"),
    [
        (MAIL, 59, Severity.TICKET),
        (MAIL, 60, Severity.PAGE),
        (BILLING, 179, Severity.TICKET),
        (BILLING, 180, Severity.PAGE),
    ],
)
def test_blindness__becomes_a_page_after_three_intervals_and_no_sooner_than_an_hour(
    path: PathName, minutes: float, severity: Severity
) -> None:
    blind = incident(path, BLIND, kind=IncidentKind.BLIND)

    (only,) = incident_concerns([blind], PATHS, now=NOON + timedelta(minutes=minutes))

    assert (only.kind, only.severity) == (AlertKind.BLINDNESS, severity)
    assert only.subject == "blindness/prober/credentials_rejected/desk"


def test_blindness__is_no_concern_of_the_targets_incident_beside_it() -> None:
    both = [incident(MAIL, BLIND, kind=IncidentKind.BLIND), incident(FORM)]

    assert [one.kind for one in incident_concerns(both, PATHS, now=NOON)] == [
        AlertKind.BLINDNESS,
        AlertKind.INCIDENT,
    ]


@pytest.mark.parametrize(
    ("stop", "cause"),
    [
        (Stop(Hop.DNS, Reason.DNS_NO_RECORD, Side.TARGET), "dns/acme.example"),
        (Stop(Hop.SMTP_ACCEPT, Reason.REJECTED, Side.TARGET), "mail/acme.example"),
        (Stop(Hop.SMTP_ACCEPT, Reason.MAILBOX_FULL, Side.TARGET), "mailbox/support"),
        (Stop(Hop.TICKET_CREATED, Reason.BACKLOG_GROWING, Side.TARGET), "mailbox/support"),
        (Stop(Hop.REPLY_RECEIVED, Reason.NOT_SEEN, Side.TARGET), "ticketing/desk"),
        (Stop(Hop.FORM_SUBMIT, Reason.SERVER_ERROR, Side.TARGET), "web/acme.example"),
    ],
)
def test_cause__is_the_place_where_it_stopped(stop: Stop, cause: str) -> None:
    assert common_cause(PATHS[MAIL], stop) == cause


def test_path_without_a_domain__shares_its_cause_with_no_other() -> None:
    alone = replace(PATHS[MAIL], domain="")

    assert common_cause(alone, Stop(Hop.DNS, Reason.DNS_NO_RECORD, Side.TARGET)) == "dns/path support-mail"


def test_only_one_senders_canaries_fail__and_the_concern_names_it() -> None:
    one = replace(
        incident(MAIL),
        failed_senders=frozenset({"a@probe.example"}),
        working_senders=frozenset({"b@other.example"}),
    )

    (only,) = incident_concerns([one], PATHS, now=NOON)

    assert only.only_sender == "a@probe.example"


def gauge(state: GaugeState, value: float | None = 95.0) -> Gauge:
    return Gauge(
        "support",
        GaugeName.MAILBOX_CAPACITY,
        value,
        "By",
        100.0,
        NOON,
        state,
        Resource.STORAGE,
        detail="full in 2 h at this rate",
    )


def test_gauge_at_page__is_a_page_with_the_paths_through_the_place() -> None:
    (only,) = gauge_concerns([gauge(GaugeState.PAGE)], PATHS)

    assert (only.severity, only.paths, only.place) == (Severity.PAGE, (BILLING, MAIL), "support")
    assert only.headline == "mailbox support is 95 % full (95 B of 100 B)"
    assert only.detail == "full in 2 h at this rate"
    assert (only.read_at, only.is_full) == (NOON, False)
    assert only.names == ("support",)


def test_mailbox_that_takes_no_more__is_full() -> None:
    (only,) = gauge_concerns([gauge(GaugeState.PAGE, 100.0)], PATHS)

    assert (only.headline, only.is_full) == ("mailbox support is 100 % full (100 B of 100 B)", True)


def test_full_mailbox_and_the_incident_that_it_makes__have_one_cause() -> None:
    (full,) = gauge_concerns([gauge(GaugeState.PAGE)], PATHS)
    (broken,) = incident_concerns([incident(MAIL, FULL)], PATHS, now=NOON)

    assert cause_of(full) == cause_of(broken) == "mailbox/support"
    assert cause_of(leftover_concerns([LeftBehind(MAIL, 3, NOON)], now=NOON + timedelta(hours=1))[0]) is None


def test_incident_beside_one_that_only_proves_itself__is_a_concern_of_its_own() -> None:
    works = replace(incident(MAIL, FULL), relapses=1, works_from=NOON)
    known = {works.id: incident_concerns([works], PATHS, now=NOON)[0].subject}
    new = incident(BILLING, FULL)

    old, beside = incident_concerns([works, new], PATHS, now=NOON, known=known)
    (joined,) = incident_concerns([replace(works, works_from=None), new], PATHS, now=NOON, known=known)

    assert (old.paths, beside.paths, joined.paths) == ((MAIL,), (BILLING,), (BILLING, MAIL))
    assert (old.works_from, beside.works_from) == (NOON, None)
    assert cause_of(old) == cause_of(beside) == "mailbox/support"


def test_third_incident__joins_those_that_fail_and_not_those_that_prove_themselves() -> None:
    works = replace(incident(MAIL, FULL), relapses=1, works_from=NOON)
    second, third = incident(BILLING, FULL), replace(incident(BILLING, FULL), id=IncidentId("third"))
    subject = incident_concerns([works], PATHS, now=NOON)[0].subject
    known = {works.id: subject, second.id: Subject(f"{subject}#2")}

    found = incident_concerns([works, second, third], PATHS, now=NOON, known=known)

    assert [len(one.incidents) for one in found] == [1, 2]


def test_path_that_flaps__is_said_to_and_the_other_path_of_its_cause_is_not() -> None:
    again = replace(incident(MAIL, FULL), relapses=2)

    (broken,) = incident_concerns([again, incident(BILLING, FULL)], PATHS, now=NOON)

    assert broken.detail.startswith(f"{MAIL}: it flaps: 2 incidents ended, each less than a day before")
    assert BILLING not in broken.detail


def test_gauge_at_warn__is_a_ticket_and_a_good_or_unknown_one_is_nothing() -> None:
    assert [one.severity for one in gauge_concerns([gauge(GaugeState.WARN)], PATHS)] == [Severity.TICKET]
    assert gauge_concerns([gauge(GaugeState.OK), gauge(GaugeState.UNKNOWN, None)], PATHS) == []


def test_gauge_that_could_not_be_read_for_half_an_hour__is_told_as_ours() -> None:
    unread = gauge(GaugeState.UNKNOWN, None)
    since = {gauge_subject(unread): NOON}

    early = unreadable_concerns([unread], since, PATHS, now=NOON + timedelta(minutes=29))
    (only,) = unreadable_concerns([unread], since, PATHS, now=NOON + timedelta(minutes=30))

    assert early == []
    assert (only.kind, only.severity) == (AlertKind.UNREADABLE, Severity.TICKET)


def test_traffic_that_is_not_known_to_be_usual__is_no_blindness_of_ours() -> None:
    unknown = Gauge(
        "desk", GaugeName.INTAKE_TRAFFIC, None, "{gap}", None, NOON, GaugeState.UNKNOWN, Resource.EMAIL
    )

    found = unreadable_concerns(
        [unknown], {gauge_subject(unknown): NOON}, PATHS, now=NOON + timedelta(days=9)
    )

    assert found == []


def test_customers_who_fell_silent__are_a_ticket_of_the_paths_through_the_system() -> None:
    silent = Gauge(
        "desk", GaugeName.INTAKE_TRAFFIC, 12.0, "{gap}", 9.0, NOON, GaugeState.WARN, Resource.EMAIL
    )

    (only,) = gauge_concerns([silent], PATHS)

    assert only.severity is Severity.TICKET
    assert only.subject == "gauge/desk/intake.traffic/email"
    assert only.headline == "customers' tickets no longer come by e-mail to ticketing system desk"
    assert gauge_name(only) is GaugeName.INTAKE_TRAFFIC
    assert cause_of(only) == "ticketing/desk"


def test_leftovers__are_told_when_the_oldest_is_an_hour_old() -> None:
    left = LeftBehind(MAIL, 3, NOON)

    assert leftover_concerns([left], now=NOON + timedelta(minutes=59)) == []
    (only,) = leftover_concerns([left], now=NOON + timedelta(minutes=60))
    assert only.detail == "3 tickets and mails of canaries could not be removed"


def test_mail_that_was_accepted_and_became_no_ticket__is_the_platforms_or_the_vendors_where_nobody_can_look() -> (
    None
):
    blind_route = route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})

    assert party(NOT_SEEN, blind_route) is Party.MAIL_OR_TICKETING
    assert party(NOT_SEEN, route(Channel.EMAIL)) is Party.TICKETING
    assert party(NOT_SEEN, route(Channel.FORM)) is Party.TICKETING
    assert party(BLIND, blind_route) is Party.PROBER
    assert party(FULL, blind_route) is Party.MAIL_PLATFORM


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.CONFIRMED, Party.MAIL_PLATFORM),
        (Verdict.BREACHED, Party.TICKETING),
        (Verdict.INCONCLUSIVE, Party.MAIL_OR_TICKETING),
        (None, Party.MAIL_OR_TICKETING),
    ],
)
def test_canary_past_the_mail_platform__tells_whose_a_lost_mail_is(
    verdict: Verdict | None, expected: Party
) -> None:
    blind_route = route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})

    assert party(NOT_SEEN, blind_route, verdict) is expected


@pytest.mark.parametrize(
    "mail_route", [route(Channel.EMAIL), route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})]
)
@pytest.mark.parametrize("reason", [Reason.NOT_SEEN, Reason.MAILBOX_FULL, Reason.BOUNCED])
def test_canary_past_the_mail_platform_that_failed__acquits_no_platform_that_was_seen_to_fail(
    mail_route: tuple[Hop, ...], reason: Reason
) -> None:
    lost = Stop(Hop.MAILBOX_ARRIVAL, reason, Side.TARGET)

    assert party(lost, mail_route, Verdict.BREACHED) is Party.MAIL_AND_TICKETING
    assert bisected_words(Verdict.BREACHED, lost).endswith("the vendor takes nothing, too")
    assert party(lost, mail_route, Verdict.CONFIRMED) is Party.MAIL_PLATFORM
    assert party(NOT_SEEN, mail_route, Verdict.BREACHED) is Party.TICKETING


def test_canary_past_the_mail_platform__tells_nothing_of_other_hops_channels_or_our_own_side() -> None:
    refused = Stop(Hop.SMTP_ACCEPT, Reason.REJECTED, Side.TARGET)

    assert party(refused, route(Channel.EMAIL), Verdict.BREACHED) is Party.MAIL_PLATFORM
    assert party(NOT_SEEN, route(Channel.FORM), Verdict.CONFIRMED) is Party.TICKETING
    assert party(BLIND, route(Channel.EMAIL), Verdict.CONFIRMED) is Party.PROBER
