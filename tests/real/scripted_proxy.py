"""An HTTP proxy of a few lines: tunnels (CONNECT), forwards, asks for a password, and refuses where a test wants it."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Proxy:
    """`hosts`: where a name leads, as the proxy's own resolver says. `refusal`: a status instead of a tunnel."""

    hosts: dict[str, str] = field(default_factory=dict)
    password: str = ""
    refusal: int | None = None
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def proxying(proxy: Proxy) -> AsyncIterator[Proxy]:
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _one(proxy, reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _one(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
    proxy.asked.append(f"{method} {target}")
    wanted = base64.b64encode(proxy.password.encode())
    if proxy.password and b"proxy-authorization: basic " + wanted.lower() not in head.lower():
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        return
    if proxy.refusal is not None:
        writer.write(f"HTTP/1.1 {proxy.refusal} No\r\nContent-Length: 0\r\n\r\n".encode())
        return
    is_tunnel = method == "CONNECT"
    place = urlsplit(f"//{target}" if is_tunnel else target)
    host = proxy.hosts.get(place.hostname or "", place.hostname)
    there_reader, there_writer = await asyncio.open_connection(host, place.port or 80)
    if is_tunnel:
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        there_writer.write(head)
    async with asyncio.TaskGroup() as group:
        group.create_task(_pipe(reader, there_writer))
        group.create_task(_pipe(there_reader, writer))


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
