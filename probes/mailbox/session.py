"""One IMAP connection for callers on an event loop: kept open, logged in, renewed, and given up within limits."""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

from canary.reason import Reason
from probes.contracts import Clock
from probes.mailbox.connection import Connection, Wake
from probes.mailbox.failure import (
    OUTSIDE,
    ConnectionDead,
    MailboxUnreadable,
    is_dead,
    is_login_refused,
    unreadable,
)
from probes.mailbox.settings import Limits
from probes.mailbox.worker import Worker
from probes.masking import Secret
from probes.reasons import Failure
from probes.servers import Bearer, Credential, SecretUnavailable, Server, TlsMode
from probes.tls import Contexts

T = TypeVar("T")

SECRET_SECONDS: Final = 15.0
STOP_SECONDS: Final = 1.0
_STOP_POLL_SECONDS: Final = 0.02

_log = logging.getLogger(__name__)


class Session:
    """A mailbox's one connection and the thread that owns it.

    Cancelling a call that waits for an answer shuts the socket down, since the answer could no longer be told from
    the next one; cancelling a call that waits for news leaves the connection open. Either way the thread goes on.
    """

    def __init__(
        self, server: Server, limits: Limits, *, clock: Clock, contexts: Contexts | None = None
    ) -> None:
        self._server = server
        self._limits = limits
        self._clock = clock
        self._worker = Worker(f"imap {server.address}")
        self._gate = asyncio.Lock()
        self._connection: Connection | None = None
        self._contexts = contexts or Contexts()
        self._failures = 0
        self._retry_at = 0.0
        self._last: MailboxUnreadable | None = None
        self._call: tuple[socket.socket, socket.socket] | None = None
        self._is_idle = False
        self._waiting = 0
        self._is_closed = False

    @property
    def retry_in_seconds(self) -> float:
        """How long the back-off still lasts; 0 when the mailbox may be tried."""
        return max(0.0, self._retry_at - self._clock.monotonic())

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None

    def can(self, capability: str) -> bool:
        """Whether the server announced a capability; False while there is no connection."""
        return self._connection is not None and self._connection.can(capability)

    async def run(
        self, work: Callable[[Connection], T], *, doing: str, is_urgent: bool = False, is_fresh: bool = False
    ) -> T:
        """Have blocking work done on the connection, opened and logged in if need be. The work must be repeatable.

        Work on a connection that was open before and turns out to be dead is done again, once, on a new one.

        Args:
            work: called on the connection's own thread.
            doing: what it is for, in the error's text.
            is_urgent: try although the back-off is not over, unless it was our credential that was refused.
            is_fresh: log in afresh: an open session of some servers keeps the quota's old limit.

        Raises:
            MailboxUnreadable: it could not be done; the connection is closed, or in its former state.
        """
        self._waiting += 1
        try:
            async with self._gate:
                try:
                    async with self._clock.timeout(self._limits.work_seconds):
                        return await self._run(work, doing, is_urgent=is_urgent, is_fresh=is_fresh)
                except TimeoutError as error:
                    raise self._failed(error, doing) from error
        finally:
            self._waiting -= 1

    async def wait(self, seconds: float, folder: Callable[[], str]) -> None:
        """Return when the server tells of something new in the folder, at the latest after so many seconds.

        Where the server can't tell, it is the time alone. A connection that ends counts as news. Others may use the
        connection meanwhile. Cancellable; the connection stays open.
        """
        end = self._clock.monotonic() + seconds
        while (left := end - self._clock.monotonic()) > 0:
            if self._connection is None or not self._connection.can("IDLE") or self._is_closed:
                await self._clock.sleep(left)
                return
            if (
                await self._idle(self._connection, min(left, self._limits.idle_seconds), folder())
                is not Wake.CALLED
            ):
                return

    async def aclose(self) -> None:
        """Close the connection and end the thread, in bounded time; repeatable."""
        self._is_closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            self._interrupt()
            self._worker.submit(connection.logout)
        self._worker.stop()
        await self._until_thread_ends()
        if connection is not None and self._worker.is_alive:
            _shut(connection)
            await self._until_thread_ends()
        if self._call is not None and not self._worker.is_alive:
            for end in self._call:
                end.close()
            self._call = None

    async def _until_thread_ends(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with self._clock.timeout(STOP_SECONDS):
                while self._worker.is_alive:
                    await self._clock.sleep(_STOP_POLL_SECONDS)

    async def _run(
        self, work: Callable[[Connection], T], doing: str, *, is_urgent: bool, is_fresh: bool
    ) -> T:
        if is_fresh:
            await self._drop()
        was_open = self._connection is not None
        connection = self._connection or await self._connect(is_urgent=is_urgent)
        try:
            return await self._blocking(lambda: work(connection), connection)
        except OUTSIDE as error:
            if not is_dead(error):
                raise unreadable(error, self._server, doing) from error
            self._give_up(connection)
            if not was_open:
                raise self._failed(error, doing) from error
        connection = await self._connect(is_urgent=True)
        try:
            return await self._blocking(lambda: work(connection), connection)
        except OUTSIDE as error:
            if is_dead(error):
                self._give_up(connection)
                raise self._failed(error, doing) from error
            raise unreadable(error, self._server, doing) from error

    async def _connect(self, *, is_urgent: bool) -> Connection:
        """Open a connection and log in; a refused credential is renewed once, if that yields another one.

        Raises:
            MailboxUnreadable: no connection, or no login, or the back-off is not over.
        """
        if self._last is not None and self.retry_in_seconds > 0:
            is_refused = self._last.reason is not Reason.MAILBOX_UNREADABLE
            if is_refused or not is_urgent:
                raise MailboxUnreadable(str(self._last), reason=self._last.reason)
        credential = self._server.credential
        if credential is None:
            raise MailboxUnreadable(
                f"{self._server.address}: no credential. Add a password or `auth` to this account.",
                reason=Reason.CREDENTIALS_REJECTED,
            )
        try:
            secret = await self._secret(credential, renew=False)
            try:
                connection = await self._open(credential, secret)
            except OUTSIDE as error:
                renewed = await self._secret(credential, renew=True) if is_login_refused(error) else secret
                if renewed == secret:
                    raise
                connection = await self._open(credential, renewed)
        except (*OUTSIDE, SecretUnavailable) as error:
            raise self._failed(error, "login") from error
        self._connection = connection
        self._failures, self._retry_at, self._last = 0, 0.0, None
        return connection

    async def _secret(self, credential: Credential, *, renew: bool) -> Secret:
        source = credential.tokens if isinstance(credential, Bearer) else credential.secret
        async with self._clock.timeout(SECRET_SECONDS):
            return await source.read(renew=renew)

    async def _open(self, credential: Credential, secret: Secret) -> Connection:
        context = self._context()
        opened: list[Connection] = []

        def connect() -> Connection:
            connection = Connection.open(self._server, context, self._limits)
            opened.append(connection)
            try:
                connection.login(credential.username, secret, is_bearer=isinstance(credential, Bearer))
            except BaseException:
                connection.close()
                raise
            return connection

        future = self._worker.submit(connect)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            # Whatever it comes to: nobody is left to use it.
            future.add_done_callback(_close_late)
            for connection in opened:
                _shut(connection)
            raise

    def _context(self) -> ssl.SSLContext | None:
        if self._server.tls is TlsMode.NONE:
            return None
        try:
            return self._contexts.verified(tuple(self._server.ca_files))
        except Failure as error:
            raise MailboxUnreadable(f"{self._server.address}: {error}. Correct `ca`.") from error

    async def _blocking(self, work: Callable[[], T], connection: Connection) -> T:
        future = self._worker.submit(work)
        self._interrupt()
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._give_up(connection)
            raise

    async def _idle(self, connection: Connection, seconds: float, folder: str) -> Wake:
        if self._waiting:
            async with self._gate:
                return Wake.CALLED
        call = self._call_ends()[0]
        is_over = False

        def idle() -> Wake:
            if is_over or self._connection is not connection:
                return Wake.CALLED
            if not connection.is_reading(folder):
                # Opening it now would hide what came since the last search.
                return Wake.NEWS
            try:
                return connection.idle(seconds, call)
            finally:
                _drain(call)

        self._is_idle = True
        future = self._worker.submit(idle)
        try:
            return await asyncio.wrap_future(future)
        except OUTSIDE as error:
            # Not an error of the mailbox: search now, on a new connection.
            _log.debug("idle_ended", extra={"place": self._server.address, "cause": type(error).__name__})
            self._give_up(connection)
            return Wake.NEWS
        except asyncio.CancelledError:
            is_over = True
            self._interrupt()
            raise
        finally:
            self._is_idle = False

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._blocking(connection.logout, connection)

    def _call_ends(self) -> tuple[socket.socket, socket.socket]:
        if self._call is None:
            self._call = socket.socketpair()
            for end in self._call:
                end.setblocking(False)
        return self._call

    def _interrupt(self) -> None:
        """End an IDLE that the thread is in, gently."""
        if self._is_idle and self._call is not None:
            with contextlib.suppress(OSError):
                self._call[1].send(b"!")

    def _give_up(self, connection: Connection) -> None:
        """Never use a connection again; what the thread waits for on it ends now."""
        if self._connection is connection:
            self._connection = None
        _shut(connection)
        self._worker.submit(connection.close)

    def _failed(self, error: BaseException, doing: str) -> MailboxUnreadable:
        """Remember a failure for the back-off."""
        self._failures += 1
        limits = self._limits
        wait = min(
            limits.longest_retry_seconds, limits.first_retry_seconds * 2 ** min(self._failures - 1, 16)
        )
        self._retry_at = self._clock.monotonic() + wait
        self._last = unreadable(error, self._server, doing)
        return self._last


def _close_late(done: Future[Connection]) -> None:
    if not done.cancelled() and done.exception() is None:
        done.result().close()


def _shut(connection: Connection) -> None:
    with contextlib.suppress(*OUTSIDE):
        connection.raw_socket().shutdown(socket.SHUT_RDWR)


def _drain(call: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError, ConnectionDead):
        while call.recv(64):
            pass
