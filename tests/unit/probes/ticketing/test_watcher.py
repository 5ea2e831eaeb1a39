"""One look-up for all canaries: what is reported of each."""

from dataclasses import replace
from datetime import timedelta

import pytest

from canary.hop import Hop
from canary.observation import Depth, Outcome
from canary.reason import Reason
from canary.ticket import Attachment
from probes.contracts import Blind
from probes.servers import SecretUnavailable
from tests.contracts.ticketing_contract import BODY, SENDER, STRANGER, new_canary
from tests.unit.probes.ticketing.scene import FORWARDER, Scene, told

OK_CREATED = (Hop.TICKET_CREATED, Outcome.OK, None)


def test_intact_ticket__is_created_and_of_good_content_with_the_remotes_time_and_skew() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.skew_seconds = 2.5
    scene.ticket(canary)
    created_at = scene.clock.now()
    scene.clock.advance(7)

    seen = scene.look(canary)

    assert told(seen) == [OK_CREATED, (Hop.TICKET_CONTENT, Outcome.OK, None)]
    for one in seen:
        assert one.remote_at == created_at
        assert one.skew_seconds == 2.5
        assert one.began_at == created_at + timedelta(seconds=7)
        assert one.ticket is not None
        assert one.ticket.body is None
        assert one.place == "desk"


def test_ticket__is_told_with_the_number_of_looks_that_it_took() -> None:
    scene = Scene()
    canary, other = scene.canary(), scene.canary()
    scene.look(canary)
    scene.look(canary, other)
    scene.ticket(canary)
    scene.ticket(other)

    seen = [one for one in scene.look(canary, other) if one.hop is Hop.TICKET_CREATED]

    assert {one.canary_id: one.facts["intake.ticket.lookups"] for one in seen} == {canary.id: 3, other.id: 2}


def test_part_of_the_system_is_hidden__what_is_seen_is_told_and_of_the_others_that_we_are_blind() -> None:
    scene = Scene()
    shown, held, missing = scene.canary(), scene.canary(), scene.canary()
    scene.ticket(shown)
    scene.ticket(held, cause="auto_mailer")
    scene.desk.blinded_by = Blind("desk: refused", status=403, retry_after_seconds=40.0)

    seen = scene.look(shown, held, missing)

    blind = [one for one in seen if one.look is not None and one.look.is_blind]
    assert [(one.canary_id, one.reason) for one in blind] == [(missing.id, Reason.CREDENTIALS_REJECTED)]
    assert {one.canary_id for one in seen if one.outcome is Outcome.OK} == {shown.id}
    assert [one.outcome for one in seen if one.canary_id == held.id] == [Outcome.FAILED, Outcome.UNKNOWN]
    assert [one.reason for one in scene.look(shown)] == [Reason.CREDENTIALS_REJECTED]


def test_ticket_that_could_not_be_read__blinds_those_alone_who_were_out_when_it_was_made() -> None:
    scene = Scene()
    before = scene.canary()
    scene.clock.advance(10)
    scene.desk.unread_until = scene.clock.now()
    scene.clock.advance(10)
    after = scene.canary()
    scene.desk.blinded_by = Blind("desk: the text of 1 ticket could not be read")

    seen = scene.look(before, after)

    assert {one.canary_id: one.reason for one in seen} == {
        before.id: Reason.TICKET_API_UNREADABLE,
        after.id: Reason.NOT_SEEN,
    }
    by_canary = {one.canary_id: one for one in seen}
    assert "1 ticket could not be read" in by_canary[before.id].detail
    look = by_canary[after.id].look
    assert look is not None
    assert look.can_say_absence


@pytest.mark.parametrize("depth", list(Depth))
def test_nothing_there__is_a_look_in_vain_for_each_canary(depth: Depth) -> None:
    scene = Scene()
    canaries = [scene.canary() for _ in range(3)]
    scene.desk.lag_seconds = 12.0

    seen = scene.look(*canaries, depth=depth)

    assert told(seen) == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN)] * 3
    assert {one.canary_id for one in seen} == {one.id for one in canaries}
    look = seen[0].look
    assert look is not None
    assert (look.depth, look.is_complete, look.is_blind, look.lag_seconds) == (depth, True, False, 12.0)


