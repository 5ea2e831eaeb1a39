"""`serve`, composed: one store, one daemon a configuration, and the page beside them."""

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from probes.contracts import Clock
from probes.servers import SecretUnavailable
from runners.alerts.delivery import Delivery
from runners.alerts.refreshing import refreshing_loops
from runners.allocation import keep_large_buffers_apart
from runners.clock import since_boot
from runners.config.config import Config
from runners.contracts import Store, StoreError
from runners.daemon import Daemon
from runners.leases import new_holder
from runners.notices import Notices
from runners.own_files import spool_file, why_not_writable
from runners.prober import Prober
from runners.progress import Progress
from runners.schedule import SchedulerTimer
from runners.service import Refused, Service, Wishes, heard_signals
from runners.spool import Spool
from runners.store import open_store
from runners.surroundings import Surroundings
from runners.systemd import Notify
from runners.telemetry.exposition import Expositions
from runners.telemetry.snapshot import Snapshots
from runners.tracing import tracing_loops
from runners.ways_out import pushing_loops
from runners.web.access import Access
from runners.web.app import build_app, build_metrics_app
from runners.web.events import Broadcaster
from runners.web.pages import make_ahead
from runners.web.parts import Parts
from runners.web.serving import CannotListen, bind, serve
from runners.wiring import wired

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send


SWITCH_SECONDS = 0.0005
"""So long a thread that draws a page may hold up the event loop, which has launches to send; Python's own 5 ms add up."""
PAGE_SECONDS = 5.0
"""After so long a page that died is opened again."""


class _Health:
    """What the page is told of the daemon that runs now."""

    def __init__(self) -> None:
        self.daemon: Daemon | None = None

    def alive(self) -> bool:
        """Whether the event loop goes round."""
        return self.daemon is None or not self.daemon.is_stuck

    def ready(self) -> list[str]:
        """What is not running."""
        if self.daemon is None:
            return ["no configuration is being served: it starts, ends, or reads a new one"]
        return self.daemon.problems()


class _Front:
    """The page of the configuration that is served now; it goes on answering while one follows the other."""

    def __init__(self) -> None:
        self.app: ASGIApp | None = None

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if self.app is None:
            await _starting(scope, receive, send)
        else:
            await self.app(scope, receive, send)


