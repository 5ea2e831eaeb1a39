"""The one browser of this prober: started when it is first needed, a fresh context a canary, renewed when it must be."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import BrowserContext
from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal import processes, starting
from probes.portal.connection import goes_by_proxy
from probes.portal.failures import first_line, is_gone
from probes.portal.settings import BrowserSettings
from probes.portal.starting import Running
from probes.reasons import Failure

_CLOSE_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 4
_MEASURED_EACH: Final = 10
_TRIES: Final = 2
"""A browser may have died while nobody looked: then another one is started."""


class Visit:
    """One canary's stay: its context, and what it costs."""

    def __init__(self, context: BrowserContext, running: Running) -> None:
        self.context = context
        self._running = running

    @property
    def version(self) -> str:
        """The browser's version."""
        return self._running.browser.version

    @property
    def is_sandboxed(self) -> bool:
        """Whether Chromium's own sandbox is on."""
        return self._running.is_sandboxed

    def is_alive(self) -> bool:
        """Whether driver and browser are there."""
        return self._running.is_alive

    @property
    def folder(self) -> Path:
        """A folder for what must not outlive this browser, however it ends."""
        return self._running.home.kept("work")

    async def memory_bytes(self) -> int:
        """What driver and browser hold, all canaries' pages together; measured for each tenth canary.

        To add up the pages of a dozen processes takes the kernel as long as a page takes to load.
        """
        running = self._running
        driver = running.driver
        is_due = running.memory_bytes is None or running.used % _MEASURED_EACH == 0
        if is_due and driver is not None:
            running.memory_bytes = await asyncio.to_thread(processes.memory_bytes, driver)
        return running.memory_bytes or 0


class Browsers:
    """Hands out contexts of one browser, starts another when it is gone or has served its number of canaries."""

    def __init__(self, settings: BrowserSettings, *, clock: Clock) -> None:
        """Keep the settings; starts nothing."""
        self._settings = settings
        self._clock = clock
        self._current: Running | None = None
        self._all: list[Running] = []
        self._starting = asyncio.Lock()
        self._starts = 0
        self._failure: Failure | None = None
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    def has_proxy(self, url: str) -> bool:
        """Whether the browser asks a proxy for that address."""
        return goes_by_proxy(url, self._settings.proxy)

    @asynccontextmanager
    async def visit(self, options: Mapping[str, Any]) -> AsyncIterator[Visit]:
        """A fresh context, closed at the end of the scope.

        Args:
            options: of Playwright's `Browser.new_context`.

        Raises:
            Failure: `browser_missing`, `browser_crashed` or `browser_unresponsive`.
        """
        async with self._places:
            running, context = await self._entered(options)
            try:
                try:
                    yield Visit(context, running)
                finally:
                    await self._close_context(context, running)
            finally:
                await self._left(running)

    async def aclose(self) -> None:
        """End every browser; bounded."""
        for running in list(self._all):
            await self._end(running)

    async def _entered(self, options: Mapping[str, Any]) -> tuple[Running, BrowserContext]:
        tries = 0
        while True:
            tries += 1
            running = await self._usable()
            running.used += 1
            running.open += 1
            try:
                return running, await self._context(running, options)
            except Failure as failure:
                await self._left(running)
                if failure.fault.reason is not Reason.BROWSER_CRASHED or tries == _TRIES:
                    raise
            except BaseException:
                await self._left(running)
                raise

    async def _usable(self) -> Running:
        """The browser, started if need be; whoever waited for a start that failed shares its failure."""
        known = self._starts
        async with self._starting:
            if self._current is not None and self._current.is_usable:
                return self._current
            if self._failure is not None and self._starts != known:
                raise Failure.of(self._failure.fault)
            if self._current is not None and not self._current.open:
                await self._end(self._current)
            self._starts += 1
            self._failure = None
            try:
                self._current = await starting.start(self._settings, clock=self._clock)
            except Failure as failure:
                self._failure = failure
                raise
            self._all.append(self._current)
            return self._current

    async def _context(self, running: Running, options: Mapping[str, Any]) -> BrowserContext:
        try:
            async with self._clock.timeout(self._settings.start_seconds):
                return await running.browser.new_context(**options)
        except TimeoutError:
            running.is_retired = running.hangs = True
            raise Failure(
                Reason.BROWSER_UNRESPONSIVE, "the browser opens no new context: it is ended"
            ) from None
        except PlaywrightError as error:
            if is_gone(error) or not running.is_alive:
                running.is_retired = True
                raise Failure(Reason.BROWSER_CRASHED, "the browser is gone") from error
            said = first_line(error.message)
            raise Failure(Reason.JOURNEY_INVALID, f"the browser refuses the settings: {said}") from error

    async def _close_context(self, context: BrowserContext, running: Running) -> None:
        if running.hangs:
            return  # it ends whole
        try:
            async with self._clock.timeout(_CLOSE_SECONDS):
                await context.close()
        except TimeoutError:
            running.is_retired = running.hangs = True  # nobody is to begin in it
        except PlaywrightError:
            pass  # it is gone, with its browser

    async def _left(self, running: Running) -> None:
        running.open -= 1
        if running.used >= self._settings.recycle_after:
            running.is_retired = True
        if not running.open and not running.is_usable:
            await self._end(running)

    async def _end(self, running: Running) -> None:
        """Safe to repeat."""
        if running not in self._all:
            return
        self._all.remove(running)
        running.is_retired = True
        if self._current is running:
            self._current = None
        await starting.end(running, clock=self._clock)
