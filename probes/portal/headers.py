"""Extra header fields, sent to the portal's own hosts and to nobody else.

Playwright would send them to every third party, or carry them along a redirect; Chromium's Fetch domain asks for each
request anew, redirects too (https://chromedevtools.github.io/devtools-protocol/tot/Fetch/#method-continueRequest).
"""

import contextlib
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import CDPSession, Page
from playwright.async_api import Error as PlaywrightError


async def send_headers(page: Page, headers: Mapping[str, str], *, hosts: Collection[str]) -> None:
    """From now on, send these fields with every request of the page to one of the hosts.

    Raises:
        playwright.async_api.Error: the browser is gone.
    """
    session = await page.context.new_cdp_session(page)
    adder = _Adder(session, headers, frozenset(hosts))
    session.on("Fetch.requestPaused", adder.go_on)
    await session.send("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})


class _Adder:
    def __init__(self, session: CDPSession, headers: Mapping[str, str], hosts: frozenset[str]) -> None:
        self._session = session
        self._headers = headers
        self._hosts = hosts

    async def go_on(self, paused: dict[str, Any]) -> None:
        """Let a request go on, with the fields if it is for one of the hosts."""
        answer: dict[str, Any] = {"requestId": paused["requestId"]}
        request = paused["request"]
        if (urlsplit(request["url"]).hostname or "").lower() in self._hosts:
            merged = {name.lower(): (name, value) for name, value in request["headers"].items()}
            merged |= {name.lower(): (name, value) for name, value in self._headers.items()}
            answer["headers"] = [{"name": name, "value": value} for name, value in merged.values()]
        with contextlib.suppress(PlaywrightError):  # the page is gone in the meantime
            await self._session.send("Fetch.continueRequest", answer)
