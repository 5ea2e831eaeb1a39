"""Who hears of what, and at what hour by their own clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert import AlertKind, Severity
from canary.path import PathName
from runners.alerts.hours import HoursError, parse_hours
from runners.alerts.routing import Route, Router, labels_of
from tests.unit.runners.alerts.cases import FORM, MAIL, NOON, PATHS

LABELS = {name: labels_of(one) for name, one in PATHS.items()}
SINKS = ("pager", "chat", "mail")
MONDAY_MORNING = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MONDAY_NIGHT = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
MOMENTS = st.integers(0, 4 * 366 * 24 * 60).map(
    lambda one: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=one)
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
CLOCKS = st.integers(0, 24 * 60 - 1).map(lambda one: f"{one // 60:02}:{one % 60:02}")


def routed(
    *routes: Route,
    severity: Severity = Severity.PAGE,
    kind: AlertKind = AlertKind.INCIDENT,
    paths: tuple[PathName, ...] = (MAIL,),
    now: datetime = NOON,
) -> tuple[str, ...]:
    return Router(routes, SINKS).sinks_for(severity, kind, paths, LABELS, now)


@pytest.mark.parametrize("severity", Severity)
def test_no_routes__every_sink_gets_everything(severity: Severity) -> None:
    assert routed(severity=severity) == SINKS


def test_all_routes_that_match__count_each_sink_once_in_the_order_of_the_configuration() -> None:
    assert routed(Route(("chat",)), Route(("pager", "chat"), Severity.PAGE)) == ("pager", "chat")


def test_severity__chooses() -> None:
    routes = (Route(("pager",), Severity.PAGE), Route(("chat",), Severity.TICKET))

    assert routed(*routes) == ("pager",)
    assert routed(*routes, severity=Severity.TICKET) == ("chat",)


def test_path_and_label__must_be_those_of_one_path() -> None:
    route = Route(("chat",), Severity.TICKET, paths=frozenset({MAIL}), labels={"channel": "form"})

    assert routed(route, severity=Severity.TICKET, paths=(MAIL, FORM)) == ()
    assert routed(
        Route(("chat",), Severity.TICKET, paths=frozenset({FORM}), labels={"channel": "form"}),
        severity=Severity.TICKET,
        paths=(MAIL, FORM),
    ) == ("chat",)


def test_kind__chooses() -> None:
    routes = (Route(("mail",), kinds=frozenset({AlertKind.LEFTOVERS})), Route(("pager",), Severity.PAGE))

    assert routed(*routes, severity=Severity.TICKET, kind=AlertKind.LEFTOVERS) == ("mail",)
    assert routed(*routes, severity=Severity.TICKET, kind=AlertKind.GAUGE) == ()


def test_page_that_no_route_takes__goes_to_every_sink() -> None:
    route = Route(("chat",), labels={"team": "another"})

    assert routed(route) == SINKS
    assert routed(route, severity=Severity.TICKET) == ()
    assert routed(Route(("chat",), paths=frozenset({MAIL})), paths=()) == SINKS


def test_page_that_nobody_takes__where_prometheus_pages__goes_nowhere() -> None:
    router = Router((Route(("chat",), Severity.TICKET),), SINKS, catches=False)

    assert router.sinks_for(Severity.PAGE, AlertKind.INCIDENT, (MAIL,), LABELS, NOON) == ()


def test_page_that_a_route_takes_at_another_hour__waits_for_that_hour() -> None:
    route = Route(("pager",), hours=(parse_hours("mon-fri 08:00-18:00 UTC"),))

    assert routed(route, now=MONDAY_NIGHT) == ()
    assert routed(route, now=MONDAY_MORNING) == ("pager",)


def test_pages_with_hours_only__are_known_for_it() -> None:
    by_day = Route(("pager",), hours=(parse_hours("08:00-18:00"),))

    assert Router((by_day,), SINKS).has_page_hours(AlertKind.INCIDENT, MAIL, LABELS)
    assert not Router((by_day, Route(("chat",))), SINKS).has_page_hours(AlertKind.INCIDENT, MAIL, LABELS)
    assert not Router((), SINKS).has_page_hours(AlertKind.INCIDENT, MAIL, LABELS)


ROUTES = st.builds(
    Route,
    st.lists(st.sampled_from(SINKS), min_size=1, max_size=3).map(tuple),
    st.sampled_from([None, *Severity]),
    kinds=st.frozensets(st.sampled_from(AlertKind), max_size=2),
    paths=st.frozensets(st.sampled_from([MAIL, FORM]), max_size=1),
)


@given(
    routes=st.permutations(range(4)),
    made=st.lists(ROUTES, min_size=4, max_size=4),
    kind=st.sampled_from(AlertKind),
)
def test_order_of_routes__makes_no_difference_and_no_page_is_lost(
    routes: list[int], made: list[Route], kind: AlertKind
) -> None:
    for severity in Severity:
        found = routed(*made, severity=severity, kind=kind)

        assert routed(*(made[one] for one in routes), severity=severity, kind=kind) == found
        assert list(found) == [one for one in SINKS if one in found]
        assert found or severity is Severity.TICKET


@pytest.mark.parametrize(
    ("text", "local", "holds"),
    [
        ("mon-fri 08:00-18:00 Europe/Berlin", "2026-03-02 08:00", True),
        ("mon-fri 08:00-18:00 Europe/Berlin", "2026-03-02 17:59", True),
        ("mon-fri 08:00-18:00 Europe/Berlin", "2026-03-02 18:00", False),
        ("mon-fri 08:00-18:00 Europe/Berlin", "2026-03-07 12:00", False),
        ("fri 22:00-06:00 Europe/Berlin", "2026-03-06 22:00", True),
        ("fri 22:00-06:00 Europe/Berlin", "2026-03-07 05:59", True),
        ("fri 22:00-06:00 Europe/Berlin", "2026-03-06 05:00", False),
        ("fri 22:00-06:00 Europe/Berlin", "2026-03-07 23:00", False),
        ("sat-mon 00:00-24:00 Europe/Berlin", "2026-03-01 03:00", True),
        ("sat-mon 00:00-24:00 Europe/Berlin", "2026-03-03 00:00", False),
        ("mon,wed 10:00-11:00 Europe/Berlin", "2026-03-04 10:30", True),
        # the clocks go forward at 02:00 and back at 03:00
        ("sun 01:30-03:30 Europe/Berlin", "2026-03-29 03:15", True),
        ("sun 02:00-02:30 Europe/Berlin", "2026-03-29 03:00", False),
    ],
)
def test_hours__are_those_of_the_wall_clock(text: str, local: str, holds: bool) -> None:
    at = datetime.strptime(local, "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("Europe/Berlin"))

    assert parse_hours(text).holds(at.astimezone(UTC)) is holds


def test_hour_that_comes_twice__is_in_both_times() -> None:
    hours = parse_hours("sun 02:00-03:00 Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert [hours.holds(first + timedelta(hours=one)) for one in range(-1, 3)] == [False, True, True, False]


@given(at=MOMENTS, zone=ZONES, clocks=st.lists(CLOCKS, min_size=2, max_size=2, unique=True))
def test_span_and_its_rest__hold_never_both_and_never_neither(
    at: datetime, zone: str, clocks: list[str]
) -> None:
    begin, end = clocks

    inside = parse_hours(f"{begin}-{end} {zone}").holds(at)
    outside = parse_hours(f"{end}-{begin} {zone}").holds(at)

    assert inside is not outside


@given(at=MOMENTS, zone=ZONES, begin=CLOCKS, end=CLOCKS)
def test_span_on_some_days_and_on_the_others__is_the_span_on_all(
    at: datetime, zone: str, begin: str, end: str
) -> None:
    if begin == end:
        return
    week = parse_hours(f"mon-fri {begin}-{end} {zone}").holds(at)
    rest = parse_hours(f"sat-sun {begin}-{end} {zone}").holds(at)

    assert (week or rest) is parse_hours(f"{begin}-{end} {zone}").holds(at)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a span of hours"),
        ("8-18", "'8-18' is not a span of hours"),
        ("mon-fri", "'mon-fri' is not a span of hours"),
        ("08:00-25:00", "'08:00-25:00' goes beyond the day"),
        ("08:00-08:00", "'08:00-08:00' is empty"),
        ("mon-fry 08:00-18:00", "fry is not a day"),
        ("08:00-18:00 Europe/Berlim", "Europe/Berlim is not a time zone"),
        ("08:00-18:00 ../etc/passwd", "../etc/passwd is not a time zone"),
        ("mon 08:00-18:00 UTC now", "'mon 08:00-18:00 UTC now' is not a span of hours"),
    ],
)
def test_text_that_is_no_span__is_refused_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(HoursError) as refused:
        parse_hours(text)

    assert str(refused.value) == message
    assert refused.value.remedy
