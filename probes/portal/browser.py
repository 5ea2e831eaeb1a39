"""The one browser of this prober: started when it is first needed, a fresh context a canary, ended surely.

Playwright's driver (a Node process) starts Chromium and both end when the pipe to us closes, so a prober that is
killed leaves neither. What is here is for the other ends: a browser that dies, hangs or grows.
"""

import asyncio
import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from filelock import FileLock, Timeout
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal import executable, processes
from probes.portal.settings import BrowserSettings
from probes.reasons import Failure

_HOME_PREFIX: Final = "intake-prober-browser-"
_LOCK: Final = "lock"
_CLOSE_SECONDS: Final = 5.0
_KILL_SECONDS: Final = 5.0
_MOST_AT_ONCE: Final = 4
_SANDBOX_WORDS: Final = ("sandbox", "namespace")


@dataclass(slots=True, eq=False)
class _Running:
    """One browser with its driver. Retired: no further canary begins in it; it ends with the last one."""

    playwright: Playwright
    browser: Browser
    driver: int | None
    home: Path
    lock: FileLock
    is_sandboxed: bool
    used: int = 0
    open: int = 0
    is_retired: bool = False

    @property
    def is_usable(self) -> bool:
        return not self.is_retired and self.browser.is_connected()


@dataclass(slots=True)
class _Started:
    playwright: Playwright | None = None
    driver: int | None = None
    parts: list[Path] = field(default_factory=list)


class Visit:
    """One canary's stay: its context, and what it costs."""

    def __init__(self, context: BrowserContext, running: _Running) -> None:
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

    async def memory_bytes(self) -> int:
        """What driver and browser hold now, all canaries' pages together."""
        driver = self._running.driver
        return await asyncio.to_thread(processes.memory_bytes, driver) if driver is not None else 0


