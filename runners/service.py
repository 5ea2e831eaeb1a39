"""The service around the daemon: signals, a new configuration without a restart, systemd, and the page beside it."""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from probes.contracts import Clock
from runners.daemon import Daemon
from runners.notices import Notices
from runners.systemd import Notify

CONFIGURATION = "configuration"
"""The subject under which the notices speak of the configuration."""
WATCHDOG_SHARE = 0.4
"""A sign of life comes this share of the watchdog's time after the last one."""
FORCED_SIGNALS = 2

MOST_MISTAKES = 20
"""So many mistakes of a configuration stand on the page."""
_REFUSED = "the new configuration was refused, the old one goes on"
_OURS = "a fault of the prober's: the log has its traceback (reload_failed). Look at what was changed in the file last"
_log = logging.getLogger(__name__)

C = TypeVar("C")


class Refused(Exception):
    """A configuration can't be used; the message says where and why, for people.

    Attributes:
        mistakes: each by itself, with its place in the file; empty where there is none but the message.
    """

    def __init__(self, message: str, mistakes: Sequence[str] = ()) -> None:
        """Keep both."""
        super().__init__(message)
        self.mistakes = tuple(mistakes)


@dataclass(slots=True)
class Wishes:
    """What signals asked for."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    reload: asyncio.Event = field(default_factory=asyncio.Event)
    signal: int | None = None


@dataclass(frozen=True, slots=True)
class _Opened(Generic[C]):
    """A configuration that was wired, and what closes it."""

    config: C
    daemon: Daemon
    stack: AsyncExitStack


class Service(Generic[C]):
    """Runs one daemon after the other, each for one configuration, until it is told to stop.

    Args:
        read: reads the configuration anew. Raises `Refused`.
        wire: opens what a configuration needs and makes its daemon; closed when that has ended. Raises `Refused`.
        entered: hears of the daemon that runs from now on, with its configuration; None: none does.
    """

    def __init__(
        self,
        *,
        read: Callable[[], C],
        wire: Callable[[C], AbstractAsyncContextManager[Daemon]],
        clock: Clock,
        notices: Notices,
        notify: Notify,
        say: Callable[[str], None],
        happened: Callable[[str, str], None],
        entered: Callable[[Daemon | None, C | None], None],
    ) -> None:
        self._read = read
        self._wire = wire
        self._clock = clock
        self._notices = notices
        self._notify = notify
        self._say = say
        self._happened = happened
        self._entered = entered
        self._daemon: Daemon | None = None

    async def run(
        self, config: C, wishes: Wishes, beside: Callable[[], Coroutine[Any, Any, None]] | None = None
    ) -> None:
        """Run until `wishes.stop`.

        Args:
            config: the first configuration.
            wishes: set by whoever hears the signals.
            beside: the page: runs as long as the service does.

        Raises:
            Refused: the first configuration can't be wired.
        """
        current: _Opened[C] | None = await self._open(config)
        async with asyncio.TaskGroup() as group:
            page = group.create_task(beside()) if beside is not None else None
            life = group.create_task(self._prove_life())
            while current is not None:
                current = await self._serve(current, wishes)
            self._notify.stopping()
            life.cancel()
            if page is not None:
                page.cancel()

    async def _open(self, config: C) -> "_Opened[C]":
        """Wire a configuration; raises `Refused`, and then nothing of it is left open."""
        async with AsyncExitStack() as stack:
            daemon = await stack.enter_async_context(self._wire(config))
            return _Opened(config, daemon, stack.pop_all())

    async def _serve(self, opened: "_Opened[C]", wishes: Wishes) -> "_Opened[C] | None":
        """Serve one configuration; returns the next one, open already, or None when it is over."""
        daemon = opened.daemon
        async with opened.stack:
            self._daemon = daemon
            self._entered(daemon, opened.config)
            self._notify.ready()
            self._notify.status(f"watching as {daemon.holder}")
            async with asyncio.TaskGroup() as group:
                running = group.create_task(daemon.run())
                try:
                    coming = await self._until_wished(wishes, running)
                finally:
                    daemon.stop()
            self._daemon = None
        return coming

    async def _until_wished(self, wishes: Wishes, running: asyncio.Task[None]) -> "_Opened[C] | None":
        while not wishes.stop.is_set():
            await _first_of(wishes.stop, wishes.reload, running)
            if running.done():
                self._say("the daemon ended by itself")
                return None
            if wishes.reload.is_set() and not wishes.stop.is_set():
                wishes.reload.clear()
                coming = await self._reread()
                if coming is not None:
                    return coming
        self._happened(
            "daemon_stopping",
            "It ends: launches under way have 30 s; a second signal ends it at once, and nothing is lost.",
        )
        return None

    async def _reread(self) -> "_Opened[C] | None":
        """The new configuration, wired; None, and the reason told, where it can't be used: the old one goes on."""
        self._notify.reloading(self._clock.monotonic())
        try:
            coming = await self._open(self._read())
        except Refused as refusal:
            self._refuse(refusal)
            return None
        except Exception as error:  # noqa: BLE001 -- whatever a file makes of us: who watches must not die of what he reads
            # What the error says may hold a secret; the log's stack is masked.
            _log.exception("reload_failed")
            self._refuse(Refused(f"{type(error).__name__}, {_OURS}"))
            return None
        self._notices.withdraw(CONFIGURATION)
        self._happened("configuration_reloaded", "The configuration was read anew.")
        return coming

    def _refuse(self, refusal: Refused) -> None:
        """Tell why the old configuration goes on."""
        self._notices.say(
            CONFIGURATION,
            "\n".join((f"{_REFUSED}:", *_told(refusal.mistakes)))
            if refusal.mistakes
            else f"{_REFUSED}: {refusal}",
        )
        self._say(f"{_REFUSED}: {refusal}")
        self._notify.ready()

    async def _prove_life(self) -> None:
        seconds = self._notify.watchdog_seconds
        if seconds is None:
            return
        while True:
            daemon = self._daemon
            # Between two daemons nobody is stuck: what drains has its own bound.
            if daemon is None or not daemon.is_stuck:
                self._notify.alive()
            await self._clock.sleep(seconds * WATCHDOG_SHARE)


@asynccontextmanager
async def heard_signals(wishes: Wishes, *, forced: Callable[[], None]) -> AsyncIterator[None]:
    """Within this scope SIGTERM and SIGINT stop in good order, a second one at once, and SIGHUP reads anew."""
    loop = asyncio.get_running_loop()
    heard = 0

    def stop(number: int) -> None:
        nonlocal heard
        heard += 1
        wishes.signal = number
        wishes.stop.set()
        if heard >= FORCED_SIGNALS:
            forced()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop, number)
    loop.add_signal_handler(signal.SIGHUP, wishes.reload.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _told(mistakes: Sequence[str]) -> Sequence[str]:
    """The first of them, each on one line, and how many more there are."""
    first = [" ".join(one.split()) for one in mistakes[:MOST_MISTAKES]]
    left = len(mistakes) - len(first)
    return [*first, f"and {left} more: `intake-prober check` lists them"] if left > 0 else first


async def _first_of(stop: asyncio.Event, reload: asyncio.Event, running: asyncio.Task[None]) -> None:
    async with asyncio.TaskGroup() as group:
        waiting = [group.create_task(stop.wait()), group.create_task(reload.wait())]
        await asyncio.wait([*waiting, running], return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
