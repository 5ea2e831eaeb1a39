"""What the store keeps of a path's past in figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Day:
    """A path's figures of one UTC day, by the launch.

    Attributes:
        day: at its begin.
        verdicts: first verdicts; ``late`` and ``lost`` count what breached ones became, beside ``breached``.
        counts: end-to-end seconds of confirmed and late ones, by the buckets of `CANARY_DURATION`; not cumulative.
    """

    path: PathName
    day: datetime
    verdicts: Mapping[Verdict, int]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One canary in a picture; ``seconds`` is from launch to the intact ticket, None without one."""

    canary_id: CanaryId
    path: PathName
    launched_at: datetime
    verdict: Verdict
    seconds: float | None


class HistoryStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about the past. Raises `StoreError` from any of them."""

    async def points(self, path: PathName, *, since: datetime, limit: int) -> Sequence[Point]:
        """A path's canaries, newest launch first: enough for a picture, and far cheaper than `canaries`."""
        ...

    async def days(self, path: PathName, *, since: datetime) -> Sequence[Day]:
        """A path's days from the one of that time on, oldest first; a day without a verdict is left out."""
        ...
