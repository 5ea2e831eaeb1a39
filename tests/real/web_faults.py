"""What can go wrong between a browser and a portal: each fault is a function around the way to the portal.

A fault gets the request and `forward`, the way on. It may answer itself, forward first and answer otherwise, change
the answer, or raise `Cut`. Faults nest: the first rule of a proxy is the outermost.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus

HTML = "text/html; charset=utf-8"
NO_STALE = ("Cache-Control", "no-store")


class Cut(Exception):
    """The connection ends here: by a reset, or, if `softly`, by an ordinary close."""

    def __init__(self, *, softly: bool = False) -> None:
        super().__init__("cut")
        self.softly = softly


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the browser sent it. `path` has the query with it; `host` is what its Host field said."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    host: str

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.casefold()), None)


Pieces = Callable[[bytes], AsyncIterator[bytes]]


async def whole(body: bytes) -> AsyncIterator[bytes]:
    yield body


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, and how its body goes over the wire.

    Attributes:
        pieces: yields the body's bytes with the pauses, stops and cuts that a test wants.
        has_length: whether Content-Length is said; without it the end of the connection ends the body.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    pieces: Pieces = whole
    has_length: bool = True

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.casefold() == name.casefold()), None)

    @property
    def is_html(self) -> bool:
        return (self.header("content-type") or "").startswith("text/html")


Forward = Callable[[Request], Awaitable[Answer]]
Fault = Callable[[Request, Forward], Awaitable[Answer]]


def answer(
    status: int = 200, body: str = "", *, kind: str = HTML, headers: Mapping[str, str] | None = None
) -> Answer:
    """An answer made up here."""
    fields = (("Content-Type", kind), NO_STALE, *(headers or {}).items())
    return Answer(status, fields, body.encode())


def page(title: str, text: str = "") -> str:
    return (
        f"<!doctype html><html><head><title>{title}</title></head><body><h1>{title}</h1>{text}</body></html>"
    )


# Answers instead of the portal's


def answers(
    status: int = 200,
    body: str | None = None,
    *,
    kind: str = HTML,
    headers: Mapping[str, str] | None = None,
    forwarded: bool = False,
) -> Fault:
    """This answer instead of the portal's; if `forwarded`, after the portal has had the request."""
    text = page(f"{status} {HTTPStatus(status).phrase}") if body is None else body
    made = answer(status, text, kind=kind, headers=headers)

    async def fault(request: Request, forward: Forward) -> Answer:
        if forwarded:
            await forward(request)
        return made

    return fault


def html_error(text: str = "Something went wrong. Please try again later.") -> Fault:
    """An error page with status 200."""
    return answers(200, page("Error", f"<p>{text}</p>"))


def empty_page() -> Fault:
    """Status 200 and not a byte."""
    return answers(200, "")


def redirects(location: str, status: int = 302) -> Fault:
    """The way to another place."""
    return answers(status, "", headers={"Location": location})


def redirect_loop() -> Fault:
    """Every address sends to the same one again, with a new query, so that it is never the same twice."""
    number = 0

    async def fault(request: Request, _: Forward) -> Answer:
        nonlocal number
        number += 1
        path = request.path.partition("?")[0]
        return answer(302, headers={"Location": f"{path}?round={number}"})

    return fault


def broken_script() -> Fault:
    """A script that throws as soon as it is read."""
    return answers(200, "throw new Error('broken on purpose');", kind="text/javascript")


def script(text: str = "window.tracked = true;") -> Fault:
    """A script of ours, as a third party serves it."""
    return answers(200, text, kind="text/javascript")


# Time


def latency(seconds: float, *, forwarded: bool = False) -> Fault:
    """Wait before the portal gets the request; if `forwarded`, between its answer and ours."""

    async def fault(request: Request, forward: Forward) -> Answer:
        if forwarded:
            found = await forward(request)
            await asyncio.sleep(seconds)
            return found
        await asyncio.sleep(seconds)
        return await forward(request)

    return fault


def trickle(size: int, pause_seconds: float) -> Fault:
    """The body comes in pieces of so many bytes with a pause after each."""

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]
            await asyncio.sleep(pause_seconds)

    return _sent(pieces)


def silence(*, forwarded: bool = False) -> Fault:
    """No answer, ever; if `forwarded`, although the portal has had the request."""

    async def fault(request: Request, forward: Forward) -> Answer:
        if forwarded:
            await forward(request)
        await asyncio.Event().wait()
        raise AssertionError

    return fault


def stalls(share: float = 0.5) -> Fault:
    """The body stops after that share of it, and the connection stays."""

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        yield body[: int(len(body) * share)]
        await asyncio.Event().wait()

    return _sent(pieces)


def never_ends(filler: bytes = b"<!-- and on -->\n", pause_seconds: float = 0.05) -> Fault:
    """The portal's page, and then filler without an end."""

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        yield body
        while True:
            yield filler
            await asyncio.sleep(pause_seconds)

    return _sent(pieces, has_length=False)


# The connection


def cut(*, softly: bool = False) -> Fault:
    """The connection ends before the portal gets the request."""

    async def fault(_request: Request, _forward: Forward) -> Answer:
        raise Cut(softly=softly)

    return fault


def loses_answer(*, softly: bool = False) -> Fault:
    """The portal gets the request and does it, and the connection ends instead of an answer."""

    async def fault(request: Request, forward: Forward) -> Answer:
        await forward(request)
        raise Cut(softly=softly)

    return fault


def cuts_body(share: float = 0.5, *, softly: bool = False) -> Fault:
    """The connection ends after that share of the body."""

    async def pieces(body: bytes) -> AsyncIterator[bytes]:
        yield body[: int(len(body) * share)]
        raise Cut(softly=softly)

    return _sent(pieces)


# The page itself


def changes(change: Callable[[str], str]) -> Fault:
    """The portal's HTML, changed; what is no HTML passes."""

    async def fault(request: Request, forward: Forward) -> Answer:
        found = await forward(request)
        return replace(found, body=change(found.body.decode()).encode()) if found.is_html else found

    return fault


def inserts(snippet: str, *, before: str = "</body>") -> Fault:
    """The portal's HTML with a snippet in it: a banner, a third party's script, a widget."""
    return changes(lambda text: text.replace(before, snippet + before, 1))


def swaps(old: str, new: str) -> Fault:
    """The portal's HTML with one text for another, wherever it is."""
    return changes(lambda text: text.replace(old, new))


def _sent(pieces: Pieces, *, has_length: bool = True) -> Fault:
    async def fault(request: Request, forward: Forward) -> Answer:
        found = await forward(request)
        return replace(found, pieces=pieces, has_length=has_length and found.has_length)

    return fault
