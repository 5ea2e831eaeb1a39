"""WSGI: an answer as a value, so that a fault can look at it and change it before it is sent."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the browser; `status` is the whole line, `200 OK`."""

    status: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)

    @property
    def is_html(self) -> bool:
        """Whether it is a page."""
        return any(
            name.casefold() == "content-type" and value.startswith("text/html")
            for name, value in self.headers
        )

    def with_page(self, text: str) -> "Reply":
        """The same answer with another page."""
        kept = tuple(one for one in self.headers if one[0].casefold() != "content-length")
        return Reply(self.status, kept, text.encode())


def page(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An HTML page."""
    named = HTTPStatus(status)
    fields = (("Content-Type", _HTML), ("Cache-Control", "no-store"), *(headers or {}).items())
    return Reply(f"{named.value} {named.phrase}", fields, text.encode())


def moved(location: str, headers: Mapping[str, str] | None = None) -> Reply:
    """The way to another place: 302."""
    return page("", 302, {"Location": location, **(headers or {})})


def call(site: WSGIApplication, environ: WSGIEnvironment) -> Reply:
    """Let the site answer, wholly."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(
        status: str, headers: list[tuple[str, str]], _exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append((status, headers))
        return _no_write

    parts: Iterable[bytes] = site(environ, start)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, headers = started[-1]
    return Reply(status, tuple(headers), body)


def send(reply: Reply, start: StartResponse) -> Iterable[bytes]:
    """Send an answer."""
    headers = [one for one in reply.headers if one[0].casefold() != "content-length"]
    start(reply.status, [*headers, ("Content-Length", str(len(reply.body)))], None)
    return [reply.body]


def body_of(environ: WSGIEnvironment) -> bytes:
    """The request's body, which stays readable for the site."""
    body: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    give_body(environ, body)
    return body


def give_body(environ: WSGIEnvironment, body: bytes) -> None:
    """Let the site read this body."""
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))


def cookie(environ: WSGIEnvironment, name: str) -> str | None:
    """A cookie that the browser sent."""
    found = SimpleCookie(str(environ.get("HTTP_COOKIE", ""))).get(name)
    return None if found is None else found.value


def _no_write(_: bytes) -> None:
    raise NotImplementedError("the site writes by itself, which Django does not")
