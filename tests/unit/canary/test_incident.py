"""Incidents: what opens one, what ends one, and whom it may have struck."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from canary.blame import Stop
from canary.hop import Hop
from canary.incident import (
    Change,
    Incident,
    IncidentKind,
    Progress,
    Settled,
    Transition,
    fold,
    retire,
    step,
)
from canary.learnt import sharpen
from canary.path import IncidentPolicy, OpenRule, PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.verdict import Verdict
from tests.unit.canary import incident_reference, strategies
from tests.unit.canary.facts import at, seconds_of

NAME = PathName("support-email")
POLICY = IncidentPolicy()
NOT_SEEN = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
FULL = Stop(Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL, Side.TARGET)
REFUSED_MAIL = Stop(Hop.SMTP_ACCEPT, Reason.REJECTED, Side.TARGET)
BLIND = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)


def settled(
    verdict: Verdict, minute: float, *, after: float | None = None, stop: Stop | None = None
) -> Settled:
    """A canary launched at that minute; its verdict came at the minute ``after``, by default one later."""
    by_verdict = {Verdict.CONFIRMED: None, Verdict.PENDING: None, Verdict.INCONCLUSIVE: BLIND}
    return Settled(
        canary_id=CanaryId(f"canary-{minute:05.1f}"),
        launched_at=at(60 * minute),
        settled_at=at(60 * (after if after is not None else minute + 1)),
        verdict=verdict,
        stop=stop or by_verdict.get(verdict, NOT_SEEN),
    )


def confirmed(minute: float, *, after: float | None = None) -> Settled:
    return settled(Verdict.CONFIRMED, minute, after=after)


def breached(minute: float, *, after: float | None = None, stop: Stop | None = None) -> Settled:
    return settled(Verdict.BREACHED, minute, after=after, stop=stop)


def blind(minute: float, *, after: float | None = None) -> Settled:
    return settled(Verdict.INCONCLUSIVE, minute, after=after)


def stepped(policy: IncidentPolicy, history: Sequence[Settled]) -> tuple[Progress, list[Change]]:
    progress = Progress()
    changes: list[Change] = []
    for one in history:
        progress, more = step(NAME, policy, progress, one)
        changes += more
    return progress, changes


def only(policy: IncidentPolicy, *history: Settled) -> Incident:
    found = fold(NAME, policy, history)
    assert len(found) == 1
    return found[0]


def minute(moment: datetime | None) -> float | None:
    seconds = seconds_of(moment)
    return None if seconds is None else seconds / 60


def test_one_breach__opens_nothing_by_default() -> None:
    assert fold(NAME, POLICY, [confirmed(0), breached(10)]) == ()


def test_two_of_three_breached__opens_with_the_first_as_its_onset() -> None:
    incident = only(POLICY, confirmed(0), breached(10), confirmed(20), breached(30))

    assert incident.kind is IncidentKind.TARGET
    assert minute(incident.onset_at) == 10
    assert minute(incident.opened_at) == 31
    assert minute(incident.impact_from) == 0
    assert incident.failures == 2
    assert incident.is_open


def test_two_confirmed_in_a_row__end_it_and_the_first_of_them_bounds_the_impact() -> None:
    incident = only(POLICY, confirmed(0), breached(10), breached(20), confirmed(30), confirmed(40))

    assert minute(incident.resolved_at) == 41
    assert minute(incident.impact_until) == 30
    assert not incident.is_open


def test_breach_between_two_confirmed__keeps_it_open() -> None:
    incident = only(
        POLICY, confirmed(0), breached(10), breached(20), confirmed(30), breached(40), confirmed(50)
    )

    assert incident.is_open
    assert incident.failures == 3


def test_inconclusive_ones__count_neither_way() -> None:
    incident = only(POLICY, confirmed(0), breached(10), blind(20), breached(30), confirmed(40), confirmed(50))

    assert incident.kind is IncidentKind.TARGET
    assert incident.failures == 2
    assert minute(incident.impact_until) == 40


def test_pending_one__changes_nothing() -> None:
    progress, changes = stepped(POLICY, [settled(Verdict.PENDING, 0)])

    assert progress == Progress()
    assert changes == []


def test_reason_that_opens_at_once__opens_with_the_first_breach() -> None:
    policy = IncidentPolicy(at_once=frozenset({Reason.MAILBOX_FULL}))

    incident = only(policy, confirmed(0), breached(10, stop=FULL))

    assert incident.stop == FULL
    assert minute(incident.onset_at) == 10


def test_reason_that_opens_at_once_after_another_breach__the_run_began_with_that() -> None:
    policy = IncidentPolicy(at_once=frozenset({Reason.MAILBOX_FULL}))

    incident = only(policy, confirmed(0), breached(10), breached(20, stop=FULL))

    assert minute(incident.onset_at) == 10
    assert minute(incident.impact_from) == 0
    assert incident.failures == 2


def test_any_of_several_rules__opens() -> None:
    policy = IncidentPolicy(open=(OpenRule(5, 5), OpenRule(1, 1)))

    assert minute(only(policy, breached(10)).opened_at) == 11


def test_nothing_ever_confirmed__the_window_has_no_known_beginning() -> None:
    assert only(POLICY, breached(10), breached(20)).impact_from is None


def test_confirmed_canary_launched_later_but_settled_before_the_breach__does_not_begin_the_window() -> None:
    history = [confirmed(0), confirmed(12, after=13), breached(10, after=20), breached(11, after=21)]

    incident = only(POLICY, *history)

    assert minute(incident.impact_from) == 0


def test_many_quick_successes_after_a_slow_breach__the_window_still_begins_where_intake_last_worked() -> None:
    quick = [confirmed(2 + index, after=3 + index) for index in range(20)]

    incident = only(POLICY, confirmed(0), *quick, breached(1, after=40), breached(1.5, after=41))

    assert minute(incident.impact_from) == 0


def test_canary_of_before_the_onset_that_settles_late__narrows_the_window() -> None:
    incident = only(POLICY, confirmed(0), breached(10), breached(20), confirmed(9, after=25))

    assert minute(incident.impact_from) == 9
    assert incident.is_open


def test_canary_launched_before_the_last_failed_one__is_no_recovery() -> None:
    history = [confirmed(0), breached(10), breached(20), confirmed(15, after=22), confirmed(16, after=23)]

    assert only(POLICY, *history).is_open


def test_window__ends_after_the_last_canary_that_failed() -> None:
    history = [
        breached(10),
        breached(20),
        confirmed(15, after=22),
        confirmed(30),
        confirmed(40),
    ]

    assert minute(only(POLICY, *history).impact_until) == 30


def test_breach_that_settles_after_the_recovery__opens_nothing_new() -> None:
    recovered = [
        breached(10, after=20),
        breached(11, after=21),
        confirmed(14, after=22),
        confirmed(15, after=23),
    ]
    stragglers = [breached(12, after=24), breached(13, after=25)]

    incident = only(POLICY, *recovered, *stragglers)

    assert minute(incident.impact_until) == 14
    assert not incident.is_open


def test_breach_of_before_the_last_success__is_none_of_the_open_incident() -> None:
    history = [breached(1, after=30), confirmed(5), breached(10, after=11), breached(12, after=13)]

    incident = only(POLICY, *sorted(history, key=lambda one: one.settled_at))

    assert minute(incident.onset_at) == 10
    assert incident.failures == 2


def test_slow_breach_of_before_the_onset__moves_the_onset_back() -> None:
    history = [confirmed(0), breached(10), breached(20), breached(9, after=25)]

    incident = only(POLICY, *history)

    assert minute(incident.onset_at) == 9
    assert incident.failures == 3


def test_two_inconclusive__are_an_incident_of_the_prober() -> None:
    incident = only(POLICY, confirmed(0), blind(10), blind(20))

    assert incident.kind is IncidentKind.BLIND
    assert incident.stop == BLIND
    assert minute(incident.onset_at) == 10
    assert minute(incident.impact_from) == 0


def test_any_verdict_about_what_was_not_seen__ends_the_blindness() -> None:
    by_success = only(POLICY, confirmed(0), blind(10), blind(20), blind(30), confirmed(40))
    by_breach = only(POLICY, blind(10), blind(20), breached(40))

    assert (minute(by_success.resolved_at), minute(by_success.impact_until)) == (41, 40)
    assert (minute(by_breach.resolved_at), by_breach.impact_until) == (41, None)
    assert by_success.failures == 3


@pytest.mark.parametrize("stop", [REFUSED_MAIL, FULL], ids=["refused", "bounced"])
def test_breach_before_the_place_that_is_not_seen__ends_no_blindness(stop: Stop) -> None:
    history = [blind(0), blind(10), breached(20, stop=stop), blind(30), confirmed(40)]

    incident = next(one for one in fold(NAME, POLICY, history) if one.kind is IncidentKind.BLIND)

    assert (minute(incident.onset_at), minute(incident.resolved_at), incident.failures) == (0, 41, 3)


def test_breach_before_the_place_that_is_not_seen__does_not_break_the_run_that_opens_it() -> None:
    incident = only(POLICY, blind(0), breached(10, stop=REFUSED_MAIL), blind(20))

    assert (incident.kind, minute(incident.onset_at), minute(incident.opened_at)) == (
        IncidentKind.BLIND,
        0,
        21,
    )


def test_breach_after_the_place_where_we_were_refused__ends_the_blindness() -> None:
    ours = Stop(Hop.SMTP_AUTH, Reason.CREDENTIALS_REJECTED, Side.PROBER)
    refused = [settled(Verdict.INCONCLUSIVE, number, stop=ours) for number in (0, 10)]

    assert minute(only(POLICY, *refused, breached(20, stop=REFUSED_MAIL)).resolved_at) == 21


def test_blindness_during_an_incident__leaves_that_open() -> None:
    progress, changes = stepped(POLICY, [breached(10), breached(20), blind(30), blind(40)])

    assert [change.transition for change in changes] == [Transition.OPENED, Transition.OPENED]
    assert progress.target is not None
    assert progress.blindness is not None


def test_better_blame_of_the_canary_that_opened_it__is_noted_once_and_counters_stay() -> None:
    progress, _ = stepped(POLICY, [breached(10), breached(20)])

    sharper, changes = sharpen(progress, CanaryId("canary-020.0"), FULL)
    again, none = sharpen(sharper, CanaryId("canary-020.0"), FULL)

    assert [(one.transition, one.incident.sharper) for one in changes] == [(Transition.CHANGED, FULL)]
    assert changes[0].incident.stop == NOT_SEEN
    assert changes[0].incident.failures == 2
    assert (again, none) == (sharper, ())


def test_better_blame_of_the_canary_that_it_began_with__is_noted() -> None:
    progress, _ = stepped(POLICY, [breached(10), breached(20)])

    _, changes = sharpen(progress, CanaryId("canary-010.0"), FULL)

    assert [one.incident.sharper for one in changes] == [FULL]


def test_better_blame_of_another_canary__changes_nothing() -> None:
    progress, _ = stepped(POLICY, [breached(10), breached(20), breached(30)])

    assert sharpen(progress, CanaryId("canary-030.0"), FULL) == (progress, ())
    assert sharpen(Progress(), CanaryId("canary-030.0"), FULL) == (Progress(), ())


def test_path_is_gone__ends_its_incidents_without_a_word_of_recovery() -> None:
    progress, _ = stepped(POLICY, [breached(10), breached(20), blind(30), blind(40)])

    after, changes = retire(progress, at(3600))

    assert after == Progress()
    assert {change.transition for change in changes} == {Transition.RETIRED}
    assert all(one.incident.is_retired and one.incident.impact_until is None for one in changes)
    assert {minute(one.incident.resolved_at) for one in changes} == {60}


def test_late_and_lost__count_as_the_breach_that_they_follow() -> None:
    incident = only(POLICY, settled(Verdict.LATE, 10), settled(Verdict.LOST, 20))

    assert incident.failures == 2


@st.composite
def histories(draw: st.DrawFn) -> list[Settled]:
    """Canaries in the order in which their verdicts came; slow ones settle long after quick ones."""
    count = draw(st.integers(0, 25))
    waits = st.sampled_from([0.5, 1.0, 4.0, 10.0])
    found = []
    for number in range(count):
        verdict = draw(strategies.settled_verdicts)
        stop = FULL if verdict.is_breach and draw(st.booleans()) else None
        found.append(settled(verdict, number, after=number + draw(waits), stop=stop))
    return sorted(found, key=lambda one: (one.settled_at, one.canary_id))


@given(strategies.policies, histories())
def test_any_history__folded_one_by_one_is_as_folded_at_once(
    policy: IncidentPolicy, history: list[Settled]
) -> None:
    progress, changes = stepped(policy, history)
    latest = {change.incident.id: change.incident for change in changes}
    for lasting in (progress.target, progress.blindness):
        if lasting is not None:
            latest[lasting.id] = lasting

    found = fold(NAME, policy, history)

    assert sorted(found, key=lambda one: one.id) == sorted(latest.values(), key=lambda one: one.id)
    event(f"{len(found)} incidents")


@given(strategies.policies, histories(), st.randoms())
def test_any_history__in_any_order__folds_to_the_same(
    policy: IncidentPolicy,
    history: list[Settled],
    randomness: Random,
) -> None:
    shuffled = list(history)
    randomness.shuffle(shuffled)

    assert fold(NAME, policy, shuffled) == fold(NAME, policy, history)


@given(strategies.policies, histories())
def test_any_history__folds_to_what_brute_force_finds(policy: IncidentPolicy, history: list[Settled]) -> None:
    found = [
        incident_reference.Expected(
            one.kind,
            one.onset_at,
            one.opened_at,
            one.impact_from,
            one.impact_until,
            one.resolved_at,
            one.failures,
        )
        for one in fold(NAME, policy, history)
    ]

    assert found == incident_reference.incidents(policy, history)


@given(strategies.policies, histories())
def test_any_history__every_impact_window_holds_its_onset(
    policy: IncidentPolicy, history: list[Settled]
) -> None:
    for incident in fold(NAME, policy, history):
        assert incident.impact_from is None or incident.impact_from < incident.onset_at
        assert incident.impact_until is None or incident.onset_at < incident.impact_until
        assert incident.resolved_at is None or incident.opened_at <= incident.resolved_at
        assert incident.onset_at <= incident.opened_at