async def _starting(scope: "Scope", receive: "Receive", send: "Send") -> None:
    from starlette.responses import PlainTextResponse

    await PlainTextResponse("intake-prober is starting.\n", status_code=503, headers={"Retry-After": "2"})(
        scope, receive, send
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Door:
    """Somewhere that we listen, and what answers there.

    Attributes:
        what: how people call it.
        key: where its address stands in the configuration.
        closing, reopened: called when it ends, and when it is open again.
    """

    what: str
    key: str
    host: str
    port: int
    front: _Front
    closing: Callable[[], None] = lambda: None
    reopened: Callable[[], None] = lambda: None

    def open(self) -> socket.socket:
        """Listen there. Raises `CannotListen`."""
        return bind(self.host, self.port, key=self.key)


class Server:
    """`serve`: everything that lives as long as the process does."""

    def __init__(
        self,
        config: Config,
        *,
        read: Callable[[], Config],
        clock: Clock,
        progress: Progress,
        opened: Callable[[str], None],
        happened: Callable[[str, str], None],
    ) -> None:
        """Keep the parts.

        Args:
            config: the first configuration.
            read: reads it anew; raises `Refused`.
            clock: the only source of time.
            progress: told of every fact.
            opened: hears the page's address.
            happened: hears what is no trouble: the name of a log event, and what a person is told.
        """
        self._config = config
        self._read = read
        self._clock = clock
        self._progress = progress
        self._opened = opened
        self._happened = happened
        self._notices = Notices()
        self._events = Broadcaster()
        self._health = _Health()
        self._front, self._metrics_front = _Front(), _Front()
        self._apps: dict[Daemon, tuple[ASGIApp, ASGIApp | None]] = {}
        self.wishes = Wishes()
        """What signals asked for so far."""

    async def run(self) -> int:
        """Serve until a signal; returns the signal's number.

        Raises:
            StoreError: the store can't be opened.
            CannotListen: the page's address, or that of the metrics, can't be had.
            Refused: the configuration can't be wired.
        """
        sys.setswitchinterval(SWITCH_SECONDS)
        keep_large_buffers_apart()
        wishes = self.wishes
        task = asyncio.current_task()
        with ExitStack() as stack:
            listening = {door: stack.enter_context(door.open()) for door in self._doors()}
            async with (
                open_store(
                    self._config.prober.store_url, clock=self._clock, prober=self._config.prober.name
                ) as store,
                open_store(
                    self._config.prober.store_url,
                    clock=self._clock,
                    prober=self._config.prober.name,
                    read_only=True,
                    beside=True,
                ) as shown,
                heard_signals(wishes, forced=partial(_cancel, task)),
            ):
                page, *metrics = (_address(one) for one in listening.values())
                self._opened(page)
                for one in metrics:
                    self._progress.note(f"metrics are at {one}metrics")
                service: Service[Config] = Service(
                    read=self._read_same_store,
                    wire=partial(self._wire, store, shown),
                    clock=self._clock,
                    notices=self._notices,
                    notify=Notify(os.environ),
                    say=self._progress.note,
                    happened=self._happened,
                    entered=self._enter,
                )
                await service.run(
                    self._config,
                    wishes,
                    beside=partial(self._keep_doors, listening),
                )
        self._happened("daemon_stopped", "Ended in good order.")
        return wishes.signal or 0

    def _enter(self, daemon: Daemon | None, config: Config | None) -> None:
        """From now on this daemon works, and the page is about its configuration."""
        self._health.daemon = daemon
        if daemon is not None and config is not None:
            self._config = config
            self._front.app, self._metrics_front.app = self._apps[daemon]

    async def _keep_doors(self, listening: "Mapping[_Door, socket.socket]") -> None:
        async with asyncio.TaskGroup() as group:
            for door, one in listening.items():
                group.create_task(self._keep_open(door, one))

    async def _keep_open(self, door: "_Door", listening: socket.socket) -> None:
        """Serve for ever; where it dies, that is said, and it is opened again: the watch goes on without it."""
        while True:
            problem = "it ended"
            try:
                await serve(door.front, listening, clock=self._clock, closing=door.closing)
            except (CannotListen, OSError) as error:
                problem = str(error)
            finally:
                listening.close()
            said = f"the {door.what} was closed and is opened again: {problem}"
            self._notices.say(door.what, said)
            self._progress.note(said)
            await self._clock.sleep(PAGE_SECONDS)
            try:
                listening = door.open()
            except CannotListen as error:
                self._progress.note(str(error))
            else:
                door.reopened()
                self._notices.withdraw(door.what)

    def _doors(self) -> "list[_Door]":
        """Where we listen: the page, and the metrics where they have an address of their own."""
        web, metrics = self._config.web, self._config.telemetry.metrics_listen
        page = _Door(
            "page",
            "web.listen",
            web.host,
            web.port,
            self._front,
            closing=self._events.close,
            reopened=self._events.reopen,
        )
        if metrics is None:
            return [page]
        host, port = metrics
        return [page, _Door("metrics", "telemetry.metrics.listen", host, port, self._metrics_front)]

    def _read_same_store(self) -> Config:
        config = self._read()
        before, after = self._config, config
        if after.prober.store_url != before.prober.store_url:
            raise Refused("prober.store names another store. Start anew for that.")
        if (after.web.host, after.web.port) != (before.web.host, before.web.port):
            raise Refused("web.listen names another address. Start anew for that.")
        if after.telemetry.metrics_listen != before.telemetry.metrics_listen:
            raise Refused("telemetry.metrics.listen names another address. Start anew for that.")
        return config

    @asynccontextmanager
    async def _wire(self, store: Store, shown: Store, config: Config) -> AsyncIterator[Daemon]:
        async with AsyncExitStack() as stack:
            try:
                prober = await stack.enter_async_context(
                    wired(config, clock=self._clock, store=store, progress=self._progress)
                )
            except (SecretUnavailable, StoreError) as error:
                raise Refused(config.masker.mask(str(error))) from None
            daemon, page, metrics = self._daemon(store, shown, config, prober)
            self._apps[daemon] = page, metrics
            try:
                yield daemon
            finally:
                self._apps.pop(daemon, None)

    def _daemon(
        self, store: Store, shown: Store, config: Config, prober: Prober
    ) -> "tuple[Daemon, Starlette, ASGIApp | None]":
        figures = prober.figures
        snapshots = Snapshots(
            shown,
            figures,
            paths=[one.path for one in config.paths.values()],
            clock=self._clock,
            sinks=list(prober.sinks),
            windows=config.maintenance,
        )
        if config.telemetry.otlp_problem:
            self._progress.note(f"nothing is sent by OTLP: {config.telemetry.otlp_problem}")
        parts = self._parts(shown, config, prober, snapshots)
        app = build_app(parts)
        delivery = Delivery(
            store,
            prober.sinks,
            self._clock,
            new_holder(prober.name, secrets.token_bytes),
            chance=secrets.SystemRandom().random,
            mask=prober.masker.mask,
        )
        around = Surroundings(
            store=store,
            clock=self._clock,
            progress=self._progress,
            timer=SchedulerTimer(),
            since_boot=since_boot,
            notices=self._notices,
            figures=figures,
            spool=Spool(self._spool_of(config)),
            delivery=delivery if prober.sinks else None,
            beside={
                **refreshing_loops(store, prober.sinks, prober=prober.name, clock=self._clock),
                "first page": partial(_make_ahead, app, self._progress.note),
                **tracing_loops(config, store, clock=self._clock, figures=figures),
                **pushing_loops(snapshots, prober, config, store, clock=self._clock),
            },
            pingers=prober.heartbeats,
            changed=self._events.note,
        )
        return Daemon(prober, around), app, _metrics_app(parts, config)

    def _spool_of(self, config: Config) -> FilePath:
        """Where the spool is; where it can't be made, that is said before it is needed."""
        file = spool_file(config)
        why = why_not_writable(file.parent)
        if why is None:
            self._notices.withdraw("spool")
        else:
            said = (
                f"the spool {file} can't be made: {why}. What is seen while the store is away would be lost."
            )
            self._notices.say("spool", said)
            self._progress.note(said)
        return file

    def _parts(self, store: Store, config: Config, prober: Prober, snapshots: Snapshots) -> Parts:
        paths = {name: one.path for name, one in config.paths.items()}
        expositions = Expositions(snapshots)
        web = config.web
        return Parts(
            store=store,
            paths=lambda: paths,
            clock=self._clock,
            masker=config.masker,
            prober=prober.name,
            health=self._health,
            metrics=expositions.answer,
            access=Access(
                host=web.host,
                hosts=web.hosts,
                token=web.token,
                proxy_header=web.proxy.header if web.proxy is not None else None,
                proxy_sources=web.proxy.sources if web.proxy is not None else (),
            ),
            notices=self._notices.all,
            places=prober.gauged_places,
            sinks=prober.alerts.sinks,
            windows=config.maintenance,
            artifacts=config.prober.artifacts.directory if config.prober.artifacts is not None else None,
            events=self._events,
        )


def _metrics_app(parts: Parts, config: Config) -> "ASGIApp | None":
    """What answers at the metrics' own address, where there is one: whoever may read the page may read them."""
    listen = config.telemetry.metrics_listen
    if listen is None:
        return None
    return build_metrics_app(replace(parts, access=replace(parts.access, host=listen[0])))


def _address(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def _cancel(task: "asyncio.Task[object] | None") -> None:
    if task is not None:
        task.cancel()


async def _make_ahead(app: "Starlette", note: Callable[[str], None]) -> None:
    """Once; then nothing more. It only warms up: what fails is made, or fails, when somebody asks."""
    try:
        await make_ahead(app)
    except StoreError:
        pass  # whoever asks is told
    except Exception as error:  # noqa: BLE001 -- a page that can't be laid out is no trouble of the prober's
        note(f"the first page could not be made ahead ({type(error).__name__}): see it at / of the page")
    await asyncio.Event().wait()
