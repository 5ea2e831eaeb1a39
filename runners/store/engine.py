"""A database that is written: its engine, and short transactions that a cancelled caller can't tear.

A transaction, once asked for, runs to its end, whole in one thread (decision 0012); a caller that is cancelled leaves
at once, and the transaction has happened whole or not at all. So no connection is ever interrupted in the middle of a
statement, and none can leak. `Writer.close` waits for what is still under way. Limits are the drivers' own (busy
timeout, connect timeout, statement timeout): the injected clock may be a fake, and the database is real.
"""

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from runners.contracts import StoreError
from runners.store.codec import Unreadable
from runners.store.connections import BUSY_SECONDS, postgresql_arguments
from runners.store.faults import Faults

T = TypeVar("T")

POSTGRESQL_CONNECTIONS = 4
_TRIES = 4
_TRY_AGAIN = {"40001", "40P01"}
"""Serialization failure and deadlock: PostgreSQL asks to repeat the transaction."""


class Writer:
    """Satisfies `runners.store.connecting.Database`; constructed there."""

    is_read_only = False

    def __init__(self, url: URL, faults: Faults, file: Path | None) -> None:
        self.faults = faults
        self._engine = _sqlite(file) if file is not None else _postgresql(url, faults)
        self._threads = ThreadPoolExecutor(
            1 if file is not None else POSTGRESQL_CONNECTIONS, thread_name_prefix="store"
        )
        self._file = file
        self._running: set[asyncio.Future[Any]] = set()

    @property
    def exists(self) -> bool:
        """Whether its file is there; of a server, that is not known before asking it."""
        return self._file is None or self._file.exists()

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction that only reads.

        Raises:
            StoreError: the database could not be read.
        """
        return await self._to_its_end(work, {"begin": "BEGIN"})

    async def write(self, work: Callable[[Connection], T], *, is_durable: bool = False) -> T:
        """Run ``work`` in a transaction of its own; it is repeated whole after a deadlock.

        Args:
            work: what to do; it may run more than once, and keeps nothing outside of the database.
            is_durable: whether it must outlive a loss of power, not only of this process (decision 0010).

        Raises:
            StoreError: the database could not be written; nothing of ``work`` is kept.
        """
        options = {"begin": "BEGIN IMMEDIATE", "synchronous": "FULL" if is_durable else "NORMAL"}
        return await self._to_its_end(work, options)

    async def migrate(self, work: Callable[[Connection], None]) -> None:
        """Run a migration as `write` runs its work, without PostgreSQL's limit on time.

        Raises:
            StoreError: the database could not be written; nothing was changed.
        """
        await self._to_its_end(work, {"begin": "BEGIN IMMEDIATE", "synchronous": "FULL", "unlimited": "yes"})
        if self._file is not None:
            await self._use_write_ahead_log()

    async def close(self) -> None:
        """Wait for the transactions under way, then close all connections."""
        try:
            while self._running:
                await asyncio.wait(self._running)
        finally:
            self._threads.shutdown()
            self._engine.dispose()

    async def _use_write_ahead_log(self) -> None:
        """Have readers and the writer not wait for each other; the file remembers it.

        Another process that is in the file at this moment makes SQLite refuse; that one, or the next, will set it.
        """

        def switch(connection: Connection) -> None:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql("BEGIN")

        with contextlib.suppress(StoreError):
            await self._to_its_end(switch, {"begin": "BEGIN"})

    async def _to_its_end(self, work: Callable[[Connection], T], options: dict[str, str]) -> T:
        running = asyncio.get_running_loop().run_in_executor(self._threads, self._run, work, options)
        self._running.add(running)
        running.add_done_callback(self._ended)
        return await asyncio.shield(running)

    def _ended(self, transaction: asyncio.Future[Any]) -> None:
        self._running.discard(transaction)
        if not transaction.cancelled():
            transaction.exception()  # a caller that was cancelled meanwhile wants to hear of no error any more

    def _run(self, work: Callable[[Connection], T], options: dict[str, str]) -> T:
        for attempt in range(1, _TRIES + 1):
            try:
                with self._engine.connect() as connection, connection.execution_options(**options).begin():
                    if self._file is not None:
                        self._mind_the_file(self._file, connection)
                        _begin_sqlite(connection)
                    return work(connection)
            except DBAPIError as error:
                if attempt == _TRIES or getattr(error.orig, "sqlstate", None) not in _TRY_AGAIN:
                    raise self.faults.explain(error) from error
            except (SQLAlchemyError, OSError) as error:
                raise self.faults.explain(error) from error
            except Unreadable as error:
                raise self.faults.unreadable(error) from error
        raise self.faults.error("no try succeeded", "Look at the database's load.")

    def _mind_the_file(self, file: Path, connection: Connection) -> None:
        """Refuse to write into a file that is no longer there: it would be lost at the end, and nobody told.

        SQLite goes on with the open one. A number of a file is not given anew while it is open.
        """
        try:
            status = file.stat()
        except OSError as error:
            raise self.faults.lost_file(error.strerror or str(error)) from None
        here = (status.st_dev, status.st_ino)
        if connection.info.setdefault("file", here) != here:
            raise self.faults.lost_file("another file is there now")


def _sqlite(file: Path) -> Engine:
    """One connection a process: transactions queue in the process instead of waking each other on the file's lock."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(file)),
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_reset_on_return=None,
        connect_args={"timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", partial(_make_private, file))
    event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _make_private(file: Path, *_: object) -> None:
    """Make the file, for its owner alone: it holds whole tokens. SQLite gives what lies beside it the same mode.

    What goes wrong here goes wrong for SQLite too, which says it better.
    """
    with contextlib.suppress(OSError):
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _set_up_sqlite(connection: Any, record: object) -> None:  # noqa: ANN401 -- the adapted driver's connection
    del record
    cursor = connection.cursor()
    for pragma in ("foreign_keys = ON", "temp_store = MEMORY", "cache_size = -8000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once, so that no transaction fails in its middle for want of it.

    Not a listener of the engine's ``begin``: an engine with one dispatches every statement's events too.
    """
    options = connection.get_execution_options()
    synchronous = options.get("synchronous")
    if synchronous is not None and connection.info.get("synchronous") != synchronous:
        connection.exec_driver_sql(f"PRAGMA synchronous = {synchronous}")
        connection.info["synchronous"] = synchronous
    connection.exec_driver_sql(options.get("begin", "BEGIN"))


def _postgresql(url: URL, faults: Faults) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=POSTGRESQL_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args=postgresql_arguments(is_read_only=False),
            hide_parameters=True,
        )
    except (ImportError, NoSuchModuleError):
        raise faults.no_driver() from None
