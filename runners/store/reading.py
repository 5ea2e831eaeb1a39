"""A database for whoever only reads: commands, and what a daemon shows beside its work."""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from runners.store.codec import Unreadable
from runners.store.connections import BUSY_SECONDS, postgresql_arguments
from runners.store.faults import Faults

T = TypeVar("T")

BESIDE_CONNECTIONS = 2
_CACHE_KIBIBYTES = 16_000


class Reader:
    """Satisfies `runners.store.connecting.Database`; never writes.

    Reads in the calling thread: nothing else runs in a command's process.
    """

    is_read_only = True

    def __init__(self, url: URL, faults: Faults, file: Path | None, *, connections: int = 1) -> None:
        self.faults = faults
        self._file = file
        self._engine = _engine(url, faults, file, connections)

    @property
    def exists(self) -> bool:
        """Whether its file is there; of a server, that is not known before asking it."""
        return self._file is None or self._file.exists()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that only reads; blocks for as long as it takes.

        Raises:
            StoreError: the database could not be read.
        """
        return self._read(work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._engine.connect() as connection, connection.begin():
                return work(connection)
        except DBAPIError as error:
            raise self.faults.explain(error) from error
        except (SQLAlchemyError, OSError) as error:
            raise self.faults.explain(error) from error
        except Unreadable as error:
            raise self.faults.unreadable(error) from error

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = False) -> T:
        """Refuse. Raises `StoreError`."""
        del work, is_durable
        raise self.faults.error("it was opened for reading only", "This is a fault of the prober: report it.")

    async def migrate(self, work: Callable[[Connection], None]) -> None:
        """Refuse. Raises `StoreError`."""
        await self.write(work)

    async def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()


class ReaderBeside(Reader):
    """Reads in threads of its own, so that what a daemon shows never waits for what it writes, nor holds it up."""

    def __init__(self, url: URL, faults: Faults, file: Path | None) -> None:
        connections = 1 if file is not None else BESIDE_CONNECTIONS
        super().__init__(url, faults, file, connections=connections)
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="store-beside")
        self._running: set[asyncio.Future[Any]] = set()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that only reads; who is cancelled leaves at once, and it runs to its end.

        Raises:
            StoreError: the database could not be read.
        """
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._read, work)
        self._running.add(running)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, transaction: asyncio.Future[Any]) -> None:
        self._running.discard(transaction)
        if not transaction.cancelled():
            transaction.exception()  # a caller that was cancelled meanwhile wants to hear of no error any more

    async def close(self) -> None:
        """Wait for the transactions under way, then close all connections."""
        try:
            while self._running:
                await asyncio.wait(self._running)
        finally:
            self._threads.shutdown()
            self._engine.dispose()


def _engine(url: URL, faults: Faults, file: Path | None, connections: int) -> Engine:
    if file is None:
        try:
            return create_engine(
                url.set(drivername="postgresql+psycopg"),
                pool_size=connections,
                max_overflow=0,
                pool_pre_ping=connections > 1,  # one that lives for long may have died
                connect_args=postgresql_arguments(is_read_only=True),
                hide_parameters=True,
            )
        except (ImportError, NoSuchModuleError):
            raise faults.no_driver() from None
    location = url.set(
        drivername="sqlite+pysqlite",
        database=file.absolute().as_uri(),
        query={"mode": "ro", "uri": "true"},
    )
    engine = create_engine(
        location,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_reset_on_return=None,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _only_read)
    event.listen(engine, "begin", _begin)
    return engine


def _only_read(connection: Any, record: object) -> None:  # noqa: ANN401 -- the driver's connection
    del record
    with contextlib.closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA query_only = ON")
        # The newest canaries of two hundred paths lie on the same pages: with SQLite's 2 MB each is read again for each.
        cursor.execute(f"PRAGMA cache_size = {-_CACHE_KIBIBYTES}")


def _begin(connection: Connection) -> None:
    """One view for the whole transaction: the driver begins none by itself."""
    connection.exec_driver_sql("BEGIN")
