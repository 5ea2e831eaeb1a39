"""Slots: replicas that never talk agree which one is due."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.path import PathName
from canary.slot import Slot, due_slot, jitter, phase, slots_between
from tests.unit.canary.facts import NOON

names = st.text(min_size=1, max_size=20).map(PathName)
intervals = st.integers(1, 7 * 86400).map(lambda seconds: timedelta(seconds=seconds))
moments = st.datetimes(
    min_value=datetime(1970, 1, 10),  # noqa: DTZ001 -- Hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001 -- as above
    timezones=st.just(UTC),
)


@given(names, intervals, moments)
def test_due_slot__is_the_latest_that_is_not_in_the_future(
    name: PathName, interval: timedelta, now: datetime
) -> None:
    slot = due_slot(name, interval, now)

    assert slot.at <= now < slot.at + interval


@given(names, intervals, moments, st.floats(0, 1, exclude_max=True))
def test_two_replicas__within_one_interval__name_the_same_slot(
    name: PathName, interval: timedelta, now: datetime, share: float
) -> None:
    slot = due_slot(name, interval, now)
    later = slot.at + (interval - timedelta(microseconds=1)) * share

    assert due_slot(name, interval, later) == slot


@given(names, intervals, moments)
def test_slots__follow_each_other_by_the_interval(name: PathName, interval: timedelta, now: datetime) -> None:
    slot = due_slot(name, interval, now)

    assert due_slot(name, interval, slot.at + interval).at == slot.at + interval
    assert due_slot(name, interval, slot.at - timedelta(microseconds=1)).at == slot.at - interval


@given(names, intervals)
def test_phase__lies_within_the_interval(name: PathName, interval: timedelta) -> None:
    assert timedelta(0) <= phase(name, interval) < interval


def test_a_hundred_paths__do_not_fire_at_once() -> None:
    ten_minutes = timedelta(minutes=10)

    minutes = {
        phase(PathName(f"path-{number}"), ten_minutes) // timedelta(minutes=1) for number in range(100)
    }

    assert minutes == set(range(10))


@pytest.mark.parametrize("seconds", [0, -1])
def test_interval_that_is_not_positive__is_refused(seconds: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        due_slot(PathName("support-email"), timedelta(seconds=seconds), NOON)


@given(names, moments, st.integers(0, 7200).map(lambda seconds: timedelta(seconds=seconds)))
def test_jitter__is_the_same_for_everybody_and_never_longer_than_allowed(
    name: PathName, at: datetime, longest: timedelta
) -> None:
    berlin = at.astimezone(timezone(timedelta(hours=1)))

    assert timedelta(0) <= jitter(Slot(name, at), longest) <= longest
    assert jitter(Slot(name, at), longest) == jitter(Slot(name, berlin), longest)


def test_jitter__differs_from_slot_to_slot() -> None:
    hours = [Slot(PathName("support-email"), NOON + timedelta(hours=n)) for n in range(24)]

    assert len({jitter(slot, timedelta(minutes=5)) for slot in hours}) == 24


@given(names, st.integers(60, 7200), moments, st.integers(0, 40), st.integers(0, 40))
def test_slots_between__are_all_that_were_due_and_neither_end(
    name: PathName, seconds: int, now: datetime, first: int, count: int
) -> None:
    interval = timedelta(seconds=seconds)
    newest = due_slot(name, interval, now).at
    oldest = newest - interval * (first + count)

    found = slots_between(
        lambda at: due_slot(name, interval, at), after=oldest, before=newest - interval * first
    )

    assert [one.at for one in found] == [newest - interval * (first + back) for back in range(1, count)]


def test_slots_between__of_a_path_without_schedule__are_none() -> None:
    assert list(slots_between(lambda _: None, after=NOON, before=NOON + timedelta(days=1))) == []
