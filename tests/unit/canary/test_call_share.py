"""The share of a window: whoever takes, makes, gives back or dies in whatever order, it is never exceeded."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.call_share import GUARD, Answered, Grant, Stretch, Unused, Want, take

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LENGTH = 60.0
PROCESSES = 3


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def want(
    calls: int = 0,
    *,
    limit: int = 10,
    share: float = 0.5,
    made: int = 0,
    ends: float | None = None,
    unused: Unused | None = None,
    answered: tuple[Answered, ...] = (),
) -> Want:
    ends_at = None if ends is None else at(ends)
    return Want(
        "account",
        limit,
        share,
        calls=calls,
        made=made,
        ends_at=ends_at,
        unused=unused,
        answered=answered,
    )


@dataclass(slots=True)
class Holding:
    """What one process has got and not yet made."""

    calls: int = 0
    grant: Grant | None = None
    reset: float | None = None
    answered: tuple[Answered, ...] = ()


@dataclass(slots=True)
class Model:
    """A vendor's window and the processes that ask it; ``reset_seconds``: it begins anew so often and tells so."""

    most: int
    reset_seconds: float | None
    seconds: float = 0.0
    kept: tuple[Stretch, ...] = ()
    made: list[float] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=lambda: [Holding() for _ in range(PROCESSES)])

    def ask(self, number: int, calls: int) -> Grant:
        one = self.holdings[number]
        unused = None
        if one.calls and one.grant is not None and one.grant.began_at is not None:
            unused = Unused(one.grant.began_at, one.calls)
        ends = one.reset if one.reset is not None and one.reset > self.seconds else None
        wanted = want(calls, limit=self.most, share=1.0, ends=ends, unused=unused, answered=one.answered)
        before = sum(old.taken for old in self.kept if old.counts_until > at(self.seconds))
        self.kept, grant = take(self.kept, wanted, now=at(self.seconds))
        left = self.most - before + one.calls if unused is not None else self.most - before
        if calls and left > 0 and unused is None:
            assert grant.calls > 0  # something is left, and whoever asks gets on
        one.calls, one.grant, one.answered = grant.calls, grant, ()
        return grant

    def make(self, number: int, error: float) -> None:
        one = self.holdings[number]
        if one.grant is None or not self.makes(number):
            return
        one.calls -= 1
        self.made.append(self.seconds)
        if self.reset_seconds is not None:
            begun = self.seconds // self.reset_seconds
            one.reset = (begun + 1) * self.reset_seconds + error
            if not one.grant.is_told and one.grant.until_at >= at(one.reset) - GUARD:
                assert one.grant.began_at is not None
                one.answered += (Answered(one.grant.began_at, at(one.reset)),)
            elif not one.grant.is_told:
                self.ask(number, 0)

    def burst(self, number: int, calls: int, error: float) -> None:
        """It asks and makes so many, as long as it gets any."""
        for _ in range(calls):
            if not self.makes(number):
                self.ask(number, 4)
            self.make(number, error)

    def makes(self, number: int) -> bool:
        """Whether it holds a call that it may still make."""
        one = self.holdings[number]
        return bool(one.calls) and one.grant is not None and one.grant.until_at > at(self.seconds)

    def worst(self) -> int:
        """The most calls that the vendor counted in any of its windows."""
        if self.reset_seconds is not None:
            begun = [one // self.reset_seconds for one in self.made]
            return max((begun.count(one) for one in begun), default=0)
        return max((sum(one - LENGTH < old <= one for old in self.made) for one in self.made), default=0)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "burst", "burst", "make", "back", "kill", "wait", "wait", "wait"]),
        st.integers(0, PROCESSES - 1),
        st.sampled_from([1, 2, 3, 12]),
        st.sampled_from([0.1, 0.9, 1.5, 4.5, 5.1, 8.4, 24.0, 55.0, 59.9, 60.1]),
        st.floats(-0.99, 0.99),
    ),
    min_size=5,
    max_size=40,
)


@given(
    acts=ACTS,
    most=st.integers(1, 5),
    reset=st.sampled_from([None, None, 0.5, 1.0, 2.0, 3.0, 10.0, 30.0, 60.0]),
)
def test_any_order_of_processes__never_makes_more_than_the_share_in_a_window(
    acts: list[tuple[str, int, int, float, float]], most: int, reset: float | None
) -> None:
    model = Model(most, reset)

    for act, number, calls, seconds, error in acts:
        match act:
            case "ask":
                model.ask(number, calls)
            case "burst":
                model.burst(number, calls, error)
            case "make":
                model.make(number, error)
            case "back":
                model.ask(number, 0)
            case "kill":
                model.holdings[number] = Holding()
            case _:
                model.seconds += seconds

    assert model.worst() <= most


