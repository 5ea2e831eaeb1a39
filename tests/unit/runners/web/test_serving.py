"""The page's address: had, or refused with its cause and remedy."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from runners.clock import SystemClock
from runners.web.app import build_app
from runners.web.connections import MOST_ANSWERS, MOST_CONNECTIONS
from runners.web.serving import CannotListen, bind, serve
from tests.fakes.page_scene import Scene


def test_address_in_use__is_named_with_the_remedy() -> None:
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(CannotListen) as caught:
            bind("127.0.0.1", port)

    assert str(caught.value) == (
        f"web: 127.0.0.1:{port} can't be listened on: address already in use."
        " End what listens there, or name another port in web.listen."
    )


def test_address_that_is_not_ours__is_named() -> None:
    with pytest.raises(CannotListen, match=r"^web: 192\.0\.2\.1:8080 can't be listened on: "):
        bind("192.0.2.1", 8080)


def test_name_that_nobody_knows__is_named() -> None:
    with pytest.raises(
        CannotListen, match=r"there is no address nowhere\.invalid:8080: the name is not known"
    ):
        bind("nowhere.invalid", 8080)


@contextlib.asynccontextmanager
async def served(head_seconds: float) -> AsyncIterator[int]:
    """The port of a page."""
    listening = bind("127.0.0.1", 0)
    port: int = listening.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        app = build_app(Scene().parts())
        task = group.create_task(serve(app, listening, clock=SystemClock(), head_seconds=head_seconds))
        try:
            yield port
        finally:
            task.cancel()


async def half(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request that is not sent to its end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
    return reader, writer


async def healthy(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    try:
        return (await reader.readline()).strip()
    finally:
        writer.close()


@pytest.mark.parametrize("count", [MOST_ANSWERS + 10, MOST_CONNECTIONS + 10])
def test_requests_that_are_sent_by_half__lock_nobody_out(count: int) -> None:
    async def asked() -> bytes:
        async with served(60.0) as port:
            halves = [await half(port) for _ in range(count)]
            try:
                return await healthy(port)
            finally:
                for _, writer in halves:
                    writer.close()

    assert asyncio.run(asked()) == b"HTTP/1.1 200 OK"


def test_head_that_does_not_come__ends_the_connection_also_after_an_answer() -> None:
    async def left() -> list[bytes]:
        async with served(0.2) as port:
            first, one = await half(port)
            second, other = await asyncio.open_connection("127.0.0.1", port)
            other.write(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = await second.readuntil(b"alive\n")
            other.write(b"GET /healthz HT")
            found = [answer[:15]]
            for reader in (first, second):
                try:
                    found.append(await reader.read())
                except ConnectionResetError:
                    found.append(b"")
            one.close()
            other.close()
            return found

    assert asyncio.run(left()) == [b"HTTP/1.1 200 OK", b"", b""]
