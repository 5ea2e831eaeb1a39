"""Schedules in cron's five fields."""

import itertools
from datetime import UTC, datetime, timedelta

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


@pytest.mark.parametrize(
    ("text", "at"),
    [
        # forward in Berlin at 01:00 UTC on 2026-03-29, in New York at 07:00 UTC on 2026-03-08
        ("30 2 * * * Europe/Berlin", datetime(2026, 3, 29, 1, 0, tzinfo=UTC)),
        ("30 2 * * * America/New_York", datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        # back in Berlin at 01:00 UTC on 2026-10-25, in New York at 06:00 UTC on 2026-11-01
        ("30 2 * * * Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("30 1 * * * America/New_York", datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),
        # Sao Paulo changed at midnight, until 2018
        ("0 0 * * * America/Sao_Paulo", datetime(2018, 11, 4, 3, 0, tzinfo=UTC)),
    ],
)
def test_once_a_day__stays_once_a_day_when_clocks_change(text: str, at: datetime) -> None:
    cron = parse_cron(text)

    assert cron.latest(at) == at
    assert cron.latest(at + timedelta(hours=12)) == at
    assert cron.next(at - timedelta(microseconds=1)) == at
    assert cron.next(at - timedelta(hours=12)) == at


@pytest.mark.parametrize(
    ("text", "day", "moments"),
    [
        ("*/10 * * * * Europe/Berlin", datetime(2026, 3, 29, tzinfo=UTC), 144),
        ("*/10 * * * * Europe/Berlin", datetime(2026, 10, 25, tzinfo=UTC), 144),
        ("*/10 * * * * America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC), 138),
        ("*/10 * * * * America/New_York", datetime(2026, 11, 1, 4, tzinfo=UTC), 150),
        ("0 0 29 feb * Europe/Berlin", datetime(2028, 2, 28, tzinfo=UTC), 1),
        ("0 12 * * * Europe/Berlin", datetime(2028, 2, 29, tzinfo=UTC), 1),
    ],
)
def test_schedule_that_runs_through_a_change_of_clocks__keeps_its_ten_minutes(
    text: str, day: datetime, moments: int
) -> None:
    cron = parse_cron(text)
    hours = {138: 23, 150: 25}.get(moments, 24)

    found: list[datetime] = []
    at = cron.next(day - timedelta(microseconds=1))
    while at is not None and at < day + timedelta(hours=hours):
        found.append(at)
        at = cron.next(at)

    assert len(found) == moments
    gaps = {later - earlier for earlier, later in itertools.pairwise(found)}
    assert gaps <= {timedelta(minutes=10)}


@given(
    st.sampled_from(
        [
            "*/10 * * * * Europe/Berlin",
            "30 2 * * * Europe/Berlin",
            "15,45 1-3 * * * America/New_York",
            "0 0 * * * America/Sao_Paulo",
            "5 4 29 feb * Europe/Berlin",
            "0 9 * * mon-fri Australia/Lord_Howe",
        ]
    ),
    st.datetimes(datetime(2018, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 -- made aware below
)
def test_next_and_latest__agree_on_every_moment(text: str, naive: datetime) -> None:
    cron, now = parse_cron(text), naive.replace(tzinfo=UTC)

    after = cron.next(now)
    before = cron.latest(now)

    assert after is not None
    assert before is not None
    assert before <= now < after
    assert cron.latest(after) == after
    assert cron.latest(after - timedelta(microseconds=1)) == before
    assert cron.next(before) == after


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
