from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from canary.canary import Canary
from canary.hop import Channel, Hop
from canary.observation import Depth, Evidence, Outcome
from canary.reason import Reason
from probes.mailbox.connection import Fetched
from probes.mailbox.folders import Places, Role
from probes.mailbox.mails import Mail, whole_mails
from probes.mailbox.sightings import Look, arrival, bounces, reply
from tests.unit.probes.mailbox.mails import acknowledgement, bounce_mail, canary_mail, make_canary, recognise

NOW = datetime(2026, 3, 2, 12, 0, 5, tzinfo=UTC)
PLACES = Places((("Trash", Role.ELSEWHERE), ("Junk", Role.JUNK), ("INBOX", Role.ARRIVAL)), "Trash")
LOOK = Look("support", Depth.POLL, NOW, NOW + timedelta(seconds=1), {})


def _mails(
    raw: bytes, *, folder: str = "INBOX", uid: int = 1, internal_at: datetime | None = NOW
) -> list[Mail]:
    return whole_mails(Fetched(uid, raw, internal_at), folder, 7, recognise)


@pytest.fixture
def canary() -> Canary:
    return make_canary()


def test_canary_in_the_spam_folder__failed_misrouted(canary: Canary) -> None:
    seen = arrival(canary, _mails(canary_mail(canary), folder="Junk"), PLACES, LOOK)

    assert seen is not None
    assert (seen.hop, seen.outcome, seen.reason) == (Hop.MAILBOX_ARRIVAL, Outcome.FAILED, Reason.MISROUTED)
    assert seen.detail == "it arrived in the folder Junk"
    assert not seen.rules_out_ticket


def test_strangers_mail_with_our_token__is_no_arrival(canary: Canary) -> None:
    raw = f"From: mallory@elsewhere.test\r\nSubject: Fwd: {canary.subject_prefix}\r\n\r\nx".encode()

    assert arrival(canary, _mails(raw), PLACES, LOOK) is None


def test_canary_in_the_inbox__arrived_with_relays_and_authentication(canary: Canary) -> None:
    seen = arrival(canary, _mails(canary_mail(canary)), PLACES, LOOK)

    assert seen is not None
    assert (seen.outcome, seen.evidence, seen.remote_at) == (Outcome.OK, Evidence.OBSERVED, NOW)
    assert [one.by_host for one in seen.relays] == ["mx.acme.test"]
    assert seen.facts["intake.mail.spf"] == "pass"
    assert (seen.began_at, seen.ended_at) == (LOOK.began_at, LOOK.ended_at)


def test_canary_whose_sender_a_group_rewrote__arrived(canary: Canary) -> None:
    seen = arrival(canary, _mails(canary_mail(canary, sender="support@acme.test")), PLACES, LOOK)

    assert seen is not None
    assert seen.outcome is Outcome.OK


def test_canary_in_inbox_and_spam__arrived(canary: Canary) -> None:
    mails = [*_mails(canary_mail(canary), folder="Junk"), *_mails(canary_mail(canary), uid=2)]

    seen = arrival(canary, mails, PLACES, LOOK)

    assert seen is not None
    assert seen.outcome is Outcome.OK


def test_canary_that_the_helpdesk_put_into_the_trash__arrived(canary: Canary) -> None:
    seen = arrival(canary, _mails(canary_mail(canary), folder="Trash"), PLACES, LOOK)

    assert seen is not None
    assert seen.outcome is Outcome.OK


@pytest.mark.parametrize("channel", [Channel.PORTAL, Channel.FORM])
def test_bounce_with_the_token_of_a_web_canary__is_not_about_its_request(
    canary: Canary, channel: Channel
) -> None:
    assert bounces(replace(canary, channel=channel), _mails(bounce_mail(canary)), LOOK) == []


def test_permanent_bounce__fails_the_arrival_and_rules_a_ticket_out(canary: Canary) -> None:
    (seen,) = bounces(canary, _mails(bounce_mail(canary)), LOOK)

    assert (seen.hop, seen.outcome, seen.evidence) == (Hop.MAILBOX_ARRIVAL, Outcome.FAILED, Evidence.REPORTED)
    assert seen.reason is Reason.MAILBOX_FULL
    assert seen.rules_out_ticket
    assert seen.detail == "mx.acme.test: 552 5.2.2 mailbox full"
    assert seen.facts["intake.smtp.enhanced_code"] == "5.2.2"


def test_bounce_of_another_recipient__rules_no_ticket_out(canary: Canary) -> None:
    mails = _mails(bounce_mail(canary))

    assert bounces(canary, mails, LOOK, target="Support@acme.test")[0].rules_out_ticket
    assert not bounces(canary, mails, LOOK, target="team@acme.test")[0].rules_out_ticket


def test_warning_of_a_delay__ends_nothing(canary: Canary) -> None:
    raw = bounce_mail(canary, status="4.2.0", action="delayed", words="try later")

    (seen,) = bounces(canary, _mails(raw), LOOK)

    assert (seen.outcome, seen.reason, seen.rules_out_ticket) == (Outcome.UNKNOWN, Reason.DEFERRED, False)
    assert seen.look is None


def test_mail_given_up_for_a_temporary_fault__is_a_failure_that_does_not_rule_a_ticket_out(
    canary: Canary,
) -> None:
    (seen,) = bounces(canary, _mails(bounce_mail(canary, status="4.4.7", words="expired")), LOOK)

    assert (seen.outcome, seen.rules_out_ticket) == (Outcome.FAILED, False)


def test_bounce__is_no_reply(canary: Canary) -> None:
    assert reply(canary, _mails(bounce_mail(canary)), LOOK, needs_number=False) is None


def test_copy_of_the_canary_itself__is_no_reply(canary: Canary) -> None:
    assert reply(canary, _mails(canary_mail(canary)), LOOK, needs_number=False) is None


def test_acknowledgement__is_matched_and_its_ticket_number_noted(canary: Canary) -> None:
    seen = reply(canary, _mails(acknowledgement(canary)), LOOK, needs_number=True)

    assert seen is not None
    assert (seen.hop, seen.outcome) == (Hop.REPLY_RECEIVED, Outcome.OK)
    assert seen.facts["intake.ticket.id"] == "7"
    assert seen.facts["intake.reply.matched_by"] == "in_reply_to"


def test_acknowledgement_without_a_number__is_a_reply_but_no_proof(canary: Canary) -> None:
    mails = _mails(acknowledgement(canary, subject="Thank you"))

    assert reply(canary, mails, LOOK, needs_number=True) is None
    assert reply(canary, mails, LOOK, needs_number=False) is not None


def test_several_replies__the_earliest_counts(canary: Canary) -> None:
    mails = [
        *_mails(
            acknowledgement(canary, subject="[support-9] later"),
            uid=1,
            internal_at=NOW + timedelta(seconds=9),
        ),
        *_mails(acknowledgement(canary, subject="[support-8] sooner"), uid=2),
        *_mails(acknowledgement(canary, subject="[support-6] some time"), uid=3, internal_at=None),
    ]

    seen = reply(canary, mails, LOOK, needs_number=False)

    assert seen is not None
    assert seen.facts["intake.ticket.id"] == "8"


def test_forged_token__is_nobodys_mail(canary: Canary) -> None:
    forged = canary.token[:-1] + ("a" if canary.token[-1] != "a" else "b")
    raw = canary_mail(canary).replace(canary.token.encode(), forged.encode())

    assert _mails(raw) == []
