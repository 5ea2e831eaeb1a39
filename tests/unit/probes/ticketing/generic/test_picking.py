"""Picks and conversions: whatever a system answers is the value meant, nothing, or a blindness that names the place."""

import json
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.contracts import Blind
from probes.ticketing.generic.conversions import As, TimeFormat, converted, moment_of, resets_at
from probes.ticketing.generic.expressions import MISSING, compile_expression
from probes.ticketing.generic.mistakes import Mistake
from probes.ticketing.generic.picking import Join, Pick, Seen

NOON = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)
JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def pick(source: str, **more: object) -> Pick:
    return Pick(key="ticket.x", expression=compile_expression(source, "ticket.x"), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("source", ["a.", "a[", "nosuch(a)", "contains(a)", "x-y", ""])
def test_wrong_jmespath__is_a_mistake_with_a_remedy(source: str) -> None:
    with pytest.raises(Mistake) as caught:
        compile_expression(source, "rows")

    assert caught.value.remedy


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("a[", "this is not JMESPath: incomplete expression."),
        ("a b", "this is not JMESPath: unexpected token: b at column 2."),
        ('a."', 'this is not JMESPath: unclosed " delimiter.'),
        ("", "this is not JMESPath: cannot be empty."),
    ],
)
def test_wrong_jmespath__is_told_once(source: str, cause: str) -> None:
    with pytest.raises(Mistake) as caught:
        compile_expression(source, "rows")

    assert str(caught.value).startswith(cause)


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (1_796_000_000_000, ["a number of 13 digits", "{time: epoch_ms}"]),
        ("1796000000", ["a text of 10 digits", "{time: epoch}"]),
        ("2026-11-30 12:00:00", ["a text such as 0000-00-00 00:00:00", '"%Y-%m-%d %H:%M:%S", zone: …']),
        ("30.11.2026 12:00", ["%d.%m.%Y %H:%M"]),
        ("Mon, 30 Nov 2026 12:00:00 GMT", ["{time: http}"]),
        ("call Jane Doe", ["a text such as aaaa aaaa aaa"]),
        (True, ["true or false"]),
        ([1], ["a list"]),
    ],
)
def test_time_of_another_form__is_told_by_its_shape_and_what_reads_it(value: object, told: list[str]) -> None:
    with pytest.raises(Blind) as caught:
        moment_of(value, TimeFormat("%d/%m"), "ticket.x")

    assert all(one in str(caught.value) for one in told)
    assert "Jane" not in str(caught.value)
    assert "has changed: correct" not in str(caught.value)


@given(JSONS)
def test_any_answer__is_a_value_nothing_or_blind(value: object) -> None:
    picks = [
        pick("a.b[0].c", steps=(As.TEXT,)),
        pick("a", time=TimeFormat()),
        pick("contains(a, 'x')"),
        pick("a", steps=(As.BASE64, As.HTML)),
        pick("a", steps=(As.INT,)),
        pick("a.b", steps=(As.ADF,)),
        pick("a", among=frozenset({"1"})),
        pick("a", steps=(As.ADDRESS,)),
    ]

    for one in picks:
        try:
            one.of(Seen(value, value))
        except Blind as error:
            assert "ticket.x" in str(error)  # noqa: PT017 -- what is told is half of it


def test_plain_path__tells_a_missing_field_from_null() -> None:
    assert pick("a.b").of(Seen({"a": {"b": None}})) is None
    assert pick("a.b").of(Seen({"a": None})) is None
    assert pick("a.b").of(Seen({"a": {}})) is MISSING
    assert pick("a.b", default="-").of(Seen({"a": {}})) == "-"


@pytest.mark.parametrize(("value", "expected"), [(7, "7"), ("8", "8"), (9.0, "9"), (None, None)])
def test_ids__are_texts_whether_they_come_as_numbers_or_not(value: object, expected: str | None) -> None:
    assert pick("id", steps=(As.TEXT,)).of(Seen({"id": value})) == expected


