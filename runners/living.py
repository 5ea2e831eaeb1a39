"""The dead man's switch of a daemon: a ping a minute that says whether the work is being done."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from probes.contracts import Clock
from runners.surroundings import Pinger

PING_SECONDS: Final = 60.0
LASTS_SECONDS: Final = 20.0
"""A trouble is told when it was there twice, so long apart: a process that just woke up has not beaten yet."""


async def keep_pinging(
    problems: Callable[[], Sequence[str]],
    pingers: Sequence[Pinger],
    *,
    clock: Clock,
    randomness: Callable[[int], bytes],
) -> None:
    """Ping for ever; cancellable.

    Args:
        problems: why the work is not being done, a sentence each; empty where it is.
        pingers: who misses us; each bounds its own ping.
        clock: waits.
        randomness: so many bytes of chance, for the id by which a receiver tells two pings apart.
    """
    while True:
        found = problems()
        if found:
            await clock.sleep(LASTS_SECONDS)
            found = problems()
        run_id = str(UUID(bytes=randomness(16), version=4))
        async with asyncio.TaskGroup() as group:
            for one in pingers:
                group.create_task(one.failure(run_id, "\n".join(found)) if found else one.success(run_id))
        await clock.sleep(PING_SECONDS)
