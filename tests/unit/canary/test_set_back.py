"""A clock that was ahead and is set back keeps no incident from opening or from ending by what follows."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.flapping import LONGEST_RUN
from canary.incident import IncidentKind, Progress, Settled, Transition, step
from canary.path import IncidentPolicy
from canary.set_back import brought_back
from canary.verdict import Verdict
from tests.unit.canary import strategies
from tests.unit.canary.facts import at
from tests.unit.canary.test_incident import NAME, POLICY, settled

HOUR = timedelta(hours=1)
EVERY = 5
B, C, BLIND = Verdict.BREACHED, Verdict.CONFIRMED, Verdict.INCONCLUSIVE
Told = tuple[int, Transition, IncidentKind]


def history(verdicts: Sequence[Verdict], offsets: Sequence[timedelta], *, takes: float = 1) -> list[Settled]:
    """A canary every five minutes, each dated by a clock that is ahead by its offset."""
    made = [settled(one, EVERY * number, after=EVERY * number + takes) for number, one in enumerate(verdicts)]
    return [
        replace(one, launched_at=one.launched_at + by, settled_at=one.settled_at + by)
        for one, by in zip(made, offsets, strict=True)
    ]


def folded(policy: IncidentPolicy, some: Sequence[Settled]) -> tuple[Progress, list[Told]]:
    progress, told = Progress(), []
    for number, one in enumerate(some):
        progress, changes = step(NAME, policy, progress, one)
        told += [(number, change.transition, change.incident.kind) for change in changes]
    return progress, told


def times_of(progress: Progress) -> list[datetime]:
    incidents = [one for one in (progress.target, progress.blindness) if one is not None]
    found = [
        progress.confirmed_at,
        *progress.confirmed,
        *progress.recovery,
        progress.failed_at,
        progress.recovered_at,
        progress.works_from,
        progress.ended_at,
        *(one.launched_at for one in (*progress.recent, *progress.blind)),
        *(moment for one in incidents for moment in (one.onset_at, one.opened_at, one.impact_from)),
    ]
    return [one for one in found if one is not None]


@pytest.mark.parametrize(
    ("before", "after", "last"),
    [
        ([C, B, B], [C, C], (4, Transition.RESOLVED, IncidentKind.TARGET)),
        ([C, B, B, C, C], [B, B], (6, Transition.OPENED, IncidentKind.TARGET)),
        ([C, BLIND, BLIND], [C], (3, Transition.RESOLVED, IncidentKind.BLIND)),
        ([C] * 50, [B, B], (51, Transition.OPENED, IncidentKind.TARGET)),
    ],
)
def test_what_lay_ahead__hides_nothing_that_comes_after_the_clock_was_set_back(
    before: list[Verdict], after: list[Verdict], last: Told
) -> None:
    offsets = [5 * HOUR] * len(before) + [timedelta(0)] * len(after)

    _, told = folded(POLICY, history([*before, *after], offsets))

    assert told[-1] == last


@given(
    strategies.policies,
    st.lists(st.sampled_from([B, C, BLIND]), max_size=60),
    st.integers(0, 60),
    st.sampled_from([timedelta(minutes=2), HOUR, 5 * HOUR, timedelta(days=365)]),
)
def test_clock_that_is_set_back__opens_and_ends_what_a_right_one_does(
    policy: IncidentPolicy, verdicts: list[Verdict], back_at: int, ahead: timedelta
) -> None:
    offsets = [ahead if number < back_at else timedelta(0) for number in range(len(verdicts))]

    assert (
        folded(policy, history(verdicts, offsets))[1]
        == (folded(policy, history(verdicts, [timedelta(0)] * len(verdicts)))[1])
    )


@given(
    strategies.policies,
    st.lists(
        st.tuples(st.sampled_from([B, C, BLIND]), st.sampled_from([0, 1, 5 * 60, 24 * 365 * 60])), max_size=40
    ),
    st.sampled_from([1.0, 12.0]),
)
def test_however_the_clock_jumped__what_lasts_ends_and_what_breaks_opens(
    policy: IncidentPolicy, past: list[tuple[Verdict, int]], takes: float
) -> None:
    ends, opens = max(LONGEST_RUN, policy.resolve), policy.window + 3
    verdicts = [one for one, _ in past]
    offsets = [timedelta(minutes=by) for _, by in past]

    calm = history([*verdicts, *[C] * (ends + 3)], [*offsets, *[timedelta(0)] * (ends + 3)], takes=takes)
    broken = history([*verdicts, *[B] * opens], [*offsets, *[timedelta(0)] * opens], takes=takes)

    assert folded(policy, calm)[0].target is None
    assert folded(policy, broken)[0].target is not None


@given(
    strategies.policies,
    st.lists(st.tuples(st.sampled_from([B, C, BLIND]), st.integers(0, 600)), min_size=1, max_size=40),
)
def test_whatever_came_before__nothing_that_is_remembered_lies_ahead(
    policy: IncidentPolicy, past: list[tuple[Verdict, int]]
) -> None:
    some = history([one for one, _ in past], [timedelta(minutes=by) for _, by in past])

    progress, _ = folded(policy, some)

    assert all(one <= some[-1].settled_at + timedelta(seconds=30) for one in times_of(progress))


@given(st.lists(st.integers(-1000, 1000), max_size=20), st.integers(-500, 500))
def test_order_of_what_is_remembered__stays(minutes: list[int], launched: int) -> None:
    remembered = tuple(at(60 * one) for one in sorted(minutes))

    moved, _ = brought_back(remembered, at(60 * launched), at(0))

    assert list(moved) == sorted(moved)


def test_onset_before_the_clock_went_ahead__stays_where_it_was() -> None:
    before = history([C, B], [timedelta(0)] * 2)
    some = history([C, B, B, B, B], [timedelta(0)] * 2 + [5 * HOUR] * 2 + [timedelta(0)])

    progress, _ = folded(POLICY, some)

    assert progress.target is not None
    assert progress.target.onset_at == before[-1].launched_at
    assert progress.target.opened_at <= some[-1].launched_at


def test_replica_whose_clock_is_a_little_ahead__changes_no_time() -> None:
    remembered = (at(0), at(30))

    assert brought_back(remembered, at(0), at(0)) == (remembered, at(0))
