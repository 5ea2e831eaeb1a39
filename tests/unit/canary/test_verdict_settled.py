"""Settled: what comes first decides, the intact ticket, an end that rules a ticket out, or the deadline look."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from canary.alert import Party, party
from canary.blame import Stop
from canary.hop import Hop
from canary.observation import Depth
from canary.path import Proof
from canary.reason import Reason, Side
from canary.verdict import Verdict, advance
from tests.unit.canary.facts import (
    FOREVER,
    HORIZON,
    arrived,
    blind,
    bounce,
    canary,
    clock_step,
    diverted,
    failed,
    launched,
    look,
    lost,
    path,
    poll,
    reply,
    seconds_of,
    stop_of,
    ticket,
    vain,
    verdict_at,
)

PATH = path()
LAUNCHED = launched()


def test_intact_ticket_in_time__is_confirmed_when_it_was_seen() -> None:
    judgement = verdict_at(20, PATH, LAUNCHED, ticket(12.5))

    assert judgement.verdict is Verdict.CONFIRMED
    assert seconds_of(judgement.settled_at) == 12.5
    assert judgement.seconds == 12.5
    assert judgement.stop is None


def test_success_page_and_250_alone__confirm_nothing() -> None:
    judgement = verdict_at(599, PATH, LAUNCHED, arrived(8))

    assert judgement.verdict is Verdict.PENDING


def test_ticket_that_was_created__but_not_read__confirms_nothing() -> None:
    created, _content = ticket(12)

    judgement = verdict_at(599, PATH, LAUNCHED, created)

    assert judgement.verdict is Verdict.PENDING


def test_final_refusal__before_the_deadline__is_breached_at_once() -> None:
    refused = failed(Hop.SMTP_ACCEPT, 5, Reason.MAILBOX_FULL, final=True)

    judgement = verdict_at(6, PATH, launched(until=Hop.SMTP_AUTH), refused)

    assert judgement.verdict is Verdict.BREACHED
    assert seconds_of(judgement.settled_at) == 5
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.MAILBOX_FULL, Side.TARGET)


def test_bounce__before_the_deadline__is_breached_and_blames_the_arrival() -> None:
    judgement = verdict_at(31, PATH, LAUNCHED, bounce(30, Reason.RECIPIENT_UNKNOWN))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.MAILBOX_ARRIVAL, Reason.RECIPIENT_UNKNOWN, Side.TARGET)


def test_bounce__on_a_path_whose_mailbox_we_may_not_read__blames_the_arrival_all_the_same() -> None:
    judgement = verdict_at(31, path(mailbox=False), LAUNCHED, bounce(30, Reason.MAILBOX_FULL))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)


def test_ticket_first_and_bounce_later__stays_confirmed() -> None:
    judgement = verdict_at(60, PATH, LAUNCHED, ticket(12), bounce(30))

    assert judgement.verdict is Verdict.CONFIRMED
    assert seconds_of(judgement.settled_at) == 12


def test_bounce_first_and_ticket_in_time__is_late() -> None:
    before = verdict_at(40, PATH, LAUNCHED, bounce(30))
    judgement = verdict_at(60, PATH, LAUNCHED, bounce(30), ticket(50))

    assert before.verdict is Verdict.BREACHED
    assert judgement.verdict is Verdict.LATE
    assert seconds_of(judgement.settled_at) == 30
    assert seconds_of(judgement.ended_at) == 50


def test_nothing_seen__before_the_deadline_look__is_pending() -> None:
    judgement = verdict_at(600.4, PATH, LAUNCHED, poll(Hop.TICKET_CREATED, 599))

    assert judgement.verdict is Verdict.PENDING


def test_deadline_look_in_vain__is_breached_when_it_ended() -> None:
    judgement = verdict_at(601, PATH, LAUNCHED, arrived(8), vain(Hop.TICKET_CREATED, 600, took=0.5))

    assert judgement.verdict is Verdict.BREACHED
    assert seconds_of(judgement.settled_at) == 600.5
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_look_begun_before_the_deadline__says_no_absence_at_the_deadline() -> None:
    judgement = verdict_at(602, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 599, took=2))

    assert judgement.verdict is Verdict.PENDING


def test_narrow_look_after_the_deadline__says_no_absence() -> None:
    judgement = verdict_at(602, PATH, LAUNCHED, poll(Hop.TICKET_CREATED, 601))

    assert judgement.verdict is Verdict.PENDING


def test_incomplete_look_after_the_deadline__says_no_absence() -> None:
    judgement = verdict_at(602, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 601, complete=False))

    assert judgement.verdict is Verdict.PENDING


def test_eventual_view__only_a_look_after_its_lag_says_absence() -> None:
    early = vain(Hop.TICKET_CREATED, 659, lag=60)
    covering = vain(Hop.TICKET_CREATED, 660, lag=60)

    assert verdict_at(662, PATH, LAUNCHED, early).verdict is Verdict.PENDING
    assert verdict_at(662, PATH, LAUNCHED, early, covering).verdict is Verdict.BREACHED


def test_deadline_look_shows_the_ticket_begun_29_s_late__is_confirmed() -> None:
    judgement = verdict_at(640, PATH, LAUNCHED, ticket(630, began=629))

    assert judgement.verdict is Verdict.CONFIRMED


def test_look_shows_the_ticket_begun_31_s_late_and_unknown_when_created__is_inconclusive() -> None:
    judgement = verdict_at(640, PATH, LAUNCHED, ticket(632, began=631))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.MAILBOX_ARRIVAL, Reason.NOT_LOOKED, Side.PROBER)


def test_look_31_s_late_over_an_eventual_view__grants_the_lag() -> None:
    judgement = verdict_at(700, PATH, LAUNCHED, ticket(632, began=631, lag=10))

    assert judgement.verdict is Verdict.CONFIRMED


def test_look_an_hour_late__ticket_created_in_time_by_a_clock_of_known_skew__is_confirmed() -> None:
    judgement = verdict_at(4300, PATH, LAUNCHED, ticket(4200, began=4199, created=605, skew=10))

    assert judgement.verdict is Verdict.CONFIRMED


def test_look_an_hour_late__created_in_time_but_skew_unknown__is_inconclusive() -> None:
    judgement = verdict_at(4300, PATH, LAUNCHED, ticket(4200, began=4199, created=30))

    assert judgement.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("created", [-3600, 4200 + 3600], ids=["before its launch", "after the look"])
def test_ticket_with_a_time_that_cannot_be__is_neither_in_time_nor_late_by_that_time(created: float) -> None:
    judgement = verdict_at(4300, PATH, LAUNCHED, ticket(4200, began=4199, created=created, skew=0))

    assert judgement.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("skew", [-100.0, 100.0])
@pytest.mark.parametrize(
    "made_at",
    [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)],
    ids=["first day", "last day"],
)
def test_ticket_with_the_first_or_the_last_day_of_the_calendar__is_judged_as_if_it_told_no_time(
    made_at: datetime, skew: float
) -> None:
    seen = [replace(one, remote_at=made_at, skew_seconds=skew) for one in ticket(4200, began=4199)]

    assert verdict_at(4300, PATH, LAUNCHED, seen).verdict is Verdict.INCONCLUSIVE


def test_looks_that_could_not_read_all__are_no_sign_that_nobody_looked() -> None:
    unread = [vain(Hop.TICKET_CREATED, second, complete=False) for second in (600, 605, 631)]

    judgement = verdict_at(640, PATH, LAUNCHED, arrived(8), unread)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)


def test_ticket_created_after_the_deadline_by_known_skew__is_at_once_late() -> None:
    judgement = verdict_at(640, PATH, LAUNCHED, arrived(8), ticket(602, began=601, created=605, skew=0))

    assert judgement.verdict is Verdict.LATE
    assert seconds_of(judgement.settled_at) == 602
    assert seconds_of(judgement.ended_at) == 602
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_at_once_late__where_nobody_looked_before__blames_the_ticket_by_the_remotes_own_word() -> None:
    judgement = verdict_at(5000, path(mailbox=False), LAUNCHED, ticket(4000, created=700, skew=0))

    assert judgement.verdict is Verdict.LATE
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_at_once_late__of_a_mail_that_our_own_relay_held__is_inconclusive() -> None:
    held = lost(Hop.SMTP_ACCEPT, 5, Reason.CONNECTION_LOST, side=Side.PROBER)

    judgement = verdict_at(5000, PATH, launched(until=Hop.SMTP_AUTH), held, ticket(4000, created=700, skew=0))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.SMTP_ACCEPT, Reason.CONNECTION_LOST, Side.PROBER)


def test_late_ticket_first_and_one_known_in_time_later__what_came_first_decides() -> None:
    first = ticket(602, number=1, created=605, skew=0)
    second = ticket(610, number=2, created=500, skew=0)

    judgement = verdict_at(640, PATH, LAUNCHED, second, first)

    assert judgement.verdict is Verdict.LATE


def test_looks_blind_for_30_s_after_the_deadline__is_inconclusive_and_names_the_prober() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, 600, reason=Reason.RATE_LIMITED), blind(Hop.TICKET_CREATED, 630)]

    judgement = verdict_at(631, PATH, LAUNCHED, arrived(8), blind_looks)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert seconds_of(judgement.settled_at) == 630
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)


def test_looks_that_the_vendor_answers_with_an_error__are_inconclusive_and_the_vendors() -> None:
    blind_looks = [
        replace(one, look=replace(one.look, status=status))
        for one, status in ((blind(Hop.TICKET_CREATED, 600), 401), (blind(Hop.TICKET_CREATED, 630), 503))
        if one.look is not None
    ]

    judgement = verdict_at(631, PATH, LAUNCHED, arrived(8), blind_looks)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
    assert judgement.stop is not None
    assert party(judgement.stop, PATH.route) is Party.TICKETING_API


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.TICKET_API_UNREADABLE, None),
        (Reason.TICKET_API_UNREADABLE, 200),
        (Reason.TICKET_API_UNREADABLE, 404),
        (Reason.CREDENTIALS_REJECTED, 503),
    ],
)
def test_what_we_can_t_see_without_an_error_of_the_vendors__is_ours(
    reason: Reason, status: int | None
) -> None:
    assert party(Stop(Hop.TICKET_CREATED, reason, Side.PROBER, status), PATH.route) is Party.PROBER


def test_looks_blind_for_29_s__is_still_pending() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 628.5)]

    judgement = verdict_at(640, PATH, LAUNCHED, blind_looks)

    assert judgement.verdict is Verdict.PENDING


def test_blind_before_the_deadline_only__does_not_count() -> None:
    judgement = verdict_at(
        640, PATH, LAUNCHED, blind(Hop.TICKET_CREATED, 540), blind(Hop.TICKET_CREATED, 590)
    )

    assert judgement.verdict is Verdict.PENDING


def test_blind_while_the_view_lags_anyway__waits_for_the_look_that_could_have_covered() -> None:
    lagging = vain(Hop.TICKET_CREATED, 590, lag=60)
    early = [blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 640)]

    before = verdict_at(650, PATH, LAUNCHED, lagging, early)
    after = verdict_at(665, PATH, LAUNCHED, lagging, early, vain(Hop.TICKET_CREATED, 661, lag=60))

    assert before.verdict is Verdict.PENDING
    assert after.verdict is Verdict.BREACHED


def test_one_complete_look_of_a_replica__outweighs_any_number_of_blind_ones() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, 600 + second) for second in range(25)]

    judgement = verdict_at(640, PATH, LAUNCHED, blind_looks, vain(Hop.TICKET_CREATED, 625))

    assert judgement.verdict is Verdict.BREACHED


def test_nobody_looks__is_pending_until_the_horizon_and_then_inconclusive() -> None:
    before = verdict_at(HORIZON - 1, PATH, LAUNCHED)
    after = verdict_at(HORIZON, PATH, LAUNCHED)

    assert before.verdict is Verdict.PENDING
    assert after.verdict is Verdict.INCONCLUSIVE
    assert stop_of(after) == (Hop.MAILBOX_ARRIVAL, Reason.NOT_LOOKED, Side.PROBER)


def test_only_looks_before_the_deadline__horizon__never_accuses_the_target() -> None:
    judgement = verdict_at(FOREVER, PATH, LAUNCHED, arrived(8), poll(Hop.TICKET_CREATED, 590))

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_LOOKED, Side.PROBER)


def test_horizon_at_the_deadline__leaves_room_for_the_deadline_look() -> None:
    short = path(horizon=600)

    pending = verdict_at(600, short, LAUNCHED)
    breached = verdict_at(FOREVER, short, LAUNCHED, vain(Hop.TICKET_CREATED, 600.2))
    confirmed = verdict_at(FOREVER, short, LAUNCHED, ticket(601, began=600.2))

    assert pending.verdict is Verdict.PENDING
    assert breached.verdict is not Verdict.INCONCLUSIVE
    assert confirmed.verdict is Verdict.CONFIRMED


def test_breached__ticket_before_the_horizon__is_late_with_its_delay() -> None:
    judgement = verdict_at(9000, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 600), ticket(8000))

    assert judgement.verdict is Verdict.LATE
    assert judgement.seconds == 8000
    assert seconds_of(judgement.settled_at) == 600.5
    assert seconds_of(judgement.ended_at) == 8000


def test_breached__nothing_at_the_horizon__is_lost() -> None:
    looks = [vain(Hop.TICKET_CREATED, 600), vain(Hop.TICKET_CREATED, HORIZON + 5)]

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, looks)

    assert judgement.verdict is Verdict.LOST
    assert seconds_of(judgement.ended_at) == HORIZON + 5.5


def test_breached__nobody_looks_at_the_horizon__stays_breached() -> None:
    judgement = verdict_at(FOREVER, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 600))

    assert judgement.verdict is Verdict.BREACHED


def test_ticket_after_the_horizon__changes_no_verdict() -> None:
    breached = vain(Hop.TICKET_CREATED, 600)
    after = ticket(HORIZON + 4000, created=HORIZON + 3000, skew=0)

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, breached, after)
    unsettled = verdict_at(FOREVER, PATH, LAUNCHED, after)

    assert judgement.verdict is Verdict.BREACHED
    assert unsettled.verdict is Verdict.INCONCLUSIVE


def test_ticket_after_it_was_lost__changes_no_verdict() -> None:
    looks = [vain(Hop.TICKET_CREATED, 600), vain(Hop.TICKET_CREATED, HORIZON + 5)]
    came = ticket(HORIZON + 900, created=HORIZON - 10, skew=0)
    stored = verdict_at(HORIZON + 10, PATH, LAUNCHED, looks)

    fresh = verdict_at(FOREVER, PATH, LAUNCHED, looks, came)

    assert fresh.verdict is Verdict.LOST
    assert advance(stored, fresh) == stored


def test_damaged_ticket__at_the_deadline_look__is_breached_and_blames_the_content() -> None:
    damaged = ticket(12, damage=Reason.BODY_TRUNCATED)

    before = verdict_at(599, PATH, LAUNCHED, damaged)
    judgement = verdict_at(602, PATH, LAUNCHED, damaged, vain(Hop.TICKET_CONTENT, 600))

    assert before.verdict is Verdict.PENDING
    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CONTENT, Reason.BODY_TRUNCATED, Side.TARGET)


def test_damaged_ticket__after_the_deadline__leaves_it_breached_for_good() -> None:
    looks = [vain(Hop.TICKET_CREATED, 600), vain(Hop.TICKET_CONTENT, HORIZON + 5)]

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, looks, ticket(900, damage=Reason.CHARSET_MANGLED))

    assert judgement.verdict is Verdict.BREACHED


def test_damaged_ticket_and_then_an_intact_one_in_time__is_confirmed() -> None:
    judgement = verdict_at(
        60, PATH, LAUNCHED, ticket(12, number=1, damage=Reason.BODY_TRUNCATED), ticket(20, number=2)
    )

    assert judgement.verdict is Verdict.CONFIRMED
    assert seconds_of(judgement.settled_at) == 20


def test_damaged_ticket_and_the_api_blind_at_the_deadline__names_the_hop_that_could_not_be_seen() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 631)]

    judgement = verdict_at(640, PATH, LAUNCHED, ticket(12, damage=Reason.BODY_TRUNCATED), blind_looks)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement)[0] is Hop.TICKET_CONTENT


def test_diverted__at_the_deadline_look__is_breached_and_says_so() -> None:
    judgement = verdict_at(602, PATH, LAUNCHED, diverted(20), vain(Hop.TICKET_CREATED, 600))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.DIVERTED, Side.TARGET)


def test_inconclusive__ticket_later__stays_inconclusive() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 631)]
    stored = verdict_at(640, PATH, LAUNCHED, blind_looks)

    fresh = verdict_at(900, PATH, LAUNCHED, blind_looks, ticket(800))

    assert advance(stored, fresh).verdict is Verdict.INCONCLUSIVE


def test_stored_breach__ticket_in_time_is_learnt_of_later__becomes_late() -> None:
    look_in_vain = vain(Hop.TICKET_CREATED, 600)
    stored = verdict_at(602, PATH, LAUNCHED, look_in_vain)

    fresh = verdict_at(900, PATH, LAUNCHED, look_in_vain, ticket(500))
    after = advance(stored, fresh)

    assert fresh.verdict is Verdict.CONFIRMED
    assert after.verdict is Verdict.LATE
    assert after.stop == stored.stop
    assert after.settled_at == stored.settled_at
    assert after.ended_at == stored.settled_at


def test_stored_breach__earlier_blindness_is_reported_later__still_finds_its_end() -> None:
    complete = vain(Hop.TICKET_CREATED, 632)
    blind_replica = [blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 630)]
    stored = verdict_at(633, PATH, LAUNCHED, complete)

    fresh = verdict_at(9000, PATH, LAUNCHED, complete, blind_replica, ticket(8000))
    after = advance(stored, fresh)

    assert fresh.verdict is Verdict.INCONCLUSIVE
    assert after.verdict is Verdict.LATE
    assert seconds_of(after.ended_at) == 8000


def test_stored_breach__clock_is_stepped_afterwards__ticket_still_makes_it_late() -> None:
    facts = [vain(Hop.TICKET_CREATED, 600), clock_step(3600), *ticket(8000)]

    judgement = verdict_at(9000, PATH, LAUNCHED, facts)

    assert judgement.verdict is Verdict.LATE


def test_bounce_after_the_breach__sharpens_blame_and_reason() -> None:
    in_vain = vain(Hop.TICKET_CREATED, 600)
    stored = verdict_at(602, path(mailbox=False), LAUNCHED, in_vain)

    fresh = verdict_at(900, path(mailbox=False), LAUNCHED, in_vain, bounce(800, Reason.MAILBOX_FULL))
    after = advance(stored, fresh)

    assert stop_of(stored) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
    assert after.verdict is Verdict.BREACHED
    assert stop_of(after) == (Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
    assert after.settled_at == stored.settled_at


def test_bounce_on_our_side_after_the_breach__does_not_take_the_breach_back() -> None:
    in_vain = vain(Hop.TICKET_CREATED, 600)

    judgement = verdict_at(900, PATH, LAUNCHED, in_vain, bounce(800, Reason.SENDER_REFUSED))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_reply_as_the_proof__is_confirmed_by_it_alone() -> None:
    weak = path(proof=Proof.REPLY)

    judgement = verdict_at(60, weak, LAUNCHED, reply(30))

    assert judgement.verdict is Verdict.CONFIRMED
    assert judgement.seconds == 30


def test_reply_as_the_proof__in_vain_at_the_deadline__is_breached_there() -> None:
    weak = path(proof=Proof.REPLY)

    judgement = verdict_at(602, weak, LAUNCHED, vain(Hop.REPLY_RECEIVED, 600))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.REPLY_RECEIVED, Reason.NOT_SEEN, Side.TARGET)


def test_reply_as_the_proof__own_mailbox_blind__is_inconclusive() -> None:
    weak = path(proof=Proof.REPLY)
    blind_looks = [
        blind(Hop.REPLY_RECEIVED, second, reason=Reason.OWN_MAILBOX_FULL, place="canary")
        for second in (600, 631)
    ]

    judgement = verdict_at(640, weak, LAUNCHED, blind_looks)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.REPLY_RECEIVED, Reason.OWN_MAILBOX_FULL, Side.PROBER)


def test_facts_after_now__are_not_taken_into_account() -> None:
    judgement = verdict_at(11, PATH, LAUNCHED, ticket(12))

    assert judgement.verdict is Verdict.PENDING
    assert judgement.seconds is None


def test_breached_while_the_other_view_is_blind__is_breached_when_the_complete_look_said_so() -> None:
    mailbox = [blind(Hop.MAILBOX_ARRIVAL, second, reason=Reason.MAILBOX_UNREADABLE) for second in (600, 640)]

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, mailbox, vain(Hop.TICKET_CREATED, 601))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_horizon_reached_while_breached_and_blind__stays_breached() -> None:
    at_horizon = [blind(Hop.TICKET_CREATED, HORIZON + second) for second in (0, 40)]

    judgement = verdict_at(FOREVER, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 600), at_horizon)

    assert judgement.verdict is Verdict.BREACHED


@pytest.mark.parametrize("depth", list(Depth))
def test_blind_look__whatever_its_depth__counts_as_blind(depth: Depth) -> None:
    looks = [
        look(
            Hop.TICKET_CREATED,
            second,
            depth=depth,
            complete=False,
            is_blind=True,
            reason=Reason.TICKET_API_UNREADABLE,
        )
        for second in (600, 640)
    ]

    assert verdict_at(700, PATH, LAUNCHED, looks).verdict is Verdict.INCONCLUSIVE


def test_times_of_the_canary__are_the_paths_promise() -> None:
    one = canary(path(deadline=60, horizon=600))

    assert seconds_of(one.deadline_at) == 60
    assert seconds_of(one.horizon_at) == 600


def test_stored_breach__fresh_judgement_knows_less__stays_as_it_is() -> None:
    stored = verdict_at(602, PATH, LAUNCHED, vain(Hop.TICKET_CREATED, 600))
    pending = verdict_at(602, PATH, LAUNCHED)
    blinded = verdict_at(700, PATH, LAUNCHED, blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 640))

    assert advance(stored, pending) == stored
    assert advance(stored, blinded) == stored


def test_nothing_stored_or_pending__takes_the_fresh_judgement() -> None:
    pending = verdict_at(20, PATH, LAUNCHED)
    fresh = verdict_at(20, PATH, LAUNCHED, ticket(12))

    assert advance(None, pending) == pending
    assert advance(pending, fresh) == fresh
