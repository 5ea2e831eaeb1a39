"""PostgreSQL as a child: one throw-away cluster on loopback, without any safety against power loss."""

import contextlib
import itertools
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.real.servers.needed import POSTGRESQL
from tests.real.servers.process import (
    HOST,
    Account,
    Child,
    free_port,
    run_as,
    server_directory,
    unprivileged_account,
    wait_until,
)

_BINARIES = "/usr/lib/postgresql"
_INITDB_OPTIONS = ("-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
_START_SECONDS = 90.0
"""After a kill it writes again all since its last checkpoint, and is not ready before."""
_numbers = itertools.count(1)


def binary_directory() -> Path | None:
    """Debian's folder of server binaries (not on PATH), newest version first; None if none is installed."""
    found = [
        path.parent for path in Path(_BINARIES).glob("*/bin/postgres") if path.parent.parent.name.isdigit()
    ]
    return max(found, key=lambda path: int(path.parent.name), default=None)


@dataclass(slots=True)
class PostgreSql:
    """A running cluster."""

    directory: Path
    port: int
    account: Account
    child: Child

    @property
    def url(self) -> str:
        """SQLAlchemy's URL of the database that exists from the start."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """SQLAlchemy's URL of a database."""
        return f"postgresql+psycopg://{self.account.name}@{HOST}:{self.port}/{database}"

    def new_database(self) -> str:
        """Create an empty database and give its URL: a test each, for a tenth of a second."""
        name = f"intake_{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url_of(name)

    def connect(self) -> psycopg.Connection:
        """Open a connection in autocommit mode to the first database."""
        return psycopg.connect(
            host=HOST, port=self.port, user=self.account.name, dbname="postgres", autocommit=True
        )

    def kill(self) -> None:
        """End it as a power loss would (SIGKILL); `start` works afterwards."""
        self.child.kill()

    def start(self) -> None:
        """Start it again on the same port and data."""
        self.child = _start(self.directory, self.port, self.account)


@contextlib.contextmanager
def running_postgresql() -> Iterator[PostgreSql]:
    """Start a cluster on a free port; gone with its data at the end."""
    POSTGRESQL.require()
    account = unprivileged_account()
    with server_directory("pg", account) as directory:
        run_as(
            account,
            [str(_binary("initdb")), "-D", "data", *_INITDB_OPTIONS, "-U", account.name],
            cwd=directory,
        )
        port = free_port()
        server = PostgreSql(directory, port, account, _start(directory, port, account))
        try:
            yield server
        finally:
            server.child.stop()


def _binary(name: str) -> Path:
    directory = binary_directory()
    if directory is None:
        raise FileNotFoundError(f"no PostgreSQL server under {_BINARIES}. Install postgresql-15.")
    return directory / name


def _start(directory: Path, port: int, account: Account) -> Child:
    settings = [f"listen_addresses={HOST}", "fsync=off", "synchronous_commit=off", "full_page_writes=off"]
    settings += ["shared_buffers=32MB", "max_connections=100"]
    child = Child(
        [str(_binary("postgres")), "-D", str(directory / "data"), "-p", str(port), "-k", str(directory)]
        + [part for setting in settings for part in ("-c", setting)],
        log_path=directory / "postgres.log",
        account=account,
        # "Fast": ends the sessions. SIGTERM is "smart" and waits for the clients to leave.
        stop_signal=signal.SIGINT,
    )

    def answers() -> bool:
        try:
            with psycopg.connect(
                host=HOST, port=port, user=account.name, dbname="postgres", connect_timeout=2
            ):
                return True
        except psycopg.OperationalError:
            return False

    wait_until(answers, what="answer of PostgreSQL", limit_seconds=_START_SECONDS, child=child)
    return child
