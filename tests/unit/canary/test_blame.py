"""Blame: the first hop, in the path's order, after the last good one."""

from dataclasses import replace

import pytest

from canary.blame import HopResult, Stop, hop_results, stop
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, Proof, Reply
from canary.reason import Reason, Side
from tests.unit.canary.facts import (
    arrived,
    at,
    blind,
    bounce,
    explanation,
    failed,
    flat,
    launched,
    lost,
    misrouted,
    passed,
    path,
    poll,
    reply,
    seconds_of,
    seen,
    ticket,
    vain,
    verdict_at,
)

PATH = path()
LAUNCHED = launched()
ACCEPTED = seconds_of(LAUNCHED[-1].ended_at) or 0.0
NO_TICKET = vain(Hop.TICKET_CREATED, 600)


def blamed(of: Path, *facts: Observation | list[Observation]) -> Stop:
    return stop(of, hop_results(of, flat(facts), deadline_at=at(600)))


def result(hop: Hop, *facts: Observation | list[Observation], of: Path = PATH) -> HopResult:
    return next(one for one in hop_results(of, flat(facts), deadline_at=at(600)) if one.hop is hop)


def test_no_ticket_after_the_arrival__blames_the_ticket() -> None:
    assert blamed(PATH, LAUNCHED, arrived(8), NO_TICKET).hop is Hop.TICKET_CREATED


def test_no_arrival_by_a_look_at_the_deadline__blames_the_arrival() -> None:
    found = blamed(PATH, LAUNCHED, vain(Hop.MAILBOX_ARRIVAL, 600), NO_TICKET)

    assert found == Stop(Hop.MAILBOX_ARRIVAL, Reason.NOT_SEEN, Side.TARGET)


def test_arrival_that_nobody_could_see__is_passed_over() -> None:
    unreadable = blind(Hop.MAILBOX_ARRIVAL, 600, reason=Reason.MAILBOX_UNREADABLE)

    assert blamed(PATH, LAUNCHED, unreadable, NO_TICKET).hop is Hop.TICKET_CREATED


def test_arrival_looked_for_only_before_the_mailbox_became_unreadable__is_passed_over() -> None:
    looks = [poll(Hop.MAILBOX_ARRIVAL, 6), blind(Hop.MAILBOX_ARRIVAL, 20, reason=Reason.MAILBOX_UNREADABLE)]

    assert blamed(PATH, LAUNCHED, looks, NO_TICKET).hop is Hop.TICKET_CREATED


def test_arrival_looked_for_at_the_deadline_by_one_replica__while_another_is_blind__is_blamed() -> None:
    looks = [
        vain(Hop.MAILBOX_ARRIVAL, 600),
        blind(Hop.MAILBOX_ARRIVAL, 601, reason=Reason.MAILBOX_UNREADABLE),
    ]

    assert blamed(PATH, LAUNCHED, looks, NO_TICKET).hop is Hop.MAILBOX_ARRIVAL


def test_answer_lost_after_the_final_dot__is_blamed() -> None:
    found = blamed(PATH, launched(until=Hop.SMTP_AUTH), lost(Hop.SMTP_ACCEPT, 5, side=Side.TARGET), NO_TICKET)

    assert found == Stop(Hop.SMTP_ACCEPT, Reason.CONNECTION_LOST, Side.TARGET)


def test_answer_lost_after_the_final_dot__is_proved_by_the_arrival() -> None:
    facts = [*launched(until=Hop.SMTP_AUTH), lost(Hop.SMTP_ACCEPT, 5), arrived(8)]

    found = result(Hop.SMTP_ACCEPT, facts)

    assert (found.outcome, found.evidence) == (Outcome.OK, Evidence.INFERRED)


def test_refused_in_one_try_and_lost_in_the_next__the_last_try_is_what_the_hop_came_to() -> None:
    tries = [
        failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED, attempt=1),
        lost(Hop.SMTP_ACCEPT, 60, side=Side.EITHER, attempt=2),
    ]

    found = result(Hop.SMTP_ACCEPT, launched(until=Hop.SMTP_AUTH), tries)

    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, Reason.CONNECTION_LOST)


