"""One exchange over HTTP with a known server: bounded, at one origin, counted, and without a credential of its own."""

import json
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

import httpx

from probes.contracts import Blind, Clock
from probes.http_dates import http_date
from probes.http_exchange import Exchange, Witness
from probes.json_answer import Json
from probes.masking import Masker
from probes.origins import SentElsewhere, is_loopback, origin_of, shown_origin
from probes.rate_limits import RateLimits
from probes.request_outcome import Asked, RequestOutcome, outcome_of
from probes.skew import Skew
from probes.unpacking import ACCEPTED, Unpacking
from probes.user_agent import ANONYMOUS

MOST_REDIRECTS: Final = 3
_IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS"})
_ALWAYS: Final = MappingProxyType({"Accept": "application/json", "Accept-Encoding": ACCEPTED})
_GUARD: Final = b")]}'"
"""Some systems begin their JSON with it, so that no script of another page can take it for a program."""
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})

Pairs = Sequence[tuple[str, str]]
"""Parameters of a query or a form, in their order; a name may come twice."""


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
        content = self.content.removeprefix(_GUARD).lstrip()
        if content[:1] == b"<" or (kind == "text/html" and content[:1] not in (b"{", b"[")):
            raise Blind(
                f"{self.name}: {self.what} answered {self.status} with a web page instead of JSON:"
                " maintenance, or a login in between. Open the URL in a browser.",
                status=self.status,
            )
        try:
            value = json.loads(content)
        except (ValueError, RecursionError):
            raise Blind(
                f"{self.name}: {self.what} answered {self.status} with text that is not JSON:"
                " look at what stands between us and the API.",
                status=self.status,
            ) from None
        return Json(value, where="", source=f"{self.name}: the answer to {self.what}")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is sent.

    Attributes:
        path: below the base URL, or an absolute URL of the same origin.
        json: sent as JSON, unless None; ``form``: sent as a form, unless None.
        accept: statuses outside 2xx that the caller understands; for the count of outcomes alone.
    """

    method: str
    path: str
    query: Pairs | None = None
    json: object = None
    form: Pairs | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: _NO_HEADERS)
    accept: Collection[int] = ()


@dataclass(slots=True)
class _Known:
    """What the answers so far have told."""

    skew: Skew = field(default_factory=Skew)
    limits: RateLimits = field(default_factory=RateLimits)


class Wire:
    """The connections to one server. Exchanges may run side by side; each is bounded and can be cancelled."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        settings: HttpSettings,
        *,
        clock: Clock,
        masker: Masker,
        asked: Asked = lambda _: None,
        witness: Witness | None = None,
    ) -> None:
        self._client = client
        self._settings = settings
        self._clock = clock
        self._masker = masker
        self._asked = asked
        self._witness = witness
        self._known = _Known()
        self._base = settings.url.rstrip("/")
        self._origin = origin_of(settings.url)

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

    def at(self, url: str) -> "Wire":
        """The same connections, to another server whose address is trusted; what its answers tell is its own."""
        settings = replace(self._settings, url=url)
        return Wire(
            self._client,
            settings,
            clock=self._clock,
            masker=self._masker,
            asked=self._asked,
            witness=self._witness,
        )

    def what(self, request: Request) -> str:
        """Method and URL without its query, for messages."""
        return f"{request.method} {self._url(request.path).partition('?')[0]}"

    async def ask(self, request: Request) -> Answer:
        """Send it and read the whole answer, whatever its status; a lost connection is tried again if that is safe.

        Raises:
            Blind: no answer in time, none at all, one that is too long, or sent on to another place.
        """
        try:
            async with self._clock.timeout(self._settings.total_seconds):
                return await self.exchange(request)
        except TimeoutError:
            raise Blind(
                f"{self.name}: {self.what(request)} gave no whole answer within"
                f" {self._settings.total_seconds:g} s. Look at the load of the system."
            ) from None

    async def exchange(self, request: Request) -> Answer:
        """As `ask`, without a limit of its own: the caller has one."""
        url, query = self._url(request.path), request.query
        for _ in range(MOST_REDIRECTS + 1):
            answer = await self._tried(request, url, query)
            if not _is_redirect(answer.status):
                return answer
            url, query = self._redirected(request, url, answer), None
        raise Blind(
            f"{self.name}: {self.what(request)} is redirected in a circle: correct the configured `url`."
        )

    def _url(self, path: str) -> str:
        return path if "://" in path else f"{self._base}/{path.lstrip('/')}"

    async def _tried(self, request: Request, url: str, query: Pairs | None) -> Answer:
        self._within_origin(url)
        self._check_headers(request)
        try:
            try:
                return await self._exchanged(request, url, query)
            except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                # a server may close an idle connection in the moment in which we use it again
                if request.method not in _IDEMPOTENT:
                    raise
                return await self._exchanged(request, url, query)
        except httpx.TimeoutException:
            raise Blind(
                f"{self.name}: {self.what(request)} was not answered in time. Look at the system."
            ) from None
        except httpx.InvalidURL:
            raise self._no_address(request) from None
        except httpx.HTTPError as error:
            detail = self._masker.detail(str(error) or type(error).__name__)
            raise Blind(
                f"{self.name}: {self.what(request)} could not be reached ({detail}). Look whether it is up, and at our route."
            ) from error
        except ValueError:
            # a lone surrogate out of an answer, say; what it says may hold a secret
            raise Blind(
                f"{self.name}: {self.what(request)}: a value of this request can't be sent as text."
                " Look at what its templates fill in."
            ) from None

    async def _exchanged(self, request: Request, url: str, query: Pairs | None) -> Answer:
        outcome = RequestOutcome.ERROR
        try:
            answer = await self._read(request, url, query)
            outcome = outcome_of(answer.status, request.accept)
        finally:
            self._asked(outcome)
        return answer

    async def _read(self, request: Request, url: str, query: Pairs | None) -> Answer:
        sent = self._client.build_request(
            request.method,
            httpx.URL(url).copy_merge_params(list(query)) if query else url,
            json=request.json,
            content=urlencode(request.form) if request.form is not None else None,
            headers=_headers(request),
        )
        if self._witness is None:
            return await self._answered(request, sent, bytearray())
        return await self._witnessed(request, sent, self._witness)

    async def _witnessed(self, request: Request, sent: httpx.Request, witness: Witness) -> Answer:
        began, content, failure = self._clock.monotonic(), bytearray(), ""
        seen: list[httpx.Response] = []
        try:
            return await self._answered(request, sent, content, seen.append)
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            told = seen[0] if seen else None
            witness(
                Exchange(
                    method=sent.method,
                    url=str(sent.url),
                    headers=sent.headers.multi_items(),
                    body=sent.content,
                    status=told.status_code if told is not None else None,
                    answer_headers=told.headers.multi_items() if told is not None else (),
                    content=bytes(content),
                    seconds=self._clock.monotonic() - began,
                    failure=failure,
                )
            )

    async def _answered(
        self,
        request: Request,
        sent: httpx.Request,
        content: bytearray,
        begun: Callable[[httpx.Response], None] = lambda _: None,
    ) -> Answer:
        """Send it and read the answer into ``content``; ``begun`` hears of the answer when its head is there."""
        began_at = self._clock.now()
        response = await self._client.send(sent, stream=True)
        begun(response)
        try:
            most = self._settings.most_answer_bytes
            unpacking = Unpacking(response.headers.get("content-encoding", ""))
            async for piece in response.aiter_raw():
                content += unpacking.unpack(piece, most + 1 - len(content))
                if len(content) > most:
                    raise Blind(
                        f"{self.name}: {self.what(request)} answers with more than"
                        f" {most} bytes. Lower the page size."
                    )
        finally:
            await response.aclose()
        ended_at = self._clock.now()
        self._known.skew.note(http_date(response.headers.get("date")), began_at=began_at, ended_at=ended_at)
        self._known.limits.note(response.headers, now=ended_at)
        return Answer(
            response.status_code,
            dict(response.headers),
            bytes(content),
            self.what(request),
            self._settings.name,
        )

    def _check_headers(self, request: Request) -> None:
        """RFC 9110 section 5.5: a key that was pasted with a letter beyond ASCII would be an error of the library's."""
        for name, value in request.headers.items():
            if not (name.isascii() and value.isascii()):
                raise Blind(
                    f"{self.name}: the header field {name} would hold a character that is not ASCII, which it can't."
                    " Look at the secret or the value that it is made of: something else was pasted with it."
                )

    def _no_address(self, request: Request) -> Blind:
        return Blind(f"{self.name}: {self.what(request)}: this is not an address that can be asked.")

    def _redirected(self, request: Request, url: str, answer: Answer) -> str:
        try:
            target = str(httpx.URL(url).join(answer.headers.get("location", "")))
        except (httpx.InvalidURL, ValueError):
            raise self._no_address(request) from None
        if request.method not in _IDEMPOTENT:
            raise Blind(
                f"{self.name}: {self.what(request)} is redirected to {shown_origin(target)}: correct the configured `url`.",
                status=answer.status,
            )
        return target

    def _within_origin(self, url: str) -> None:
        if origin_of(url) != self._origin:
            raise SentElsewhere(
                f"{self.name}: sent on to {shown_origin(url)}, another place than the configured {self._base}:"
                " our credential is not shown there. Correct `url`."
            )


@asynccontextmanager
async def open_wire(
    settings: HttpSettings,
    *,
    clock: Clock,
    masker: Masker,
    transport: httpx.AsyncBaseTransport | None = None,
    asked: Asked = lambda _: None,
    witness: Witness | None = None,
) -> AsyncIterator[Wire]:
    """The way to a server with its connections, which are closed at the end of the scope. Connects with the first call.

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
        trust_env=not is_loopback(settings.url),
        transport=transport,
    )
    async with client:
        yield Wire(client, settings, clock=clock, masker=masker, asked=asked, witness=witness)


def _headers(request: Request) -> dict[str, str]:
    headers = dict(request.headers)
    if request.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return headers


def _context(ca_files: Collection[str]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    for file in ca_files:
        context.load_verify_locations(file)
    return context


def _is_redirect(status: int) -> bool:
    return status in {301, 302, 303, 307, 308}
