"""Schedules in cron's five fields."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runners.config.cron import CronError, parse_cron

NOON = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)  # a Monday


@pytest.mark.parametrize(
    ("text", "latest"),
    [
        ("* * * * *", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("*/10 * * * *", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("5 * * * *", datetime(2026, 3, 2, 11, 5, tzinfo=UTC)),
        ("0 8-11 * * *", datetime(2026, 3, 2, 11, 0, tzinfo=UTC)),
        ("30 9 * * fri", datetime(2026, 2, 27, 9, 30, tzinfo=UTC)),
        ("0 0 29 feb *", datetime(2024, 2, 29, 0, 0, tzinfo=UTC)),
        ("*/10 8-20 * * mon-fri Europe/Berlin", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("0 13 * * * Europe/Berlin", datetime(2026, 3, 2, 12, 0, tzinfo=UTC)),
        ("0 14 * * * Europe/Berlin", datetime(2026, 3, 1, 13, 0, tzinfo=UTC)),
        ("0 0 1 * sun", datetime(2026, 3, 1, 0, 0, tzinfo=UTC)),
        ("0 0 * * 7", datetime(2026, 3, 1, 0, 0, tzinfo=UTC)),
        ("10,50 11 * * *", datetime(2026, 3, 2, 11, 50, tzinfo=UTC)),
    ],
)
def test_schedule__at_noon_of_a_monday__has_its_latest_moment(text: str, latest: datetime) -> None:
    assert parse_cron(text).latest(NOON) == latest


def test_day_and_weekday_both_restricted__match_by_either() -> None:
    cron = parse_cron("0 0 15 * wed")

    assert cron.latest(datetime(2026, 3, 15, 12, tzinfo=UTC)) == datetime(2026, 3, 15, tzinfo=UTC)
    assert cron.latest(datetime(2026, 3, 18, 12, tzinfo=UTC)) == datetime(2026, 3, 18, tzinfo=UTC)


def test_hour_that_a_change_of_clocks_skips__does_not_occur() -> None:
    cron = parse_cron("30 2 * * * Europe/Berlin")

    assert cron.latest(datetime(2026, 3, 29, 12, tzinfo=UTC)) == datetime(2026, 3, 28, 1, 30, tzinfo=UTC)


def test_hour_that_a_change_of_clocks_repeats__occurs_once() -> None:
    cron = parse_cron("30 2 * * * Europe/Berlin")

    assert cron.latest(datetime(2026, 10, 25, 12, tzinfo=UTC)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("*/10 * * * *", 600.0),
        ("0 * * * *", 3600.0),
        ("0 9 * * *", 86400.0),
        ("0 9-17 * * mon-fri", 64 * 3600.0),
        ("*/10 8-20 * * mon-fri", (48 + 11) * 3600.0 + 600.0),
    ],
)
def test_longest_gap__spans_nights_and_weekends(text: str, seconds: float) -> None:
    assert parse_cron(text).longest_gap_seconds() == seconds


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("* * * *", "'* * * *' has 4 fields", "Write minute hour day month weekday zone"),
        ("61 * * * *", "61 is not a minute", "It lies between 0 and 59."),
        ("* 8-6 * * *", "'8-6' is not a range of hours", "Write the lower one first"),
        ("*/0 * * * *", "'*/0' is not a range of minutes", "and a step of 1 or more"),
        ("* * * * mno", "mno is not a weekday", "Did you mean mon?"),
        ("* * * x y", "x is not a month", "Known are"),
        ("* * * * * Europe/Berln", "Europe/Berln is not a time zone", "Did you mean Europe/Berlin?"),
        ("* * * * * ../etc/passwd", "../etc/passwd is not a time zone", ""),
        ("0 0 31 feb *", "'0 0 31 feb *' never comes", "Look at its day and month."),
        ("a-b-c * * * *", "'a-b-c' is not a minute", "Write *, */N"),
    ],
)
def test_schedule_that_is_none__is_told_with_the_remedy(text: str, message: str, remedy: str) -> None:
    with pytest.raises(CronError) as caught:
        parse_cron(text)

    assert message in str(caught.value)
    assert remedy in caught.value.remedy


@given(st.lists(st.text("0123456789*/,-abcdefmonrsuz", min_size=1, max_size=8), min_size=4, max_size=6))
def test_any_words__are_a_schedule_or_told(words: list[str]) -> None:
    try:
        cron = parse_cron(" ".join(words))
    except CronError as error:
        remedy = error.remedy
    else:
        remedy = cron.text

    assert remedy