def test_deferred_again_and_again__the_last_answer_is_the_reason() -> None:
    tries = [
        failed(Hop.SMTP_CONNECT, 5, Reason.REFUSED, attempt=1),
        failed(Hop.SMTP_CONNECT, 60, Reason.PROTOCOL_ERROR, attempt=2),
    ]

    assert blamed(PATH, launched(until=Hop.DNS), tries).reason is Reason.PROTOCOL_ERROR


def test_full_in_one_try_and_deferred_in_the_last__the_reason_says_why() -> None:
    tries = [
        failed(Hop.SMTP_ACCEPT, 5, Reason.MAILBOX_FULL, attempt=1),
        failed(Hop.SMTP_ACCEPT, 60, Reason.DEFERRED, attempt=2),
    ]

    assert blamed(PATH, launched(until=Hop.SMTP_AUTH), tries).reason is Reason.MAILBOX_FULL


def test_mailbox_at_capacity__explains_an_arrival_that_was_looked_for_in_vain() -> None:
    full = explanation(602, Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL)

    found = blamed(PATH, LAUNCHED, vain(Hop.MAILBOX_ARRIVAL, 600), full, NO_TICKET)

    assert found == Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)


def test_mailbox_at_capacity__explains_nothing_once_the_mail_arrived() -> None:
    full = explanation(602, Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL)

    assert blamed(PATH, LAUNCHED, arrived(8), full, NO_TICKET).hop is Hop.TICKET_CREATED


def test_backlog__explains_a_ticket_that_was_looked_for_in_vain() -> None:
    growing = explanation(602, Hop.TICKET_CREATED, Reason.BACKLOG_GROWING)

    found = blamed(PATH, LAUNCHED, arrived(8), NO_TICKET, growing)

    assert found == Stop(Hop.TICKET_CREATED, Reason.BACKLOG_GROWING, Side.TARGET)


def test_delay_that_a_mail_server_reports__is_blamed_on_the_arrival_with_its_reason() -> None:
    delayed = lost(Hop.MAILBOX_ARRIVAL, 300, Reason.MAILBOX_FULL)

    found = blamed(path(mailbox=False), LAUNCHED, delayed, NO_TICKET)

    assert found == Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)


def test_bounce__proves_that_the_mail_was_accepted() -> None:
    facts = [*launched(until=Hop.SMTP_AUTH), lost(Hop.SMTP_ACCEPT, 5), bounce(30)]

    assert result(Hop.SMTP_ACCEPT, facts).outcome is Outcome.OK
    assert blamed(PATH, facts).hop is Hop.MAILBOX_ARRIVAL


def test_misrouted__is_not_undone_by_a_later_sight_in_the_inbox() -> None:
    found = result(Hop.MAILBOX_ARRIVAL, LAUNCHED, misrouted(8), arrived(9))

    assert (found.outcome, found.reason) == (Outcome.FAILED, Reason.MISROUTED)


def test_ticket__proves_every_hop_before_it_that_was_not_seen() -> None:
    results = hop_results(PATH, ticket(12))

    assert [one.outcome for one in results] == [Outcome.OK] * len(PATH.route)
    assert [one.evidence for one in results[:-2]] == [Evidence.INFERRED] * (len(PATH.route) - 2)


def test_skipped_hop__is_skipped_and_never_blamed() -> None:
    skipped = [seen(Hop.SMTP_TLS, Outcome.SKIPPED, 3), seen(Hop.SMTP_AUTH, Outcome.SKIPPED, 4)]
    facts = [*launched(until=Hop.SMTP_CONNECT), *skipped, lost(Hop.SMTP_ACCEPT, 5, side=Side.TARGET)]

    assert result(Hop.SMTP_TLS, facts).outcome is Outcome.SKIPPED
    assert blamed(PATH, facts).hop is Hop.SMTP_ACCEPT


