"""IMAP's grammar: what is understood, and that nothing else than BadCommand comes of garbage."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.imap_parse import (
    Atom,
    BadCommand,
    Text,
    format_date_time,
    is_in,
    literal_at_end,
    numbers,
    parse,
    parse_date,
    parse_date_time,
    quote,
)


def test_command__with_lists_quotes_and_sections__is_taken_apart() -> None:
    line = b'FETCH 1:* (FLAGS BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.10>) "a \\"b\\""'

    assert parse([line]) == [
        Atom(b"FETCH"),
        Atom(b"1:*"),
        [Atom(b"FLAGS"), Atom(b"BODY.PEEK[HEADER.FIELDS (FROM TO)]<0.10>")],
        Text(b'a "b"'),
    ]


def test_literals__stand_where_they_were_announced() -> None:
    pieces = [b"LOGIN {4}", Text(b"a(b)"), b' "x"']

    assert parse(pieces) == [Atom(b"LOGIN"), Text(b"a(b)"), Text(b"x")]


@pytest.mark.parametrize(
    ("line", "announced"), [(b"A {12}", (12, False)), (b"A {3+}", (3, True)), (b"A {x}", None), (b"A", None)]
)
def test_literal_announcements__are_recognised(line: bytes, announced: tuple[int, bool] | None) -> None:
    assert literal_at_end(line) == announced


@pytest.mark.parametrize("line", [b"A (B", b"A B)", b'A "b', b"((("])
def test_unbalanced_commands__are_bad(line: bytes) -> None:
    with pytest.raises(BadCommand):
        parse([line])


@given(st.binary(max_size=80))
def test_garbage__is_parsed_or_bad__and_nothing_else(line: bytes) -> None:
    try:
        parse([line])
    except BadCommand:
        return


@given(st.text(alphabet="0123456789:*,x", max_size=12))
def test_sequence_sets__are_ranges_or_bad(spec: str) -> None:
    try:
        ranges = numbers(spec, 7)
    except BadCommand:
        return
    assert all(low <= high for low, high in ranges)


def test_star__is_the_highest_number__also_reversed() -> None:
    assert numbers("5:*,1", 3) == [(3, 5), (1, 1)]
    assert is_in(4, numbers("5:*", 3))


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2090, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_internal_dates__read_back_what_was_written(at: datetime) -> None:
    whole = at.replace(microsecond=0)

    assert parse_date_time(format_date_time(whole)) == whole


@pytest.mark.parametrize("spec", ["", "1-Foo-2026", "32-Jan-2026", "1-Jan", "x"])
def test_senseless_dates__are_bad(spec: str) -> None:
    with pytest.raises(BadCommand):
        parse_date(spec)


@given(st.binary(max_size=40))
def test_quoted_answers__read_back_as_the_same_bytes(raw: bytes) -> None:
    quoted = quote(raw)
    if quoted.startswith(b"{"):
        assert quoted.partition(b"\r\n")[2] == raw
    else:
        assert parse([quoted]) == [Text(raw)]
