"""A remote's clock, from stamps of a whole second."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.skew import Skew
from tests.fakes.clock import START


def stamp(truth: timedelta, at: datetime) -> datetime:
    return (at + truth).replace(microsecond=0)


def test_no_stamp__is_no_skew() -> None:
    skew = Skew()
    skew.note(None, began_at=START, ended_at=START)

    assert skew.seconds is None
    assert skew.error_seconds is None


def test_one_quick_answer__is_known_to_half_a_second() -> None:
    skew = Skew()
    skew.note(START + timedelta(seconds=3), began_at=START, ended_at=START)

    assert skew.seconds == 3.5
    assert skew.error_seconds == 0.5


@pytest.mark.parametrize("at", [datetime.min, datetime(1970, 1, 1), datetime.max])  # noqa: DTZ001, DTZ901 -- UTC below
def test_stamp_of_another_age__is_no_stamp(at: datetime) -> None:
    skew = Skew()
    skew.note(at.replace(tzinfo=UTC), began_at=START, ended_at=START)

    assert skew.seconds is None


def test_answer_that_took_very_long__says_nothing_useful() -> None:
    skew = Skew()
    skew.note(START, began_at=START, ended_at=START + timedelta(seconds=15))

    assert skew.seconds is None


def test_clock_that_was_set_in_between__counts_as_the_latest_answer_says() -> None:
    skew = Skew()
    skew.note(START + timedelta(seconds=100), began_at=START, ended_at=START)
    skew.note(START, began_at=START, ended_at=START)

    assert skew.seconds == pytest.approx(0.5)


@given(
    truth=st.floats(min_value=-3000, max_value=3000),
    calls=st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=2), st.floats(0, 1)
        ),
        min_size=1,
        max_size=20,
    ),
)
def test_whatever_the_calls__the_truth_is_within_the_bound(
    truth: float, calls: list[tuple[float, float, float]]
) -> None:
    skew = Skew()
    for offset, lasts, share in calls:
        began = START + timedelta(seconds=offset)
        written = began + timedelta(seconds=lasts * share)
        skew.note(
            stamp(timedelta(seconds=truth), written),
            began_at=began,
            ended_at=began + timedelta(seconds=lasts),
        )

    assert skew.seconds is not None
    assert skew.error_seconds is not None
    assert abs(skew.seconds - truth) <= skew.error_seconds + 1e-4
