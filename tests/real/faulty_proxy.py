"""A fault-making HTTP proxy between a browser and a portal, in the process of the test.

It stands in the portal's place: the browser is given the proxy's address. Host, Origin and Referer say the portal's
address when they are passed on, and the portal's own address in Location fields and pages is turned into the proxy's,
so no portal notices. Connections are closed after each answer unless `keeps_alive`.

Chromium itself sends a request again, a POST too, when a connection that it used or opened before ends without an
answer: once here, and with `keeps_alive` as often as it has connections. `seen` counts each of them.
"""

import asyncio
import re
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial

import h11
import httpx

from tests.real.servers.certificates import Pair
from tests.real.web_faults import Answer, Cut, Fault, Forward, Request

_READ_BYTES = 65536
_UPSTREAM_SECONDS = 20.0
_BAD_GATEWAY = 502
# Fields that speak of one connection only (RFC 9110 section 7.6.1), and lengths and codings, which change here.
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "content-length"}
)
_DECODED = _HOP_BY_HOP | {"content-encoding"}
_NOT_PASSED = _HOP_BY_HOP | {"host", "accept-encoding"}


class Greeting(StrEnum):
    """What happens to a connection before any request is read (with TLS: after the handshake)."""

    READS = "reads"
    CUT = "cut"
    SILENT = "silent"
    GARBLED = "garbled"


@dataclass
class Rule:
    """A fault, and the requests that meet it.

    Attributes:
        path: regular expression, searched in path and query.
        method: None is every method.
        host: what the Host field says, without the port; None is every host.
        first: from which matching request on, counted from 1.
        times: how many of them; None is without end.
        matched: how many requests have matched; the proxy counts.
    """

    fault: Fault
    path: str = ""
    method: str | None = None
    host: str | None = None
    first: int = 1
    times: int | None = None
    matched: int = 0

    def takes(self, request: Request) -> bool:
        """Whether this request meets the fault; a request that matches is counted."""
        if self.method is not None and request.method != self.method:
            return False
        if self.host is not None and request.host.rpartition(":")[0] != self.host:
            return False
        if not re.search(self.path, request.path):
            return False
        self.matched += 1
        return self.first <= self.matched and (self.times is None or self.matched < self.first + self.times)


@dataclass
class Proxy:
    """A running proxy. `rules` may be changed at any time.

    Attributes:
        upstream: the portal's origin, `http://host:port`.
        url: the proxy's own origin.
        requests: all that came in, in order.
        forwarded: those that the portal has answered.
    """

    upstream: str
    url: str = ""
    rules: list[Rule] = field(default_factory=list)
    greeting: Greeting = Greeting.READS
    keeps_alive: bool = False
    connections: int = 0
    requests: list[Request] = field(default_factory=list)
    forwarded: list[Request] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def seen(self, path: str = "", method: str | None = None) -> list[Request]:
        """Requests that reached the proxy."""
        return _matching(self.requests, path, method)

    def reached(self, path: str = "", method: str | None = None) -> list[Request]:
        """Requests that reached the portal."""
        return _matching(self.forwarded, path, method)


def _matching(requests: Sequence[Request], path: str, method: str | None) -> list[Request]:
    return [one for one in requests if re.search(path, one.path) and method in {None, one.method}]


