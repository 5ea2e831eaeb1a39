"""Gauges: when a mailbox warns, when it pages, and when it stops."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.gauge import CapacityLimits, Gauge, GaugeName, GaugeState, Resource, capacity_state, fresh
from canary.gauge_words import called, headline
from tests.unit.canary.facts import NOON

LIMITS = CapacityLimits()
SEVERITY = [GaugeState.OK, GaugeState.WARN, GaugeState.PAGE]

shares = st.floats(0, 1.2)
states = st.sampled_from(SEVERITY)


def state(
    share: float | None, previous: GaugeState = GaugeState.OK, *, hours: float | None = None
) -> GaugeState:
    full_in = timedelta(hours=hours) if hours is not None else None
    return capacity_state(share, full_in=full_in, limits=LIMITS, previous=previous)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.0, GaugeState.OK),
        (0.79, GaugeState.OK),
        (0.80, GaugeState.WARN),
        (0.94, GaugeState.WARN),
        (0.95, GaugeState.PAGE),
        (1.1, GaugeState.PAGE),
        (None, GaugeState.UNKNOWN),
    ],
)
def test_share__from_calm__has_its_state(share: float | None, expected: GaugeState) -> None:
    assert state(share) is expected


def test_share_that_hovers_at_the_limit__does_not_flap() -> None:
    seen = [GaugeState.OK]
    for share in (0.80, 0.79, 0.80, 0.78, 0.76):
        seen.append(state(share, seen[-1]))

    assert seen[1:] == [GaugeState.WARN] * 5


@pytest.mark.parametrize(
    ("share", "previous", "expected"),
    [
        (0.74, GaugeState.WARN, GaugeState.OK),
        (0.91, GaugeState.PAGE, GaugeState.PAGE),
        (0.89, GaugeState.PAGE, GaugeState.WARN),
        (0.76, GaugeState.PAGE, GaugeState.WARN),
        (0.74, GaugeState.PAGE, GaugeState.OK),
    ],
)
def test_share_that_falls__leaves_a_state_only_well_below_where_it_was_entered(
    share: float, previous: GaugeState, expected: GaugeState
) -> None:
    assert state(share, previous) is expected


@pytest.mark.parametrize(
    ("share", "hours", "expected"),
    [
        (0.51, 24, GaugeState.PAGE),
        (0.51, 25, GaugeState.OK),
        (0.50, 1, GaugeState.OK),
        (0.85, 30, GaugeState.WARN),
    ],
)
def test_forecast__pages_only_for_a_mailbox_that_is_more_than_half_full(
    share: float, hours: float, expected: GaugeState
) -> None:
    assert state(share, hours=hours) is expected


@given(shares, shares, states)
def test_fuller__is_never_less_severe(one: float, other: float, previous: GaugeState) -> None:
    low, high = sorted((one, other))

    assert SEVERITY.index(state(low, previous)) <= SEVERITY.index(state(high, previous))


@given(shares, states)
def test_same_share_read_again__keeps_the_state(share: float, previous: GaugeState) -> None:
    first = state(share, previous)

    assert state(share, first) is first


@given(states, st.none() | st.floats(0, 100))
def test_share_that_could_not_be_read__is_unknown_and_never_a_page(
    previous: GaugeState, hours: float | None
) -> None:
    assert state(None, previous, hours=hours) is GaugeState.UNKNOWN


@pytest.mark.parametrize(
    ("value", "limit", "expected"),
    [(50.0, 200.0, 0.25), (None, 200.0, None), (50.0, None, None), (0.0, 0.0, None)],
)
def test_share__needs_a_value_and_a_limit(
    value: float | None, limit: float | None, expected: float | None
) -> None:
    gauge = Gauge("support", GaugeName.MAILBOX_CAPACITY, value, "By", limit, NOON)

    assert gauge.share == expected


STORAGE = Gauge(
    "support", GaugeName.MAILBOX_CAPACITY, 50.0, "By", 200.0, NOON, GaugeState.OK, Resource.STORAGE
)


def test_resource_that_the_mailbox_tells_no_more__is_not_shown_beside_what_it_tells() -> None:
    before = replace(
        STORAGE,
        value=None,
        state=GaugeState.UNKNOWN,
        resource=Resource.MESSAGE,
        read_at=NOON - timedelta(minutes=5),
    )

    assert fresh([STORAGE, before], now=NOON) == [STORAGE]


def test_reading_that_failed__takes_nothing_back() -> None:
    failed = replace(STORAGE, value=None, state=GaugeState.UNKNOWN)
    full = replace(
        STORAGE, state=GaugeState.PAGE, resource=Resource.MESSAGE, read_at=NOON - timedelta(minutes=5)
    )

    assert fresh([failed, full], now=NOON) == [failed, full]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (200.0, "mailbox support is 100 % full (200 B of 200 B)"),
        (199.9, "mailbox support is 99 % full (200 B of 200 B)"),
        (None, "nobody knows how full mailbox support is"),
    ],
)
def test_headline__is_a_sentence_and_full_only_where_nothing_is_left(
    value: float | None, expected: str
) -> None:
    assert headline(replace(STORAGE, value=value)) == expected


@pytest.mark.parametrize("name", GaugeName)
@pytest.mark.parametrize("value", [None, -5.0, 0.0, 1.0])
def test_headline__of_every_gauge_names_its_place(name: GaugeName, value: float | None) -> None:
    assert "support" in headline(Gauge("support", name, value, "1", None, NOON))


@pytest.mark.parametrize(
    ("name", "value", "unit", "expected"),
    [
        (GaugeName.CLOCK_SKEW, 12.0, "s", "the clock of support is 12.0 s off"),
        (GaugeName.CLOCK_SKEW, None, "s", "nobody knows how far the clock of support is off"),
        (
            GaugeName.INTAKE_TRAFFIC,
            2.0,
            "{gap}",
            "customers' tickets come to ticketing system support",
        ),
        (
            GaugeName.INTAKE_TRAFFIC,
            None,
            "{gap}",
            "nobody knows whether customers' tickets come to ticketing system support as they usually do",
        ),
        (GaugeName.TICKET_API, 0.0, "1", "ticketing system support refuses us"),
        (GaugeName.TICKET_API, 1.0, "1", "ticketing system support answers"),
        (GaugeName.TICKET_API, None, "1", "nobody knows how ticketing system support answers"),
    ],
)
def test_headline_without_a_detail__says_the_value(
    name: GaugeName, value: float | None, unit: str, expected: str
) -> None:
    gauge = Gauge("support", name, value, unit, None, NOON)

    assert headline(gauge) == expected
    assert headline(replace(gauge, detail="as was read")) == f"{expected}: as was read"


def test_gauges_of_one_name__are_called_by_what_they_count() -> None:
    assert [called(STORAGE), called(replace(STORAGE, resource=Resource.MESSAGE))] == [
        "mailbox.capacity storage",
        "mailbox.capacity messages",
    ]
