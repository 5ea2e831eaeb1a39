"""TCP connections of one launch: names by our resolver, or the tunnel of a proxy."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

import httpcore
import httpx

from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.dns import MailRoute, Resolver
from probes.form.contexts import FormContexts
from probes.form.origin import Origin
from probes.reasons import MAPPED, Failure, Fault, explain

_TELLING: Final = (Reason.REFUSED, Reason.CONNECTION_LOST, Reason.CONNECT_TIMEOUT)


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy by which everything goes; ``authorization`` is a header's value, or empty."""

    origin: Origin
    authorization: str = ""

    @classmethod
    def of(cls, text: str) -> "Proxy":
        """Read ``http://[user:password@]host[:port]``.

        Raises:
            Failure: it is none.
        """
        try:
            url = httpx.URL(text)
            origin = Origin.of(url)
        except (httpx.InvalidURL, ValueError):
            raise Failure(Reason.UNEXPECTED, "`proxy` is no http:// or https:// address") from None
        user, _, password = url.userinfo.decode("ascii").partition(":")
        pair = f"{unquote(user)}:{unquote(password)}".encode()
        return cls(origin, f"Basic {base64.b64encode(pair).decode()}" if user else "")


@contextmanager
def as_httpx() -> Iterator[None]:
    """Give httpcore's exceptions the names that httpx gives them, so that `probes.reasons` knows them."""
    try:
        yield
    except (
        httpcore.TimeoutException,
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.ProxyError,
    ) as error:
        kind: type[httpx.HTTPError] = getattr(httpx, type(error).__name__, httpx.ProtocolError)
        raise kind(str(error)) from error


class Opening(httpcore.AsyncNetworkBackend):
    """Gives httpcore a connection of ours whenever it asks for one, whatever name it asks for."""

    def __init__(
        self, opening: Callable[[], Awaitable[httpcore.AsyncNetworkStream]], *, clock: Clock
    ) -> None:
        self._opening = opening
        self._clock = clock

    async def connect_tcp(self, *_: object, **__: object) -> httpcore.AsyncNetworkStream:
        """The connection; raises `Failure`, which passes through httpcore."""
        return await self._opening()

    async def sleep(self, seconds: float) -> None:
        """As httpcore asks for it between tries, of which we allow none."""
        await self._clock.sleep(seconds)