@pytest.mark.parametrize(
    ("value", "time", "expected"),
    [
        ("2026-11-30T12:00:00Z", TimeFormat(), NOON),
        ("2026-11-30T13:00:00+01:00", TimeFormat(), NOON),
        ("2026-11-30T13:00:00.000+0100", TimeFormat(), NOON),
        ("2026-11-30 12:00:00 UTC", TimeFormat(), NOON),
        ("2026-11-30T13:00:00", TimeFormat(zone=ZoneInfo("Europe/Berlin")), NOON),
        ("30/11/2026 07:00", TimeFormat("%d/%m/%Y %H:%M", ZoneInfo("America/New_York")), NOON),
        (1796040000, TimeFormat("epoch"), NOON),
        ("1796040000", TimeFormat("epoch"), NOON),
        (1796040000000, TimeFormat("epoch_ms"), NOON),
        ("Mon, 30 Nov 2026 12:00:00 GMT", TimeFormat("http"), NOON),
        ("", TimeFormat(), None),
    ],
)
def test_time__in_any_spelling__is_the_same_moment(
    value: object, time: TimeFormat, expected: datetime | None
) -> None:
    assert moment_of(value, time, "created_at") == expected


@pytest.mark.parametrize(
    ("value", "time"),
    [
        ("0001-01-01T00:00:00", TimeFormat()),
        ("0001-01-01T00:00:00+14:00", TimeFormat()),
        ("0001-01-01T00:00:00", TimeFormat(zone=ZoneInfo("Europe/Berlin"))),
        ("9999-12-31T23:59:59-14:00", TimeFormat()),
        ("9999-12-31T00:00:00Z", TimeFormat()),
        ("0000-00-00 00:00:00", TimeFormat("%Y-%m-%d %H:%M:%S", ZoneInfo("UTC"))),
        ("Thu, 01 Jan 1970 00:00:00 GMT", TimeFormat("http")),
        (0, TimeFormat("epoch")),
        (-62135596800, TimeFormat("epoch")),
        (253402300799999, TimeFormat("epoch_ms")),
    ],
)
def test_date_beyond_all_use__stands_for_none(value: object, time: TimeFormat) -> None:
    assert moment_of(value, time, "created_at") is None


@given(
    st.datetimes(timezones=st.timezones()),
    st.floats(-1e9, 1e9),
)
def test_time_that_is_read__can_be_reckoned_with(stamp: datetime, skew: float) -> None:
    found = moment_of(stamp.isoformat(), TimeFormat(), "created_at")

    if found is not None:
        assert (found + timedelta(days=1) - timedelta(seconds=skew)).tzinfo is UTC
        assert abs(found - stamp) < timedelta(days=1)


@pytest.mark.parametrize("value", ["yesterday", "2026-11-30T12:00:00", "2026-13-01T00:00:00Z", [], 10**40])
def test_time_that_cannot_be_read_or_has_no_zone__is_blind(value: object) -> None:
    with pytest.raises(Blind, match="created_at"):
        moment_of(value, TimeFormat(), "created_at")


def test_atlassian_document__becomes_its_text() -> None:
    text = {"type": "text", "text": "intakecanary"}
    document = {
        "type": "doc",
        "content": [{"type": "paragraph", "content": [text, {"type": "hardBreak"}, text]}],
    }

    assert converted(document, (As.ADF,), "body") == "intakecanary\nintakecanary"


def test_several_ways_to_read__are_taken_one_after_the_other() -> None:
    assert converted("PHA+R3LDvMOfZTwvcD4=", (As.BASE64, As.HTML), "body") == "Grüße"


def test_joined_table__gives_the_value_of_its_row() -> None:
    table, key, on, mail = (compile_expression(one, "join") for one in ("users", "id", "by", "mail"))
    whole = {"users": [{"id": 5, "mail": "a@x"}, {"id": "6", "mail": "b@x"}]}

    joined = Pick(key="ticket.x", join=Join(table, key, on, mail))

    assert [joined.of(Seen({"by": one}, whole)) for one in (5, "6", 7)] == ["a@x", "b@x", None]
    with pytest.raises(Blind, match="no table"):
        joined.of(Seen({"by": 5}, {}))


def test_regex__takes_its_named_group() -> None:
    found = pick("a", regex=re.compile(r"#(?P<v>\d+)"), steps=(As.INT,))

    assert found.of(Seen({"a": "ticket #12"})) == 12
    assert found.of(Seen({"a": "no ticket"})) is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("31", 31), (30, 30), (1796040030, 30), ("1796040030000", 30), ("2026-11-30T12:00:30Z", 30)],
)
def test_reset__may_be_a_span_a_stamp_or_a_date(value: object, seconds: float) -> None:
    found = resets_at(value, NOON, "reset")

    assert found is not None
    assert (found - NOON).total_seconds() == seconds


def test_deep_answer__does_not_end_the_program() -> None:
    deep = json.loads('{"content": [' * 200 + '{"text": "x"}' + "]}" * 200)

    assert converted(deep, (As.ADF,), "body") == ""