def test_nobody__holds_all_that_is_left() -> None:
    kept, first = take((), want(100, limit=100), now=NOON)
    _, second = take(kept, want(1, limit=100), now=NOON)

    assert (first.calls, first.most, second.calls) == (12, 50, 1)


def test_last_calls__are_taken_one_by_one_until_nothing_is_left() -> None:
    kept: tuple[Stretch, ...] = ()
    got = []
    for _ in range(6):
        kept, grant = take(kept, want(9, ends=30), now=NOON)
        got.append(grant.calls)
    _, last = take(kept, want(9, ends=30), now=NOON)

    assert got == [1, 1, 1, 1, 1, 0]
    assert last.free_at == at(30) + GUARD


def test_calls_that_are_given_back__are_there_for_others() -> None:
    kept, mine = take((), want(1, limit=2, ends=30), now=NOON)
    assert mine.began_at is not None
    kept, other = take(kept, want(1, limit=2, ends=30), now=NOON)
    assert other.calls == 0

    kept, _ = take(kept, want(limit=2, ends=30, unused=Unused(mine.began_at, 1)), now=NOON)
    _, other = take(kept, want(1, limit=2, ends=30), now=NOON)

    assert other.calls == 1


def test_calls_of_one_who_was_killed__count_until_the_window_begins_anew() -> None:
    kept, _ = take((), want(1, limit=2, ends=30), now=NOON)

    kept, before = take(kept, want(1, limit=2), now=at(30.5))
    _, after = take(kept, want(1, limit=2), now=at(31.5))

    assert (before.calls, after.calls) == (0, 1)


def test_call_of_a_window_that_tells_no_end__counts_as_if_it_were_made_as_late_as_it_may_be() -> None:
    kept, first = take((), want(1, limit=2), now=NOON)
    assert first.until_at == at(5)

    kept, before = take(kept, want(1, limit=2), now=at(64.9))
    _, after = take(kept, want(1, limit=2), now=at(65))

    assert (before.calls, after.calls) == (0, 1)


def test_call_that_was_answered__counts_to_the_end_that_its_answer_told_and_no_longer() -> None:
    kept, first = take((), want(1, limit=2), now=NOON)
    assert first.began_at is not None
    answer = Answered(first.began_at, at(1))

    kept, before = take(kept, want(1, limit=2, answered=(answer,)), now=at(0.5))
    _, after = take(kept, want(1, limit=2), now=at(2))

    assert (before.calls, before.free_at) == (0, at(2))
    assert after.calls == 1


def test_answers_that_end_at_about_the_same_time__are_kept_as_one_stretch() -> None:
    kept: tuple[Stretch, ...] = ()
    for number in range(20):
        kept, grant = take(kept, want(1, limit=200), now=at(number / 100))
        assert grant.began_at is not None
        answer = Answered(grant.began_at, at(number / 100 + 1))
        kept, _ = take(kept, want(limit=200, answered=(answer,)), now=at(number / 100))

    assert sorted(one.taken for one in kept) == [0, 1, 19]


def test_calls_that_were_made_before_the_window_was_known__count_though_nothing_is_left() -> None:
    kept, first = take((), want(made=3, limit=4, ends=30), now=NOON)

    assert (first.calls, first.taken, first.most) == (0, 3, 2)
    assert take(kept, want(1, limit=4, ends=30), now=NOON)[1].calls == 0


def test_window_whose_end_is_told_later__counts_to_that_end() -> None:
    kept, first = take((), want(1, limit=2), now=NOON)
    assert not first.is_told
    kept, told = take(kept, want(limit=2, ends=3600), now=NOON)

    assert told.is_told
    assert take(kept, want(1, limit=2), now=at(3599))[1].calls == 0
    assert take(kept, want(1, limit=2), now=at(3602))[1].calls == 1


@pytest.mark.parametrize(
    ("limit", "share", "most"), [(100, 0.29, 29), (10, 0.05, 1), (3, 1.0, 3), (0, 0.5, 0)]
)
def test_most__is_the_share_without_the_errors_of_fractions(limit: int, share: float, most: int) -> None:
    assert want(limit=limit, share=share).most == most


def test_share_of_less_than_one_call__is_one_call_a_window() -> None:
    kept, first = take((), want(1, limit=10, share=0.05), now=NOON)
    _, second = take(kept, want(1, limit=10, share=0.05), now=at(1))

    assert (first.calls, second.calls) == (1, 0)
    assert second.free_at > at(1)