class Dialler:
    """Connects to addresses that our own resolver found.

    So look-up and connection are told apart, and both can be cancelled. The host's name goes into TLS and into the
    request all the same.
    """

    def __init__(
        self, *, resolver: Resolver, clock: Clock, contexts: FormContexts, connect_seconds: float
    ) -> None:
        self._resolver = resolver
        self._clock = clock
        self._contexts = contexts
        self._connect_seconds = connect_seconds
        self._tcp = httpcore.AnyIOBackend()
        self._known: dict[str, MailRoute] = {}
        self._opened = AsyncExitStack()

    async def look_up(self, host: str) -> MailRoute:
        """The host's addresses, asked for once a launch.

        Raises:
            Failure: it has none, or nobody answered.
        """
        if host not in self._known:
            self._known[host] = await self._resolver.host(host)
        return self._known[host]

    async def look_up_again(self, host: str) -> None:
        """A second try, whatever is known; raises `Failure`."""
        await self._resolver.host(host)

    async def dial(self, host: str, port: int) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers.

        Raises:
            Failure: none did; its fault is the most telling one.
        """
        addresses = [one for found in (await self.look_up(host)).hosts for one in found.addresses]
        faults: list[tuple[str, Fault]] = []
        # A silent address leaves time for those after it, and the last one for what is told of them all.
        ends_at = self._clock.monotonic() + self._connect_seconds * 0.95
        for index, address in enumerate(addresses):
            limit = max(ends_at - self._clock.monotonic(), 0) / (len(addresses) - index)
            try:
                async with self._clock.timeout(limit):
                    with as_httpx():
                        return await self._tcp.connect_tcp(address, port)
            except MAPPED as error:
                fault = explain(_system_error(error), limit_reason=Reason.CONNECT_TIMEOUT)
                if fault is None:
                    raise
                faults.append((address, fault))
        raise _most_telling(faults, port)

    async def tunnel(self, proxy: Proxy, target: Origin) -> httpcore.AsyncNetworkStream:
        """A connection to the target through the proxy (CONNECT, RFC 9110 section 9.3.6).

        Raises:
            Failure: the proxy, which is ours, can't be used: never the target's fault.
        """
        headers = [("Host", target.place)] + (
            [("Proxy-Authorization", proxy.authorization)] if proxy.authorization else []
        )
        origin = proxy.origin
        pool = httpcore.AsyncConnectionPool(
            ssl_context=await self._contexts.context(origin) if origin.is_secure else None,
            network_backend=Opening(partial(self.dial, origin.host, origin.port), clock=self._clock),
        )
        await self._opened.enter_async_context(pool)
        url = httpcore.URL(
            scheme=origin.scheme, host=origin.host, port=origin.port, target=target.place.encode("ascii")
        )
        with our_proxy(origin), as_httpx():
            answer = await pool.handle_async_request(httpcore.Request("CONNECT", url, headers=headers))
        if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            raise _refused_by_proxy(origin, answer.status)
        stream: httpcore.AsyncNetworkStream = answer.extensions["network_stream"]
        return stream

    async def aclose(self) -> None:
        """Close the tunnels."""
        await self._opened.aclose()


class Secured(httpcore.AsyncNetworkStream):
    """A connection on which a hop has already begun TLS: asking for it again changes nothing."""

    def __init__(self, stream: httpcore.AsyncNetworkStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 -- httpcore's
        """Read some."""
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 -- httpcore's
        """Write all."""
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """Close it."""
        await self._stream.aclose()

    async def start_tls(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:  # noqa: ANN401 -- httpcore's signature
        """Itself."""
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 -- httpcore's signature
        """What the connection knows."""
        return self._stream.get_extra_info(info)


@asynccontextmanager
async def closed_on_failure(stream: httpcore.AsyncNetworkStream) -> AsyncIterator[None]:
    """Close the connection if the body fails, or is cancelled."""
    try:
        yield
    except BaseException:
        await stream.aclose()
        raise


def peer_facts(stream: httpcore.AsyncNetworkStream) -> dict[str, Fact]:
    """Whom the connection reached."""
    address = stream.get_extra_info("server_addr")
    if not isinstance(address, tuple):
        return {}
    return {
        "network.transport": "tcp",
        "network.peer.address": str(address[0]),
        "network.peer.port": int(address[1]),
    }


@contextmanager
def our_proxy(origin: Origin) -> Iterator[None]:
    """What goes wrong on the way to our own proxy is our fault."""
    try:
        yield
    except MAPPED as error:
        fault = explain(error, limit_reason=Reason.CONNECT_TIMEOUT)
        if fault is None:
            raise
        raise Failure(
            Reason.NETWORK_UNAVAILABLE, f"our proxy {origin.place}: {fault.reason} ({fault.detail})"
        ) from error


def _refused_by_proxy(origin: Origin, status: int) -> Failure:
    match status:
        case HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
            return Failure(
                Reason.CREDENTIALS_REJECTED, f"our proxy {origin.place} refuses our credential (407)"
            )
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            # Whether the target or the proxy's network is at fault, its status does not tell.
            return Failure(Reason.CONNECT_TIMEOUT, f"our proxy {origin.place} can't reach it ({status})")
        case _:
            return Failure(
                Reason.NETWORK_UNAVAILABLE, f"our proxy {origin.place} lets us not through ({status})"
            )


def _system_error(error: BaseException) -> BaseException:
    """The system's own error beneath what libraries made of it: its number tells a refusal from a missing route."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return cause
        cause = cause.__cause__ or cause.__context__
    return error


def _most_telling(faults: Sequence[tuple[str, Fault]], port: int) -> Failure:
    """A refusal shows more than a silence, and a silence more than a protocol for which this machine has no route."""

    def weight(fault: Fault) -> int:
        return _TELLING.index(fault.reason) if fault.reason in _TELLING else len(_TELLING)

    telling = min((fault for _, fault in faults), key=weight)
    detail = "; ".join(f"[{address}]:{port}: {fault.reason} ({fault.detail})" for address, fault in faults)
    facts: dict[str, Fact] = {
        "network.peer.address": faults[0][0],
        "network.peer.port": port,
        **telling.facts,
    }
    return Failure.of(Fault(telling.reason, detail, facts, is_answer=telling.is_answer))
