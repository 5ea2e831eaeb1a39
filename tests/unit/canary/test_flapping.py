"""A path that breaks and recovers by turns is one incident that lasts, and one that was mended ends all the same."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.flapping import flap_words
from canary.incident import Incident, Progress, Settled, fold, step
from canary.path import IncidentPolicy
from canary.verdict import Verdict
from tests.unit.canary import incident_reference, strategies
from tests.unit.canary.test_incident import NAME, POLICY, breached, confirmed, minute, settled

DAY = 24 * 60
TURNS = {"B": Verdict.BREACHED, "C": Verdict.CONFIRMED}


def by_turns(turns: Sequence[Verdict], *, every: int, minutes: int) -> list[Settled]:
    """Canaries launched every so many minutes, whose verdicts are the turns again and again."""
    return [settled(turns[number % len(turns)], every * number) for number in range(minutes // every)]


def of(turns: str, *, every: int = 10, minutes: int = DAY) -> tuple[Incident, ...]:
    return fold(NAME, POLICY, by_turns([TURNS[one] for one in turns], every=every, minutes=minutes))


@pytest.mark.parametrize("turns", ["BBCC", "BBCCC", "BBCCCCCCCC", "BCBCC", "BBBBBCCCCC"])
@pytest.mark.parametrize("every", [1, 5, 10, 60])
def test_path_that_flaps__is_two_incidents_and_the_second_lasts(turns: str, every: int) -> None:
    found = of(turns, every=every)

    assert len(found) == 2
    assert [one.is_open for one in found] == [False, True]
    assert [one.relapses for one in found] == [0, 1]


@given(
    strategies.policies,
    st.lists(
        st.sampled_from([Verdict.CONFIRMED, Verdict.BREACHED, Verdict.PENDING]), min_size=1, max_size=10
    ),
    st.sampled_from([1, 5, 10, 30, 60, 240]),
)
def test_any_turn_of_at_most_ten__opens_no_more_than_two_incidents_a_day(
    policy: IncidentPolicy, turns: list[Verdict], every: int
) -> None:
    assert len(fold(NAME, policy, by_turns(turns, every=every, minutes=DAY))) <= 2


def later(make: Callable[[float], Settled], first: int, count: int, *, every: int = 10) -> list[Settled]:
    return [make(first + every * number) for number in range(count)]


def test_second_incident_soon_after_another__ends_by_ten_confirmed_in_a_row() -> None:
    first = [*later(breached, 0, 2), *later(confirmed, 20, 2)]
    again = [*later(breached, 40, 2), *later(confirmed, 60, 9)]

    _, lasting = fold(NAME, POLICY, [*first, *again])
    _, over = fold(NAME, POLICY, [*first, *again, confirmed(150)])

    assert lasting.is_open
    assert (minute(over.resolved_at), minute(over.impact_until)) == (151, 60)


def test_each_further_one__needs_twice_as_many_up_to_forty() -> None:
    history: list[Settled] = []
    needed = []
    for run in (2, 10, 20, 40, 40):
        begin = 5 * len(history)
        history += [*later(breached, begin, 2, every=5), *later(confirmed, begin + 10, run, every=5)]
        *_, last = fold(NAME, POLICY, history)
        *_, before = fold(NAME, POLICY, history[:-1])
        needed.append((before.is_open, last.is_open, minute(last.impact_until) == begin + 10))

    assert needed == [(True, False, True)] * 5


def test_forty_confirmed_after_the_end__make_the_next_incident_a_new_matter() -> None:
    history = [*later(breached, 0, 2), *later(confirmed, 20, 43), *later(breached, 450, 2)]

    *_, last = fold(NAME, POLICY, [*history, *later(confirmed, 470, 2)])

    assert last.relapses == 0
    assert not last.is_open


def test_day_after_the_end__makes_the_next_incident_a_new_matter() -> None:
    history = [*later(breached, 0, 2), *later(confirmed, 20, 2), *later(breached, DAY + 40, 2)]

    assert [one.relapses for one in fold(NAME, POLICY, history)] == [0, 0]


def test_path_that_is_rarely_probed__ends_once_a_day_passed_without_a_failure() -> None:
    history = [*later(breached, 0, 2, every=240), *later(confirmed, 480, 2, every=240)]
    again = [*later(breached, 960, 2, every=240), *later(confirmed, 1440, 6, every=240)]

    *_, last = fold(NAME, POLICY, [*history, *again])

    assert last.relapses == 1
    assert minute(last.resolved_at) == 1200 + DAY + 1


@given(strategies.policies, st.lists(st.sampled_from([Verdict.CONFIRMED, Verdict.BREACHED]), max_size=60))
def test_whatever_went_before__forty_confirmed_end_it(
    policy: IncidentPolicy, verdicts: list[Verdict]
) -> None:
    before = [settled(verdict, 10 * number) for number, verdict in enumerate(verdicts)]
    calm = later(confirmed, 10 * len(before), max(40, policy.resolve))

    assert not any(one.is_open for one in fold(NAME, policy, [*before, *calm]))


@given(strategies.policies, st.lists(st.sampled_from(["BB", "CC", "C" * 9, "C" * 12, "C" * 45]), max_size=12))
def test_any_turns__fold_to_what_brute_force_finds(policy: IncidentPolicy, turns: list[str]) -> None:
    verdicts = [TURNS[one] for one in "".join(turns)]
    history = [settled(verdict, 10 * number) for number, verdict in enumerate(verdicts)]

    found = [
        (one.onset_at, one.impact_until, one.resolved_at, one.failures) for one in fold(NAME, policy, history)
    ]

    assert found == [
        (one.onset_at, one.impact_until, one.resolved_at, one.failures)
        for one in incident_reference.incidents(policy, history)
    ]


def test_recovery_of_an_incident_of_an_older_store__ends_where_it_did_before() -> None:
    progress = Progress()
    for one in (breached(0), breached(10), confirmed(20)):
        progress, _ = step(NAME, POLICY, progress, one)
    older = Progress(
        recent=progress.recent,
        confirmed=progress.confirmed,
        recovery=progress.recovery,
        target=progress.target,
        failed_at=progress.failed_at,
    )

    _, (change,) = step(NAME, POLICY, older, confirmed(30))

    assert minute(change.incident.impact_until) == 20


def test_words__are_of_one_that_flaps_alone() -> None:
    assert flap_words(0) == ""
    assert flap_words(1).startswith(
        "it flaps: an incident ended less than a day before the next; this one ends only after 10 "
    )
    assert flap_words(2).startswith(
        "it flaps: 2 incidents ended, each less than a day before the next; this one ends only after 20 "
    )


def proving(*runs: str) -> list[Incident]:
    """The second incident of a path that flaps, after each of these runs of verdicts."""
    history = [*later(breached, 0, 2), *later(confirmed, 20, 2), *later(breached, 40, 2)]
    found = []
    for run in runs:
        for one in run:
            history.append(settled(TURNS[one], 10 * len(history)))
        found.append(fold(NAME, POLICY, history)[-1])
    return found


def test_incident_that_flaps_and_works__knows_since_when_until_it_fails_again() -> None:
    found = proving("C", "C", "C", "B", "CC")

    assert [minute(one.works_from) for one in found] == [None, 60, 60, None, 100]
    assert [minute(one.failed_until) for one in found] == [None, 60, 60, None, 100]


def test_incident_that_flapped_and_is_over__only_proves_itself_no_more() -> None:
    (over,) = proving("C" * 10)

    assert (over.is_open, over.works_from, minute(over.failed_until)) == (False, None, 60)


def test_incident_that_doesn_t_flap__never_only_proves_itself() -> None:
    found = [
        fold(NAME, POLICY, [breached(0), breached(10), *later(confirmed, 20, run)])[-1] for run in (1, 2)
    ]

    assert [(one.works_from, one.broke_again) for one in found] == [(None, 0)] * 2


def test_failure_after_half_of_the_run_that_ends_it__is_news_and_a_turn_is_not() -> None:
    found = proving("CCCCB", "CCCCCB", "B", "C" * 9 + "B")

    assert [one.broke_again for one in found] == [0, 1, 1, 2]


def test_late_word_of_a_canary_from_before_it_worked__is_no_relapse() -> None:
    history = [*later(breached, 0, 2), *later(confirmed, 20, 2), *later(breached, 40, 2)]
    history += [*later(confirmed, 60, 6), breached(55, after=115)]

    assert fold(NAME, POLICY, history)[-1].broke_again == 0


def test_words__say_that_it_works_now_and_that_it_failed_again() -> None:
    (works,) = proving("CCCCCBCC")

    words = flap_words(works.relapses, works_from=works.works_from, broke_again=works.broke_again)

    assert (
        "; it failed again after it had come through for a while; every canary has come through since "
        in words
    )
