"""What is usual: never a word without history, quiet hours are quiet, and a stream that stops is told of soon."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel
from canary.path import Path
from canary.traffic import HOUR, WEEK, History, Mark, Way
from canary.usual import all_at_risk, at_risk, at_risk_words, hour_of_week, reading, readings, usual
from tests.unit.canary import facts

NOW = datetime(2026, 3, 30, 12, tzinfo=UTC)
"""A Monday; in Berlin summer time began the day before."""
MAIL = Way.EMAIL
STEADY = 6


def always(count: int) -> Callable[[datetime], int]:
    return lambda _: count


def office(hour: datetime) -> int:
    """Ten an hour on workdays from 8 to 18, by UTC."""
    return 10 if hour.weekday() < 5 and 8 <= hour.hour < 18 else 0


def history(
    count: Callable[[datetime], int],
    *,
    weeks: float = 4,
    quiet: timedelta = timedelta(0),
    now: datetime = NOW,
    unbroken: timedelta | None = None,
    way: Way = MAIL,
    skew_seconds: float = 0.0,
) -> History:
    """So many weeks in which tickets came by the hour, and then for a while none."""
    begin = now - weeks * WEEK
    stopped = now - quiet
    hours = [begin + HOUR * number for number in range(int((now - begin) / HOUR))]
    counts = {hour: count(hour) for hour in hours if hour + HOUR <= stopped and count(hour)}
    mark = Mark(begin, now, now - unbroken if unbroken is not None else begin, skew_seconds)
    return History(mark, dict.fromkeys(hours, 3600.0), {way: counts}, {way: stopped})


def later(one: History, more: timedelta) -> History:
    """The same with nothing but time that went by."""
    mark = replace(one.mark, until=one.mark.until + more)
    begin = one.mark.until
    fresh = {begin + HOUR * number: 3600.0 for number in range(int(more / HOUR))}
    return replace(one, mark=mark, seconds={**one.seconds, **fresh})


def gauge(one: History, way: Way = MAIL) -> Gauge:
    return reading("desk", one, way)


weekly = st.lists(st.integers(0, 40), min_size=24, max_size=24)


def by_week(counts: list[int]) -> Callable[[datetime], int]:
    """The same each week, and less at its end."""
    return lambda hour: counts[hour.hour] // (1 + hour.weekday() // 5)


@given(weekly, st.lists(st.floats(0.0, 30.0), min_size=2, max_size=6))
def test_silence__only_grows_while_nothing_comes(counts: list[int], ages: list[float]) -> None:
    before = history(by_week(counts))

    values = [gauge(later(before, timedelta(hours=age))).value for age in sorted(ages)]

    known = [one for one in values if one is not None]
    assert known == sorted(known)


@given(weekly, st.floats(0.0, 2.9), st.integers(0, 24 * 20))
def test_no_history_of_three_weeks__never_warns(counts: list[int], weeks: float, quiet: int) -> None:
    one = history(by_week(counts), weeks=max(0.1, weeks), quiet=timedelta(hours=quiet))

    assert gauge(one).state is not GaugeState.WARN


@given(weekly)
def test_hours_that_are_always_quiet__never_warn(counts: list[int]) -> None:
    night = [0 if 0 <= number % 24 < 6 else count + 1 for number, count in enumerate(counts)]
    midnight = NOW.replace(hour=0)
    asleep = later(history(by_week(night), now=midnight), timedelta(hours=6))

    found = gauge(asleep)

    assert (found.value, found.state) == (0.0, GaugeState.OK)


@given(st.integers(1, 200))
def test_steady_stream_that_stops__warns_within_sixteen_usual_gaps(count: int) -> None:
    before = history(always(count))
    gap = HOUR / count

    assert gauge(later(before, 6 * gap)).state is GaugeState.OK
    assert gauge(later(before, 16 * gap)).state is GaugeState.WARN


@given(st.integers(1, 60), st.integers(0, 167), st.integers(200, 5000))
def test_flood_of_one_week__makes_nothing_usual(count: int, hour: int, flood: int) -> None:
    flooded = NOW - 2 * WEEK + HOUR * hour
    plain = history(always(count))
    with_flood = history(lambda one: count + (flood if one == flooded else 0))

    found = [usual(one, MAIL, without=(NOW, NOW)) for one in (plain, with_flood)]

    assert [one.an_hour for one in found if one is not None] == [(float(count),) * 168] * 2


def test_office_hours__night_and_weekend_are_silent_and_a_silent_morning_is_told() -> None:
    friday = NOW - timedelta(days=3) + timedelta(hours=6)
    monday_8 = friday + timedelta(days=2, hours=14)
    before = history(office, now=friday)

    assert friday.strftime("%A %H") == "Friday 18"
    assert gauge(later(before, monday_8 - friday)).state is GaugeState.OK
    assert gauge(later(before, monday_8 + timedelta(hours=4) - friday)).state is GaugeState.WARN


def test_people_who_come_an_hour_later__as_when_summer_time_ends__are_not_missed() -> None:
    friday = NOW - timedelta(days=3) + timedelta(hours=6)
    monday_9 = friday + timedelta(days=2, hours=15)

    assert gauge(later(history(office, now=friday), monday_9 - friday)).state is GaugeState.OK


def test_stream_in_bursts__has_been_silent_for_so_long_before() -> None:
    def bursts(hour: datetime) -> int:
        """Every other day none at all, one week the even days, the next the odd ones."""
        return 4 * (hour.toordinal() % 2)

    even, bursty = history(always(1), weeks=6), history(bursts, weeks=6)
    limits = [usual(one, MAIL, without=(NOW, NOW)) for one in (even, bursty)]

    assert [one.limit > limits[0].limit for one in limits if one and limits[0]] == [False, True]


def test_earlier_outage__does_not_hide_the_next() -> None:
    begin = NOW - 10 * timedelta(days=1)
    struck = history(lambda hour: 0 if begin <= hour < begin + 12 * HOUR else STEADY)

    assert gauge(later(struck, 3 * HOUR)).state is GaugeState.WARN


def test_time_that_nobody_watched__is_no_silence() -> None:
    dead = later(history(always(STEADY), weeks=8), timedelta(hours=60))
    back = replace(dead, mark=replace(dead.mark, unbroken_since=dead.mark.until - timedelta(minutes=10)))

    assert gauge(dead).state is GaugeState.WARN
    assert gauge(back).value == pytest.approx(1.0, abs=0.2)
    assert gauge(back).state is GaugeState.OK


def test_hour_that_is_not_known__is_unknown_and_not_good() -> None:
    one = history(always(STEADY))
    now = hour_of_week(NOW)
    nights = replace(one, seconds={hour: 3600.0 for hour in one.seconds if hour_of_week(hour) != now})

    found = gauge(nights)

    assert (found.value, found.state) == (None, GaugeState.UNKNOWN)
    assert "the 28 days that were looked at show " in found.detail


def test_few_tickets__have_no_usual_hours() -> None:
    seldom = history(lambda hour: int(hour.hour == 12 and hour.weekday() == 0))

    assert usual(seldom, MAIL, without=(NOW, NOW)) is None
    assert gauge(later(seldom, timedelta(days=30))).state is GaugeState.UNKNOWN


def test_warning__says_how_long_and_how_many() -> None:
    found = gauge(later(history(always(STEADY), skew_seconds=90.0), 3 * HOUR))

    assert (found.name, found.place, found.resource) == (GaugeName.INTAKE_TRAFFIC, "desk", Resource.EMAIL)
    assert found.value == pytest.approx(18.0)
    assert found.limit is not None
    assert 7 < found.limit < 18
    assert found.detail == (
        "none for 3 h; at least about 18 would usually have come, one each 10 min or sooner at this hour"
    )
    assert found.read_at == NOW + 3 * HOUR - timedelta(seconds=90)
    assert found.oldest_at == NOW - timedelta(seconds=90)


def test_ways__are_read_each_by_itself() -> None:
    mail, other = history(always(STEADY)), history(always(STEADY), way=Way.OTHER, quiet=5 * HOUR)
    both = replace(mail, tickets={**mail.tickets, **other.tickets}, newest={**mail.newest, **other.newest})

    assert [(one.resource, one.state) for one in readings("desk", both)] == [
        (Resource.EMAIL, GaugeState.OK),
        (Resource.OTHER, GaugeState.WARN),
    ]


# at risk
def test_tickets_at_risk__are_those_that_usually_come_in_the_window() -> None:
    struck = later(history(always(STEADY)), 5 * HOUR)

    assert at_risk(struck, Channel.EMAIL, NOW, NOW + 5 * HOUR) == pytest.approx(30.0)
    assert at_risk(struck, Channel.EMAIL, NOW + HOUR / 2, NOW + HOUR) == pytest.approx(3.0)


@given(weekly, st.integers(0, 40), st.integers(1, 30))
def test_tickets_at_risk__are_never_negative_and_grow_with_the_window(
    counts: list[int], begin: int, hours: int
) -> None:
    one = history(by_week(counts))
    start = NOW - timedelta(hours=begin)

    shorter = at_risk(one, Channel.EMAIL, start, start + HOUR * hours)
    longer = at_risk(one, Channel.EMAIL, start, start + HOUR * (hours + 1))

    # The hours of the window itself are no measure of it: the longer one leaves out one more.
    if shorter is not None and longer is not None:
        assert 0 <= shorter <= longer


def test_incident_of_weeks_ago__is_measured_by_the_weeks_around_it() -> None:
    begin = NOW - 2 * WEEK
    struck = history(lambda hour: 0 if begin <= hour < begin + 4 * HOUR else STEADY)

    assert at_risk(struck, Channel.EMAIL, begin, begin + 4 * HOUR) == pytest.approx(24.0)


@pytest.mark.parametrize(
    ("one", "channel"),
    [
        (history(always(STEADY), weeks=1), Channel.EMAIL),
        (history(always(STEADY)), Channel.PORTAL),
        (history(lambda hour: int(hour_of_week(hour) == 0)), Channel.EMAIL),
    ],
)
def test_tickets_at_risk__without_history_are_not_known(one: History, channel: Channel) -> None:
    assert at_risk(one, channel, NOW - HOUR, NOW) is None


def test_window_by_our_clock__is_moved_by_the_skew() -> None:
    morning = history(lambda hour: 60 if hour.hour == 11 else 0, skew_seconds=1800.0)

    assert at_risk(morning, Channel.EMAIL, NOW - HOUR, NOW) == pytest.approx(30.0)


def on(ticketing: str | None, channel: Channel = Channel.EMAIL) -> Path:
    return replace(facts.path(), ticketing=ticketing, channel=channel)


def test_paths_whose_tickets_look_alike__count_once_and_one_that_is_not_known_spoils_the_sum() -> None:
    known: Mapping[str, History] = {
        "desk": history(always(STEADY)),
        "other": history(always(2 * STEADY), way=Way.OTHER),
    }
    window = (NOW - HOUR, NOW)

    assert all_at_risk([on("desk"), on("desk")], known, *window) == pytest.approx(6.0)
    assert all_at_risk([on("desk"), on("other", Channel.FORM)], known, *window) == pytest.approx(18.0)
    assert all_at_risk([on("desk"), on("rt")], known, *window) is None
    assert all_at_risk([on(None)], known, *window) is None
    assert all_at_risk([], known, *window) is None


@pytest.mark.parametrize(
    ("tickets", "is_over", "expected"),
    [
        (0.4, False, "fewer than one ticket would usually have come since"),
        (1.2, False, "about 1 ticket would usually have come since"),
        (12.4, False, "about 12 tickets would usually have come since"),
        (12.4, True, "about 12 tickets would usually have come in that time"),
    ],
)
def test_tickets_at_risk__in_words(tickets: float, is_over: bool, expected: str) -> None:
    assert at_risk_words(tickets, is_over=is_over) == expected


def test_hours_of_the_week__begin_on_monday_by_utc_and_are_168() -> None:
    monday = datetime(2026, 3, 30, tzinfo=UTC)

    assert [hour_of_week(monday + HOUR * number) for number in range(168)] == list(range(168))
    assert hour_of_week(monday + WEEK) == 0
