"""The error budget: what is left of what an objective allows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as some

from canary.slo import Counts, budget, burn_rate, counts_of
from canary.verdict import Verdict

NUMBERS = some.integers(0, 100_000)
OBJECTIVES = some.floats(0.001, 1.0)
DAYS = some.lists(some.dictionaries(some.sampled_from(Verdict), some.integers(0, 500)), max_size=40)


@some.composite
def counted(draw: some.DrawFn) -> Counts:
    good, failed, inconclusive, missed = (draw(NUMBERS) for _ in range(4))
    return Counts(good, good + failed, inconclusive, good + failed + inconclusive + missed)


def test_one_breach_in_a_hundred__with_an_objective_of_99_per_cent__spends_the_budget() -> None:
    found = budget(Counts(good=99, eligible=100, inconclusive=0, expected=100), 0.99)

    assert found.attained_share == 0.99
    assert found.left_share == pytest.approx(0.0)
    assert found.burn_rate == pytest.approx(1.0)
    assert found.coverage_share == 1.0


def test_three_breaches_in_a_hundred__overspend_it_twice() -> None:
    assert budget(Counts(97, 100, 0, 100), 0.99).left_share == pytest.approx(-2.0)


def test_inconclusive_canaries_and_missed_slots__touch_the_coverage_alone() -> None:
    counts = counts_of([{Verdict.CONFIRMED: 80, Verdict.INCONCLUSIVE: 10}], missed=30)

    found = budget(counts, 0.99)

    assert (found.attained_share, found.left_share) == (1.0, 1.0)
    assert found.coverage_share == pytest.approx(0.75)


def test_late_and_lost_ones__count_no_more_than_the_breach_that_they_follow() -> None:
    counts = counts_of([{Verdict.CONFIRMED: 8, Verdict.BREACHED: 2, Verdict.LATE: 1, Verdict.LOST: 1}])

    assert (counts.good, counts.eligible, counts.failed) == (8, 10, 2)


def test_objective_of_100_per_cent__has_no_budget_and_each_failure_overspends() -> None:
    assert budget(Counts(5, 5, 0, 5), 1.0).left_share == 1.0
    assert budget(Counts(3, 5, 0, 5), 1.0).left_share == -2.0
    assert burn_rate(Counts(3, 5, 0, 5), 1.0) is None


def test_nothing_probed__is_neither_good_nor_bad() -> None:
    found = budget(Counts(), 0.99)

    assert (found.attained_share, found.left_share, found.burn_rate, found.coverage_share) == (
        None, None, None, None,
    )  # fmt: skip


@pytest.mark.parametrize("objective", [0.0, -0.5, 1.01])
def test_objective_that_is_no_share__is_refused(objective: float) -> None:
    with pytest.raises(ValueError, match="objective"):
        budget(Counts(), objective)


def test_more_good_ones_than_eligible__are_refused() -> None:
    with pytest.raises(ValueError, match="eligible"):
        budget(Counts(good=2, eligible=1), 0.99)


@given(counted(), OBJECTIVES)
def test_figures__are_finite_and_within_their_bounds(counts: Counts, objective: float) -> None:
    found = budget(counts, objective)

    assert (found.left_share is None) == (counts.eligible == 0)
    assert found.left_share is None or (math.isfinite(found.left_share) and found.left_share <= 1.0)
    assert found.burn_rate is None or 0 <= found.burn_rate < math.inf
    assert found.attained_share is None or 0 <= found.attained_share <= 1
    assert found.coverage_share is None or 0 <= found.coverage_share <= 1


@given(counted(), OBJECTIVES)
def test_one_more_failure__never_leaves_more_of_the_budget(counts: Counts, objective: float) -> None:
    worse = Counts(counts.good, counts.eligible + 1, counts.inconclusive, counts.expected + 1)

    left, before = budget(worse, objective).left_share, budget(counts, objective).left_share
    assert left is not None
    assert before is None or left <= before


@given(counted(), OBJECTIVES)
def test_budget__is_overspent_exactly_where_the_objective_is_missed(counts: Counts, objective: float) -> None:
    found = budget(counts, objective)

    if found.attained_share is not None and abs(found.attained_share - objective) > 1e-9:
        assert found.left_share is not None
        assert (found.left_share < 0) == (found.attained_share < objective)


@given(DAYS, some.integers(0, 40))
def test_days__add_up_however_they_are_cut(days: list[dict[Verdict, int]], cut: int) -> None:
    whole, one, two = counts_of(days), counts_of(days[:cut]), counts_of(days[cut:])

    assert (whole.good, whole.eligible) == (one.good + two.good, one.eligible + two.eligible)
    assert whole.inconclusive == one.inconclusive + two.inconclusive
