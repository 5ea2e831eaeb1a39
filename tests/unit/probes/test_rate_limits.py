"""Rate-limit windows, from whatever headers an API sends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from probes.contracts import Budget
from probes.rate_limits import RateLimits
from tests.fakes.clock import START


def windows(headers: dict[str, str]) -> tuple[Budget, ...]:
    limits = RateLimits()
    limits.note(headers, now=START)
    return limits.windows(now=START)


def test_no_headers__is_no_window() -> None:
    assert windows({"Date": "x"}) == ()


def test_reset_as_seconds__counts_from_now() -> None:
    (found,) = windows(
        {"RateLimit-Limit": "10, 10;w=60", "RateLimit-Remaining": "4", "RateLimit-Reset": "50"}
    )

    assert found == Budget("ratelimit", 4, 10, START + timedelta(seconds=50))


def test_reset_as_a_point_in_time__is_that_point() -> None:
    at = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)

    (found,) = windows({"X-Rate-Limit-Remaining": "4", "X-Rate-Limit-Reset": str(int(at.timestamp()))})

    assert found.resets_at == at


def test_window_past_its_reset__is_forgotten() -> None:
    limits = RateLimits()
    limits.note({"RateLimit-Remaining": "0", "RateLimit-Reset": "5"}, now=START)

    assert limits.windows(now=START + timedelta(seconds=6)) == ()


def test_unknown_reset__stays_unknown() -> None:
    (found,) = windows({"X-RateLimit-Remaining": "3"})

    assert (found.left, found.limit, found.resets_at) == (3, None, None)


@given(
    st.dictionaries(st.sampled_from(["RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"]), st.text())
)
def test_any_text_in_the_headers__is_read_without_an_exception(headers: dict[str, str]) -> None:
    assert len(windows(headers)) <= 1


def test_reset_as_a_date__is_that_moment_and_not_its_year_in_seconds() -> None:
    (found,) = windows({"X-RateLimit-Remaining": "4", "X-RateLimit-Reset": "2026-03-02T12:10:00Z"})

    assert found.resets_at == START + timedelta(minutes=10)
