"""One POST over HTTP: bounded, never redirected, its failures told as permanent or not, and without a secret."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple

from runners.alerts.contracts import Clock, Mask, Undelivered
from runners.alerts.outward import Address, public_addresses

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 10.0
"""How long one POST may take from connect to the end of the answer."""
MOST_ANSWER_BYTES = 16 * 1024
"""How much of an answer is read: sinks say what is wrong in a line."""
LONGEST_RETRY_SECONDS = 3600.0
"""How long a Retry-After may keep us away: a page is not put off until tomorrow by a header."""
_TRANSIENT = frozenset({408, 425, 429})
_SHOWN_CHARACTERS = 200
_SECRET_CHARACTERS = 8
"""Parts of a path that are so long may be its secret."""
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a sink answered: its status and the beginning of its body."""

    status: int
    text: str


class _Asked(NamedTuple):
    """What httpx is asked for."""

    url: "httpx.URL"
    headers: Mapping[str, str]
    extensions: Mapping[str, str]


@dataclass(slots=True)
class Poster:
    """Posts for one sink. Every call has a connection of its own: alerts are rare, idle connections die unseen.

    Attributes:
        name: the sink's, for messages.
        mask: takes secrets out of whatever the other side says.
        is_public_only: refuse addresses that are not on the public internet.
        ca_files: PEM files of authorities that are trusted beside the system's.
    """

    name: str
    clock: Clock
    mask: Mask
    timeout_seconds: float = TIMEOUT_SECONDS
    is_public_only: bool = False
    ca_files: tuple[str, ...] = ()
    _context: ssl.SSLContext | None = field(default=None, init=False, repr=False)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str] = JSON) -> Answer:
        """Post once; returns the answer where it is 2xx. Cancellable.

        Raises:
            Undelivered: anything else. Network trouble, 3xx, 408, 425, 429 and 5xx may pass; other 4xx don't.
        """
        import httpx

        try:
            async with self.clock.timeout(self.timeout_seconds):
                return await self._post(url, body, headers)
        except TimeoutError as error:
            raise self.failed(f"no answer within {self.timeout_seconds:g} s") from error
        except httpx.InvalidURL:
            # Its message may hold a part of the address, which may be a secret: so the cause is not kept either.
            raise self.failed("its URL can't be read; correct it") from None
        except (httpx.HTTPError, OSError) as error:
            raise self.failed(_cause(error)) from error

    async def _post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        import httpx

        target = httpx.URL(url)
        if target.scheme not in {"http", "https"} or not target.host:
            raise self.failed("its URL is not one of http or https; correct it")
        if not self.is_public_only:
            return await self._send(target, body, _asked(target, None, headers), self.timeout_seconds)
        *others, last = await self._addresses(target)
        connect_seconds = self.timeout_seconds / (len(others) + 2)
        for address in others:
            # Only a connection that was never made: whatever was asked once is not asked again here.
            with contextlib.suppress(httpx.ConnectError, httpx.ConnectTimeout):
                return await self._send(target, body, _asked(target, address, headers), connect_seconds)
        return await self._send(target, body, _asked(target, last, headers), self.timeout_seconds)

    async def _send(self, target: "httpx.URL", body: bytes, asked: _Asked, connect_seconds: float) -> Answer:
        import httpx

        # Reading the system's authorities takes tens of milliseconds.
        context = await asyncio.to_thread(self._tls)
        async with (
            httpx.AsyncClient(
                verify=context,
                timeout=httpx.Timeout(self.timeout_seconds, connect=connect_seconds),
                follow_redirects=False,
                # An address that was looked up and found public is the one that is connected to: no proxy between.
                trust_env=not self.is_public_only and not _is_loopback(target.host),
            ) as client,
            client.stream(
                "POST", asked.url, content=body, headers=asked.headers, extensions=asked.extensions
            ) as response,
        ):
            answer = Answer(response.status_code, (await _beginning(response)).decode(errors="replace"))
        hidden = Answer(answer.status, _without_path(answer.text, target))
        self._judge(hidden, response.headers.get("retry-after"))
        return answer

    async def _addresses(self, target: "httpx.URL") -> tuple[Address, ...]:
        port = target.port or (443 if target.scheme == "https" else 80)
        found = await public_addresses(target.host, port)
        if not found:
            # Not for good: once the configuration or the name server is corrected, nothing was lost.
            raise self.failed("its host has an address that is not public; `allow_private: true` allows it")
        return found

    def _judge(self, answer: Answer, retry_after: str | None) -> None:
        if 200 <= answer.status < 300:  # noqa: PLR2004 -- 2xx (RFC 9110 section 15.3)
            return
        said = " ".join(self.mask(answer.text).split())[:_SHOWN_CHARACTERS]
        message = f"answered {answer.status}" + (f": {said}" if said else "")
        if 300 <= answer.status < 400:  # noqa: PLR2004 -- 3xx
            raise self.failed(f"{message}; redirects are not followed: name the final address")
        is_transient = answer.status in _TRANSIENT or answer.status >= 500  # noqa: PLR2004 -- 5xx
        raise self.failed(
            message,
            permanent=not is_transient,
            retry_after_seconds=_seconds(retry_after, self.clock.now()) if is_transient else None,
        )

    def failed(
        self, message: str, *, permanent: bool = False, retry_after_seconds: float | None = None
    ) -> Undelivered:
        """What to raise: masked, with the sink's name."""
        return Undelivered(
            f"{self.name}: {self.mask(message)}", permanent=permanent, retry_after_seconds=retry_after_seconds
        )

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = client_context(self.ca_files)
        return self._context


def client_context(ca_files: tuple[str, ...] = ()) -> ssl.SSLContext:
    """A context that verifies chain and name. Raises `OSError` where a file can't be used."""
    context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for file in ca_files:
        context.load_verify_locations(cafile=file)
    return context


def _asked(target: "httpx.URL", address: Address | None, headers: Mapping[str, str]) -> _Asked:
    """What httpx is asked for; a pinned address keeps the name for Host and for the certificate."""
    # Packed answers may grow a thousandfold in memory.
    given = {"Accept-Encoding": "identity", "User-Agent": "intake-prober", **headers}
    if address is None:
        return _Asked(target, given, {})
    host = {"Host": target.netloc.decode("ascii")}
    return _Asked(target.copy_with(host=address), {**given, **host}, {"sni_hostname": target.host})


def _without_path(text: str, target: "httpx.URL") -> str:
    """An answer that may repeat what it was asked for, without it: whoever knows such a path can post there too."""
    path = target.raw_path.decode("ascii")
    parts = {path, target.path, *(one for one in re.split(r"[/?&=]", path) if len(one) >= _SECRET_CHARACTERS)}
    for part in sorted(parts - {"/", ""}, key=len, reverse=True):
        text = text.replace(part, "***")
    return text


async def _beginning(response: "httpx.Response") -> bytes:
    read = b""
    async for piece in response.aiter_raw():
        read += piece
        if len(read) >= MOST_ANSWER_BYTES:
            break
    return read[:MOST_ANSWER_BYTES]


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Seconds of a Retry-After, which is a number or a date (RFC 9110 section 10.2.3); None where it is neither."""
    if retry_after is None:
        return None
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), LONGEST_RETRY_SECONDS)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter of a year that no calendar has
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max(0.0, (at - now).total_seconds()), LONGEST_RETRY_SECONDS)


def _cause(error: Exception) -> str:
    """A network error in words; libraries leave some of them empty."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"
