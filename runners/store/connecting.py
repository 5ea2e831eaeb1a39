"""From a store's address to a database: one that writes, or a reader that needs no event loop and starts sooner."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError

from runners.contracts import StoreError
from runners.store.faults import Faults

T = TypeVar("T")


class Database(Protocol):
    """Short transactions on one database. Raises `StoreError` from any verb."""

    faults: Faults
    is_read_only: bool

    @property
    def exists(self) -> bool:
        """Whether its file is there; of a server, that is not known before asking it."""
        ...

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that only reads."""
        ...

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = False) -> T:
        """Run ``work`` in a transaction of its own; nothing of it is kept where it fails.

        Args:
            work: what to do; it may run more than once, and keeps nothing outside of the database.
            is_durable: whether it must outlive a loss of power, not only of this process (decision 0010).
        """
        ...

    async def migrate(self, work: Callable[[Connection], None]) -> None:
        """Run a migration as `write` runs its work."""
        ...

    async def close(self) -> None:
        """Wait for the transactions under way, then close all connections."""
        ...


def connect_to(address: str, *, is_read_only: bool = False, is_beside: bool = False) -> Database:
    """Make the database of a store; connects to nothing yet.

    Args:
        address: ``sqlite:///file``, or ``postgresql+psycopg://user:password@host/database``.
        is_read_only: writes nothing and creates no file.
        is_beside: such a reader has threads of its own, beside an event loop that has other work.

    Raises:
        StoreError: the address is none, names a database that is not supported, or its driver is not installed.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise StoreError(
            "store: the address can't be read. Write sqlite:///intake.db or"
            " postgresql+psycopg://user:password@host/database"
        ) from None
    faults = Faults(url)
    file = _file(url, faults)
    if is_read_only:
        from runners.store.reading import Reader, ReaderBeside

        return ReaderBeside(url, faults, file) if is_beside else Reader(url, faults, file)
    from runners.store.engine import Writer

    return Writer(url, faults, file)


def _file(url: URL, faults: Faults) -> Path | None:
    """The file of a SQLite store; None of a PostgreSQL one.

    Raises:
        StoreError: it is neither.
    """
    match url.get_backend_name():
        case "sqlite":
            if not url.database or url.database == ":memory:":
                raise faults.error("a store in memory forgets", "Name a file: sqlite:///intake.db")
            if url.query:
                raise faults.error("it takes no options after a question mark", "Name the file alone.")
            return Path(url.database)
        case "postgresql":
            return None
        case other:
            raise faults.error(
                f"{other} is not supported", "Use sqlite:///intake.db or postgresql+psycopg://host/database"
            )
