"""One launch's way to the servers: connections made hop by hop, and the httpx transport that uses them."""

import ssl
from collections.abc import AsyncIterator, Mapping
from functools import partial

import httpcore
import httpx

from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.dns import MailRoute, Resolver
from probes.form.contexts import FormContexts
from probes.form.dialler import (
    Dialler,
    Opening,
    Proxy,
    Secured,
    as_httpx,
    closed_on_failure,
    our_proxy,
    peer_facts,
)
from probes.form.origin import Origin
from probes.reasons import Failure
from probes.tls import tls_facts

_MOST_CONNECTIONS = 4


class Wire(httpx.AsyncBaseTransport):
    """Names, connections and TLS of one launch; closed at the end of its scope.

    `connect` and `secure` are hops of their own and prepare the first connection to the first place; whatever else
    a request needs later is opened in the hop that asks for it.
    """

    def __init__(
        self,
        *,
        resolver: Resolver,
        clock: Clock,
        contexts: FormContexts,
        proxy: Proxy | None,
        http2: bool,
        connect_seconds: float,
    ) -> None:
        self._contexts = contexts
        self._clock = clock
        self._proxy = proxy
        self._http2 = http2
        self._dialler = Dialler(
            resolver=resolver, clock=clock, contexts=contexts, connect_seconds=connect_seconds
        )
        self._streams: dict[Origin, httpcore.AsyncNetworkStream] = {}
        self._pools: dict[Origin, httpcore.AsyncConnectionPool] = {}

    def first_place(self, origin: Origin) -> Origin:
        """Whom we connect to: the proxy if there is one."""
        return self._proxy.origin if self._proxy is not None else origin

    async def look_up(self, origin: Origin) -> MailRoute:
        """The addresses of whom we connect to; raises `Failure`."""
        return await self._dialler.look_up(self.first_place(origin).host)

    async def look_up_again(self, origin: Origin) -> None:
        """Ask a second time; raises `Failure`."""
        await self._dialler.look_up_again(self.first_place(origin).host)

    async def connect(self, origin: Origin) -> Mapping[str, Fact]:
        """Open the connection, or the tunnel, that the first request to the place will use.

        Raises:
            Failure: no address answers, or our proxy does not let us through.
        """
        stream = await self._open(origin)
        self._streams[origin] = stream
        return peer_facts(stream)

    async def connect_again(self, origin: Origin) -> None:
        """A second try from a fresh connection, closed at once; raises `Failure`."""
        await (await self._open(origin)).aclose()

    async def secure(self, origin: Origin) -> Mapping[str, Fact]:
        """Begin TLS on the connection that `connect` opened.

        Raises:
            Failure, SecretUnavailable, httpx.HTTPError: as the handshake went wrong.
        """
        stream = self._streams.pop(origin)
        async with closed_on_failure(stream):
            secured = await _handshake(stream, await self._contexts.context(origin), origin.host)
        self._streams[origin] = Secured(secured)
        connection = secured.get_extra_info("ssl_object")
        return tls_facts(connection) if isinstance(connection, ssl.SSLObject) else {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; see `httpx.AsyncBaseTransport`."""
        origin = Origin.of(request.url)
        pool = await self._pool(origin)
        stream = request.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("a request's body must be asynchronous")
        with as_httpx():
            answer = await pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=origin.scheme,
                        host=origin.host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions
        )

    async def aclose(self) -> None:
        """Close every connection. Repeatable."""
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()
        for stream in self._streams.values():
            await stream.aclose()
        self._streams.clear()
        await self._dialler.aclose()

    async def _open(self, origin: Origin) -> httpcore.AsyncNetworkStream:
        if self._proxy is None:
            return await self._dialler.dial(origin.host, origin.port)
        if origin.is_secure:
            return await self._dialler.tunnel(self._proxy, origin)
        with our_proxy(self._proxy.origin):
            return await self._dialler.dial(self._proxy.origin.host, self._proxy.origin.port)

    async def _pool(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        if origin not in self._pools:
            self._pools[origin] = await self._new_pool(origin)
        return self._pools[origin]

    async def _new_pool(self, origin: Origin) -> httpcore.AsyncConnectionPool:
        context = await self._contexts.context(origin) if origin.is_secure else None
        backend = Opening(partial(self._take, origin), clock=self._clock)
        if self._proxy is None or origin.is_secure:
            return httpcore.AsyncConnectionPool(
                ssl_context=context,
                max_connections=_MOST_CONNECTIONS,
                http2=self._http2,
                network_backend=backend,
            )
        place = self._proxy.origin
        authorization = self._proxy.authorization
        return httpcore.AsyncHTTPProxy(
            httpcore.URL(scheme=place.scheme, host=place.host, port=place.port, target="/"),
            proxy_headers=[("Proxy-Authorization", authorization)] if authorization else None,
            proxy_ssl_context=await self._contexts.context(place) if place.is_secure else None,
            max_connections=_MOST_CONNECTIONS,
            network_backend=backend,
        )

    async def _take(self, origin: Origin) -> httpcore.AsyncNetworkStream:
        """The connection that a hop prepared, else a new one."""
        kept = self._streams.pop(origin, None)
        return kept if kept is not None else await self._open(origin)


class _Body(httpx.AsyncByteStream):
    """An answer's body, its errors named as httpx names them."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with as_httpx():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


async def _handshake(
    stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext, host: str
) -> httpcore.AsyncNetworkStream:
    try:
        with as_httpx():
            return await stream.start_tls(context, server_hostname=host)
    except httpx.ConnectError as error:
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, OSError):
                raise cause from error
            cause = cause.__cause__ or cause.__context__
        raise Failure(Reason.CONNECTION_LOST, "the connection was closed during the TLS handshake") from error
