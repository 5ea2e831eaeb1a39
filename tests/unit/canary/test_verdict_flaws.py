"""Flaws and slow hops: what went wrong although the intact ticket came in time."""

from canary.hop import Hop
from canary.observation import Outcome
from canary.path import Reply
from canary.reason import Reason, Side
from canary.verdict import Verdict, advance
from tests.unit.canary.facts import (
    FOREVER,
    HORIZON,
    arrived,
    bounce,
    diverted,
    failed,
    flaws_of,
    launched,
    misrouted,
    path,
    seen,
    stop_of,
    ticket,
    ticket_ref,
    vain,
    verdict_at,
)

PATH = path()
LAUNCHED = launched()


def test_arrival_in_spam_and_ticket_in_time__is_a_flaw() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, misrouted(8), ticket(12))

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.MAILBOX_ARRIVAL, Reason.MISROUTED)]


def test_arrival_in_spam_and_moved_to_the_inbox_later__remains_a_flaw() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, misrouted(8), arrived(10), ticket(12))

    assert flaws_of(judgement) == [(Hop.MAILBOX_ARRIVAL, Reason.MISROUTED)]


def test_arrival_in_spam_and_no_ticket__is_breached_and_blames_the_arrival() -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, misrouted(8), vain(Hop.TICKET_CREATED, 600))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.MAILBOX_ARRIVAL, Reason.MISROUTED, Side.TARGET)


def test_two_tickets__is_the_flaw_duplicate_and_the_first_is_the_ticket() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, ticket(12, number=7), ticket(14, number=8))

    assert flaws_of(judgement) == [(Hop.TICKET_CONTENT, Reason.DUPLICATE)]
    assert judgement.ticket == ticket_ref(7)


def test_same_ticket_seen_twice__is_no_duplicate() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, ticket(12, number=7), ticket(14, number=7))

    assert judgement.flaws == ()


def test_duplicate_found_after_the_verdict__is_added() -> None:
    stored = verdict_at(60, PATH, LAUNCHED, ticket(12, number=7))
    fresh = verdict_at(90000, PATH, LAUNCHED, ticket(12, number=7), ticket(80000, number=8))

    after = advance(stored, fresh)

    assert after.verdict is Verdict.CONFIRMED
    assert flaws_of(after) == [(Hop.TICKET_CONTENT, Reason.DUPLICATE)]


def test_extra_ticket_of_a_strangers__is_replayed_and_no_duplicate() -> None:
    stranger = ticket(14, number=8, damage=Reason.WRONG_REQUESTER)

    judgement = verdict_at(60, PATH, LAUNCHED, ticket(12, number=7), stranger)

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.TICKET_CONTENT, Reason.REPLAYED)]


def test_strangers_ticket_first_and_ours_in_time__is_confirmed_by_ours() -> None:
    stranger = ticket(10, number=6, damage=Reason.WRONG_REQUESTER)

    judgement = verdict_at(60, PATH, LAUNCHED, stranger, ticket(12, number=7))

    assert judgement.verdict is Verdict.CONFIRMED
    assert judgement.ticket == ticket_ref(7)
    assert flaws_of(judgement) == [(Hop.TICKET_CONTENT, Reason.REPLAYED)]


def test_only_a_ticket_of_the_wrong_requester__is_breached_for_that() -> None:
    stranger = ticket(10, number=6, damage=Reason.WRONG_REQUESTER)

    judgement = verdict_at(700, PATH, LAUNCHED, stranger, vain(Hop.TICKET_CONTENT, 600))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CONTENT, Reason.WRONG_REQUESTER, Side.TARGET)


def test_only_a_ticket_of_the_wrong_requester__at_the_horizon__is_not_called_lost() -> None:
    stranger = ticket(10, number=6, damage=Reason.WRONG_REQUESTER)
    looks = [vain(Hop.TICKET_CONTENT, 600), vain(Hop.TICKET_CONTENT, HORIZON + 1)]

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, stranger, looks)

    assert judgement.verdict is Verdict.BREACHED


def test_rewritten_requester__is_the_intact_ticket_with_a_flaw() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, ticket(12, flaw=Reason.REQUESTER_REWRITTEN))

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.TICKET_CONTENT, Reason.REQUESTER_REWRITTEN)]


def test_diverted_and_released_in_time__is_a_flaw() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, diverted(12), ticket(40))

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.TICKET_CREATED, Reason.DIVERTED)]


def test_not_final_bounce_and_then_the_ticket__is_a_flaw() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, bounce(8, Reason.MAILBOX_FULL, final=False), ticket(12))

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL)]


def test_earlier_failure_that_was_seen__is_left_as_a_flaw_by_the_ticket() -> None:
    deferred = failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED)

    judgement = verdict_at(60, PATH, launched(until=Hop.SMTP_AUTH), deferred, ticket(40))

    assert flaws_of(judgement) == [(Hop.SMTP_ACCEPT, Reason.DEFERRED)]


def test_deferred_once_and_accepted_in_the_next_try__is_no_flaw() -> None:
    deferred = failed(Hop.SMTP_ACCEPT, 4.5, Reason.DEFERRED, attempt=1)

    judgement = verdict_at(60, PATH, LAUNCHED, deferred, ticket(40))

    assert judgement.flaws == ()


def test_success_with_a_reason__is_a_flawed_success() -> None:
    unverified = seen(Hop.SMTP_TLS, Outcome.OK, 3, reason=Reason.CERTIFICATE_EXPIRED)

    judgement = verdict_at(
        60, PATH, [one for one in LAUNCHED if one.hop is not Hop.SMTP_TLS], unverified, ticket(12)
    )

    assert flaws_of(judgement) == [(Hop.SMTP_TLS, Reason.CERTIFICATE_EXPIRED)]


def test_flaws__are_in_the_order_of_the_route() -> None:
    judgement = verdict_at(
        700,
        path(reply=Reply.EXPECTED),
        LAUNCHED,
        misrouted(8),
        ticket(12, number=1),
        ticket(14, number=2),
        vain(Hop.REPLY_RECEIVED, 600),
    )

    assert flaws_of(judgement) == [
        (Hop.MAILBOX_ARRIVAL, Reason.MISROUTED),
        (Hop.TICKET_CONTENT, Reason.DUPLICATE),
        (Hop.REPLY_RECEIVED, Reason.NOT_SEEN),
    ]


def test_hop_over_its_budget__is_slow_and_the_canary_stays_confirmed() -> None:
    budgeted = path(budgets={Hop.SMTP_ACCEPT: 2.0, Hop.SMTP_CONNECT: 2.0})
    slow = seen(Hop.SMTP_ACCEPT, Outcome.OK, 8, began=5)

    judgement = verdict_at(60, budgeted, launched(until=Hop.SMTP_AUTH), slow, ticket(12))

    assert judgement.verdict is Verdict.CONFIRMED
    assert judgement.slow == (Hop.SMTP_ACCEPT,)


def test_breached_canary__has_no_flaws() -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, misrouted(8), vain(Hop.TICKET_CREATED, 600))

    assert judgement.flaws == ()


def test_late_canary__keeps_what_went_wrong_on_its_way() -> None:
    judgement = verdict_at(9000, PATH, LAUNCHED, misrouted(8), vain(Hop.TICKET_CREATED, 600), ticket(8000))

    assert judgement.verdict is Verdict.LATE
    assert (Hop.MAILBOX_ARRIVAL, Reason.MISROUTED) in flaws_of(judgement)
