"""A sink that remembers what it was given, and fails as it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from canary.alert import Alert
from runners.alerts.contracts import Undelivered

Failing = Callable[[Alert], BaseException | None]


def _never(alert: Alert) -> None:
    del alert


@dataclass
class FakeSink:
    """Takes alerts, or raises what `failing` returns; with `takes_then_fails` it takes them all the same."""

    name: str
    failing: Failing = _never
    takes_then_fails: bool = False
    hangs: bool = False
    limit_seconds: float = 20.0
    pace_seconds: float = 0.0
    taken: list[Alert] = field(default_factory=list)
    tried: int = 0

    async def deliver(self, alert: Alert) -> str | None:
        self.tried += 1
        if self.hangs:
            await asyncio.Event().wait()
        error = self.failing(alert)
        if error is None or self.takes_then_fails:
            self.taken.append(alert)
        await asyncio.sleep(0)
        if error is not None:
            raise error
        return None


def down(alert: Alert) -> Undelivered:
    """Fails for now, always."""
    del alert
    return Undelivered("503", permanent=False)
