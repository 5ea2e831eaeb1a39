"""Stretches that were watched add up: no ticket counts twice, whoever saw it, in whatever order."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from canary.hop import Channel
from canary.traffic import KEPT, History, Mark, Taken, Watched, Way, by_hour, hour_of, take, way_of

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MAIL = Way.EMAIL


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def seen(begin: float, end: float, *minutes: float) -> Watched:
    """What a look at ``end`` shows that goes back to ``begin``, of tickets of these minutes."""
    return Watched(at(begin), at(end), 0.0, {MAIL: tuple(at(one) for one in minutes if one >= begin)})


def fold(stretches: list[Watched]) -> list[Taken]:
    mark: Mark | None = None
    found = []
    for one in stretches:
        found.append(take(mark, one))
        mark = found[-1].mark
    return found


def counted(taken: list[Taken]) -> int:
    return sum(sum(one.tickets.values()) for one in taken)


minutes = st.integers(0, 600)
tickets = st.lists(minutes, unique=True, max_size=40).map(sorted)
stretches = st.lists(st.tuples(minutes, minutes).filter(lambda one: one[0] < one[1]), min_size=1, max_size=12)


@given(tickets, stretches)
def test_stretches_in_any_order__never_count_a_ticket_or_a_second_twice(
    when: list[int], ends: list[tuple[int, int]]
) -> None:
    taken = fold([seen(begin, end, *when) for begin, end in ends])

    watched = {minute for begin, end in ends for minute in range(begin, end)}
    assert counted(taken) <= len(watched & set(when))
    assert sum(sum(one.seconds.values()) for one in taken) <= 60 * len(watched)


@given(tickets, st.lists(st.tuples(st.integers(1, 60), st.integers(0, 90)), min_size=1, max_size=12))
def test_looks_one_after_another__count_every_ticket_of_the_time_that_they_show(
    when: list[int], steps: list[tuple[int, int]]
) -> None:
    end, ends = 0, []
    for pause, back in steps:
        end += pause
        ends.append((max(0, end - max(1, back)), end))

    taken = fold([seen(begin, end, *when) for begin, end in ends])

    watched: set[int] = set()
    first = ends[0][0]
    for begin, end in ends:
        # A gap in the middle stays one, whatever a later look shows of it.
        newest = max(watched, default=begin - 1)
        watched |= {one for one in range(begin, end) if one > newest or one < first}
        first = min(first, begin)
    assert counted(taken) == len(watched & set(when))
    assert sum(sum(one.seconds.values()) for one in taken) == 60 * len(watched)


@given(tickets, stretches)
def test_stretch_that_was_taken__adds_nothing_when_it_is_taken_again(
    when: list[int], ends: list[tuple[int, int]]
) -> None:
    taken = fold([seen(begin, end, *when) for begin, end in ends])
    last = seen(*ends[-1], *when)

    again = take(taken[-1].mark, last)

    assert (again.tickets, again.seconds, again.mark) == ({}, {}, taken[-1].mark)


@given(tickets, st.lists(st.integers(1, 60), min_size=2, max_size=8))
def test_stretches_joined_before_they_are_kept__are_the_same_as_one_by_one(
    when: list[int], pauses: list[int]
) -> None:
    end, whole, several = 0, None, []
    for pause in pauses:
        one = seen(max(0, end - 5), end + pause, *when)
        end += pause
        several.append(one)
        whole = one if whole is None else whole.joined(one)
        assert whole is not None

    (together,) = fold([whole] if whole is not None else [])

    assert counted([together]) == counted(fold(several))
    assert together.mark == fold(several)[-1].mark


def test_stretches_with_something_between_them__are_not_joined() -> None:
    assert seen(0, 10).joined(seen(11, 20)) is None
    assert seen(5, 10).joined(seen(0, 20)) is None


def test_ticket_at_the_seam__belongs_to_the_later_stretch_alone() -> None:
    first, second = fold([seen(0, 10, 10), seen(5, 20, 10)])

    assert first.tickets == {}
    assert second.tickets == {(MAIL, NOON): 1}


def test_gap__begins_a_new_unbroken_stretch_and_a_look_that_reaches_over_it_does_not_mend_it() -> None:
    taken = fold([seen(0, 10), seen(30, 40), seen(0, 45)])

    assert taken[1].mark.unbroken_since == at(30)
    assert taken[2].seconds == {NOON: 300.0}
    assert taken[2].mark.unbroken_since == at(0)


def test_history_of_years__is_taken_no_further_back_than_it_is_kept() -> None:
    (taken,) = fold([Watched(NOON - 2 * KEPT, NOON, 0.0, {MAIL: (NOON - KEPT - timedelta(hours=1),)})])

    assert taken.tickets == {}
    assert taken.mark.since == NOON - KEPT


def test_hours__are_those_of_utc_wherever_the_system_is() -> None:
    kathmandu = timezone(timedelta(hours=5, minutes=45))

    assert hour_of(at(30).astimezone(kathmandu)) == NOON
    assert list(by_hour(at(30), at(90))) == [(NOON, 1800.0), (NOON + timedelta(hours=1), 1800.0)]
    assert list(by_hour(at(30), at(30))) == []


def test_way__is_the_systems_own_marker_or_other() -> None:
    assert [way_of(one) for one in ("email", "portal", "form", "telegram", None)] == [
        Way.EMAIL,
        Way.PORTAL,
        Way.FORM,
        Way.OTHER,
        Way.OTHER,
    ]


def test_channel_that_a_system_does_not_tell_apart__is_seen_among_the_others() -> None:
    mark = Mark(NOON, NOON, NOON)
    mixed = History(mark, {}, {}, {Way.EMAIL: NOON, Way.OTHER: NOON})

    assert mixed.way_for(Channel.EMAIL) is Way.EMAIL
    assert mixed.way_for(Channel.PORTAL) is Way.OTHER
    assert History(mark, {}, {}, {Way.EMAIL: NOON}).way_for(Channel.FORM) is None


def test_mark__knows_our_time_of_the_last_look() -> None:
    assert Mark(NOON, at(10), NOON, skew_seconds=60.0).read_at == at(9)


def test_ticket_that_is_dated_in_the_future__is_not_the_newest() -> None:
    taken = take(None, seen(0, 60, 10, 50, 60 * 24 * 365))

    assert taken.newest == {MAIL: at(50)}
    assert take(None, seen(0, 60, 60 * 24 * 365)).newest == {}
