"""The HTTP side that all simulated vendors share: an ASGI application with routes, credentials, budgets and faults."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

from probes.contracts import Clock
from tests.simulators.table import Desk

_PAGE = "<!doctype html><html><title>We will be right back</title></html>"
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    host: str

    def json(self) -> dict[str, Any]:
        """The body, an object of JSON; empty where it is none."""
        value = json.loads(self.body or b"{}")
        return value if isinstance(value, dict) else {}

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def number(self, name: str, default: int) -> int:
        """A parameter that is a number; what is none counts as not given."""
        value = self.query.get(name, "")
        return int(value) if value.isdigit() else default

    @property
    def base(self) -> str:
        """What links begin with."""
        return f"https://{self.host}" if self.host.endswith(".test") else f"http://{self.host}"


@dataclass(frozen=True, slots=True)
class Told:
    """One answer; ``value`` is sent as JSON, unless it is text or bytes."""

    status: int = 200
    value: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = "application/json"

    @property
    def content(self) -> bytes:
        """Its body."""
        match self.value:
            case None:
                return b""
            case bytes():
                return self.value
            case str() if self.kind != "application/json":
                return self.value.encode()
            case _:
                return json.dumps(self.value).encode()


Handler = Callable[..., Told]
Route = tuple[str, str, Handler]


class Tokens:
    """Access tokens that a vendor gave out; each ends by the clock, or when a test says so."""

    def __init__(self, clock: Clock, *, lifetime_seconds: float) -> None:
        self.lifetime_seconds = lifetime_seconds
        self._clock = clock
        self._ends: dict[str, float] = {}
        self._count = 0
        self._uses_left: int | None = None

    def issue(self) -> str:
        """A new one."""
        self._count += 1
        word = f"token-{self._count:08x}-of-the-simulator"
        self._ends[word] = self._clock.monotonic() + self.lifetime_seconds
        return word

    def is_good(self, word: str) -> bool:
        """Whether it is accepted; asked once a call."""
        if self._uses_left is not None:
            self._uses_left -= 1
            if self._uses_left < 0:
                self.revoke()
        return self._ends.get(word, float("-inf")) > self._clock.monotonic()

    def revoke(self) -> None:
        """End all that were given out."""
        self._ends.clear()
        self._uses_left = None

    def expire_after(self, calls: int) -> None:
        """Accept the tokens that are out for so many more calls: one that ends in the middle of a look."""
        self._uses_left = calls


class Allowance:
    """A rate limit: so many calls in a window that begins with the first."""

    def __init__(self, clock: Clock, limit: int, seconds: float) -> None:
        self.limit = limit
        self.seconds = seconds
        self._clock = clock
        self._began = clock.monotonic()
        self.used = 0

    def take(self) -> bool:
        """Count one call; whether it was allowed."""
        if self._clock.monotonic() >= self._began + self.seconds:
            self._began, self.used = self._clock.monotonic(), 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    @property
    def left(self) -> int:
        """How many calls the window has left."""
        return max(0, self.limit - self.used)

    @property
    def resets_in(self) -> int:
        """Whole seconds until the window ends, at least 1."""
        return max(1, round(self._began + self.seconds - self._clock.monotonic()))


@dataclass(slots=True)
class Faults:
    """What goes wrong, until it is set back.

    Attributes:
        maintenance: a web page, with the status 200.
        status: every answer has it, with the vendor's error shape where the vendor has one.
        truncates: bodies end in the middle.
        hides_wait: a 429 comes without the header that says how long.
        swallows: writes are answered as if they were done, and nothing changes.
        unmarked_at: ids whose writes are refused, with the vendor's words.
    """

    maintenance: bool = False
    status: int | None = None
    truncates: bool = False
    hides_wait: bool = False
    swallows: bool = False
    refuses: set[int] = field(default_factory=set)


class Simulator:
    """One vendor. Subclasses give the routes, who is let in, and the shapes of errors and budgets.

    Attributes:
        calls: ``METHOD /path`` of every request, also of refused ones.
        skew_seconds: how far the vendor's clock is ahead of ours.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.desk = Desk(clock)
        self.faults = Faults()
        self.calls: list[str] = []
        self.skew_seconds = 0.0
        self._routes = [(method, re.compile(f"{path}$"), handler) for method, path, handler in self.routes()]

    def routes(self) -> list[Route]:
        """Method, pattern of the path, and who answers; named groups become arguments."""
        raise NotImplementedError

    def admit(self, asked: Asked) -> Told | None:
        """None for whoever may come in, else the refusal."""
        raise NotImplementedError

    def throttle(self, asked: Asked) -> Told | None:
        """None while the budget lasts, else the refusal; counts the call."""
        raise NotImplementedError

    def budget(self, asked: Asked) -> Mapping[str, str]:
        """The headers that tell the budget."""
        raise NotImplementedError

    def error(self, status: int) -> Told:
        """The vendor's shape of an error."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Told:
        """Answer one request."""
        self.calls.append(f"{asked.method} {asked.path}")
        self.desk.settle()
        if self.faults.maintenance:
            return Told(200, _PAGE, kind="text/html")
        if self.faults.status is not None:
            return self.error(self.faults.status)
        refusal = self.admit(asked) or self.throttle(asked)
        if refusal is not None:
            return self._without_wait(refusal)
        told = self._routed(asked)
        content = told.content
        if self.faults.truncates and told.status == 200:
            content = content[: len(content) // 2]
        return Told(told.status, content, {**told.headers, **self.budget(asked)}, told.kind)

    def _routed(self, asked: Asked) -> Told:
        for method, pattern, handler in self._routes:
            found = pattern.match(asked.path)
            if found is not None and method == asked.method:
                return handler(asked, **found.groupdict())
        return self.error(404)

    def _without_wait(self, told: Told) -> Told:
        if not self.faults.hides_wait:
            return told
        kept = {name: value for name, value in told.headers.items() if "retry" not in name.lower()}
        return Told(told.status, told.value, kept, told.kind)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, as ASGI says."""
        if scope["type"] != "http":
            return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        headers = {
            name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
        }
        asked = Asked(
            scope["method"],
            scope["path"],
            dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True)),
            headers,
            body,
            headers.get("host", "vendor.test"),
        )
        told = self.answer(asked)
        content = told.content
        date = format_datetime(self.clock.now() + timedelta(seconds=self.skew_seconds), usegmt=True)
        sent = {"Date": date, "Content-Type": told.kind, "Content-Length": str(len(content)), **told.headers}
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()]
        await send({"type": "http.response.start", "status": told.status, "headers": raw})
        await send({"type": "http.response.body", "body": content})


def bearer(asked: Asked) -> str:
    """The token of ``Authorization: Bearer`` (RFC 6750 section 2.1), or an empty word."""
    scheme, _, word = asked.headers.get("authorization", "").partition(" ")
    return word if scheme.lower() == "bearer" else ""
