"""Readings of places: only fresh ones, one kind a place, and a trend that is fitted once a reading."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.instruments import Instrument, metrics
from canary.path import Path, PathName
from runners.telemetry.families import Points
from runners.telemetry.snapshot_places import Forecasting, add_places, fresh
from tests.fakes.full_store import NOW, PATHS, gauge, readings
from tests.fakes.memory_store import MemoryStore

MAIL_PATH, FORM_PATH = PATHS


def shown(
    gauges: Sequence[Gauge], instrument: Instrument, *, paths: Sequence[Path] = ()
) -> dict[tuple[str, ...], object]:
    points = Points()
    add_places(points, paths, gauges, {})
    return {
        point.labels: point.value
        for family in points.families()
        if family.instrument is instrument
        for point in family.points
    }


@pytest.mark.parametrize(
    ("interval_seconds", "age_minutes", "is_fresh"),
    [
        (None, 15, True),
        (None, 15.1, False),
        (60.0, 15, True),
        (60.0, 15.1, False),
        (900.0, 45, True),
        (900.0, 45.1, False),
    ],
)
def test_what_is_heard_with_a_canary__is_shown_for_three_of_the_longest_interval_or_a_quarter_of_an_hour(
    interval_seconds: float | None, age_minutes: float, is_fresh: bool
) -> None:
    one = gauge(GaugeName.CLOCK_SKEW, "desk", 1, at=NOW - timedelta(minutes=age_minutes))
    off = replace(MAIL_PATH, interval_seconds=86400.0, is_enabled=False)
    paths = [replace(MAIL_PATH, interval_seconds=interval_seconds), FORM_PATH, off]

    assert fresh([one], paths, now=NOW) == ([one] if is_fresh else [])


@pytest.mark.parametrize(("age_minutes", "is_fresh"), [(15, True), (15.1, False)])
def test_reading__is_shown_for_a_quarter_of_an_hour_however_seldom_paths_are_probed(
    age_minutes: float, is_fresh: bool
) -> None:
    one = gauge(GaugeName.MAILBOX_CAPACITY, "support", 97, at=NOW - timedelta(minutes=age_minutes))
    daily = [replace(MAIL_PATH, interval_seconds=86400.0)]

    assert fresh([one], daily, now=NOW) == ([one] if is_fresh else [])


def test_gauge_that_could_not_be_read__is_not_shown() -> None:
    unread = gauge(GaugeName.TICKET_API, "desk", None, state=GaugeState.UNKNOWN)

    assert fresh([unread], [], now=NOW) == []
    assert shown([unread], metrics.TICKET_API_UP) == {}


def test_mailbox_without_a_known_limit__shows_its_use_but_no_share_of_it() -> None:
    used = gauge(GaugeName.MAILBOX_CAPACITY, "support", 7.0, resource=Resource.STORAGE)

    assert shown([used], metrics.MAILBOX_USED) == {("support",): 7}
    assert shown([used], metrics.MAILBOX_LIMIT) == {}
    assert shown([used], metrics.MAILBOX_USED_RATIO) == {}


def test_backlog_of_none__has_no_oldest() -> None:
    empty = gauge(GaugeName.MAILBOX_BACKLOG, "support", 0)

    assert shown([empty], metrics.MAILBOX_BACKLOG) == {("support",): 0}
    assert shown([empty], metrics.MAILBOX_OLDEST_UNPROCESSED) == {}


def test_place_that_is_several_things__is_one_place_of_one_kind() -> None:
    both = [
        gauge(GaugeName.CLOCK_SKEW, "support", 1),
        gauge(GaugeName.CERTIFICATE_EXPIRY, "support", 1),
        gauge(GaugeName.MAILBOX_BACKLOG, "support", 1),
    ]

    assert shown(both, metrics.PLACE_INFO) == {("support", "mailbox", "", ""): 1}
    assert shown(list(reversed(both)), metrics.PLACE_INFO) == {("support", "mailbox", "", ""): 1}


def test_clock_of_a_mailbox__is_no_reading_of_it_but_that_of_a_mere_server_is() -> None:
    clocks = [gauge(GaugeName.CLOCK_SKEW, place, 1) for place in ("support", "mx.example.com")]

    assert shown(clocks, metrics.PLACE_READING, paths=PATHS) == {
        ("mx.example.com", "endpoint"): NOW.timestamp()
    }


def test_place_of_several_teams__belongs_to_the_first_path_by_name_that_has_one() -> None:
    paths = [
        replace(MAIL_PATH, name=PathName("z"), team="zeta", domain="z.example"),
        replace(MAIL_PATH, name=PathName("b"), team="beta", domain="b.example"),
        replace(MAIL_PATH, name=PathName("a"), team="", domain=""),
    ]

    assert shown([], metrics.PLACE_INFO, paths=paths) == {
        ("desk", "ticketing", "beta", "b.example"): 1,
        ("support", "mailbox", "beta", "b.example"): 1,
    }


class CountingStore(MemoryStore):
    """Counts how often readings of the last day were read."""

    reads = 0

    async def gauges(
        self, *, place: str, name: GaugeName, resource: Resource | None, since: datetime
    ) -> Sequence[Gauge]:
        self.reads += 1
        return await super().gauges(place=place, name=name, resource=resource, since=since)


def test_trend_of_a_mailbox__is_fitted_again_only_after_another_reading() -> None:
    async def main() -> None:
        store, forecasting = CountingStore(), Forecasting()
        await store.add_gauges(readings())

        newest = fresh(await store.latest_gauges(), PATHS, now=NOW)
        first = await forecasting.trends(store, newest)
        again = await forecasting.trends(store, newest)

        # Storage and messages; of the latter one reading alone, which is no trend.
        assert store.reads == 2
        assert first == again
        assert list(first) == [("support", Resource.STORAGE)]
        assert first["support", Resource.STORAGE].growth_per_second == pytest.approx(100)

        moved = [replace(one, read_at=NOW + timedelta(minutes=5)) for one in newest]
        await forecasting.trends(store, moved)
        assert store.reads == 4

    asyncio.run(main())
