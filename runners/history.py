"""What the store keeps of a path's past in figures."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from canary.blame import Flaw, Stop
from canary.hop import Hop
from canary.incident import Incident
from canary.path import PathName
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict
from runners.quarantine_contracts import QuarantineStore
from runners.retention import KEPT, Retention

if TYPE_CHECKING:
    from runners.contracts import PathFacts

RECENT = 40
"""How many of a path's last canaries its state looks at."""


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


class Point(NamedTuple):
    """One canary in a picture; ``seconds`` is from launch to the intact ticket, None without one.

    A tuple, because an overview of two hundred paths makes ten thousand of them, and a frozen dataclass takes five times
    as long to make.
    """

    canary_id: CanaryId
    path: PathName
    launched_at: datetime
    verdict: Verdict
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Gist:
    """What of a judgement says how the path is. Most of a stored judgement are its hops, and to read them takes longest.

    The fields are called as those of `Judgement`, of whose text it is read.
    """

    canary_id: CanaryId
    verdict: Verdict
    stop: Stop | None = None
    slow: tuple[Hop, ...] = ()
    flaws: tuple[Flaw, ...] = ()

    @classmethod
    def of(cls, judgement: Judgement) -> "Gist":
        """The gist of a judgement."""
        return cls(judgement.canary_id, judgement.verdict, judgement.stop, judgement.slow, judgement.flaws)


@dataclass(frozen=True, slots=True)
class Glance:
    """What the state of a path is judged by.

    Attributes:
        recent: of its newest `RECENT` canaries, newest first: those that count (confirmed or a breach), as many as
            were asked for, and the newest inconclusive one.
        points: its newest canaries, newest launch first, as many as were asked for.
        first_slot_at: of a path without a verdict, the first slot that came of its schedule; None: none, or it has one.
    """

    facts: "PathFacts"
    recent: tuple[Gist, ...]
    points: tuple[Point, ...] = ()
    first_slot_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Past:
    """A path's past in figures.

    Attributes:
        verdicts: those of its days, added up.
        missed: slots of that time that nobody launched.
    """

    verdicts: Mapping[Verdict, int] = field(default_factory=dict)
    missed: int = 0


class HistoryStore(QuarantineStore, Protocol):
    """The verbs of `runners.contracts.Store` that are about the past. Raises `StoreError` from any of them."""

    async def points(
        self, path: PathName, *, since: datetime, limit: int, until: datetime | None = None
    ) -> Sequence[Point]:
        """A path's canaries, newest launch first: enough for a picture, and far cheaper than `canaries`."""
        ...

    async def ends(
        self,
        path: PathName,
        *,
        verdicts: Collection[Verdict],
        since: datetime,
        before: datetime | None,
        each: int,
    ) -> Sequence[Point]:
        """The first and the last so many of a path's canaries of these verdicts, launched in that time, oldest first."""
        ...

    async def days(self, path: PathName, *, since: datetime) -> Sequence[Day]:
        """A path's days from the one of that time on, oldest first; a day without a verdict is left out."""
        ...

    async def glances(
        self, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
    ) -> Mapping[PathName, Glance]:
        """What the states of several paths are judged by, in one transaction whose cost does not grow with history.

        Args:
            windows: of each path, how many canaries that count its rules look at.
            now: what lies ahead of it (`canary.ahead`) is told only of a path that has nothing else.
            points: so many of its newest canaries come with it, for a picture.
        """
        ...

    async def pasts(self, paths: Sequence[PathName], *, since: datetime) -> Mapping[PathName, Past]:
        """The figures of several paths from the day of that time on, in one transaction."""
        ...

    async def open_incidents(self) -> Sequence[Incident]:
        """All that last, newest first; costs nothing of the history."""
        ...

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident as it now stands; None: there is none of that id."""
        ...

    async def forget(self, now: datetime, *, keep: Retention = KEPT) -> int:
        """Drop what is older than it is kept, in short transactions; returns how many canaries went.

        Clean, settled canaries go with all that hangs on them; younger ones lose their observations and the hops of
        their judgements (`Record.is_thinned`). Readings, slots, silences that ended and alerts that are delivered or
        dead go with the canaries' age. Days stay for ever, incidents and the audit too. What is not done when it is
        interrupted is done the next time.
        """
        ...
