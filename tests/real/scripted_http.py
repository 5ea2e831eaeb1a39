"""An HTTP/1.1 server of a few lines that answers, stalls and breaks exactly where a test wants it."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

HTML = {"Content-Type": "text/html; charset=utf-8"}
_PIECE_SECONDS = 0.02


class Break(StrEnum):
    """What goes wrong with an answer."""

    NOTHING = "nothing"
    SILENT = "silent"  # the request is read, and nothing comes
    CLOSED = "closed"  # closed before the header
    RESET = "reset"  # reset before the header
    CUT = "cut"  # closed in the middle of the body
    RESET_IN_BODY = "reset in body"
    TRICKLE = "trickle"  # one byte after another, whole in the end
    ENDLESS = "endless"  # the body never ends
    GARBAGE = "garbage"  # no HTTP


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path  # by a proxy, the whole address is asked for


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `late_seconds` passes before its first byte."""

    status: int = 200
    body: str | bytes = ""
    headers: Mapping[str, str] = field(default_factory=lambda: HTML)
    broken: Break = Break.NOTHING
    late_seconds: float = 0.0

    @property
    def content(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


Answering = Reply | Callable[[Request], Reply]


@dataclass
class Site:
    """What it answers, by ``METHOD /path``; and what it was asked."""

    answers: dict[str, Answering]
    context: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    port: int = 0
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        scheme = "http" if self.context is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    @property
    def posts(self) -> list[Request]:
        return [one for one in self.requests if one.method != "GET"]

    def reply(self, request: Request) -> Reply:
        answering = self.answers.get(f"{request.method} {request.path}", Reply(404, "<h1>Not found</h1>"))
        return answering(request) if callable(answering) else answering


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[Site]:
    """Serve on a free port until the scope ends; then every connection is closed."""
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        site.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await _converse(site, reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, site.host, site.port, ssl=site.context)
    site.port = server.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def accepting_only() -> AsyncIterator[int]:
    """A port whose connections are accepted by the system and never served; yields it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


@asynccontextmanager
async def without_tls() -> AsyncIterator[int]:
    """A port whose server takes whatever comes for bad HTTP, as a web server without TLS does; yields it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def unanswered() -> AsyncIterator[int]:
    """A port that answers no connection at all: its queue is full; yields it."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(3):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port


def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def _converse(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while (request := await _request(reader)) is not None:
        site.requests.append(request)
        site.asked.set()
        reply = site.reply(request)
        await asyncio.sleep(reply.late_seconds)
        if not await _answer(reply, writer):
            return


async def _request(reader: asyncio.StreamReader) -> Request | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, target, headers, body)


async def _answer(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection goes on."""
    match reply.broken:
        case Break.SILENT:
            await asyncio.Event().wait()
            return False
        case Break.CLOSED:
            return False
        case Break.RESET:
            _reset(writer)
            return False
        case Break.GARBAGE:
            writer.write(b"220 mail.acme.test ESMTP\r\n\r\n")
            await writer.drain()
            return False
        case _:
            return await _written(reply, writer)


async def _written(reply: Reply, writer: asyncio.StreamWriter) -> bool:
    content = reply.content
    length = {} if reply.broken is Break.ENDLESS else {"Content-Length": str(len(content))}
    lines = [f"{name}: {value}" for name, value in {**reply.headers, **length}.items()]
    writer.write("\r\n".join([f"HTTP/1.1 {reply.status} Scripted", *lines, "", ""]).encode())
    match reply.broken:
        case Break.CUT | Break.RESET_IN_BODY:
            writer.write(content[: len(content) // 2])
            await writer.drain()
            await asyncio.sleep(_PIECE_SECONDS)
            if reply.broken is Break.RESET_IN_BODY:
                _reset(writer)
            return False
        case Break.TRICKLE | Break.ENDLESS:
            while True:
                for index in range(len(content)):
                    writer.write(content[index : index + 1])
                    await writer.drain()
                    await asyncio.sleep(_PIECE_SECONDS)
                if reply.broken is Break.TRICKLE:
                    return True
        case _:
            writer.write(content)
            await writer.drain()
            return True


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side gets a reset instead of an end."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
