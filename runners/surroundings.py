"""What a daemon works with that it does not make: the store, time, whoever delivers, and who is told of it all."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from probes.contracts import Clock
from runners.contracts import Store
from runners.notices import Notices
from runners.progress import Progress
from runners.schedule import Timer
from runners.spool import Spool
from runners.telemetry.process_figures import ProcessFigures

DRAIN_SECONDS = 30.0
"""At the end, so long launches that are under way may still take."""


class Deliverer(Protocol):
    """Whoever drains the outbox."""

    async def run(self) -> None:
        """Deliver for ever."""
        ...

    async def drain(self, seconds: float) -> None:
        """Deliver what is due, for so long at most."""
        ...

    def wake(self) -> None:
        """There is something to deliver."""
        ...


class Pinger(Protocol):
    """A dead man's switch: somebody else who misses us."""

    async def success(self, run_id: str, text: str = "") -> bool:
        """The work is being done."""
        ...

    async def failure(self, run_id: str, text: str = "") -> bool:
        """It is not; ``text`` says why."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a daemon works with that outlives its configuration.

    Attributes:
        since_boot: seconds that the machine is up, its sleep included.
        spool: what was seen while the store could not be written.
        beside: further loops that live and end with the daemon, by name.
        pingers: told every minute whether the work is being done.
        changed: hears that something is new in the store, and what.
    """

    store: Store
    clock: Clock
    progress: Progress
    timer: Timer
    since_boot: Callable[[], float]
    notices: Notices
    figures: ProcessFigures
    spool: Spool | None = None
    delivery: Deliverer | None = None
    beside: Mapping[str, Callable[[], Awaitable[None]]] = field(default_factory=dict)
    pingers: Sequence[Pinger] = ()
    changed: Callable[[str], None] = lambda _: None
    randomness: Callable[[int], bytes] = secrets.token_bytes
    drain_seconds: float = DRAIN_SECONDS