class Browsers:
    """Hands out contexts of one browser, starts another when it is gone or has served its number of canaries."""

    def __init__(self, settings: BrowserSettings, *, clock: Clock) -> None:
        """Keep the settings; starts nothing."""
        self._settings = settings
        self._clock = clock
        self._current: _Running | None = None
        self._all: list[_Running] = []
        self._starting = asyncio.Lock()
        self._places = asyncio.Semaphore(_MOST_AT_ONCE)

    @asynccontextmanager
    async def visit(self, options: Mapping[str, Any]) -> AsyncIterator[Visit]:
        """A fresh context, closed at the end of the scope.

        Args:
            options: of Playwright's `Browser.new_context`.

        Raises:
            Failure: `browser_missing`, `browser_crashed` or `browser_unresponsive`.
        """
        async with self._places:
            running = await self._running()
            running.used += 1
            running.open += 1
            try:
                context = await self._context(running, options)
                try:
                    yield Visit(context, running)
                finally:
                    await self._close_context(context, running)
            finally:
                running.open -= 1
                if running.used >= self._settings.recycle_after:
                    running.is_retired = True
                if not running.is_usable and not running.open:
                    await self._end(running)

    async def aclose(self) -> None:
        """End every browser; bounded."""
        for running in list(self._all):
            running.is_retired = True
            await self._end(running)

    async def _running(self) -> _Running:
        async with self._starting:
            if self._current is not None and self._current.is_usable:
                return self._current
            if self._current is not None and not self._current.open:
                await self._end(self._current)
            self._current = await self._start()
            self._all.append(self._current)
            return self._current

    async def _context(self, running: _Running, options: Mapping[str, Any]) -> BrowserContext:
        try:
            async with self._clock.timeout(self._settings.start_seconds):
                return await running.browser.new_context(**options)
        except TimeoutError:
            running.is_retired = True
            raise Failure(
                Reason.BROWSER_UNRESPONSIVE, "the browser opens no new context: it is ended"
            ) from None
        except PlaywrightError as error:
            if running.browser.is_connected():
                raise Failure(Reason.JOURNEY_INVALID, f"the browser refuses the settings: {error}") from error
            raise Failure(Reason.BROWSER_CRASHED, f"the browser is gone: {error}") from error

    async def _close_context(self, context: BrowserContext, running: _Running) -> None:
        try:
            async with self._clock.timeout(_CLOSE_SECONDS):
                await context.close()
        except TimeoutError:
            running.is_retired = True  # it hangs: nobody is to begin in it
        except PlaywrightError:
            pass  # it is gone, with its browser

    async def _start(self) -> _Running:
        _remove_left_homes()
        started = _Started()
        home = Path(tempfile.mkdtemp(prefix=_HOME_PREFIX))
        lock = FileLock(home / _LOCK)
        lock.acquire(blocking=False)
        try:
            async with self._clock.timeout(self._settings.start_seconds):
                playwright = await self._start_driver(started, home)
                browser, is_sandboxed = await self._launch(playwright, home)
        except TimeoutError:
            await self._abandon(started, home, lock)
            raise Failure(
                Reason.BROWSER_UNRESPONSIVE,
                f"the browser did not start within {self._settings.start_seconds:g} s",
            ) from None
        except BaseException:
            await self._abandon(started, home, lock)
            raise
        return _Running(playwright, browser, started.driver, home, lock, is_sandboxed)

    async def _start_driver(self, started: _Started, home: Path) -> Playwright:
        """Start the driver with the browser's folder as its TMPDIR, so that nothing of it stays elsewhere."""
        before = processes.children()
        with _temporary_folder(home):
            started.playwright = await async_playwright().start()
        started.driver = processes.driver_among(processes.children() - before)
        return started.playwright

    async def _launch(self, playwright: Playwright, home: Path) -> tuple[Browser, bool]:
        found = executable.find(self._settings.executable, playwright.chromium.executable_path)
        if found is None:
            said = executable.missing(self._settings.executable)
            raise Failure(Reason.BROWSER_MISSING, f"{said}. {executable.remedy(self._settings.executable)}")
        # Chromium's sandbox refuses root; elsewhere it may lack user namespaces (a locked-down container).
        wishes = (True, False) if os.geteuid() != 0 else (False,)
        for is_sandboxed in wishes:
            try:
                browser = await playwright.chromium.launch(
                    executable_path=found.path,
                    chromium_sandbox=is_sandboxed,
                    args=list(self._settings.arguments),
                    proxy={"server": self._settings.proxy} if self._settings.proxy else None,
                    timeout=self._settings.start_seconds * 1000,
                    artifacts_dir=home / "artifacts",
                    headless=not self._settings.is_headed,
                    slow_mo=self._settings.slow_seconds * 1000,
                    # ours alone: we close it, and a signal to the group must not take it from under us
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            except PlaywrightError as error:
                if is_sandboxed and any(word in str(error).lower() for word in _SANDBOX_WORDS):
                    continue
                raise _start_failure(error, found.path) from error
            return browser, is_sandboxed
        raise Failure(Reason.BROWSER_CRASHED, f"{found.path} can't start its sandbox")

    async def _end(self, running: _Running) -> None:
        """Close it politely, then not. Safe to repeat."""
        if running not in self._all:
            return
        self._all.remove(running)
        if self._current is running:
            self._current = None
        family = processes.family(running.driver) if running.driver is not None else []
        try:
            async with self._clock.timeout(_CLOSE_SECONDS):
                with contextlib.suppress(PlaywrightError):
                    await running.browser.close()
                await running.playwright.stop()
        except TimeoutError:
            pass
        finally:
            await self._sweep(family, running.home, running.lock)

    async def _abandon(self, started: _Started, home: Path, lock: FileLock) -> None:
        family = processes.family(started.driver) if started.driver is not None else []
        try:
            if started.playwright is not None:
                async with self._clock.timeout(_CLOSE_SECONDS):
                    await started.playwright.stop()
        except (TimeoutError, PlaywrightError):
            pass
        finally:
            await self._sweep(family, home, lock)

    async def _sweep(self, family: list[psutil.Process], home: Path, lock: FileLock) -> None:
        await processes.end(family, clock=self._clock, within_seconds=_KILL_SECONDS)
        lock.release()
        await asyncio.to_thread(shutil.rmtree, home, ignore_errors=True)


def _start_failure(error: PlaywrightError, path: str) -> Failure:
    """Why a browser did not start; Playwright's text would advise its own download, so its log's end is shown."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if "rror" in line or "ailed" in line), lines[0])
    return Failure(Reason.BROWSER_CRASHED, f"{path} does not start: {said}")


@contextlib.contextmanager
def _temporary_folder(folder: Path) -> Iterator[None]:
    """Playwright hands its driver our environment and takes no other; it is changed while the driver starts only."""
    before = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(folder)
    try:
        yield
    finally:
        if before is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before


def _remove_left_homes() -> None:
    """Remove the folders of probers that were killed: nobody holds their lock any more."""
    for home in Path(tempfile.gettempdir()).glob(f"{_HOME_PREFIX}*"):
        if not (home / _LOCK).exists():
            continue  # just made by another prober, which is about to lock it
        lock = FileLock(home / _LOCK)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            continue
        lock.release()
        shutil.rmtree(home, ignore_errors=True)
