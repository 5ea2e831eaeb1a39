"""What the columns of the store are made of: times, words from outside, ids."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Integer, MetaData, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class _Instant(TypeDecorator[datetime]):
    """An aware time as whole microseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Count the microseconds; a naive time is a `TypeError`."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Back to an aware time."""
        del dialect
        return None if value is None else instant(value)


def instant(microseconds: int) -> datetime:
    """The time that `Instant` keeps as this number; for whoever reads many rows, where a call for each column is felt."""
    return _EPOCH + microseconds * _MICROSECOND


class _Words(TypeDecorator[str]):
    """Text from outside; what PostgreSQL takes in no text (NUL, lone surrogates) becomes U+FFFD."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Replace what can't be stored."""
        del dialect
        return None if value is None else storable(value)


def storable(text: str) -> str:
    """The text as `Words` keeps it."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# One object each, and not one a column: SQLAlchemy fits every object to the database anew in each process, which short runs
# feel.
Instant, Words = _Instant(), _Words()
Id = String(32).with_variant(String(32, collation="C"), "postgresql")
"""Ids are found by their beginning, which only byte order makes a range of the index."""
Count = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only where the key is called INTEGER."""
