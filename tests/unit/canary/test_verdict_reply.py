"""The acknowledgement: expected, its absence is a flaw; required, a breach."""

import pytest

from canary.hop import Hop
from canary.path import Path, Reply
from canary.reason import Reason, Side
from canary.verdict import Verdict, advance
from tests.unit.canary.facts import (
    FOREVER,
    HORIZON,
    blind,
    bounce,
    flaws_of,
    launched,
    path,
    reply,
    seconds_of,
    stop_of,
    ticket,
    vain,
    verdict_at,
)

LAUNCHED = launched()
EXPECTED = path(reply=Reply.EXPECTED)
REQUIRED = path(reply=Reply.REQUIRED)
OWN_BLIND = [
    blind(Hop.REPLY_RECEIVED, second, reason=Reason.MAILBOX_UNREADABLE, place="canary")
    for second in (600, 640)
]
NO_REPLY = vain(Hop.REPLY_RECEIVED, 600)


def test_reply_ignored__ticket_alone_confirms() -> None:
    assert verdict_at(60, path(), LAUNCHED, ticket(12)).verdict is Verdict.CONFIRMED


@pytest.mark.parametrize("of", [EXPECTED, REQUIRED])
def test_ticket_and_reply_in_time__is_confirmed_when_both_are_there(of: Path) -> None:
    before = verdict_at(19, of, LAUNCHED, ticket(12), reply(20))
    after = verdict_at(20, of, LAUNCHED, ticket(12), reply(20))

    assert before.verdict is Verdict.PENDING
    assert after.verdict is Verdict.CONFIRMED
    assert seconds_of(after.settled_at) == 20
    assert after.seconds == 12
    assert after.flaws == ()


def test_reply_before_the_ticket_was_seen__is_confirmed_with_the_ticket() -> None:
    judgement = verdict_at(60, REQUIRED, LAUNCHED, reply(10), ticket(12))

    assert judgement.verdict is Verdict.CONFIRMED
    assert seconds_of(judgement.settled_at) == 12


def test_reply_without_a_ticket__proves_none_where_the_system_can_be_read() -> None:
    judgement = verdict_at(700, REQUIRED, LAUNCHED, reply(10), vain(Hop.TICKET_CREATED, 600))

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)


def test_expected_reply__confirmed_waits_for_it_until_the_deadline_look() -> None:
    before = verdict_at(600, EXPECTED, LAUNCHED, ticket(12))
    after = verdict_at(601, EXPECTED, LAUNCHED, ticket(12), NO_REPLY)

    assert before.verdict is Verdict.PENDING
    assert after.verdict is Verdict.CONFIRMED
    assert flaws_of(after) == [(Hop.REPLY_RECEIVED, Reason.NOT_SEEN)]
    assert seconds_of(after.settled_at) == 600.5


def test_expected_reply__own_mailbox_blind__is_confirmed_without_a_flaw() -> None:
    judgement = verdict_at(700, EXPECTED, LAUNCHED, ticket(12), OWN_BLIND)

    assert judgement.verdict is Verdict.CONFIRMED
    assert judgement.flaws == ()
    assert seconds_of(judgement.settled_at) == 630


def test_expected_reply__nobody_looks_for_it__is_confirmed_30_s_after_the_deadline() -> None:
    assert verdict_at(629, EXPECTED, LAUNCHED, ticket(12)).verdict is Verdict.PENDING
    assert verdict_at(630, EXPECTED, LAUNCHED, ticket(12)).verdict is Verdict.CONFIRMED


def test_expected_reply__horizon_at_the_deadline__is_confirmed_all_the_same() -> None:
    short = path(reply=Reply.EXPECTED, horizon=600)

    assert verdict_at(FOREVER, short, LAUNCHED, ticket(12)).verdict is Verdict.CONFIRMED


def test_expected_reply__bounce_while_it_is_waited_for__does_not_undo_the_ticket() -> None:
    judgement = verdict_at(700, EXPECTED, LAUNCHED, ticket(12), bounce(20), NO_REPLY)

    assert judgement.verdict is Verdict.CONFIRMED


def test_expected_reply__ticket_no_longer_there_at_the_deadline__does_not_undo_the_ticket() -> None:
    judgement = verdict_at(700, EXPECTED, LAUNCHED, ticket(12), vain(Hop.TICKET_CREATED, 600), NO_REPLY)

    assert judgement.verdict is Verdict.CONFIRMED


