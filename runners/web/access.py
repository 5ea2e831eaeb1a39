"""Who may read the page, and what every answer forbids the browser: one guard before all routes.

Read-only by construction: GET and HEAD alone. The host that a request names must be ours, so that no foreign page can
have a browser read this one under its own name (DNS rebinding).
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from probes.contracts import Clock
from probes.masking import Secret
from probes.servers import SecretSource, SecretUnavailable
from runners.config.page import Network, PageConfig, is_loopback

COOKIE: Final = "intake_page"
COOKIE_SECONDS: Final = 12 * 3600
_DIGITS: Final = 12
_OPEN: Final = frozenset({"/healthz", "/readyz"})
"""An orchestrator's probes bear no token; these answers show nothing to who may not read."""
_MAY_READ: Final = "intake.may_read"
_RENEWED: Final = "intake.renewed_cookie"
_LABEL: Final = "intake-prober page cookie 2"
_PASSED_ON: Final = ("forwarded", "via", "x-forwarded-")

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HOW: Final = (
    "This page is for its readers alone.\n\n"
    "With a token: send `Authorization: Bearer TOKEN`, or open this address once with ?token=TOKEN at its end.\n"
    "Behind a proxy that signs you in: come through the proxy.\n"
    "The token and the proxy stand in the configuration, below web:.\n"
)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may read.

    Attributes:
        host: where the page listens.
        hosts: names by which it is called besides, lower case.
        token: what a reader must show; None with no proxy either: whoever reaches the address may read.
        proxy_header: names whom a proxy signed in; believed from `proxy_sources` alone.
    """

    host: str = "127.0.0.1"
    hosts: frozenset[str] = frozenset()
    token: SecretSource | None = None
    proxy_header: str | None = None
    proxy_sources: tuple[Network, ...] = ()

    def __post_init__(self) -> None:
        """Hold that no page is open to other machines.

        Raises:
            ValueError: other machines reach it, and nothing is asked of them.
        """
        if not is_loopback(self.host) and self.is_open:
            raise ValueError("a page that other machines reach needs a token or a proxy")

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked of a reader."""
        return self.token is None and self.proxy_header is None

    @classmethod
    def of(cls, page: PageConfig) -> "Access":
        """As configured."""
        proxy = page.proxy
        return cls(
            host=page.host,
            hosts=page.hosts,
            token=page.token,
            proxy_header=proxy.header if proxy is not None else None,
            proxy_sources=proxy.sources if proxy is not None else (),
        )


def may_read(request: Request) -> bool:
    """Whether the guard let this request through as a reader's, not only as a probe of our health."""
    return bool(request.scope.get(_MAY_READ))


