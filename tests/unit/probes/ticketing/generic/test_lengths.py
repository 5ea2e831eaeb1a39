"""Lengths of time as systems tell them."""

import pytest

from probes.contracts import Blind
from probes.ticketing.generic.conversions import As, converted


@pytest.mark.parametrize(
    ("told", "seconds"), [(4000, 4), ("4100;w=60", 5), (4001, 5), (1, 1), (0, 0), (None, None), (59999.5, 60)]
)
def test_milliseconds__are_seconds_rounded_up(told: object, seconds: int | None) -> None:
    assert converted(told, (As.MS,), "throttle.after") == seconds


def test_milliseconds_that_are_no_number__are_named_with_their_key() -> None:
    with pytest.raises(Blind, match=r"throttle\.after"):
        converted("soon", (As.MS,), "throttle.after")
