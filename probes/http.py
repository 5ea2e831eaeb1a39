"""The one way to an HTTP API: bounded, verified, authorised, and blind rather than wrong when an answer is not of the contract."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from types import MappingProxyType
from typing import Final
from urllib.parse import urlsplit

import httpx

from probes.contracts import Blind, Clock
from probes.json_answer import Json
from probes.masking import Masker, Secret
from probes.rate_limits import RateLimits
from probes.request_outcome import Asked, RequestOutcome, meaning_of, outcome_of
from probes.servers import SecretSource
from probes.skew import Skew
from probes.unpacking import ACCEPTED, Unpacking
from probes.user_agent import ANONYMOUS

MOST_REDIRECTS: Final = 3
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS: Final = MappingProxyType({"Accept": "application/json", "Accept-Encoding": ACCEPTED})
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

Authorise = Callable[[Secret], Mapping[str, str]]
"""Makes the headers that carry a credential."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where an API is and what a call may cost.

    Attributes:
        name: of the system in the configuration; begins each message.
        url: the API's base; every call stays at its origin.
        connect_seconds, read_seconds: for one connection and for one piece of an answer.
        total_seconds: for a whole call, redirects and a second try included.
        most_connections: open at once, however many canaries are out.
        most_answer_bytes: of one answer, unpacked; a longer one is not read.
        ca_files: PEM files of authorities that are trusted beside the system's; ``user_agent``: who asks.
    """

    name: str
    url: str
    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 20.0
    most_connections: int = 2
    most_answer_bytes: int = 16 * 1024 * 1024
    ca_files: tuple[str, ...] = ()
    user_agent: str = ANONYMOUS


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, read whole.

    Attributes:
        content: the body, unpacked.
        what: method and URL without its query, for messages.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes
    what: str
    name: str

    def json(self) -> Json:
        """The body as JSON.

        Raises:
            Blind: it is HTML (a maintenance or login page), or not JSON.
        """
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == "text/html" or self.content.lstrip()[:1] == b"<":
            raise Blind(
                f"{self.name}: {self.what} answered {self.status} with a web page instead of JSON:"
                " maintenance, or a login in between. Open the URL in a browser.",
                status=self.status,
            )
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            raise Blind(
                f"{self.name}: {self.what} answered {self.status} with text that is not JSON:"
                " look at what stands between us and the API.",
                status=self.status,
            ) from None
        return Json(value, where="", source=f"{self.name}: the answer to {self.what}")


@dataclass(slots=True)
class _Known:
    """What the answers so far have told."""

    skew: Skew = field(default_factory=Skew)
    limits: RateLimits = field(default_factory=RateLimits)


class Api:
    """One HTTP API with its credential. Calls may run side by side; each is bounded and can be cancelled."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: HttpSettings,
        *,
        clock: Clock,
        masker: Masker,
        secret: SecretSource,
        authorise: Authorise,
        asked: Asked = lambda _: None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._masker = masker
        self._secret = secret
        self._authorise = authorise
        self._asked = asked
        self._known = _Known()
        self._base = settings.url.rstrip("/")
        self._origin = _origin(settings.url)

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        return self._settings.name

    @property
    def skew(self) -> Skew:
        """The server's clock less ours, by the ``Date`` of the answers so far."""
        return self._known.skew

    @property
    def rate_limits(self) -> RateLimits:
        """The rate-limit windows by the answers so far."""
        return self._known.limits

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Json:
        """Read JSON.

        Raises:
            Blind: refused, throttled, down, silent, or no JSON.
            SecretUnavailable: our credential can't be had.
        """
        return (await self.call("GET", path, query=query)).json()

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] = _NO_HEADERS,
        accept: Collection[int] = (),
    ) -> Answer:
        """Make one call; a refused credential is renewed once, a lost connection tried once more if that is safe.

        Args:
            method: the HTTP method.
            path: below the base URL, or an absolute URL of the same origin.
            query: its parameters.
            body: sent as JSON, unless None.
            headers: besides the usual ones.
            accept: statuses outside 2xx that the caller understands.

        Raises:
            Blind: any other status, or no answer in time.
            SecretUnavailable: our credential can't be had.
        """
        url = path if "://" in path else f"{self._base}/{path.lstrip('/')}"
        what = f"{method} {url.partition('?')[0]}"
        request = _Request(method, url, dict(query) if query else None, body, headers, what, accept)
        try:
            async with self._clock.timeout(self._settings.total_seconds):
                answer = await self._authorised(request)
        except TimeoutError:
            raise Blind(
                f"{self.name}: {what} gave no whole answer within {self._settings.total_seconds:g} s."
                " Look at the load of the system."
            ) from None
        return self._judged(answer, accept)

    async def _authorised(self, request: "_Request") -> Answer:
        answer = await self._sent(request, await self._secret.read())
        if answer.status == HTTPStatus.UNAUTHORIZED:
            # refused before anything was done, so that also a write may be said again
            answer = await self._sent(request, await self._secret.read(renew=True))
        return answer

    async def _sent(self, request: "_Request", secret: Secret) -> Answer:
        self._masker.register(secret)
        headers = {**request.headers, **self._authorise(secret)}
        url, query = request.url, request.query
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._tried(request, url, query, headers)
            if not _is_redirect(answer.status):
                return answer
            url, query = self._redirected(request, url, answer), None
        raise Blind(f"{self.name}: {request.what} is redirected in a circle: correct the configured `url`.")

    async def _tried(
        self, request: "_Request", url: str, query: dict[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        self._within_origin(url)
        try:
            try:
                return await self._exchanged(request, url, query, headers)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # a server may close an idle connection in the moment in which we use it again
                if request.method not in _IDEMPOTENT:
                    raise
                return await self._exchanged(request, url, query, headers)
        except httpx.TimeoutException:
            raise Blind(
                f"{self.name}: {request.what} was not answered in time. Look at the system."
            ) from None
        except httpx.HTTPError as error:
            detail = self._masker.detail(str(error) or type(error).__name__)
            raise Blind(
                f"{self.name}: {request.what} could not be reached ({detail}). Look whether it is up, and at our route."
            ) from error

    async def _exchanged(
        self, request: "_Request", url: str, query: dict[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        outcome = RequestOutcome.ERROR
        try:
            answer = await self._read(request, url, query, headers)
            outcome = outcome_of(answer.status, request.accept)
        finally:
            self._asked(outcome)
        return answer

    async def _read(
        self, request: "_Request", url: str, query: dict[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        began_at = self._clock.now()
        async with self._client.stream(
            request.method, url, params=query, json=request.body, headers=headers
        ) as response:
            content, most = bytearray(), self._settings.most_answer_bytes
            unpacking = Unpacking(response.headers.get("content-encoding", ""))
            async for piece in response.aiter_raw():
                content += unpacking.unpack(piece, most + 1 - len(content))
                if len(content) > most:
                    raise Blind(
                        f"{self.name}: {request.what} answers with more than"
                        f" {most} bytes. Lower the page size."
                    )
        ended_at = self._clock.now()
        self._known.skew.note(_http_date(response.headers.get("date")), began_at=began_at, ended_at=ended_at)
        self._known.limits.note(response.headers, now=ended_at)
        return Answer(
            response.status_code, dict(response.headers), bytes(content), request.what, self._settings.name
        )

    def _redirected(self, request: "_Request", url: str, answer: Answer) -> str:
        target = str(httpx.URL(url).join(answer.headers.get("location", "")))
        if request.method not in _IDEMPOTENT:
            raise Blind(
                f"{self.name}: {request.what} is redirected to {_shown(target)}: correct the configured `url`.",
                status=answer.status,
            )
        return target

    def _within_origin(self, url: str) -> None:
        if _origin(url) != self._origin:
            raise Blind(
                f"{self.name}: sent on to {_shown(url)}, another place than the configured {self._base}:"
                " our credential is not shown there. Correct `url`."
            )

    def _judged(self, answer: Answer, accept: Collection[int]) -> Answer:
        status = answer.status
        if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES or status in accept:
            return answer
        raise Blind(
            f"{self.name}: {answer.what} answered {status}: {meaning_of(status)}",
            status=status,
            retry_after_seconds=retry_after_seconds(answer.headers, now=self._clock.now()),
        )


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    query: dict[str, str] | None
    body: object
    headers: Mapping[str, str]
    what: str
    accept: Collection[int]


@asynccontextmanager
async def open_api(
    settings: HttpSettings,
    *,
    clock: Clock,
    masker: Masker,
    secret: SecretSource,
    authorise: Authorise,
    transport: httpx.AsyncBaseTransport | None = None,
    asked: Asked = lambda _: None,
) -> AsyncIterator[Api]:
    """An API with its connections, which are closed at the end of the scope. Connects with the first call only.

    Raises:
        OSError, ssl.SSLError: a CA file can't be read.
    """
    client = httpx.AsyncClient(
        verify=_context(settings.ca_files),
        timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds),
        limits=httpx.Limits(
            max_connections=settings.most_connections, max_keepalive_connections=settings.most_connections
        ),
        headers={**_ALWAYS, "User-Agent": settings.user_agent},
        follow_redirects=False,
        trust_env=not _is_loopback(settings.url),
        transport=transport,
    )
    async with client:
        yield Api(
            client, settings, clock=clock, masker=masker, secret=secret, authorise=authorise, asked=asked
        )


def retry_after_seconds(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """How long we are asked to stay away, by ``Retry-After`` (RFC 9110 section 10.2.3); None where it says nothing.

    It is a number of seconds or a date; a date is taken by the server's own ``Date``, where there is one.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    value = lower.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value)
    until = _http_date(value)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(lower.get("date")) or now)).total_seconds())


def _context(ca_files: Collection[str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for file in ca_files:
        context.load_verify_locations(file)
    return context


def _http_date(value: str | None) -> datetime | None:
    """An HTTP date (RFC 9110 section 5.6.7), aware UTC; None where it is none."""
    if not value:
        return None
    try:
        stamp = parsedate_to_datetime(value)
        return stamp.astimezone(UTC) if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port; of what is no address, nothing that equals another's."""
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    return parts.scheme, (parts.hostname or "").lower(), port


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def _is_loopback(url: str) -> bool:
    """Whether no proxy may stand in between: a proxy's own loopback is another machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _is_redirect(status: int) -> bool:
    return status in {301, 302, 303, 307, 308}
