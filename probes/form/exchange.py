"""Requests and answers of one launch: one client with its cookies, answers read to a limit, redirects followed by hand."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, cast

import httpx

from canary.observation import Fact
from canary.reason import Reason
from probes.form.html import known_charset
from probes.form.identity import Identity
from probes.form.origin import Origin, allowed, shown
from probes.form.settings import FormSettings
from probes.form.wire import Wire
from probes.reasons import Failure
from probes.unpacking import ACCEPTED, Unpacking

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
REPOSTS: Final = frozenset({HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT})
"""By these a browser sends the same request a second time (RFC 9110 sections 15.4.8 and 15.4.9)."""
_FIRST_BYTES: Final = ("http11.send_request_headers.started", "http2.send_request_headers.started")


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        url: who gave it, after redirects.
        content: the body, unpacked, as far as it was read.
        is_cut: the body goes on beyond the limit.
        redirects: how many led to it.
    """

    status: int
    url: httpx.URL
    headers: httpx.Headers
    content: bytes
    charset: str | None
    is_cut: bool = False
    redirects: int = 0

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(known_charset(self.charset or "utf-8"), "replace")

    @property
    def media_type(self) -> str:
        """What it says that it is, lower case, without parameters."""
        kind: str = self.headers.get("content-type", "")
        return kind.partition(";")[0].strip().lower()

    @property
    def facts(self) -> dict[str, Fact]:
        """For the span."""
        return {"http.response.status_code": self.status, "url.full": shown(self.url)}


class Exchange:
    """One client for one launch; its connections are the wire's, and end with it."""

    def __init__(
        self, wire: Wire, settings: FormSettings, identity: Identity, *, headers: Mapping[str, str]
    ) -> None:
        """Take the parts; opens nothing.

        Args:
            wire: makes the connections.
            settings: whom we may be sent on to, and how much is read.
            identity: what is shown to whom.
            headers: of every request of this launch.
        """
        self._settings = settings
        self._identity = identity
        self._origin = Origin.of(settings.url)
        self.traceparent = ""
        """What requests to the path's own origin carry from now on; empty: nothing."""
        self._client = httpx.AsyncClient(
            transport=wire,
            headers={"User-Agent": settings.user_agent, "Accept-Encoding": ACCEPTED, **headers},
            # Clocks of the hops bound the whole; that the request is taken at all has a limit of its own.
            timeout=httpx.Timeout(None, write=settings.limits.write_seconds),
            follow_redirects=False,
            trust_env=False,
        )

    async def page(self, url: httpx.URL) -> Answer:
        """Fetch a page and whatever it redirects to.

        Raises:
            Failure: sent elsewhere, or in a circle.
            httpx.HTTPError: the connection failed.
        """
        return await self.landing(await self._get(url))

    async def post(
        self,
        method: str,
        url: httpx.URL,
        *,
        content: bytes | None,
        headers: Mapping[str, str],
        leaving: Callable[[], None],
    ) -> httpx.Response:
        """Send the request that makes a ticket; returns with the answer's header. Never repeated.

        Args:
            method: of the request.
            url: where to.
            content: the body.
            headers: beside those of the launch.
            leaving: called just before its first byte leaves.

        Raises:
            httpx.HTTPError, Failure: the connection failed, or the answer was lost.
        """
        has_left = False

        async def trace(event: str, _: Mapping[str, Any]) -> None:
            nonlocal has_left
            if event not in _FIRST_BYTES:
                return
            if has_left:
                # By HTTP/2 a server may say that it took none of it (GOAWAY); httpcore would then send it again.
                raise Failure(Reason.CONNECTION_LOST, "the server closed the connection instead of an answer")
            has_left = True
            leaving()

        return await self._send(
            self._client.build_request(
                method, url, content=content, headers=self._headers(url, headers), extensions={"trace": trace}
            )
        )

    async def landing(self, response: httpx.Response) -> Answer:
        """Read the answer, and follow its redirects by GET until there are none.

        A redirect without an address is an answer like any other. The answer is closed in the end.

        Raises:
            Failure: sent elsewhere, or in a circle (`redirect_loop`).
            httpx.HTTPError: the connection failed.
        """
        for redirects in range(self._settings.most_redirects + 1):
            answer = await self.read(response, redirects=redirects)
            target = redirect_of(answer)
            if target is None:
                return answer
            response = await self._get(self.allowed(target, base=answer.url))
        await response.aclose()
        raise Failure(
            Reason.REDIRECT_LOOP,
            f"redirected more than {self._settings.most_redirects} times, last to {shown(response.url)}",
            is_answer=True,
        )

    async def read(self, response: httpx.Response, *, redirects: int = 0) -> Answer:
        """Read the body up to the limit, and close the answer.

        Raises:
            httpx.HTTPError: the connection failed in the middle, or it is not packed as it should be.
        """
        content = bytearray()
        most, is_cut = self._settings.most_answer_bytes, False
        # Not httpx's own unpacking, which knows no limit.
        parts_of = cast("AsyncGenerator[bytes, None]", response.aiter_raw())
        try:
            unpacking = Unpacking(response.headers.get("content-encoding", ""))
            async with aclosing(parts_of) as parts:
                async for part in parts:
                    content += unpacking.unpack(part, most + 1 - len(content))
                    if len(content) > most:
                        is_cut = True
                        break
        finally:
            await response.aclose()
        return Answer(
            response.status_code,
            response.url,
            response.headers,
            bytes(content[:most]),
            response.charset_encoding,
            is_cut,
            redirects,
        )

    def allowed(self, target: str, *, base: httpx.URL) -> httpx.URL:
        """The absolute address, if it is of a host that is expected; raises `Failure` (`redirected`)."""
        return allowed(target, base=base, expect_hosts=self._settings.expect_hosts)

    async def _get(self, url: httpx.URL) -> httpx.Response:
        return await self._send(self._client.build_request("GET", url, headers=self._headers(url, {})))

    async def _send(self, request: httpx.Request) -> httpx.Response:
        return await self._client.send(request, stream=True, auth=self._identity.auth(Origin.of(request.url)))

    def _headers(self, url: httpx.URL, more: Mapping[str, str]) -> dict[str, str]:
        origin = Origin.of(url)
        # To nobody else: an id by which two hosts could tell that it was the same visitor is none of theirs.
        traced = {"traceparent": self.traceparent} if self.traceparent and origin == self._origin else {}
        return {**traced, **more, **self._identity.headers(origin)}


def redirect_of(answer: Answer | httpx.Response) -> str | None:
    """Where the answer sends us on to; None: nowhere."""
    status = answer.status if isinstance(answer, Answer) else answer.status_code
    return answer.headers.get("location") if status in _REDIRECTS else None
