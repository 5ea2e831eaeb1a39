"""Start the browser with Playwright's driver, and end both: whole, or not at all.

Playwright's driver (a Node process) starts Chromium and both end when the pipe to us closes, so a prober that is
killed leaves neither. What is here is for the other ends: a start that fails or hangs, and a browser that does.
"""

import asyncio
import contextlib
import os
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from playwright._impl import transport
from playwright.async_api import Browser, Playwright, async_playwright
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import TimeoutError as PlaywrightTimeout

from canary.reason import Reason
from probes.contracts import Clock
from probes.portal import executable, processes
from probes.portal.arguments import arguments
from probes.portal.homes import Home, make_home, remove_left
from probes.portal.settings import BrowserSettings
from probes.reasons import Failure

_CLOSE_SECONDS: Final = 5.0
_HANGING_SECONDS: Final = 0.2
_KILL_SECONDS: Final = 5.0
_SPAWN_SECONDS: Final = 1.0
_TURNS: Final = 20
_POLL_SECONDS: Final = 0.02
_MOST_WORDS: Final = 200
_SANDBOX_WORDS: Final = ("no usable sandbox", "sandboxing failed", "setuid sandbox", "namespace")
_IDLE_WORDS: Final = ("crashpad", "dbus", "vaapi", "cpufreq")
"""What Chromium complains of in every container."""
_KEPT_VARIABLES: Final = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"}
)
_KEPT_PREFIXES: Final = (
    "lc_",
    "xdg_",
    "ld_",
    "fontconfig_",
    "chrome",
    "chromium",
    "dbus_",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
)
_OF_THE_DRIVER: Final = (
    "PW_",
    "PWDEBUG",
    "PLAYWRIGHT_",
    "NODE_EXTRA_CA_CERTS",
    "NODE_OPTIONS",
    "SSL_CERT_",
)
"""What Playwright and Node go by."""
_LOG_LINE: Final = "[err]"


@dataclass(slots=True, eq=False)
class Running:
    """One browser with its driver. Retired: no further canary begins in it; it ends with the last one."""

    home: Home
    manager: Any = field(default_factory=async_playwright)
    begun: asyncio.Future[Playwright] | None = None
    driver: psutil.Process | None = None
    _browser: Browser | None = None
    is_sandboxed: bool = False
    used: int = 0
    open: int = 0
    is_retired: bool = False
    hangs: bool = False
    memory_bytes: int | None = None

    @property
    def browser(self) -> Browser:
        """The browser, once it has started."""
        if self._browser is None:
            raise AssertionError("it has not started")
        return self._browser

    @browser.setter
    def browser(self, browser: Browser) -> None:
        self._browser = browser

    @property
    def is_alive(self) -> bool:
        """Whether driver and browser are there. Playwright notices the end of the browser, and not that of its driver."""
        has_driver = self.driver is None or processes.is_alive(self.driver)
        return has_driver and self._browser is not None and self._browser.is_connected()

    @property
    def is_usable(self) -> bool:
        """Whether a canary may begin in it."""
        return not self.is_retired and self.is_alive


async def start(settings: BrowserSettings, *, clock: Clock) -> Running:
    """Start driver and browser.

    Raises:
        Failure: `browser_missing`, `browser_crashed` or `browser_unresponsive`; nothing of it is left.
    """
    remove_left(clock)
    try:
        running = Running(make_home())
    except OSError as error:
        raise Failure(
            Reason.BROWSER_CRASHED, f"the browser's folder can't be made: {error.strerror or error}"
        ) from error
    is_done = False
    try:
        async with clock.timeout(settings.start_seconds):
            await _launch(running, await _start_driver(running, clock), settings)
        is_done = True
    except TimeoutError:
        raise Failure(
            Reason.BROWSER_UNRESPONSIVE, f"the browser did not start within {settings.start_seconds:g} s"
        ) from None
    finally:
        if not is_done:
            running.hangs = True  # there is nothing in it that is worth a polite end
            await end(running, clock=clock)
    return running


async def _start_driver(running: Running, clock: Clock) -> Playwright:
    """Start the driver with the browser's folder as its TMPDIR, so that nothing of it stays elsewhere."""
    folder = running.home.folder
    try:
        with driver_environment(folder):
            try:
                # Shielded: cancelled, Playwright forgets a driver that it has begun. Whoever ends that ends this, too.
                running.begun = asyncio.ensure_future(running.manager.start())  # noqa: TID251 -- `end` waits for it
                playwright: Playwright = await asyncio.shield(running.begun)
            except asyncio.CancelledError:
                running.driver = await _spawned(folder, clock)
                raise
    except Exception as error:  # Playwright raises plain ones here
        said = str(error).strip().splitlines() or ["no words"]
        raise Failure(Reason.BROWSER_MISSING, f"Playwright's driver does not start: {said[0]}") from error
    running.driver = processes.driver_of(folder)
    return playwright


async def _spawned(folder: Path, clock: Clock) -> psutil.Process | None:
    """The driver of a start that was just cancelled; it may be about to begin."""
    until = clock.monotonic() + _SPAWN_SECONDS
    while (found := processes.driver_of(folder)) is None and clock.monotonic() < until:
        await clock.sleep(_POLL_SECONDS)
    return found


