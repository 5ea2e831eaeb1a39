"""Time to full, from the readings of a mailbox."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.forecast import Reading, forecast
from tests.unit.canary.facts import at, seconds_of

readings_of_any_kind = st.lists(
    st.builds(lambda second, value: Reading(at(second), value), st.integers(0, 86400), st.floats(0, 1e12)),
    max_size=20,
)


def growing(*values: float, every: float = 600) -> list[Reading]:
    return [Reading(at(every * number), value) for number, value in enumerate(values)]


def test_steady_growth__says_when_it_is_full() -> None:
    found = forecast(growing(100, 200, 300, 400), 1000)

    assert found is not None
    assert found.growth_per_second == pytest.approx(1 / 6)
    assert seconds_of(found.full_at) == pytest.approx(1800 + 3600)


def test_already_full_and_growing__is_full_now() -> None:
    found = forecast(growing(900, 1000, 1100), 1000)

    assert found is not None
    assert seconds_of(found.full_at) == 1200


@pytest.mark.parametrize("values", [(500, 500, 500), (500, 480, 470)])
def test_no_growth__is_never_full(values: tuple[float, ...]) -> None:
    found = forecast(growing(*values), 1000)

    assert found is not None
    assert found.full_at is None


@pytest.mark.parametrize(
    "readings",
    [[], growing(100), growing(100, 200), growing(100, 200, 300, every=60)],
)
def test_too_few_or_too_short__is_no_trend(readings: list[Reading]) -> None:
    assert forecast(readings, 1000) is None


def test_clean_up_in_between__only_what_followed_it_is_the_trend() -> None:
    found = forecast(growing(700, 800, 900, 100, 200, 300), 1000)

    assert found is not None
    assert seconds_of(found.full_at) == pytest.approx(3000 + 4200)


def test_unknown_limit__has_growth_and_no_end() -> None:
    found = forecast(growing(100, 200, 300), None)

    assert found is not None
    assert found.growth_per_second > 0
    assert found.full_at is None


def test_growth_that_takes_more_than_ten_years__is_never_full() -> None:
    found = forecast(growing(100, 100.0001, 100.0002), 1e9)

    assert found is not None
    assert found.full_at is None


def test_readings_at_one_moment__are_no_trend() -> None:
    assert forecast([Reading(at(0), value) for value in (1, 2, 3)], 10) is None


@given(readings_of_any_kind, st.none() | st.floats(1, 1e12), st.randoms())
def test_any_readings__in_any_order__lead_to_the_same_and_never_into_the_past(
    readings: list[Reading], limit: float | None, randomness: Random
) -> None:
    shuffled = list(readings)
    randomness.shuffle(shuffled)

    found = forecast(readings, limit)

    assert forecast(shuffled, limit) == found
    if found is not None and found.full_at is not None:
        assert found.growth_per_second > 0
        assert found.full_at >= max(one.at for one in readings)


@given(st.floats(1, 1e6), st.floats(1e-3, 1e4), st.integers(3, 10))
def test_straight_line__is_found_again(start: float, slope: float, count: int) -> None:
    line = [Reading(at(300 * number), start + slope * 300 * number) for number in range(count)]
    limit = start + slope * 300 * (count + 4)

    found = forecast(line, limit)

    assert found is not None
    assert found.full_at is not None
    assert found.full_at - line[-1].at == pytest.approx(timedelta(seconds=1500), abs=timedelta(seconds=30))