def test_expected_reply__known_to_be_too_late__is_a_flaw() -> None:
    late = reply(900, began=899, created=800, skew=0)

    judgement = verdict_at(1000, EXPECTED, LAUNCHED, ticket(12), late)

    assert judgement.verdict is Verdict.CONFIRMED
    assert flaws_of(judgement) == [(Hop.REPLY_RECEIVED, Reason.NOT_SEEN)]


def test_expected_reply__seen_late_and_unknown_when_it_came__is_no_flaw() -> None:
    judgement = verdict_at(1000, EXPECTED, LAUNCHED, ticket(12), reply(900, began=899))

    assert judgement.verdict is Verdict.CONFIRMED
    assert judgement.flaws == ()


def test_expected_reply__missing_is_learnt_of_after_the_verdict__adds_the_flaw() -> None:
    stored = verdict_at(640, EXPECTED, LAUNCHED, ticket(12))
    fresh = verdict_at(700, EXPECTED, LAUNCHED, ticket(12), vain(Hop.REPLY_RECEIVED, 650))

    after = advance(stored, fresh)

    assert stored.flaws == ()
    assert flaws_of(after) == [(Hop.REPLY_RECEIVED, Reason.NOT_SEEN)]
    assert after.settled_at == stored.settled_at


def test_required_reply__missing_at_the_deadline__is_breached_and_blames_the_reply() -> None:
    judgement = verdict_at(601, REQUIRED, LAUNCHED, ticket(12), NO_REPLY)

    assert judgement.verdict is Verdict.BREACHED
    assert stop_of(judgement) == (Hop.REPLY_RECEIVED, Reason.NOT_SEEN, Side.TARGET)


def test_required_reply__own_mailbox_blind__is_inconclusive() -> None:
    judgement = verdict_at(700, REQUIRED, LAUNCHED, ticket(12), OWN_BLIND)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.REPLY_RECEIVED, Reason.MAILBOX_UNREADABLE, Side.PROBER)


def test_required_reply__nobody_ever_looks__is_inconclusive_at_the_horizon() -> None:
    before = verdict_at(HORIZON - 1, REQUIRED, LAUNCHED, ticket(12))
    after = verdict_at(HORIZON, REQUIRED, LAUNCHED, ticket(12))

    assert before.verdict is Verdict.PENDING
    assert after.verdict is Verdict.INCONCLUSIVE
    assert stop_of(after) == (Hop.REPLY_RECEIVED, Reason.NOT_LOOKED, Side.PROBER)


def test_required_reply__missed_and_then_seen__is_late_since_the_breach() -> None:
    judgement = verdict_at(1000, REQUIRED, LAUNCHED, ticket(12), NO_REPLY, reply(900, began=899))

    assert judgement.verdict is Verdict.LATE
    assert seconds_of(judgement.settled_at) == 600.5
    assert seconds_of(judgement.ended_at) == 900


def test_required_reply__known_to_be_too_late__is_at_once_late() -> None:
    late = reply(900, began=899, created=800, skew=0)

    judgement = verdict_at(1000, REQUIRED, LAUNCHED, ticket(12), late)

    assert judgement.verdict is Verdict.LATE
    assert seconds_of(judgement.settled_at) == 900
    assert stop_of(judgement) == (Hop.REPLY_RECEIVED, Reason.NOT_SEEN, Side.TARGET)


def test_required_reply__seen_late_and_unknown_when_it_came__is_inconclusive() -> None:
    judgement = verdict_at(1000, REQUIRED, LAUNCHED, ticket(12), reply(900, began=899))

    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_required_reply__after_the_horizon__leaves_it_breached() -> None:
    judgement = verdict_at(
        FOREVER, REQUIRED, LAUNCHED, ticket(12), NO_REPLY, reply(HORIZON + 900, began=HORIZON + 899)
    )

    assert judgement.verdict is Verdict.BREACHED


def test_missing_reply__while_the_ticket_can_not_be_seen__accuses_nobody_of_the_reply() -> None:
    blind_looks = [blind(Hop.TICKET_CREATED, second) for second in (600, 640)]

    judgement = verdict_at(700, REQUIRED, LAUNCHED, NO_REPLY, blind_looks)

    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert stop_of(judgement) == (Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