async def _launch(running: Running, playwright: Playwright, settings: BrowserSettings) -> None:
    chromium = playwright.chromium
    found = executable.find(settings.executable, chromium.executable_path)
    if found is None:
        said = executable.missing(settings.executable)
        raise Failure(Reason.BROWSER_MISSING, f"{said}. {executable.remedy(settings.executable)}")
    # Chromium's sandbox refuses root; elsewhere it may lack user namespaces (a locked-down container).
    wishes = (True, False) if os.geteuid() != 0 else (False,)
    for is_sandboxed in wishes:
        try:
            running.browser = await chromium.launch(
                executable_path=found.path,
                chromium_sandbox=is_sandboxed,
                args=arguments(settings.arguments),
                proxy={"server": settings.proxy} if settings.proxy else None,
                timeout=settings.start_seconds * 1000,
                artifacts_dir=running.home.kept("artifacts"),
                env=_environment(running.home),
                headless=not settings.is_headed,
                slow_mo=settings.slow_seconds * 1000,
                # ours alone: we close it, and a signal to the group must not take it from under us
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except PlaywrightTimeout:
            raise TimeoutError from None
        except PlaywrightError as error:
            if is_sandboxed and _lacks_sandbox(error):
                continue
            raise _start_failure(error, found.path) from error
        running.is_sandboxed = is_sandboxed
        return
    raise AssertionError("the last of the wishes returns or raises")


async def end(running: Running, *, clock: Clock) -> None:
    """Close it politely, unless it hangs; then not. Bounded: eleven seconds at most."""
    family = processes.family(running.driver) if running.driver is not None else []
    limit = _HANGING_SECONDS if running.hangs or not running.is_alive else _CLOSE_SECONDS
    try:
        async with clock.timeout(limit):
            if running.is_alive and not running.hangs:
                with contextlib.suppress(PlaywrightError):
                    await running.browser.close()
            await _stop(running)
    except TimeoutError:
        pass
    finally:
        await _sweep(running, family, clock)


async def _sweep(running: Running, family: list[psutil.Process], clock: Clock) -> None:
    try:
        # those whose parent died before them are nobody's family: they are known by their folder
        everyone = {*family, *processes.of_folder(running.home.folder)}
        await processes.end(everyone, driver=running.driver, clock=clock, within_seconds=_KILL_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with clock.timeout(_CLOSE_SECONDS):
                if running.begun is not None:
                    await asyncio.wait([running.begun])
                    running.begun.cancelled() or running.begun.exception()  # read, so that nobody misses it
                await _stop(running)  # now that the driver is gone, its pipes are closed
        for _ in range(
            _TURNS
        ):  # until asyncio has dealt with the end of the driver, of which Playwright may know nothing
            await clock.sleep(0)
    finally:
        await running.home.remove(clock=clock)


async def _stop(running: Running) -> None:
    """Stop the driver. If it died by itself, Playwright keeps that as the result of a future that nobody reads."""
    client = getattr(running.manager, "_client", None)
    if client is None:
        return
    # Shielded: cancelled, it would take the future with it on which every later stop waits.
    await asyncio.shield(client.stop())
    future = client._transport.on_error_future  # noqa: SLF001 -- unread, asyncio would log it as an error of ours
    if future.done() and not future.cancelled():
        future.exception()


def _lacks_sandbox(error: PlaywrightError) -> bool:
    said = " ".join(_log_of(error)).lower()
    return any(word in said for word in _SANDBOX_WORDS)


def _start_failure(error: PlaywrightError, path: str) -> Failure:
    """Why a browser did not start; Playwright's text would advise its own download, so its log's end is shown."""
    lines = _log_of(error) or [error.message.strip().splitlines()[0]]
    telling = [line for line in lines if not any(word in line for word in _IDLE_WORDS)]
    said = next((line for line in reversed(telling) if "rror" in line.lower() or "ailed" in line), lines[-1])
    return Failure(Reason.BROWSER_CRASHED, f"{path} does not start: {said[:_MOST_WORDS]}")


def _log_of(error: PlaywrightError) -> list[str]:
    """What the browser itself wrote, without the command line that Playwright shows before."""
    return [line.partition(_LOG_LINE)[2].strip() for line in error.message.splitlines() if _LOG_LINE in line]


def _environment(home: Home) -> dict[str, str | float | bool]:
    """What the browser needs of our environment, whose other variables may be secrets: pages run in it.

    A dump of a crash holds what was typed: it goes with the folder, too.
    """
    kept = {name: value for name, value in os.environ.items() if _is_kept(name)}
    return {**kept, "TMPDIR": str(home.folder), "BREAKPAD_DUMP_LOCATION": str(home.kept("crashes"))}


def _is_kept(name: str) -> bool:
    return name in _KEPT_VARIABLES or name.lower().startswith(_KEPT_PREFIXES)


@contextlib.contextmanager
def driver_environment(folder: Path) -> Iterator[None]:
    """What a driver that is started within is given: this folder as its TMPDIR, and nothing that may be a secret.

    Playwright hands its driver our whole environment and takes no other. That is made by one function of its own, which
    asks for whom it is called: our environment stays as it is, for whoever reads it meanwhile.
    """
    token = _DRIVERS_FOLDER.set(folder)
    try:
        yield
    finally:
        _DRIVERS_FOLDER.reset(token)


_DRIVERS_FOLDER: Final[ContextVar[Path | None]] = ContextVar("drivers_folder", default=None)
_whole_environment = transport.get_driver_env  # type: ignore[attr-defined] # it has no public name


def _driver_env() -> dict[str, str]:
    whole: dict[str, str] = _whole_environment()
    folder = _DRIVERS_FOLDER.get()
    if folder is None:
        return whole
    kept = {name: value for name, value in whole.items() if _is_kept(name) or name.startswith(_OF_THE_DRIVER)}
    return {**kept, "TMPDIR": str(folder)}


transport.get_driver_env = _driver_env  # type: ignore[attr-defined] # likewise
