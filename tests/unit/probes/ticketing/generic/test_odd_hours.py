"""The hour that clocks repeat: what is read of it, and what is asked for, leaves no ticket out. And marks in marks."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from probes.ticketing.generic.conversions import TimeFormat, moment_of
from probes.ticketing.generic.expressions import compile_expression
from probes.ticketing.generic.filters import later, quoted, strftime, zone
from probes.ticketing.generic.picking import Pick, Seen

FORM = "%Y-%m-%d %H:%M:%S"
BERLIN = TimeFormat(FORM, ZoneInfo("Europe/Berlin"))


def test_time_within_the_repeated_hour__is_read_as_the_later_one() -> None:
    assert moment_of("2026-10-25 02:30:00", BERLIN, "x") == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_time_of_any_other_hour__is_read_as_it_is() -> None:
    assert moment_of("2026-07-25 02:30:00", BERLIN, "x") == datetime(2026, 7, 25, 0, 30, tzinfo=UTC)


@example(1470, "Europe/Berlin")
@example(11850, "America/New_York")
@given(
    st.integers(0, 10 * 24 * 60),
    st.sampled_from(["Europe/Berlin", "America/New_York", "UTC"]),
)
def test_time_that_is_asked_from__whichever_hour_the_system_takes_it_for__is_not_after_it(
    minutes: int, name: str
) -> None:
    since = datetime(2026, 10, 24, tzinfo=UTC) + timedelta(minutes=minutes)

    asked = datetime.strptime(strftime(zone(since, name), FORM), FORM).replace(tzinfo=ZoneInfo(name))

    for fold in (0, 1):
        taken_for = asked.replace(fold=fold).astimezone(UTC)
        assert since - timedelta(hours=1) <= taken_for <= since


def test_time_with_its_offset__is_exact() -> None:
    since = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)

    assert strftime(zone(since, "Europe/Berlin"), "%H:%M %z") == "02:30 +0200"


@pytest.mark.parametrize(
    ("arguments", "literal"),
    [((), "'it\\'s \\\\'"), (("'", "''"), "'it''s \\'"), (('"', '""'), '"it\'s \\"')],
)
def test_mark_within_a_text__is_written_as_the_language_has_it(
    arguments: tuple[str, ...], literal: str
) -> None:
    assert quoted("it's \\", *arguments) == literal


def test_expression__is_tried_on_the_begin_of_a_long_text() -> None:
    pick = Pick("ticket.tags", compile_expression("text", "x"), regex=re.compile("end"))

    assert pick.of(Seen({"text": "end" + "x" * 100_000})) == "end"
    assert pick.of(Seen({"text": "x" * 100_000 + "end"})) is None


@pytest.mark.parametrize("minutes", range(-90, 91, 5))
def test_time_that_is_asked_until__never_leaves_out_what_came_before_it(minutes: int) -> None:
    name = "Europe/Berlin"
    until = datetime(2026, 10, 25, 1, 0, tzinfo=UTC) + timedelta(minutes=minutes)  # clocks go back then

    asked = datetime.strptime(strftime(later(zone(until, name)), FORM), FORM)  # noqa: DTZ007 - as the system reads it

    assert asked >= until.astimezone(ZoneInfo(name)).replace(tzinfo=None)