def test_incomplete_look__never_says_absence() -> None:
    scene = Scene()
    scene.desk.is_complete = False

    (seen,) = scene.look(scene.canary())

    assert seen.look is not None
    assert not seen.look.is_complete


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (Blind("desk: no", status=401), Reason.CREDENTIALS_REJECTED),
        (Blind("desk: no", status=403), Reason.CREDENTIALS_REJECTED),
        (Blind("desk: slow", status=429, retry_after_seconds=30), Reason.RATE_LIMITED),
        (Blind("desk: down", status=503), Reason.TICKET_API_UNREADABLE),
        (Blind("desk: silent"), Reason.TICKET_API_UNREADABLE),
        (SecretUnavailable("DESK_TOKEN is not set"), Reason.CREDENTIALS_REJECTED),
    ],
    ids=["401", "403", "429", "503", "silent", "no secret"],
)
def test_unreadable_system__is_a_blind_look_for_each_canary_and_never_raised(
    raised: Exception, reason: Reason
) -> None:
    scene = Scene()
    scene.desk.raises = raised

    seen = scene.look(scene.canary(), scene.canary())

    assert told(seen) == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, reason)] * 2
    assert all(one.look is not None and one.look.is_blind for one in seen)
    assert {one.look.status for one in seen if one.look is not None} == {getattr(raised, "status", None)}


def test_diverted_ticket__is_a_failure_of_created_with_the_vendors_cause_and_still_looked_for() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, cause="suspended as auto_mailer")

    seen = scene.look(canary)

    assert told(seen) == [
        (Hop.TICKET_CREATED, Outcome.FAILED, Reason.DIVERTED),
        (Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN),
    ]
    assert "auto_mailer" in seen[0].detail


def test_two_tickets_of_one_canary__are_both_reported() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)
    scene.ticket(canary)

    seen = scene.look(canary)

    assert told(seen) == [OK_CREATED, (Hop.TICKET_CONTENT, Outcome.OK, None)] * 2


@pytest.mark.parametrize(
    ("requester", "outcome", "reason"),
    [
        (SENDER, Outcome.OK, None),
        (FORWARDER, Outcome.OK, Reason.REQUESTER_REWRITTEN),
        ("support@acme.test", Outcome.OK, Reason.REQUESTER_REWRITTEN),
        ("srs0=x=y=probe.test=canary@fwd.test", Outcome.OK, Reason.REQUESTER_REWRITTEN),
        (STRANGER, Outcome.FAILED, Reason.WRONG_REQUESTER),
    ],
)
def test_requester__decides_about_the_content(
    requester: str, outcome: Outcome, reason: Reason | None
) -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, requester=requester)

    seen = scene.look(canary)

    assert told(seen)[1] == (Hop.TICKET_CONTENT, outcome, reason)


def test_strangers_ticket_with_our_token__leaves_no_word_of_the_stranger_in_any_report() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, requester=STRANGER, body="a customer's own words")

    seen = scene.look(canary)

    assert STRANGER not in repr(seen)
    assert "own words" not in repr(seen)


def test_damaged_body__is_the_worst_first_with_all_in_the_detail() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40], channel="portal")

    content = scene.look(canary)[1]

    assert (content.outcome, content.reason) == (Outcome.FAILED, Reason.BODY_TRUNCATED)
    assert "cut after" in content.detail
    assert "portal" in content.detail


def test_token_of_another_key_or_nearly_right__counts_for_nothing() -> None:
    scene = Scene()
    canary = scene.canary()
    forged = new_canary(scene.clock.now(), key=b"somebody else's signing key")
    scene.desk.open_ticket(f"x {canary.token[:-1]}{'a' if canary.token[-1] != 'a' else 'b'}", BODY, SENDER)
    scene.ticket(forged)

    seen = scene.look(canary, replace(forged, id=canary.id))

    assert {one.outcome for one in seen} == {Outcome.UNKNOWN}


def test_tickets_of_a_canary_that_was_not_asked_for__are_not_reported() -> None:
    scene = Scene()
    asked, other = scene.canary(), scene.canary()
    scene.desk.open_ticket(f"{other.subject_prefix} about {asked.token}", BODY, SENDER)

    seen = scene.look(asked)

    assert [one.reason for one in seen] == [Reason.NOT_SEEN]


def test_attachment_that_should_not_be_needed__is_no_finding() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, attachments=(Attachment("email_html_body.html", "ab" * 32),))

    assert told(scene.look(canary))[1] == (Hop.TICKET_CONTENT, Outcome.OK, None)
