"""Windows and waits follow the intervals of paths; at five minutes they are the contract's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.burn import burns
from dashboards.estate import Estate
from dashboards.timing import INTERVALS, rounded, timing_of
from tests.unit.dashboards.estates import MAIL, MANY, OFFICE, every

MINUTES = st.integers(60, 86400).map(float)


def rows(seconds: float, objective: float = 0.99) -> list[tuple[float, float]]:
    return [
        (one.long_seconds, one.short_seconds)
        for one in burns(Estate((every(MAIL, seconds, objective=objective),)))
    ]


def test_five_minutes__are_the_contracts_windows_and_waits() -> None:
    timing = timing_of(Estate((every(MAIL, 300.0),)))

    assert rows(300.0) == [(3600, 900), (21600, 1800), (86400, 7200), (259200, 21600)]
    assert (timing.evaluation, timing.keep, timing.group_wait, timing.group_interval) == (30, 600, 30, 300)
    assert (timing.absent, timing.silent_limit, timing.blind_page) == (1800, 900, 3600)
    assert timing.lookback(900) == 900


def test_window_shorter_than_three_intervals__is_dropped() -> None:
    assert rows(1800.0) == [(21600, 5400), (86400, 7200), (259200, 21600)]
    assert rows(86400.0) == [(259200, 259200)]
    assert rows(86401.0) == []


def test_row_that_no_failure_could_meet__is_dropped() -> None:
    assert rows(300.0, objective=0.9) == [(21600, 1800), (86400, 7200), (259200, 21600)]
    assert rows(300.0, objective=1.0) == rows(300.0)


def test_cron_schedule__has_windows_of_its_usual_interval() -> None:
    assert [one.long_seconds for one in burns(Estate((OFFICE,)))] == [3600, 21600, 86400, 259200]


@pytest.mark.parametrize(("tick", "limit"), [(60.0, 900), (300.0, 900), (600.0, 1800)])
def test_silence__follows_the_tick_and_no_paths_nights(tick: float, limit: float) -> None:
    timing = timing_of(Estate((OFFICE,), tick_seconds=tick, is_pushed=True))

    assert timing.silent_limit == limit
    assert timing.absent == 1800


def test_path_that_is_often_launched__decides_how_soon_silence_is_noticed() -> None:
    assert timing_of(MANY).silent_limit == 900


def test_short_intervals__shorten_what_people_wait_for() -> None:
    timing = timing_of(Estate((every(MAIL, 5.0),)))

    assert (timing.evaluation, timing.keep, timing.group_wait, timing.group_interval) == (1, 10, 1, 5)
    assert timing.page_seconds(exposed_within=5.0, scrape_seconds=1.0) == 8


@given(MINUTES)
def test_any_interval__has_windows_that_hold_three_launches(seconds: float) -> None:
    for long_seconds, short_seconds in rows(seconds):
        assert INTERVALS * seconds <= short_seconds <= long_seconds


@given(MINUTES, st.booleans())
def test_page__lasts_until_the_silence_of_a_dead_prober_pages(seconds: float, pushed: bool) -> None:
    timing = timing_of(Estate((every(MAIL, seconds),), is_pushed=pushed))

    assert timing.remembered > timing.absent + timing.silent_for
    assert timing.lookback(900) >= min(900, INTERVALS * seconds)


@pytest.mark.parametrize(("given_seconds", "found"), [(0.4, 1), (59.2, 60), (61, 120), (3600, 3600)])
def test_rounding__is_up_to_what_people_say(given_seconds: float, found: float) -> None:
    assert rounded(given_seconds) == found
