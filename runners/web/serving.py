"""Run the page on our own event loop: bind, serve until cancelled, end within a bound."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from probes.contracts import Clock

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Server

SHUTDOWN_SECONDS: Final = 3.0
"""How long answers under way may take once the page is told to stop."""
HEAD_SECONDS: Final = 10.0
"""How long a request's head may take."""
_BACKLOG: Final = 128
_MARGIN_SECONDS: Final = 2.0


class CannotListen(Exception):
    """The page's address can't be had; the message names it, the cause and the remedy."""


def bind(host: str, port: int, *, key: str = "web.listen") -> socket.socket:
    """A socket that listens there; port 0 takes any that is free.

    Args:
        host: a name or address of this machine.
        port: 0 to 65535.
        key: where the address stands in the configuration.

    Raises:
        CannotListen: the address is in use, not ours, or forbidden.
    """
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CannotListen(
            f"{_block(key)}: there is no address {shown}: {_cause(error)}. Correct {key}."
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        remedy = f"Name another address in {key}."
        if error.errno == errno.EADDRINUSE:
            remedy = f"End what listens there, or name another port in {key}."
        if error.errno == errno.EACCES:
            remedy = f"Take a port above 1023 in {key}."
        raise CannotListen(
            f"{_block(key)}: {shown} can't be listened on: {_cause(error)}. {remedy}"
        ) from None
    return listening


async def serve(
    app: "ASGIApp",
    listening: socket.socket,
    *,
    clock: Clock,
    closing: Callable[[], None] = lambda: None,
    head_seconds: float = HEAD_SECONDS,
) -> None:
    """Answer requests until cancelled, then end within `SHUTDOWN_SECONDS` and close the socket.

    Args:
        app: the page.
        listening: of `bind`.
        clock: bounds the end.
        closing: called first when it ends, so that open event streams end too.
        head_seconds: how long a request's head may take.

    Raises:
        CannotListen: the server could not be started.
    """
    server = _server(app, head_seconds)
    try:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(server.serve(sockets=[listening]))
            try:
                await asyncio.shield(running)
            except asyncio.CancelledError:
                closing()
                server.should_exit = True
                with contextlib.suppress(TimeoutError):
                    async with clock.timeout(SHUTDOWN_SECONDS + _MARGIN_SECONDS):
                        await running
                raise
    finally:
        listening.close()
    raise CannotListen("web: the server ended by itself. See the log.")


def _server(app: "ASGIApp", head_seconds: float) -> "Server":
    import uvicorn

    from runners.web.connections import Limited, impatient

    class Quiet(uvicorn.Server):
        """Leaves the signals to the daemon."""

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    return Quiet(
        uvicorn.Config(
            Limited(app),
            http=impatient(head_seconds),  # type: ignore[arg-type]  # called as a class would be
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,  # an address may hold the token
            proxy_headers=False,  # the guard must see who really connects
            server_header=False,
            timeout_graceful_shutdown=int(SHUTDOWN_SECONDS),
        )
    )


def _block(key: str) -> str:
    """The block of the configuration that holds an address: ``web`` of ``web.listen``."""
    return key.rpartition(".")[0]


def _cause(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "the name is not known"
    return os.strerror(error.errno).lower() if error.errno else str(error)
