"""What an alert says: true, whole, and nothing that is not known."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert import AlertKind, AlertTransition, Concern, Ending, Party, Severity, Subject
from canary.gauge import GaugeName
from canary.hop import Channel, Hop, full_route, route
from canary.path import PathName
from canary.reason import Reason, Side
from canary.verdict import Verdict
from runners.alerts.body import body_of
from runners.alerts.effects import FEELS, KIND_FEELS, whose
from runners.alerts.wording import TEST, WHAT, Known, Words, lasting, words
from runners.store import codec
from tests.unit.runners.alerts.cases import (
    FORM,
    KNOWN,
    MAIL,
    NOON,
    PATHS,
    PORTAL,
    a_concern,
    a_path,
    an_alert,
    resolved,
    stop,
)

OPENED = """\
PAGE: support-email broken at mailbox.arrival: mailbox_full

Whose: the mail platform
Where: support-email; hop mailbox.arrival, reason mailbox_full
Severity: page: somebody must look now
Since: 2026-03-02 12:00 UTC (20 min)
Impact: whoever wrote after 2026-03-02 11:50 UTC may be affected
Customers: their mail is accepted and does not reach the support mailbox; most of them are told nothing
Still works: send customers to the contact form: contact-form
Do: Empty or enlarge the mailbox; then watch the backlog drain.
Evidence: canary c4n4ry: intake-prober trace c4n4ry
Runbook: mailbox_full, in the runbook that came with intake-prober
Incident: 0198f0aa
From: fra-1, opened, 2026-03-02 12:20 UTC
Your runbook: https://wiki.acme.example/intake
"""


def said(told: Words, label: str) -> str | None:
    found = [one.text for one in told.lines if one.label == label]
    return found[0] if found else None


def test_full_mailbox__opened__says_all_that_a_person_at_night_needs() -> None:
    assert words(an_alert(), KNOWN).text == OPENED


def test_tickets_at_risk__are_told_where_they_are_known_and_in_the_end_for_the_whole_window() -> None:
    opened = an_alert(at_risk=12.2)
    over = replace(resolved(), at_risk=60.0)

    assert said(words(opened, KNOWN), "At risk") == "about 12 tickets would usually have come since"
    assert said(words(over, KNOWN), "At risk") == "about 60 tickets would usually have come in that time"
    assert said(words(an_alert(), KNOWN), "At risk") is None
    assert [body_of(one, KNOWN)["data"]["tickets_at_risk"] for one in (opened, an_alert())] == [12.2, None]


def test_page_and_runbooks_with_an_address__are_links() -> None:
    known = replace(
        KNOWN, page_url="https://prober.acme.example/", runbook_url="https://docs.example/runbook/"
    )

    assert ("What mailbox_full means", "https://prober.acme.example/runbook/mailbox_full") in [
        (one.text, one.url) for one in words(an_alert(), replace(known, runbook_url=None)).links
    ]
    assert [(one.text, one.url) for one in words(an_alert(), known).links] == [
        ("Page", "https://prober.acme.example/incidents/0198f0aa"),
        ("Your runbook", "https://wiki.acme.example/intake"),
        ("What mailbox_full means", "https://docs.example/runbook/mailbox_full.md"),
    ]


def test_mail_that_became_no_ticket__without_a_mailbox_that_we_read__is_not_known_whose() -> None:
    blind_route = route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})
    known = Known({MAIL: a_path(route=blind_route, mailbox=None)})
    concern = a_concern(stop=stop(Hop.TICKET_CREATED))

    assert said(words(an_alert(concern), known), "Whose") == (
        "the mail platform or the ticketing vendor; it is not known which"
    )


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [(Verdict.CONFIRMED, "the mail platform"), (Verdict.BREACHED, "the ticketing vendor")],
)
def test_mail_that_became_no_ticket__after_a_canary_past_the_mail_platform__is_one_partys(
    verdict: Verdict, expected: str
) -> None:
    hidden = a_path(route=route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL}))
    told = words(
        an_alert(a_concern(stop=stop(Hop.TICKET_CREATED), bisected=verdict)), Known({MAIL: hidden})
    ).text

    assert f"Whose: {expected}\n" in told
    assert "it is not known which" not in told


def test_paths_of_one_cause_with_different_routes__each_has_its_own_word() -> None:
    known = Known(
        {MAIL: a_path(route=route(Channel.EMAIL, without={Hop.MAILBOX_ARRIVAL})), FORM: PATHS[FORM]}
    )
    concern = a_concern(paths=(FORM, MAIL), stop=stop(Hop.TICKET_CREATED))

    assert said(words(an_alert(concern), known), "Whose") == (
        "the ticketing vendor (contact-form);"
        " the mail platform or the ticketing vendor; it is not known which (support-email)"
    )


def test_path_that_is_not_configured_here__blames_nobody() -> None:
    assert whose(a_concern(), {}) == ("not known: the path is not in this configuration",)


def test_name_of_a_portal__is_not_the_mail_domains() -> None:
    concern = a_concern(paths=(PORTAL,), stop=stop(Hop.DNS, Reason.DNS_NO_RECORD))

    assert whose(concern, PATHS) == ("the website's or portal's DNS",)


@pytest.mark.parametrize("kind", [AlertKind.INCIDENT, AlertKind.BLINDNESS])
def test_prober_side__is_ours_and_nobody_elses(kind: AlertKind) -> None:
    refused = stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED)
    assert refused.side is Side.PROBER

    assert whose(a_concern(kind=kind, stop=refused), PATHS) == ("the prober (ours)",)


def test_interface_that_answers_with_an_error__is_the_vendors_and_stays_blindness() -> None:
    failing = replace(stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE), answered=503)
    concern = a_concern(kind=AlertKind.BLINDNESS, stop=failing)
    kept = codec.loads(Concern, codec.dumps(concern))

    assert whose(kept, PATHS) == (Party.TICKETING_API.value,)
    assert words(an_alert(kept), KNOWN).title.startswith("PAGE: the prober can't see whether")


def test_blindness__says_that_it_is_not_known_how_customers_fare() -> None:
    concern = a_concern(
        kind=AlertKind.BLINDNESS,
        severity=Severity.TICKET,
        stop=stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE),
    )
    told = words(an_alert(concern, working=()), KNOWN)

    assert told.title == (
        "TICKET: the prober can't see whether support-email works at ticket.created: ticket_api_unreadable"
    )
    assert said(told, "Customers") == "not known; they may be well, and if they are not, nobody sees it now"
    assert said(told, "Impact") is None
    assert said(told, "Severity") == "ticket: it can wait until the morning"


def test_nothing_that_works__sends_customers_nowhere() -> None:
    assert said(words(an_alert(working=()), KNOWN), "Still works") is None


@pytest.mark.parametrize("kind", [one for one in AlertKind if one is not AlertKind.INCIDENT])
def test_trouble_that_is_none_of_the_customers__sends_them_nowhere(kind: AlertKind) -> None:
    quiet = a_concern(kind=kind, severity=Severity.TICKET)

    assert "Still works" not in words(an_alert(quiet), KNOWN).text


def test_place_at_its_limit__sends_customers_elsewhere_only_as_a_page() -> None:
    gauge = a_concern(kind=AlertKind.GAUGE, place="support", detail="support is full", stop=None)

    assert "Still works: send customers to the contact form" in words(an_alert(gauge), KNOWN).text
    blind = a_concern(kind=AlertKind.BLINDNESS)
    assert "Still works" not in words(an_alert(blind), KNOWN).text


def test_several_that_work__are_named_by_their_channel_and_the_unknown_one_by_its_name() -> None:
    alert = an_alert(working=(PORTAL, PathName("old-path"), FORM))

    assert said(words(alert, KNOWN), "Still works") == (
        "send customers to the contact form: contact-form; or the portal: support-portal; or old-path"
    )


def test_one_sender_alone__is_said() -> None:
    told = words(an_alert(a_concern(only_sender="canary@gmail.example")), KNOWN)

    assert (said(told, "One sender") or "").startswith("only canaries from canary@gmail.example fail")


def test_no_canary_was_ever_confirmed__says_that_the_beginning_is_not_known() -> None:
    told = words(an_alert(a_concern(impact_from=None)), KNOWN)

    assert said(told, "Impact") == "not known since when: no canary was confirmed before it began"


def test_end__says_how_long_it_lasted_and_who_may_be_affected() -> None:
    told = words(resolved(), KNOWN)

    assert told.title == (
        "RESOLVED after 1 h 20 min (was: support-email broken at mailbox.arrival: mailbox_full)"
    )
    assert said(told, "Over") == "2026-03-02 13:20 UTC, after 1 h 20 min"
    assert said(told, "Impact") == (
        "whoever wrote after 2026-03-02 11:50 UTC and before 2026-03-02 13:10 UTC may be affected"
    )
    assert [said(told, one) for one in ("Customers", "Do", "Still works", "Severity")] == [None] * 4


def test_end_that_is_told_later__was_when_the_store_says() -> None:
    ended = resolved()
    assert ended.ending is not None
    late = replace(
        ended,
        at=ended.at + timedelta(minutes=30),
        ending=replace(ended.ending, resolved_at=ended.at),
    )

    assert said(words(late, KNOWN), "Over") == "2026-03-02 13:20 UTC, after 1 h 20 min"
    assert words(late, KNOWN).title.startswith("RESOLVED after 1 h 20 min")


def test_path_that_is_gone__ends_without_a_word_of_recovery() -> None:
    told = words(resolved(is_retired=True), KNOWN)

    assert "RESOLVED" not in told.text
    assert told.title.startswith("ENDED, not known whether it works")
    assert "nobody knows what is so now" in (said(told, "Over") or "")


def test_reminder__says_how_long_it_lasts_by_now() -> None:
    alert = an_alert(transition=AlertTransition.REMINDER, at=NOON + timedelta(hours=26, minutes=5))

    assert words(alert, KNOWN).title.startswith("PAGE, STILL OPEN after 1 d 2 h: support-email broken")


def test_gauge__speaks_of_its_place() -> None:
    concern = Concern(
        subject=Subject("gauge/support/mailbox.capacity/storage"),
        kind=AlertKind.GAUGE,
        severity=Severity.PAGE,
        since=NOON,
        paths=(MAIL,),
        place="support",
        headline="mailbox support is 96 % full (96 MiB of 100 MiB)",
        detail="full in 2 h at this rate",
        read_at=NOON + timedelta(minutes=18),
    )
    told = words(an_alert(concern), KNOWN)

    assert told.title == "PAGE: mailbox support is 96 % full (96 MiB of 100 MiB)"
    assert said(told, "Whose") == "the mail platform"
    assert (said(told, "Customers") or "").startswith("nothing while it still takes mail")
    assert said(told, "Detail") == "full in 2 h at this rate"
    assert (said(told, "Since"), said(told, "Read at")) == (
        "2026-03-02 12:00 UTC (20 min)",
        "2026-03-02 12:18 UTC",
    )
    assert said(told, "Do") == "Empty or enlarge the mailbox before it is full; find what fills it."
    assert said(told, "Runbook") == "mailbox_full, in the runbook that came with intake-prober"

    full = words(an_alert(replace(concern, is_full=True)), KNOWN)
    assert (said(full, "Customers") or "").startswith("the mailbox is full: mail to support is refused")


def test_gauge_that_is_over__says_since_when_it_is_well_and_what_is_read_now() -> None:
    concern = Concern(
        subject=Subject("gauge/support/mailbox.capacity/storage"),
        kind=AlertKind.GAUGE,
        severity=Severity.PAGE,
        since=NOON,
        place="support",
        headline="mailbox support is 100 % full (200 KiB of 200 KiB)",
        detail="it is full",
        is_full=True,
    )
    ending = Ending(well_since=NOON + timedelta(minutes=7), detail="mailbox support is 1 % full")
    over = an_alert(
        concern, transition=AlertTransition.RESOLVED, at=NOON + timedelta(minutes=12), ending=ending
    )
    told = words(over, KNOWN)

    assert told.title == "RESOLVED after 7 min (was: mailbox support is 100 % full (200 KiB of 200 KiB))"
    assert said(told, "Over") == (
        "2026-03-02 12:07 UTC, after 7 min; told now because it stayed well for 5 min"
    )
    assert said(told, "Detail") == "mailbox support is 1 % full"
    data = body_of(over, KNOWN)["data"]
    assert (data["since"], data["over_at"], data["detail"]) == (
        "2026-03-02T12:00:00.000000Z",
        "2026-03-02T12:07:00.000000Z",
        "mailbox support is 1 % full",
    )


def test_gauge_whose_place_is_configured_no_more__is_not_called_well() -> None:
    concern = Concern(
        subject=Subject("gauge/support/mailbox.capacity/storage"),
        kind=AlertKind.GAUGE,
        severity=Severity.PAGE,
        since=NOON,
        place="support",
        headline="mailbox support is 100 % full",
    )
    gone = an_alert(
        concern,
        transition=AlertTransition.RESOLVED,
        at=NOON + timedelta(minutes=12),
        ending=Ending(is_retired=True),
    )
    told, data = words(gone, KNOWN), body_of(gone, KNOWN)["data"]

    assert "RESOLVED" not in told.title
    assert said(told, "Over") == (
        "support is configured no more, and its gauge is no longer read; it was open for 12 min, "
        "and nobody knows what is so now"
    )
    assert (data["over_at"], data["retired"]) == (None, True)


def test_alert_whose_cause_pages_already__says_so() -> None:
    alert = an_alert(beside=("mailbox support is 100 % full",))

    assert said(words(alert, KNOWN), "Same cause") == (
        "as the alert that is open too: mailbox support is 100 % full"
    )


@pytest.mark.parametrize("gauge", GaugeName)
def test_every_gauge__says_what_to_do_and_what_to_read(gauge: GaugeName) -> None:
    concern = a_concern(
        kind=AlertKind.GAUGE, place="support", subject=Subject(f"gauge/support/{gauge}"), stop=None
    )

    assert said(words(an_alert(concern), KNOWN), "Do")
    assert said(words(an_alert(concern), KNOWN), "Runbook")


def test_gauge_of_our_own_mailbox__says_nothing_of_support() -> None:
    concern = Concern(
        subject=Subject("gauge/account canary/mailbox.capacity/storage"),
        kind=AlertKind.GAUGE,
        severity=Severity.TICKET,
        since=NOON,
        place="account canary",
        detail="mailbox.capacity of account canary (storage) is at warn 81%",
    )
    told = words(an_alert(concern, working=()), KNOWN)

    assert (said(told, "Whose"), said(told, "Customers")) == (None, None)


def test_test_message__says_that_nothing_is_broken() -> None:
    concern = Concern(TEST, AlertKind.DELIVERY, Severity.TICKET, NOON, place="pager")

    assert words(an_alert(concern), KNOWN).title == "TEST of intake-prober: nothing is broken"


@pytest.mark.parametrize("channel", Channel)
def test_every_hop_of_a_channel__says_what_customers_feel(channel: Channel) -> None:
    assert {*full_route(channel), Hop.TICKET_CLEANUP} == set(FEELS[channel])


def test_every_kind__has_its_words() -> None:
    assert set(WHAT) == set(AlertKind)
    assert set(KIND_FEELS) == set(AlertKind) - {AlertKind.INCIDENT, AlertKind.GAUGE}


@pytest.mark.parametrize("name", GaugeName)
def test_every_gauge__says_what_customers_feel(name: GaugeName) -> None:
    subject = Subject(f"gauge/support/{name}")
    concern = a_concern(subject=subject, kind=AlertKind.GAUGE, place="support", stop=None)

    assert said(words(an_alert(concern), KNOWN), "Customers")


@pytest.mark.parametrize("kind", AlertKind)
@pytest.mark.parametrize("transition", AlertTransition)
def test_bare_concern__is_told_without_a_hole(kind: AlertKind, transition: AlertTransition) -> None:
    concern = Concern(Subject(f"{kind}/x"), kind, Severity.TICKET, NOON)
    told = words(an_alert(concern, transition=transition, working=()), Known())

    assert "None" not in told.text
    assert all(one.text.strip() for one in told.lines)


def test_hundred_paths__are_not_all_named() -> None:
    names = tuple(PathName(f"path-{number:03}") for number in range(100))
    told = words(an_alert(a_concern(paths=names)), KNOWN)

    assert "path-019 and 80 more" in told.title
    assert len(told.title) <= 240 or told.title.endswith("…")


@given(detail=st.text(max_size=300))
def test_whatever_a_detail_holds__each_thing_is_one_line(detail: str) -> None:
    told = words(an_alert(a_concern(kind=AlertKind.GAUGE, place="x", detail=detail)), KNOWN)

    for one in (told.title, *(line.text for line in told.lines)):
        assert one == " ".join(one.split())
        assert one.isprintable()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (-5, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (4800, "1 h 20 min"),
        (93600, "1 d 2 h"),
    ],
)
def test_span__is_told_in_its_two_largest_units(seconds: int, text: str) -> None:
    assert lasting(timedelta(seconds=seconds)) == text
