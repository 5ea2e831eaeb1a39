"""The pulse of a path: whether canaries come and go, in figures whose cost does not grow with its history."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from canary.path import PathName

MOST_FAILURES = 1000
"""Longer runs of breached canaries are not counted to their end: nobody acts on the difference."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """What the gauges of a path show; each time is None until there was one.

    Attributes:
        in_flight: its pending canaries.
        oldest_in_flight_at: launch of the oldest of them.
        consecutive_failures: canaries breached since the last confirmed one, by settling; no more than
            `MOST_FAILURES`. Inconclusive ones count neither way.
    """

    in_flight: int = 0
    oldest_in_flight_at: datetime | None = None
    consecutive_failures: int = 0
    last_launch_at: datetime | None = None
    last_verdict_at: datetime | None = None
    last_success_at: datetime | None = None


class PulseStore(Protocol):
    """The verb of `runners.contracts.Store` that feels pulses. Raises `StoreError`."""

    async def pulses(self, paths: Sequence[PathName], *, now: datetime) -> Mapping[PathName, Pulse]:
        """The pulse of each of the paths, by name; it costs the same however many canaries are kept.

        What lies ahead of ``now`` (`canary.ahead`) is told only where there is nothing else.
        """
        ...
