"""What a page asked of the network and said on its console, as the browser's events tell it."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Page, Request, Response, WebError
from playwright.async_api import Error as PlaywrightError

from canary.hop import Hop

_MOST_REQUESTS: Final = 2000
_MOST_LINES: Final = 200
_LINE_CHARACTERS: Final = 500
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_DATA: Final = frozenset({"document", "fetch", "xhr"})
_GIVEN_UP: Final = "net::ERR_ABORTED"
_VARYING: Final = re.compile(rb"----WebKitFormBoundary\w+|%0D|\r")
"""What tells two sendings of one form apart: drawn anew each time, and what a script leaves out of line breaks."""
_ICON: Final = "favicon.ico"
"""A missing icon, and what the page itself gave up, are no failures that a customer feels."""


@dataclass(slots=True, eq=False)
class Exchange:
    """One request and what became of it.

    Attributes:
        number: in the order of their begins, from 0.
        status: of the answer; None: none yet.
        failure: the browser's word for why there is none (``net::ERR_…``), or empty.
        bears_token: whether its address or body bears the canary's token.
        body: tells its body from another one.
    """

    number: int
    method: str
    url: str
    kind: str
    is_document: bool
    bears_token: bool
    began: float
    answered: float | None = None
    ended: float | None = None
    status: int | None = None
    challenge: str = ""
    failure: str = ""
    body: int = 0

    @property
    def host(self) -> str:
        """The host that it went to, lower case."""
        return (urlsplit(self.url).hostname or "").lower()

    @property
    def is_pending(self) -> bool:
        """Whether nothing has become of it yet."""
        return self.ended is None

    @property
    def is_untold(self) -> bool:
        """Whether there is neither a status nor a failure of it."""
        return self.status is None and not self.failure

    @property
    def is_broken(self) -> bool:
        """Whether the connection failed, rather than the page giving it up, or going elsewhere."""
        return bool(self.failure) and self.failure != _GIVEN_UP

    @property
    def has_failed(self) -> bool:
        """Whether it failed, or was answered with an error, other than harmlessly."""
        if _ICON in self.url:
            return False
        # the browser gives up the body of a script's error page, too: the status comes first
        return self.is_broken or (self.status is not None and self.status >= _CLIENT_ERROR)

    @property
    def is_certain(self) -> bool:
        """Whether it surely is of the request, where something of it is: not what the page says beside it."""
        return self.bears_token or self.is_document

    @property
    def may_write(self) -> bool:
        """Whether its method is one by which things are made (RFC 9110 section 9.2.1)."""
        return self.method not in {"GET", "HEAD", "OPTIONS", "TRACE"}


@dataclass  # without slots: Playwright notes its handlers on the object that they belong to
class Traffic:
    """Everything that one canary's pages did; the times are by the given monotonic clock, in seconds.

    Attributes:
        is_on: whether the journey is in that window (None: one that is just being opened); else its documents tell nothing.
        hop: which is under way.
        changed: set whenever something began, was answered or failed; whoever waits for it clears it.
    """

    monotonic: Callable[[], float]
    token: str
    own_hosts: Collection[str]
    exchanges: list[Exchange] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    script_errors: list[str] = field(default_factory=list)
    console_errors: int = 0
    has_crashed: bool = False
    hop: Hop = Hop.PORTAL_LOAD
    is_on: Callable[[Page | None], bool] = lambda _: True
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _of: dict[Request, Exchange] = field(default_factory=dict)

    def watch(self, context: BrowserContext) -> None:
        """Listen to all pages of a context from now on: to a new window's first request, too."""
        context.on("request", self._began)
        context.on("response", self._answered)
        context.on("requestfinished", self._finished)
        context.on("requestfailed", self._failed)
        context.on("console", self._said)
        context.on("weberror", self._erred)

    def watch_page(self, page: Page) -> None:
        """Notice that this page's process dies, which no context tells."""
        page.on("crash", self._crashed)

    def since(self, number: int) -> Iterator[Exchange]:
        """The exchanges that began at or after this number."""
        return iter(self.exchanges[number:])

    def submissions(self, number: int) -> list[Exchange]:
        """What can have been the request, of the exchanges from this number on.

        What bears the canary's token, to the portal's own hosts first (who records what customers type hears it
        too); else (a body that the browser does not show, a file's) what writes to the portal's own hosts, or asks
        for a document.
        """
        ours = [one for one in self.since(number) if one.failure != _GIVEN_UP]
        certain = [one for one in ours if one.bears_token and (one.may_write or one.is_document)]
        writing = [one for one in ours if one.may_write and one.host in self.own_hosts]
        own = [one for one in certain if one.is_document or one.host in self.own_hosts]
        return own or certain or writing or [one for one in ours if one.is_document]

    def sending(self, number: int) -> list[Exchange]:
        """What may still be on its way to the portal: closed now, the page would take it back."""
        return [
            one
            for one in self.since(number)
            if one.may_write and one.is_pending and (one.bears_token or one.host in self.own_hosts)
        ]

    def failed_write(self, number: int) -> Exchange | None:
        """What the portal failed at, of what its pages sent to it from this number on; None: it took something.

        A page sends its statistics, too: one that fails beside an answered log-in is no failure of the log-in.
        """
        writes = [
            one
            for one in self.since(number)
            if one.may_write and one.host in self.own_hosts and (one.is_document or one.kind in _DATA)
        ]
        failed = [one for one in writes if one.is_broken or (one.status or 0) >= _SERVER_ERROR]
        return failed[0] if failed and len(failed) == len(writes) else None

    @property
    def has_sent_token(self) -> bool:
        """Whether anything that can make a ticket bore the canary's token to the portal, by whatever step."""
        return any(one.bears_token and one.may_write and one.host in self.own_hosts for one in self.exchanges)

    def pending(self) -> list[Exchange]:
        """What is still under way, the oldest first."""
        return [one for one in self.exchanges if one.is_pending]

    def failed(self) -> str:
        """Failed requests, by host and cause, the most frequent first: ``cdn.example 503 (4 times)``."""
        causes = Counter(
            f"{one.host} {one.failure if one.is_broken else one.status}"
            for one in self.exchanges
            if one.has_failed
        )
        return _told(causes)

    def third_parties(self) -> str:
        """Hosts beside the portal's own, with the number of their requests."""
        return _told(
            Counter(one.host for one in self.exchanges if one.host and one.host not in self.own_hosts)
        )

    def slowest(self, most: int = 3) -> str:
        """What took longest, with the seconds so far for what is not there yet."""
        now = self.monotonic()
        longest = sorted(self.exchanges, key=lambda one: (one.ended or now) - one.began, reverse=True)
        return "; ".join(
            f"{shown(one.url)} {(one.ended or now) - one.began:.2f} s{' so far' if one.is_pending else ''}"
            for one in longest[:most]
        )

    def _began(self, request: Request) -> None:
        body = _body(request)
        exchange = Exchange(
            number=len(self.exchanges),
            method=request.method,
            url=request.url,
            kind=request.resource_type,
            is_document=request.is_navigation_request() and self._is_main(request),
            bears_token=self.token in request.url or self.token.encode() in body,
            began=self.monotonic(),
            body=hash(_VARYING.sub(b"", body)),
        )
        if len(self.exchanges) >= _MOST_REQUESTS and not exchange.is_certain:
            return
        self.exchanges.append(exchange)
        self._of[request] = exchange
        self.changed.set()

    def _is_main(self, request: Request) -> bool:
        try:
            frame = request.frame
        except PlaywrightError:  # it is not there yet: only a window's own first navigation has none
            return self.is_on(None) or not self.exchanges
        return frame.parent_frame is None and self.is_on(frame.page)

    def _answered(self, response: Response) -> None:
        exchange = self._of.get(response.request)
        if exchange is not None:
            exchange.status, exchange.answered = response.status, self.monotonic()
            exchange.challenge = response.headers.get("cf-mitigated", "")
            self.changed.set()

    def _finished(self, request: Request) -> None:
        exchange = self._of.pop(request, None)
        if exchange is not None:
            exchange.ended = self.monotonic()

    def _failed(self, request: Request) -> None:
        exchange = self._of.pop(request, None)
        if exchange is not None:
            exchange.ended, exchange.failure = self.monotonic(), request.failure or "failed"
            self.changed.set()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.console_errors += 1
        if len(self.console) < _MOST_LINES:
            self.console.append(f"{message.type}: {message.text[:_LINE_CHARACTERS]}")

    def _erred(self, told: WebError) -> None:
        message = told.error.message
        if len(self.script_errors) < _MOST_LINES:
            self.script_errors.append(message.splitlines()[0][:_LINE_CHARACTERS] if message else "?")

    def _crashed(self, _page: Page) -> None:
        self.has_crashed = True


def shown(url: str) -> str:
    """An address for people: without query and fragment, which may hold tokens."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else url[:80]


def _body(request: Request) -> bytes:
    try:
        return request.post_data_buffer or b""
    except PlaywrightError:
        return b""


def _told(counted: Counter[str]) -> str:
    return ", ".join(
        f"{what} ({times} times)" if times > 1 else what for what, times in counted.most_common(8)
    )
