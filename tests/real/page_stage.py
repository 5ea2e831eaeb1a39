"""The page on a really listening server, and a real Chromium that looks at it."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from probes.portal import executable
from probes.portal.arguments import arguments
from runners.clock import SystemClock
from runners.web.app import build_app
from runners.web.parts import Parts
from runners.web.serving import bind, serve
from tests.real.servers.needed import CHROMIUM

DESK = {"width": 1280, "height": 900}
PHONE = {"width": 320, "height": 640}


@asynccontextmanager
async def listening(parts: Parts, *, port: int = 0) -> AsyncIterator[str]:
    """The page's address while it is served; it has ended, and let its port go, when the scope does."""
    socket = bind("127.0.0.1", port)
    port = socket.getsockname()[1]
    async with asyncio.TaskGroup() as group:
        task = group.create_task(
            serve(build_app(parts), socket, clock=SystemClock(), closing=parts.events.close)
        )
        yield f"http://127.0.0.1:{port}"
        task.cancel()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, by the project's own finder; closed with the scope."""
    CHROMIUM.require()
    async with async_playwright() as playwright:
        found = executable.find(None, playwright.chromium.executable_path)
        assert found is not None
        browser = await playwright.chromium.launch(
            executable_path=found.path, chromium_sandbox=os.geteuid() != 0, args=arguments(())
        )
        try:
            yield browser
        finally:
            await browser.close()


@dataclass
class Looked:
    """A page that is open, and what the browser complained of."""

    page: Page
    complaints: list[str]


@asynccontextmanager
async def looking(
    browser: Browser, *, scheme: str = "light", size: dict[str, int] | None = None, **more: object
) -> AsyncIterator[Looked]:
    """A fresh context with one page; whatever its console says is kept."""
    options: dict[str, Any] = {
        "color_scheme": scheme,
        "viewport": size or DESK,
        "reduced_motion": "reduce",
        **more,
    }
    context: BrowserContext = await browser.new_context(**options)
    try:
        page = await context.new_page()
        complaints: list[str] = []
        page.on(
            "console",
            lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield Looked(page, complaints)
    finally:
        await context.close()


async def picture(page: Page, file: Path, *, whole: bool = True) -> Path:
    """A screenshot as PNG."""
    await page.screenshot(path=str(file), full_page=whole, animations="disabled")
    return file
