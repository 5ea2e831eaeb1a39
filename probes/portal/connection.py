"""Connections of our own to a portal's servers, beside the browser's: are they there, are their certificates valid."""

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Final
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

from canary.observation import Fact
from canary.reason import Reason
from probes.contracts import Clock
from probes.reasons import MAPPED, Failure
from probes.selfcheck import ControlProtocol, Question
from probes.tls import Contexts, tls_facts

_CONNECT_SECONDS: Final = 10.0
_HTTPS: Final = "https"
_PORTS: Final = {_HTTPS: 443, "http": 80}


class Reach:
    """The way to one portal's servers.

    Behind a proxy nothing can be tried beside the browser: what the proxy loses, a connection of ours can't judge.
    """

    def __init__(
        self, url: str, *, ca_files: tuple[str, ...], contexts: Contexts, clock: Clock, has_proxy: bool
    ) -> None:
        """Keep the parts; connects nowhere.

        Args:
            url: where the portal begins.
            ca_files: authorities that are trusted beside the system's.
            contexts: shared TLS contexts.
            clock: limits.
            has_proxy: whether the browser goes by one.
        """
        self._url = url
        self._ca_files = ca_files
        self._contexts = contexts
        self._clock = clock
        self.has_proxy = has_proxy

    async def needs_own_authorities(self) -> bool:
        """Whether the portal's certificate holds with the path's authorities alone, of which the browser can't know.

        Only then the browser is told to verify nothing, and we verify in its place.
        """
        if not self._ca_files or self.has_proxy or urlsplit(self._url).scheme != _HTTPS:
            return False
        try:
            await self._connect(self._url, self._contexts.verified())
        except (
            OSError
        ):  # not valid, or nobody is there: then the same is tried again where it can be reported
            return True
        return False

    async def verify(self, url: str) -> None:
        """Verify the certificate of an address against the path's authorities and the system's.

        Raises:
            OSError: refused, or not valid.
            Failure: silent.
        """
        try:
            await self.connect(url)
        except TimeoutError as error:
            raise Failure(Reason.CONNECT_TIMEOUT, f"no TLS within {_CONNECT_SECONDS:g} s") from error

    async def connect(self, url: str) -> Mapping[str, Fact]:
        """Connect, with TLS where the address says so, and close; the facts of TLS.

        Raises:
            OSError: refused, silent, or the certificate is not valid.
        """
        is_tls = urlsplit(url).scheme == _HTTPS
        return await self._connect(url, self._contexts.verified(self._ca_files) if is_tls else None)

    async def is_unanswered(self, url: str) -> bool:
        """Whether not even a connection to that address is answered; never said behind a proxy."""
        if self.has_proxy:
            return False
        try:
            await self._connect(url, None)
        except OSError:
            return True
        return False

    def question(self, url: str) -> Question | None:
        """What to ask the controls of a failure at that address; None: they can't judge it."""
        host, port = _place(url)
        if self.has_proxy or not host:
            return None
        return Question(ControlProtocol.HTTPS, port, f"{host}:{port}", partial(self.fails, self.connect, url))

    async def fails(self, action: Callable[..., Awaitable[object]], *given: object) -> bool:
        """The second try from a fresh connection: whether it fails too."""
        try:
            async with self._clock.timeout(_CONNECT_SECONDS):
                await action(*given)
        except MAPPED:
            return True
        return False

    async def _connect(self, url: str, context: ssl.SSLContext | None) -> Mapping[str, Fact]:
        host, port = _place(url)
        async with self._clock.timeout(_CONNECT_SECONDS):
            return await connect_once(host, port, context=context)


class Verified:
    """Verifies in the browser's place, where it can't: each of the portal's hosts once a canary."""

    def __init__(self, reach: Reach, *, hosts: frozenset[str], is_needed: bool) -> None:
        """Keep the parts; `is_needed` says whether the browser was told to verify nothing."""
        self._reach = reach
        self._hosts = hosts
        self._is_needed = is_needed
        self._known: set[tuple[str, int]] = set()

    async def verify(self, urls: Iterable[str]) -> None:
        """Verify those of these addresses that were not verified yet.

        Raises:
            OSError: refused, or not valid.
            Failure: silent.
        """
        if not self._is_needed:
            return
        for url in list(urls):
            place = _place(url)
            if urlsplit(url).scheme == _HTTPS and place[0] in self._hosts and place not in self._known:
                await self._reach.verify(url)
                self._known.add(place)


def goes_by_proxy(url: str, configured: str | None) -> bool:
    """Whether the browser asks a proxy for that address: the configured one, or as the environment says."""
    if configured is not None:
        return True
    parts = urlsplit(url)
    proxies = getproxies_environment()
    host = parts.hostname or ""
    # Chromium goes to loopback by itself, whatever the environment says
    is_here = host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")
    has_one = parts.scheme in proxies or "all" in proxies
    return has_one and not is_here and not proxy_bypass(host)


async def connect_once(host: str, port: int, *, context: ssl.SSLContext | None) -> Mapping[str, Fact]:
    """Connect, shake hands (with a context: None is plain HTTP) and close; the facts of TLS.

    The caller bounds it.

    Raises:
        OSError: refused, silent, or the certificate is not valid.
    """
    _, writer = await asyncio.open_connection(
        host, port, ssl=context, server_hostname=host if context is not None else None
    )
    try:
        connection: ssl.SSLObject | None = writer.get_extra_info("ssl_object")
        return tls_facts(connection) if connection is not None else {}
    finally:
        writer.transport.abort()  # a polite end of TLS would wait for the other side


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    port = None
    with contextlib.suppress(ValueError):
        port = parts.port
    return (parts.hostname or "").lower(), port or _PORTS.get(parts.scheme, 443)
