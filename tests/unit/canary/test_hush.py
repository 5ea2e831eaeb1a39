"""A wish to be left alone: how long it is heeded, by whose clock, and what is said of it."""

from datetime import timedelta

import pytest

from canary.hush import LONGEST, Hush
from runners.store import codec
from tests.contracts.store_cases import NOON, after


@pytest.mark.parametrize(
    ("seconds_later", "is_over"),
    [(3601, True), (3599, False), (0, False), (-3, False), (-59, False), (-61, True)],
)
def test_wish_as_long_as_may_be__holds_for_a_replica_whose_clock_is_a_little_behind(
    seconds_later: float, *, is_over: bool
) -> None:
    hush = Hush.asked(NOON, 7200)

    assert hush.until_at == NOON + LONGEST
    assert hush.is_over(NOON + timedelta(seconds=seconds_later)) is is_over


def test_wish_that_was_kept_before_its_status_was__is_of_too_many_requests() -> None:
    text = '{"asked_at":"2026-11-30T12:00:00.000000+00:00","until_at":"2026-11-30T12:30:00.000000+00:00"}'

    assert codec.loads(Hush, text).status == 429


@pytest.mark.parametrize(("status", "is_advised"), [(429, True), (503, False), (None, False)])
def test_who_fails_and_asks_for_a_pause__is_no_reason_to_probe_less_often(
    status: int | None, *, is_advised: bool
) -> None:
    words = Hush(NOON, after(1800), status).words("desk", NOON)

    assert "left alone until 12:30 UTC" in words
    assert ("Probe less often" in words) is is_advised
