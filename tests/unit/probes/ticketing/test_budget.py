"""Looks are spread over what is left of the scarcest window."""

from datetime import timedelta

import pytest

from probes.contracts import Budget
from probes.ticketing.budget import seconds_between_looks
from tests.fakes.clock import START

IN_A_MINUTE = START + timedelta(seconds=60)


def seconds(*budgets: Budget, calls: float = 1.0) -> float:
    return seconds_between_looks(budgets, now=START, calls_a_look=calls)


def test_no_window__limits_nothing() -> None:
    assert seconds() == 0.0


def test_plenty__limits_little() -> None:
    assert seconds(Budget("a", 700, 1000, IN_A_MINUTE)) == pytest.approx(60 / 500)


def test_the_scarcest__decides() -> None:
    rich, poor = Budget("a", 700, 1000, IN_A_MINUTE), Budget("b", 30, 50, IN_A_MINUTE)

    assert seconds(rich, poor) == pytest.approx(3.0)


def test_more_calls_a_look__make_looks_rarer() -> None:
    assert seconds(Budget("b", 30, 50, IN_A_MINUTE), calls=2) == pytest.approx(6.0)


@pytest.mark.parametrize("left", [0, 5, 10])
def test_reserve_reached__waits_for_the_reset(left: int) -> None:
    assert seconds(Budget("a", left, 50, IN_A_MINUTE)) == 60.0


def test_unknown_left_or_reset__limits_nothing() -> None:
    assert seconds(Budget("a", None, 50, IN_A_MINUTE), Budget("b", 1, 50, None)) == 0.0