class Guard:
    """Refuses what may not be answered, and puts the forbidding headers on all that is."""

    def __init__(self, app: ASGIApp, access: Access, clock: Clock) -> None:
        self._app = app
        self._access = access
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def forbidding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if _RENEWED in scope and "set-cookie" not in headers:
                    headers.append("set-cookie", scope[_RENEWED])
            await send(message)

        refused = await self._refusal(scope)
        await (refused or self._app)(scope, receive, forbidding)

    async def _refusal(self, scope: Scope) -> Response | None:
        """The answer that ends it here; None where it goes on."""
        headers = Headers(scope=scope)
        if not self._is_ours(headers.getlist("host"), scope):
            return PlainTextResponse(
                "No page of that name is here. Names beside localhost and the address stand in web.hosts.\n",
                status_code=421,
            )
        if scope["method"] not in {"GET", "HEAD"}:
            said = "This page is read-only: GET and HEAD. The command line does the rest.\n"
            return PlainTextResponse(said, status_code=405, headers={"Allow": "GET, HEAD"})
        if self._access.is_open and any(name.startswith(_PASSED_ON) for name in headers):
            if scope["path"] in _OPEN:
                return None
            said = (
                "This came through a proxy, and the page asks nothing of its readers: whoever reaches the proxy"
                " could read it. Set web.token or web.proxy.\n"
            )
            return PlainTextResponse(said, status_code=403)
        if self._access.is_open or self._came_by_proxy(scope, headers):
            scope[_MAY_READ] = True
            return None
        return await self._by_token(scope, headers)

    def _is_ours(self, named: list[str], scope: Scope) -> bool:
        if len(named) != 1:
            return False
        host = _host_of(named[0])
        known = {"localhost", "127.0.0.1", "::1", self._access.host.lower(), *self._access.hosts}
        if host in known:
            return True
        # An address can't be rebound: where the connection came in is as good a name as the configured one.
        server = scope.get("server")
        return _is_address(host) and server is not None and host == server[0].removeprefix("::ffff:")

    def _came_by_proxy(self, scope: Scope, headers: Headers) -> bool:
        name, client = self._access.proxy_header, scope.get("client")
        if name is None or client is None or not _is_address(client[0]):
            return False
        address = ipaddress.ip_address(client[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in one for one in self._access.proxy_sources) and bool(
            headers.get(name, "").strip()
        )

    async def _by_token(self, scope: Scope, headers: Headers) -> Response | None:
        is_probe = scope["path"] in _OPEN
        if self._access.token is None:
            return None if is_probe else _refused("You did not come by the proxy.")
        try:
            token = await self._access.token.read()
        except SecretUnavailable:
            said = "The page's token can't be read: see the prober's log.\n"
            return None if is_probe else PlainTextResponse(said, status_code=503)
        request = Request(scope)
        in_address = request.query_params.get("token")
        now = int(self._clock.now().timestamp())
        has_cookie = _is_cookie(request.cookies.get(COOKIE, ""), token, now)
        if has_cookie or _bears(headers.get("authorization", ""), token):
            scope[_MAY_READ] = True
            if in_address is not None:
                return _moved(scope, headers, token, now)
            if has_cookie:
                renewed = Response()
                _keep(renewed, scope, headers, token, now)
                scope[_RENEWED] = renewed.headers["set-cookie"]
            return None
        if in_address is not None and _equal(in_address, token.reveal()):
            return _moved(scope, headers, token, now)
        return None if is_probe else _refused("No token, or not the right one.")


def _bears(authorization: str, token: Secret) -> bool:
    """Whether a request shows the token."""
    kind, _, shown = authorization.partition(" ")
    return kind.lower() == "bearer" and _equal(shown.strip(), token.reveal())


def _is_cookie(cookie: str, token: Secret, now: int) -> bool:
    """Whether it is a cookie that follows from the token, and has not ended; a browser may keep one for longer."""
    ends_at = cookie.partition(".")[0]
    if not (ends_at.isascii() and ends_at.isdigit() and len(ends_at) <= _DIGITS):
        return False
    return _equal(cookie, _cookie(token, int(ends_at))) and now < int(ends_at)


def _refused(why: str) -> Response:
    challenge = {"WWW-Authenticate": 'Bearer realm="intake-prober"'}
    return PlainTextResponse(f"{why} {_HOW}", status_code=401, headers=challenge)


def _moved(scope: Scope, headers: Headers, token: Secret, now: int) -> Response:
    """Keep who showed the token signed in, and take the token out of the address bar.

    A strict cookie is not sent along a redirect that began on another site (a link in a chat): there, a page of our
    own takes the step.
    """
    kept = [(k, v) for k, v in parse_qsl(scope["query_string"].decode("latin-1")) if k != "token"]
    target = "/" + quote(scope["path"].lstrip("/\\"))  # never //elsewhere
    target += f"?{urlencode(kept)}" if kept else ""
    response: Response
    if headers.get("sec-fetch-site", "none") in {"none", "same-origin"}:
        response = RedirectResponse(target, status_code=303)
    else:
        safe = target.replace("&", "&amp;").replace('"', "%22")
        response = HTMLResponse(
            f'<!doctype html><html lang="en"><meta http-equiv="refresh" content="0;url={safe}">'
            f'<title>intake-prober</title><p><a href="{safe}">Go on to the page</a></p></html>'
        )
    _keep(response, scope, headers, token, now)
    return response


def _keep(response: Response, scope: Scope, headers: Headers, token: Secret, now: int) -> None:
    """Have the browser keep the reader signed in from now on."""
    is_secure = scope["scheme"] == "https" or headers.get("x-forwarded-proto") == "https"
    response.set_cookie(
        COOKIE,
        _cookie(token, now + COOKIE_SECONDS),
        max_age=COOKIE_SECONDS,
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_secure,
    )


def _cookie(token: Secret, ends_at: int) -> str:
    """What the browser keeps until then: it follows from the token, and tells nothing of it; a new token ends it."""
    signed = hmac.new(token.reveal().encode(), f"{_LABEL}\n{ends_at}".encode(), hashlib.sha256).hexdigest()
    return f"{ends_at}.{signed}"


def _equal(shown: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), expected.encode())


def _host_of(header: str) -> str:
    """The host of a Host header (RFC 9110 section 7.2), without port and brackets, lower case."""
    host = header.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