def test_skipped_in_one_try_and_unknown_in_another__is_skipped() -> None:
    facts = [seen(Hop.SMTP_TLS, Outcome.SKIPPED, 3), lost(Hop.SMTP_TLS, 9, Reason.CONNECTION_LOST)]

    assert result(Hop.SMTP_TLS, facts).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(("proof", "expected"), [(Proof.API, Hop.TICKET_CREATED), (Proof.REPLY, None)])
def test_acknowledgement__proves_a_ticket_only_where_the_system_can_not_be_read(
    proof: Proof, expected: Hop | None
) -> None:
    of = path(proof=proof, reply=Reply.REQUIRED)

    results = hop_results(of, [*LAUNCHED, reply(30)])

    unproved = next((one.hop for one in results if one.outcome is not Outcome.OK), None)
    assert unproved is expected


def test_acknowledgement__proves_the_arrival_in_any_case() -> None:
    of = path(reply=Reply.EXPECTED)

    assert result(Hop.MAILBOX_ARRIVAL, LAUNCHED, reply(30), of=of).outcome is Outcome.OK


def test_launch_hop_that_was_never_told__is_not_passed_over() -> None:
    found = blamed(PATH, launched(until=Hop.DNS), NO_TICKET)

    assert found == Stop(Hop.SMTP_CONNECT, Reason.PROBER_STOPPED, Side.PROBER)


def test_nothing_could_be_seen_at_all__names_the_first_unseen_hop_on_our_side() -> None:
    assert blamed(PATH, LAUNCHED) == Stop(Hop.MAILBOX_ARRIVAL, Reason.NOT_LOOKED, Side.PROBER)


def test_flawed_success_and_a_clean_one__the_clean_one_counts() -> None:
    flawed = passed(Hop.SMTP_TLS, 2, reason=Reason.CERTIFICATE_EXPIRED)

    assert result(Hop.SMTP_TLS, flawed, passed(Hop.SMTP_TLS, 3)).reason is None


def test_hop_beside_the_route__changes_nothing() -> None:
    without = path(mailbox=False)

    assert blamed(without, LAUNCHED, vain(Hop.MAILBOX_ARRIVAL, 600), NO_TICKET).hop is Hop.TICKET_CREATED


def watched(*facts: Observation | list[Observation]) -> list[Observation]:
    """As watchers report: a look's own duration says nothing."""
    return [replace(one, seconds=None) for one in flat(facts)]


def test_watched_hops__take_from_the_end_of_the_hop_before_to_when_they_were_seen() -> None:
    facts = [LAUNCHED, watched(arrived(8), ticket(95))]

    assert result(Hop.MAILBOX_ARRIVAL, *facts).seconds == 8 - ACCEPTED
    created = result(Hop.TICKET_CREATED, *facts)
    assert (created.began_at, created.seconds) == (at(8), 87)
    assert result(Hop.TICKET_CONTENT, *facts).seconds == 0


def test_arrival_that_was_seen_after_its_ticket__shortens_neither() -> None:
    facts = [LAUNCHED, watched(ticket(10), arrived(30))]

    assert result(Hop.MAILBOX_ARRIVAL, *facts).seconds == 30 - ACCEPTED
    assert result(Hop.TICKET_CREATED, *facts).seconds == 10 - ACCEPTED


def test_hop_that_was_not_seen_or_only_inferred__has_no_duration() -> None:
    facts = [LAUNCHED, watched(ticket(95), vain(Hop.REPLY_RECEIVED, 600))]
    replies = path(reply=Reply.EXPECTED)

    assert result(Hop.MAILBOX_ARRIVAL, *facts).seconds is None
    assert result(Hop.REPLY_RECEIVED, *facts, of=replies).seconds is None


def test_slow_ticket__is_over_its_own_budget_though_each_look_was_quick() -> None:
    of = path(budgets={Hop.TICKET_CREATED: 60.0, Hop.MAILBOX_ARRIVAL: 60.0})

    judgement = verdict_at(200, of, LAUNCHED, watched(arrived(8), ticket(95)))

    assert judgement.slow == (Hop.TICKET_CREATED,)