class _Connection:
    """One connection of a browser: its requests, one after the other."""

    def __init__(
        self,
        proxy: Proxy,
        portal: httpx.AsyncBaseTransport,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._proxy, self._portal, self._reader, self._writer = proxy, portal, reader, writer
        self._wire = h11.Connection(h11.SERVER)

    async def run(self) -> None:
        self._proxy.connections += 1
        match self._proxy.greeting:
            case Greeting.CUT:
                raise Cut
            case Greeting.SILENT:
                await asyncio.Event().wait()
            case Greeting.GARBLED:
                self._writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
                await self._writer.drain()
                return
            case Greeting.READS:
                pass
        while (request := await self._request()) is not None:
            self._proxy.requests.append(request)
            await self._send(await self._answer(request), request)
            if self._wire.our_state is not h11.DONE or self._wire.their_state is not h11.DONE:
                return
            self._wire.start_next_cycle()

    async def _event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._wire.next_event()) is h11.NEED_DATA:
            self._wire.receive_data(await self._reader.read(_READ_BYTES))
        return event

    async def _request(self) -> Request | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = b""
        while isinstance(event := await self._event(), h11.Data):
            body += bytes(event.data)
        if not isinstance(event, h11.EndOfMessage):
            return None
        headers = tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in head.headers)
        host = next((value for key, value in headers if key == "host"), "")
        return Request(head.method.decode(), head.target.decode("latin-1"), headers, body, host)

    async def _answer(self, request: Request) -> Answer:
        forward: Forward = self._forward
        for rule in reversed([rule for rule in self._proxy.rules if rule.takes(request)]):
            forward = partial(_call, rule.fault, forward)
        return await forward(request)

    async def _forward(self, request: Request) -> Answer:
        upstream, own = self._proxy.upstream, f"{self._scheme}://{request.host}"
        headers = [
            (key, value.replace(own, upstream, 1) if key in {"origin", "referer"} else value)
            for key, value in request.headers
            if key not in _NOT_PASSED
        ]
        # The transport alone: a client would keep cookies of its own and add fields.
        passed = httpx.Request(
            request.method,
            upstream + request.path,
            headers=headers,
            content=request.body,
            extensions={"timeout": httpx.Timeout(_UPSTREAM_SECONDS).as_dict()},
        )
        try:
            found = await self._portal.handle_async_request(passed)
            await found.aread()
        except httpx.HTTPError as error:
            text = f"the proxy of the tests could not reach the portal: {error!r}"
            return Answer(_BAD_GATEWAY, (("Content-Type", "text/plain"),), text.encode())
        self._proxy.forwarded.append(request)
        kept = tuple(
            (key, value.replace(upstream, own, 1) if key.casefold() == "location" else value)
            for key, value in found.headers.multi_items()
            if key.casefold() not in _DECODED
        )
        answer = Answer(found.status_code, kept, found.content)
        if answer.is_html:
            answer = replace(answer, body=answer.body.replace(upstream.encode(), own.encode()))
        return answer

    async def _send(self, answer: Answer, request: Request) -> None:
        headers = list(answer.headers)
        if answer.has_length:
            headers.append(("Content-Length", str(len(answer.body))))
        if not (self._proxy.keeps_alive and answer.has_length):
            headers.append(("Connection", "close"))
        await self._write(h11.Response(status_code=answer.status, headers=headers))
        if request.method != "HEAD":
            async for piece in answer.pieces(answer.body):
                await self._write(h11.Data(data=piece))
        await self._write(h11.EndOfMessage())

    async def _write(self, event: h11.Event) -> None:
        self._writer.write(self._wire.send(event) or b"")
        await self._writer.drain()

    @property
    def _scheme(self) -> str:
        return "http" if self._writer.get_extra_info("ssl_object") is None else "https"


async def _call(fault: Fault, forward: Forward, request: Request) -> Answer:
    return await fault(request, forward)


def tls(pair: Pair) -> ssl.SSLContext:
    """A server's context that shows this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate_path, pair.key_path)
    return context


@asynccontextmanager
async def faulty_proxy(
    upstream: str,
    *rules: Rule,
    host: str = "127.0.0.1",
    shown_as: str | None = None,
    context: ssl.SSLContext | None = None,
    keeps_alive: bool = False,
) -> AsyncIterator[Proxy]:
    """Stand before the portal within the scope.

    Args:
        upstream: the portal's origin; a path after it is left out.
        rules: the first that takes a request is the outermost; all that take it meet it.
        host: where it listens.
        shown_as: the name in `url`, such as localhost where it listens on 127.0.0.1.
        context: with one, it speaks TLS.
        keeps_alive: whether connections outlive an answer.
    """
    origin = httpx.URL(upstream)
    proxy = Proxy(f"{origin.scheme}://{origin.netloc.decode()}", rules=list(rules), keeps_alive=keeps_alive)
    tasks: set[asyncio.Task[None]] = set()
    trusts_nobody = ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )  # portals speak plainly; a trust store takes time to read
    async with httpx.AsyncHTTPTransport(verify=trusts_nobody, trust_env=False) as portal:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await _Connection(proxy, portal, reader, writer).run()
            except Cut as end:
                if not end.softly:
                    _reset(writer)
            except (OSError, h11.ProtocolError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(serve, host, 0, ssl=context)
        scheme = "http" if context is None else "https"
        proxy.url = f"{scheme}://{shown_as or host}:{server.sockets[0].getsockname()[1]}"
        try:
            yield proxy
        finally:
            server.close()
            while tasks:
                for task in list(tasks):
                    task.cancel()
                await asyncio.sleep(0)
            await server.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


@contextmanager
def faulty_proxy_elsewhere(
    upstream: str,
    *rules: Rule,
    host: str = "127.0.0.1",
    shown_as: str | None = None,
    context: ssl.SSLContext | None = None,
    keeps_alive: bool = False,
) -> Iterator[Proxy]:
    """Stand before the portal by a thread of its own, so that the proxy outlives the loop of the client."""
    began, loop, over, proxies = threading.Event(), asyncio.new_event_loop(), asyncio.Event(), list[Proxy]()

    async def serve() -> None:
        async with faulty_proxy(
            upstream, *rules, host=host, shown_as=shown_as, context=context, keeps_alive=keeps_alive
        ) as proxy:
            proxies.append(proxy)
            began.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        assert began.wait(10)
        yield proxies[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()
