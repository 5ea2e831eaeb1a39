"""A process that takes a message from the outbox of a real store and is stopped there: it says so, then waits for SIGCONT."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from canary.alert import Alert
from runners.alert_contracts import Outgoing
from runners.alerts.delivery import Delivery
from runners.clock import SystemClock
from runners.store import SqlStore, open_store

LIMIT_SECONDS = 0.5


class FileSink:
    """Writes a line for each message that it is handed."""

    name = "pager"
    limit_seconds = LIMIT_SECONDS

    def __init__(self, file: Path, who: str) -> None:
        self._file, self._who = file, who

    async def deliver(self, alert: Alert) -> None:
        with self._file.open("a") as lines:
            lines.write(f"{self._who} {alert.transition}\n")


def delivery(store: SqlStore, file: Path, who: str) -> Delivery:
    """One process's delivery."""
    return Delivery(store, {"pager": FileSink(file, who)}, SystemClock(), who, random.random, str)


async def _deliver(address: str, file: Path) -> None:
    async with open_store(address, clock=SystemClock()) as store:
        claim = store.claim_alerts

        async def stopped(
            now: datetime, *, sinks: Sequence[str], holder: str, lease_until: datetime, limit: int
        ) -> Sequence[Outgoing]:
            taken = await claim(now, sinks=sinks, holder=holder, lease_until=lease_until, limit=limit)
            if taken:
                os.kill(os.getpid(), signal.SIGSTOP)
            return taken

        store.claim_alerts = stopped  # type: ignore[method-assign]
        await delivery(store, file, "frozen").drain(5)


if __name__ == "__main__":
    asyncio.run(_deliver(sys.argv[1], Path(sys.argv[2])))
