"""How long tickets took: the columns' axis says in words after how long each begins, and how tall they are."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as some

from canary.instruments import metrics
from canary.path import PathName
from runners.history import Day
from runners.web import spread

BOUNDS = metrics.CANARY_DURATION.bounds


def day(*counts: int) -> Day:
    return Day(PathName("support-email"), datetime(2026, 3, 2, tzinfo=UTC), {}, counts=counts)


def test_axis__names_the_beginning_of_columns_without_false_tenths() -> None:
    axis = spread.axis([day(0, 3, 12, 1)], BOUNDS, deadline_seconds=600.0)

    assert axis.edges == (("0 s", 3), ("10 s", 3), ("2 min", 3))
    assert axis.tallest == 12


def test_axis__of_a_path_without_tickets__still_leads_to_the_deadline() -> None:
    axis = spread.axis([], BOUNDS, deadline_seconds=60.0)

    assert (axis.edges, axis.tallest) == ((("0 s", 2), ("5 s", 2), ("30 s", 1)), 0)


def test_column__says_its_span_and_how_many_canaries_it_holds() -> None:
    drawn = spread.distribution("k", [day(0, 3, 12, 1)], BOUNDS, deadline_seconds=600.0, name="support-email")

    assert "<title>5 s to 10 s: 12 canaries</title>" in drawn
    assert "<title>10 s to 30 s: 1 canary</title>" in drawn
    assert "support-email: how long the ticket took" in drawn


def test_words__of_what_took_longer_than_all_that_is_measured__say_so() -> None:
    said = spread.spread_words([day(*[0] * 16, 1)], BOUNDS, deadline_seconds=600.0)

    assert said == (
        "1 canary with a ticket: half in more than 1 d, 95 of 100 in more than 1 d; the deadline is 10 min."
    )


@given(
    some.lists(some.integers(0, 10**6), max_size=len(BOUNDS) + 1).map(lambda counts: [day(*counts)]),
    some.floats(0.001, 1e7),
)
def test_axis__always_covers_all_columns_with_few_words(days: list[Day], deadline: float) -> None:
    axis = spread.axis(days, BOUNDS, deadline_seconds=deadline)
    drawn = spread.distribution("k", days, BOUNDS, deadline_seconds=deadline, name="a")

    assert sum(columns for _, columns in axis.edges) == drawn.count("<rect ")
    assert 1 <= len(axis.edges) <= 4
    assert all(1 <= columns <= 5 for _, columns in axis.edges)
