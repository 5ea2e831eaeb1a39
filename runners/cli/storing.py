"""Read the store for a command: open it, ask, close it; what goes wrong is said, not thrown."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.options import Options

if TYPE_CHECKING:
    from runners.config.config import Config
    from runners.contracts import Store

Answer = TypeVar("Answer")


def ask_store(
    options: Options,
    config: "Config",
    question: Callable[["Store"], Awaitable[Answer]],
    *,
    writes: bool = False,
) -> Answer:
    """What the store answers; unless the question ``writes``, it is only read, and not made if it isn't there.

    Raises:
        typer.Exit: it can't be read; that was said.
    """
    from runners.clock import SystemClock
    from runners.contracts import StoreError
    from runners.store import open_store

    clock = SystemClock()

    async def ask() -> Answer:
        prober = config.prober
        async with open_store(
            prober.store_url, clock=clock, prober=prober.name, read_only=not writes
        ) as store:
            return await question(store)

    try:
        return run_loop(ask())
    except StoreError as error:
        raise options.fail(config.masker.mask(str(error)).rstrip("."), status=Exit.BLIND) from None
