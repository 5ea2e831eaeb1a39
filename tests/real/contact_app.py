"""A contact form as an ASGI application: for servers that speak what ours don't (HTTP/2)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from tests.real.forms import PAGE, THANKS

_HTML = [(b"content-type", b"text/html; charset=utf-8")]


async def app(
    scope: Mapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """Serve the page, take the post, and send on to the thanks, which tell the protocol that was spoken."""
    if scope["type"] != "http":
        return
    body = b""
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            break
    match scope["method"], scope["path"]:
        case "GET", "/form":
            await _answer(send, 200, PAGE)
        case "POST", "/contact" if parse_qs(body.decode())["csrf"] == ["c5rf-t0ken"]:
            await _answer(send, 303, "", [(b"location", b"/thanks")])
        case "GET", "/thanks":
            await _answer(send, 200, THANKS.replace("#4711", f"#HTTP/{scope['http_version']}"))
        case _:
            await _answer(send, 404, "")


async def _answer(
    send: Callable[[Any], Awaitable[None]],
    status: int,
    body: str,
    headers: list[tuple[bytes, bytes]] | None = None,
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*_HTML, *(headers or [])]})
    await send({"type": "http.response.body", "body": body.encode()})
