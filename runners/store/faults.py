"""What went wrong in a driver, said so that a reader at 3 a.m. knows the store, the cause and the remedy."""

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from runners.contracts import StoreError


class NoStoreYet(StoreError):
    """A store was to be opened for reading only, and nothing is there: no canary was ever launched from here."""


_SQLITE = (
    ("SQLITE_FULL", "the disk is full", "Free space where the store lies."),
    ("SQLITE_BUSY", "it is locked by another process", "See who holds it: fuser -v {path}"),
    ("SQLITE_LOCKED", "it is locked by another process", "See who holds it: fuser -v {path}"),
    (
        "SQLITE_READONLY",
        "it may not be written",
        "Give this user write permission to the file and its directory.",
    ),
    ("SQLITE_PERM", "permission is denied", "Give this user permission to the file and its directory."),
    (
        "SQLITE_CANTOPEN",
        "it can't be opened",
        "Look at the directory: it must exist and be writable: {directory}",
    ),
    (
        "SQLITE_NOTADB",
        "the file is no SQLite database",
        "Name another file in `prober.store`, or move this one away.",
    ),
    (
        "SQLITE_CORRUPT",
        "the database is damaged",
        "Restore a backup, or move the file away and begin a new store.",
    ),
    ("SQLITE_IOERR", "the disk can't be read or written", "Look at the disk: dmesg, df {directory}"),
    ("SQLITE_TOOBIG", "a value is too long", "Report this: no value of ours should be."),
)

_POSTGRESQL = (
    ("28", "the password or the role is refused", "Correct the user and password in `prober.store`."),
    ("3D", "the database does not exist", "Create it: createdb {database}"),
    ("53100", "the server's disk is full", "Free space on the database server."),
    ("53300", "the server takes no more connections", "Raise max_connections, or put a pooler before it."),
    ("57014", "the statement took too long", "Look at the server's load and at locks: pg_stat_activity."),
    ("57", "the server is shutting down or starting", "Wait for it, or look at its log."),
    ("55P03", "a lock was not given in time", "See who holds it: pg_stat_activity, pg_locks."),
    (
        "40",
        "other transactions were in the way",
        "It is tried again by itself; look at the server's load if it stays.",
    ),
    ("25006", "it may not be written", "Connect to the primary; this is a read-only server or session."),
    ("42501", "the role lacks a privilege", "Grant the role all on its schema."),
    ("08", "the connection was lost", "Look at the network and at the server's log."),
)

_OF_THE_DISK = frozenset({"SQLITE_FULL", "SQLITE_IOERR", "53100"})

_REFUSED_AT_THE_DOOR = (
    (
        "password authentication failed",
        "the password or the role is refused",
        "Correct it in `prober.store`.",
    ),
    ("no password supplied", "the server asks for a password", "Add it to `prober.store`."),
    ("no pg_hba.conf entry", "the server refuses us by host, role or database", "Allow it in pg_hba.conf."),
    ('role "', "the role does not exist or may not log in", "Correct the user in `prober.store`."),
    ('database "', "the database does not exist", "Create it: createdb {database}"),
    ("too many clients", "the server takes no more connections", "Raise max_connections, or use a pooler."),
)
"""What a server says before there is a session; psycopg gives no code with it."""


class Faults:
    """Turns the errors of one store's driver into `StoreError`."""

    def __init__(self, url: URL) -> None:
        self._path = url.database or ""
        self._url = url
        is_sqlite = url.get_backend_name() == "sqlite"
        self.name = f"sqlite:///{self._path}" if is_sqlite else url.render_as_string(hide_password=True)
        """The store's address without its password."""
        self._table = _SQLITE if is_sqlite else _POSTGRESQL
        self._refusals = () if is_sqlite else _REFUSED_AT_THE_DOOR

    def explain(self, error: SQLAlchemyError | OSError) -> StoreError:
        """The error for people; never holds the statement's parameters or the password."""
        if isinstance(error, NoConnectionFree):
            return self.error("no connection became free in time", "Look at the database's load.")
        cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
        code = str(getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or "")
        for prefix, finding, remedy in self._table:
            if code.startswith(prefix):
                return self.error(f"{finding} ({code})", remedy, is_of_disk=prefix in _OF_THE_DISK)
        for words, finding, remedy in self._refusals:
            if words in str(cause):
                return self.error(finding, remedy)
        finding = f"{type(cause).__name__} {code}".rstrip() + f": {self._harmless(str(cause))}"
        if self._table is _POSTGRESQL and not code:
            return self.error(
                f"no connection: {self._harmless(str(cause))}", "Look whether the server is up."
            )
        return self.error(finding, "Look at the database, and report it if it is well.")

    def error(self, finding: str, remedy: str, *, is_of_disk: bool = False) -> StoreError:
        """A `StoreError` that names this store."""
        filled = remedy.format(
            path=self._path, directory=self._path.rpartition("/")[0] or ".", database=self._url.database
        )
        return StoreError(f"store {self.name}: {finding}. {filled}", is_of_disk=is_of_disk)

    def unreadable(self, error: Exception) -> StoreError:
        """A row that this program can't decode."""
        return self.error(
            f"a row can't be read: {error}", "Was it written by a newer intake-prober? Use that one."
        )

    def lost_file(self, finding: str) -> StoreError:
        """The file was deleted or replaced while it was open."""
        return self.error(
            f"its file was deleted or replaced while it was in use: {finding}",
            "Put it back from a backup if there is one, and start this program anew.",
        )

    def no_driver(self) -> StoreError:
        """The address is PostgreSQL's, and its driver is an extra."""
        return self.error(
            "the PostgreSQL driver is not installed",
            "Install the extra: pip install 'intake-prober[postgresql]'",
        )

    def no_store_yet(self) -> NoStoreYet:
        """The error of a reader who came first."""
        return NoStoreYet(f"store {self.name}: there is none yet. `intake-prober run` creates it.")

    def _harmless(self, text: str) -> str:
        """The first line of a driver's words, without the password."""
        first = text.strip().partition("\n")[0][:200]
        secret = self._url.password
        return first.replace(str(secret), "***") if secret else first
