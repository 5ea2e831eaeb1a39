"""Read the store for a command: open it, ask, close it; what goes wrong is said, not thrown."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options

if TYPE_CHECKING:
    from canary.gauge import Gauge
    from canary.path import Path
    from runners.config.config import Config
    from runners.contracts import PathFacts, Store
    from runners.states import PathView

Answer = TypeVar("Answer")

RECENT = 40
"""How many of a path's last canaries its state looks at."""


def ask_store(options: Options, config: "Config", question: Callable[["Store"], Awaitable[Answer]]) -> Answer:
    """What the store answers; it is opened for reading only, and not made if it isn't there.

    Raises:
        typer.Exit: it can't be read; that was said.
    """
    from runners.clock import SystemClock
    from runners.contracts import StoreError
    from runners.store import open_store

    clock = SystemClock()

    async def ask() -> Answer:
        prober = config.prober
        async with open_store(prober.store_url, clock=clock, prober=prober.name, read_only=True) as store:
            return await question(store)

    try:
        return run_loop(ask())
    except StoreError as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None


async def view_paths(
    store: "Store", paths: Sequence["Path"], gauges: Sequence["Gauge"]
) -> "list[tuple[PathView, PathFacts]]":
    """Each path's state as the store knows it now."""
    from runners.clock import SystemClock
    from runners.contracts import CanaryQuery
    from runners.states import view_path

    now = SystemClock().now()
    views = []
    for path in paths:
        facts = await store.path_facts(path.name)
        incidents = await store.incidents(path=path.name, since=now, limit=5)
        recent = await store.canaries(CanaryQuery(path=path.name, limit=RECENT))
        view = view_path(path, facts, incidents=incidents, recent=recent, gauges=gauges, now=now)
        views.append((view, facts))
    return views


def exit_of(views: "Sequence[PathView]") -> Exit:
    """1 when a path is broken now; 3 when none is, but one is blind or stale."""
    from runners.states import PathState

    states = {view.state for view in views if view.path.is_enabled}
    if PathState.BROKEN in states:
        return Exit.BREACH
    return Exit.BLIND if states & {PathState.BLIND, PathState.STALE} else Exit.OK
