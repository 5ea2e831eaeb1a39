"""`serve`, composed: one store, one daemon a configuration, and the page beside them."""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING

from canary.alert import Alert
from probes.contracts import Clock
from probes.servers import SecretUnavailable
from runners.alerts.contracts import Refreshed
from runners.alerts.delivery import Delivery
from runners.alerts.refreshing import keep_fresh, still_open
from runners.clock import since_boot
from runners.config.config import Config
from runners.contracts import Store, StoreError
from runners.daemon import Daemon
from runners.notices import Notices
from runners.prober import Prober
from runners.progress import Progress
from runners.schedule import SchedulerTimer
from runners.service import Refused, Service, Wishes, heard_signals
from runners.spool import Spool
from runners.store import open_store
from runners.surroundings import Surroundings
from runners.systemd import Notify
from runners.telemetry.exposition import Expositions
from runners.telemetry.process_figures import ExportKind, ProcessFigures
from runners.telemetry.snapshot import Snapshots
from runners.tracing import exporter_of
from runners.ways_out import serving_routes
from runners.web.access import Access
from runners.web.app import build_app
from runners.web.events import Broadcaster
from runners.web.parts import Parts
from runners.web.serving import CannotListen, bind, serve
from runners.wiring import wired

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


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
    ) -> None:
        """Keep the parts.

        Args:
            config: the first configuration.
            read: reads it anew; raises `Refused`.
            clock: the only source of time.
            progress: told of every fact.
            opened: hears the page's address.
        """
        self._config = config
        self._read = read
        self._clock = clock
        self._progress = progress
        self._opened = opened
        self._notices = Notices()
        self._events = Broadcaster()
        self._health = _Health()
        self._front = _Front()
        self._apps: dict[Daemon, ASGIApp] = {}
        self.wishes = Wishes()
        """What signals asked for so far."""

    async def run(self) -> int:
        """Serve until a signal; returns the signal's number.

        Raises:
            StoreError: the store can't be opened.
            CannotListen: the page's address can't be had.
            Refused: the configuration can't be wired.
        """
        web = self._config.web
        listening = bind(web.host, web.port)
        wishes = self.wishes
        task = asyncio.current_task()
        try:
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
                host, port = listening.getsockname()[:2]
                self._opened(f"http://{f'[{host}]' if ':' in host else host}:{port}/")
                service: Service[Config] = Service(
                    read=self._read_same_store,
                    wire=partial(self._wire, store, shown),
                    clock=self._clock,
                    notices=self._notices,
                    notify=Notify(os.environ),
                    say=self._progress.note,
                    entered=self._enter,
                )
                await service.run(
                    self._config,
                    wishes,
                    beside=partial(self._keep_page, listening),
                )
        finally:
            listening.close()
        return wishes.signal or 0

    def _enter(self, daemon: Daemon | None, config: Config | None) -> None:
        """From now on this daemon works, and the page is about its configuration."""
        self._health.daemon = daemon
        if daemon is not None and config is not None:
            self._config = config
            self._front.app = self._apps[daemon]

    async def _keep_page(self, listening: socket.socket) -> None:
        """Serve the page for ever; where it dies, that is said, and it is opened again: the watch goes on without it."""
        while True:
            problem = "it ended"
            try:
                await serve(self._front, listening, clock=self._clock, closing=self._events.close)
            except (CannotListen, OSError) as error:
                problem = str(error)
            finally:
                listening.close()
            self._notices.say("page", f"the page was closed and is opened again: {problem}")
            self._progress.note(f"the page was closed and is opened again: {problem}")
            await self._clock.sleep(PAGE_SECONDS)
            try:
                listening = bind(self._config.web.host, self._config.web.port)
            except CannotListen as error:
                self._progress.note(str(error))
            else:
                self._events.reopen()
                self._notices.withdraw("page")

    def _read_same_store(self) -> Config:
        config = self._read()
        before, after = self._config, config
        if after.prober.store_url != before.prober.store_url:
            raise Refused("prober.store names another store. Start anew for that.")
        if (after.web.host, after.web.port) != (before.web.host, before.web.port):
            raise Refused("web.listen names another address. Start anew for that.")
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
            daemon, app = self._daemon(store, shown, config, prober)
            self._apps[daemon] = app
            try:
                yield daemon
            finally:
                self._apps.pop(daemon, None)

    def _daemon(self, store: Store, shown: Store, config: Config, prober: Prober) -> "tuple[Daemon, ASGIApp]":
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
            self._progress.note(f"no traces are sent: {config.telemetry.otlp_problem}")
        delivery = Delivery(
            store,
            prober.sinks,
            self._clock,
            f"{prober.name}/{os.getpid()}/{secrets.token_hex(4)}",
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
            spool=Spool(_spool_file(config)),
            delivery=delivery if prober.sinks else None,
            beside={
                **_refreshing(store, prober, self._clock),
                **_tracing(store, config, self._clock, figures),
                **_pushing(snapshots, prober, config, store, self._clock),
            },
            pingers=prober.heartbeats,
            changed=self._events.note,
        )
        return Daemon(prober, around), build_app(self._parts(shown, config, prober, snapshots))

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
            artifacts=config.prober.artifacts.directory if config.prober.artifacts is not None else None,
            events=self._events,
        )


def _cancel(task: "asyncio.Task[object] | None") -> None:
    if task is not None:
        task.cancel()


def _spool_file(config: Config) -> FilePath:
    """Beside the configuration: where the store is a server, there may be no other folder of ours."""
    return config.file.absolute().parent / f".{config.prober.name}.spool"


def _pushing(
    snapshots: Snapshots, prober: Prober, config: Config, store: Store, clock: Clock
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """A loop that pushes the figures, where that is wanted beside the page."""
    routes = serving_routes(config)
    if not routes:
        return {}
    from runners.telemetry.pushing import Pushing

    pushing = Pushing(
        routes, snapshots, prober.figures, store, clock=clock, holder="serve", mask=prober.masker.mask
    )
    return {"metrics": pushing.run}


def _tracing(
    store: Store, config: Config, clock: Clock, figures: ProcessFigures
) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """A loop that sends traces, where somebody wants them."""
    exporter = exporter_of(
        config, store, clock=clock, failed=partial(figures.export_error, ExportKind.TRACES)
    )
    return {} if exporter is None else {"traces": exporter.run}


def _refreshing(store: Store, prober: Prober, clock: Clock) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """A loop for each sink that forgets what it is not told again."""

    async def lasting(sink: str) -> list[Alert]:
        standings = await store.standings()
        return still_open([one for one, _ in standings.values()], sink, prober=prober.name)

    return {
        f"refreshing {name}": partial(keep_fresh, sink, partial(lasting, name), clock=clock)
        for name, sink in prober.sinks.items()
        if isinstance(sink, Refreshed)
    }
