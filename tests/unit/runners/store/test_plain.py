"""Statements in plain SQL: the same words for both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, create_engine, insert, select
from sqlalchemy.engine import Connection

from runners.store import plain
from runners.store.columns import Instant

NOON = datetime(2026, 11, 30, 12, 0, 0, 123456, tzinfo=UTC)
table = Table("thing", MetaData(), Column("number", Integer, primary_key=True), Column("at", Instant))


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        table.metadata.create_all(connection)
        yield connection
    engine.dispose()


def test_parameters__are_spelt_as_psycopg_wants_them_and_percent_signs_stay_what_they_are() -> None:
    words = "SELECT a FROM b WHERE c = :held_until AND d LIKE 'x%' AND e IN (:id0, :id10)"

    spoken = plain._of_psycopg(words)

    assert spoken == "SELECT a FROM b WHERE c = %(held_until)s AND d LIKE 'x%%' AND e IN (%(id0)s, %(id10)s)"


def test_time_that_a_column_kept__is_found_by_its_moment_and_read_back_exactly(
    connection: Connection,
) -> None:
    connection.execute(insert(table), {"number": 1, "at": NOON})

    row = plain.execute(connection, "SELECT at FROM thing WHERE at = :at", {"at": plain.moment(NOON)}).one()

    assert plain.time_of(row.at) == NOON
    assert plain.time_of(None) is None


def test_time_that_was_written_plainly__is_what_the_column_says(connection: Connection) -> None:
    values = {"number": 1, "at": plain.moment(NOON)}

    plain.execute(connection, "INSERT INTO thing (number, at) VALUES (:number, :at)", values)

    assert connection.scalar(select(table.c.at)) == NOON


def test_several_values__change_rows_one_after_the_other_and_are_counted_together(
    connection: Connection,
) -> None:
    connection.execute(insert(table), [{"number": one, "at": None} for one in (1, 2, 3)])
    words = "UPDATE thing SET at = :at WHERE number = :number AND at IS NULL"

    changed = plain.execute(connection, words, *({"number": one, "at": 5} for one in (1, 3, 4)))
    again = plain.execute(connection, words, {"number": 1, "at": 6})

    assert (changed.rowcount, again.rowcount) == (2, 0)
    assert [row.at for row in plain.execute(connection, "SELECT at FROM thing ORDER BY number")] == [
        5,
        None,
        5,
    ]


def test_list__has_a_parameter_for_each_value_and_an_empty_one_finds_nothing(connection: Connection) -> None:
    connection.execute(insert(table), [{"number": one, "at": None} for one in (1, 2, 3)])
    words = "SELECT number FROM thing WHERE number IN ({numbers}) ORDER BY number"

    (some, values), (none, nothing) = plain.listed("n", [3, 1]), plain.listed("n", [])

    assert [row.number for row in plain.execute(connection, words.format(numbers=some), values)] == [1, 3]
    assert plain.execute(connection, words.format(numbers=none), nothing).all() == []
