"""Extra header fields, sent to the portal's own hosts (a secret: to its own origin) and to nobody else.

Playwright would send them to every third party, or carry them along a redirect; Chromium's Fetch domain asks for each
request anew, redirects too (https://chromedevtools.github.io/devtools-protocol/tot/Fetch/#method-continueRequest).
"""

import contextlib
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError

from probes.servers import SecretUnavailable


async def send_headers(
    page: Page,
    headers: Mapping[str, str],
    secrets: Mapping[str, str],
    *,
    hosts: Collection[str],
    origin: str,
    trace: Callable[[], str] | None = None,
) -> None:
    """From now on, send these fields with the page's requests: to the hosts, and what is secret to the origin alone.

    Args:
        page: the page.
        headers: for the hosts.
        secrets: for the origin.
        hosts: the portal's own, lower case.
        origin: of the path's address.
        trace: the trace context (W3C) of the moment, for what a page of that origin asks of it, and for the pages
            themselves; None: none. Asked across origins, a field more would need the other's consent
            (CORS), and would tell it who we are. A redirect is told what the request was that led to it.

    Raises:
        playwright.async_api.Error: the browser is gone.
        SecretUnavailable: a secret is no value of a header field (RFC 9110 section 5.5), so it can't be sent.
    """
    for name, value in secrets.items():
        if not value.isascii() or not value.isprintable() or value != value.strip():
            raise SecretUnavailable(
                f"headers.{name}: the secret holds a line break, an outer space or a letter beyond ASCII. Correct it."
            )
    session = await page.context.new_cdp_session(page)
    adder = _Adder(page, session, headers, secrets, hosts=frozenset(hosts), origin=origin, trace=trace)
    session.on("Fetch.requestPaused", adder.go_on)
    await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})


def origin_of(url: str) -> str:
    """Scheme, host and port of an address (RFC 6454 section 4), the port left out where it is the scheme's own."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    is_usual = parts.port in {None, {"https": 443, "http": 80}.get(parts.scheme)}
    return f"{parts.scheme}://{host}" if is_usual else f"{parts.scheme}://{host}:{parts.port}"


class _Adder:
    def __init__(
        self,
        page: Page,
        session: CDPSession,
        headers: Mapping[str, str],
        secrets: Mapping[str, str],
        *,
        hosts: frozenset[str],
        origin: str,
        trace: Callable[[], str] | None,
    ) -> None:
        self._page = page
        self._trace = trace
        self._session = session
        self._headers = headers
        self._secrets = secrets
        self._hosts = hosts
        self._origin = origin
        self._contexts: dict[str, str] = {}
        """The trace context of each request by the network's id for it, which its redirects share."""

    async def go_on(self, paused: dict[str, Any]) -> None:
        """Let a request go on, with the fields that its address may see."""
        answer: dict[str, Any] = {"requestId": paused["requestId"]}
        request = paused["request"]
        url = request["url"]
        added = dict(self._headers) if (urlsplit(url).hostname or "").lower() in self._hosts else {}
        added |= self._secrets if origin_of(url) == self._origin else {}
        if self._trace is not None and self._is_own(
            url, is_document=paused.get("resourceType") == "Document"
        ):
            added["traceparent"] = self._context(paused.get("networkId"), self._trace)
        if added:
            merged = {name.lower(): (name, value) for name, value in request["headers"].items()}
            merged |= {name.lower(): (name, value) for name, value in added.items()}
            answer["headers"] = [{"name": name, "value": value} for name, value in merged.values()]
        with contextlib.suppress(PlaywrightError):  # the page is gone in the meantime
            await self._session.send("Fetch.continueRequest", answer)

    def _context(self, network_id: str | None, trace: Callable[[], str]) -> str:
        """What a request is told; what it is redirected to belongs to the hop that asked, though the next began."""
        return trace() if network_id is None else self._contexts.setdefault(network_id, trace())

    def _is_own(self, url: str, *, is_document: bool) -> bool:
        """Whether a page of the path's own origin asks that origin, or a page of it is gone to.

        Whoever logs our users in may be somebody else, whom our trace is none of.
        """
        return origin_of(url) == self._origin and (is_document or origin_of(self._page.url) == self._origin)
