"""What the store keeps of traces that are to be sent: which parts, and the rows that they are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from canary.canary import Canary
from canary.incident import Incident
from canary.observation import Observation
from canary.signature import CanaryId
from canary.verdict import Judgement

KEPT_UNSENT = timedelta(days=3)
"""A part that nobody took for so long is dropped: a weekend without a collector loses nothing, a store without one
does not grow for ever."""

LONGEST_REMOVAL = timedelta(minutes=5)
"""What ended later than this after a begin is not its end: no place is waited for so long."""

MAIN = "main"
"""The part of a trace that is sent at the first verdict."""
AFTERMATH = "aftermath"
"""The part that is sent when a breached canary turned out late or lost."""
_CLEANUP = "cleanup/"


def cleanup_part(number: int) -> str:
    """The part that is sent after one try to clean, counted from 1."""
    return f"{_CLEANUP}{number}"


def cleanup_number(part: str) -> int | None:
    """The number of the try that a part is about; None: it is another part."""
    number = part.removeprefix(_CLEANUP)
    return int(number) if number != part and number.isascii() and number.isdigit() else None


class PartKey(NamedTuple):
    """One part of one canary's trace: `MAIN`, `AFTERMATH` or `cleanup_part`."""

    canary_id: CanaryId
    part: str


@dataclass(frozen=True, slots=True)
class TracePart:
    """A part that is to be sent.

    Attributes:
        attempts: how often that was tried before.
        body: as it was made for the first try, and is sent in every other one; None: it was not made yet.
    """

    key: PartKey
    attempts: int
    body: str | None = None


@dataclass(frozen=True, slots=True)
class Removal:
    """One try to remove something of a canary, as the audit has it; ``begun_at``: None where that is not known."""

    at: datetime
    begun_at: datetime | None
    prober: str
    kind: str
    place: str
    what: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class TraceRows:
    """All rows that one canary's trace is made of.

    Attributes:
        observations: by the time they ended.
        incident: the one that the canary belongs to, as it now stands.
        removals: the tries to clean, in the order of their numbers.
    """

    canary: Canary
    judgement: Judgement
    observations: tuple[Observation, ...] = ()
    incident: Incident | None = None
    removals: tuple[Removal, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportState:
    """What waits to be sent.

    Attributes:
        oldest_at: since when the longest waiting part is due; None where nothing waits.
        dead: what the receiver will never take.
        last_error: what was last said of one that waits or is dead.
    """

    pending: int = 0
    oldest_at: datetime | None = None
    dead: int = 0
    last_error: str | None = None


class ExportStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about sending traces. Raises `StoreError` from any of them."""

    async def claim_traces(
        self, now: datetime, *, holder: str, lease_until: datetime, limit: int
    ) -> Sequence[TracePart]:
        """Take parts that are due for a while, the newest first; two who ask never get the same one."""
        ...

    async def trace_rows(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, TraceRows]:
        """What the traces of these canaries are made of; of one that is pending or forgotten, nothing."""
        ...

    async def freeze_traces(self, bodies: Mapping[PartKey, str]) -> Mapping[PartKey, str]:
        """Keep parts as they were made, each once; returns what is kept: somebody may have been quicker."""
        ...

    async def trace_sent(self, *keys: PartKey) -> None:
        """Parts were taken (repeatable): they are forgotten."""
        ...

    async def trace_deferred(
        self,
        key: PartKey,
        *,
        at: datetime,
        next_at: datetime,
        error: str,
        is_attempt: bool = True,
        prober: str | None = None,
    ) -> None:
        """A part is to be tried again then. With a ``prober``, its counter of export errors grows.

        No attempt of it is counted where nobody was there to take any.
        """
        ...

    async def trace_given_up(
        self, key: PartKey, *, at: datetime, error: str, prober: str | None = None
    ) -> None:
        """A part will never be taken (repeatable). With a ``prober``, its counter of export errors grows."""
        ...

    async def release_traces(self, keys: Sequence[PartKey], *, holder: str) -> None:
        """Give back parts that this holder took and did not send."""
        ...

    async def exports(self) -> ExportState:
        """What waits, and what is dead."""
        ...
