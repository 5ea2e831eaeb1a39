"""The Protocols at which the store and the rest of the runners meet.

Each verb of `Store` is one short transaction, which also bumps the counters of the fact that it records. None is
open across a network await. Every verb is repeatable: "once" is a unique key in the store, never a hope.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from canary.canary import Canary
from canary.gauge import Gauge, GaugeName, Resource
from canary.incident import Change, Incident, IncidentId, Progress, Transition
from canary.observation import Observation
from canary.path import PathName
from canary.signature import CanaryId
from canary.trace import TraceId
from canary.verdict import Judgement, Verdict
from runners.alert_contracts import AlertStep, AlertStore
from runners.export_contracts import ExportStore
from runners.figures import FigureStore
from runners.history import HistoryStore
from runners.leases import LeaseStore
from runners.pulse import PulseStore
from runners.slot_contracts import SlotStore
from runners.walk_contracts import SystemStore


class StoreError(Exception):
    """The store can't be read or written (disk full, database gone, locked): the prober's own blindness.

    The message names the store without its password, the cause and the remedy. ``is_of_disk``: its disk is full or broken.
    """

    def __init__(self, message: str, *, is_of_disk: bool = False) -> None:
        super().__init__(message)
        self.is_of_disk = is_of_disk


class SettlementConflict(Exception):
    """Somebody else settled the canary, or a canary of its path, in between: read again and judge again."""


BEGUN = "begun"
"""The outcome of an audit line that is written before a removal is tried."""
SHOWN_CHARACTERS = 6
"""So many of an id's last characters stand for it where a line is short; its first ones are the time."""


class RemovalKind(StrEnum):
    """What a canary leaves behind."""

    TICKET = "ticket"
    MAIL = "mail"


@dataclass(frozen=True, slots=True)
class Record:
    """A canary as the store has it.

    Attributes:
        judgement: the stored one; None until it was judged for the first time.
        launch_ended: whether its probe ended, in whatever way.
        is_clean: whether nothing of it is left to remove, for good.
        is_thinned: whether what was seen of it was dropped for its age, and its judgement's hops with it.
    """

    canary: Canary
    judgement: Judgement | None
    launch_ended: bool
    is_clean: bool
    is_thinned: bool = False

    @property
    def verdict(self) -> Verdict:
        """The stored verdict; pending until it was judged."""
        return self.judgement.verdict if self.judgement is not None else Verdict.PENDING

    @property
    def is_waiting(self) -> bool:
        """Whether it is still looked for: it is out, or its ticket may yet come, or is kept."""
        return not self.is_clean and self.verdict in {Verdict.PENDING, Verdict.BREACHED, Verdict.INCONCLUSIVE}

    @property
    def waits_until(self) -> datetime:
        """Its deadline while it is pending, else its horizon."""
        return self.canary.deadline_at if self.verdict is Verdict.PENDING else self.canary.horizon_at


@dataclass(frozen=True, slots=True)
class Settlement:
    """All that one judgement changes, to be stored in one transaction.

    Attributes:
        expected: the verdict that the store must still have, else `SettlementConflict`.
        replaces: the judgement that the store must still have, where the verdict stays; None: whichever it has.
        progress: what the incident fold remembers of the path from now on; None: unchanged.
        progress_version: the version of the progress that it was computed from.
        changes: incidents that opened, changed or ended.
        alerts: what is told of it.
    """

    judgement: Judgement
    expected: Verdict
    progress: Progress | None
    progress_version: int
    changes: tuple[Change, ...]
    settled_by: str
    at: datetime
    replaces: Judgement | None = None
    alerts: tuple[AlertStep, ...] = ()


@dataclass(frozen=True, slots=True)
class Leftover:
    """One mail or ticket of a canary that is still to be removed.

    Attributes:
        place: the mailbox or ticketing system.
        what: its identity there; empty where it is only known that something must be there.
        attempts: how often its removal was tried; next_at: when to try again.
    """

    canary_id: CanaryId
    path: PathName
    kind: RemovalKind
    place: str
    what: str
    attempts: int
    next_at: datetime
    since: datetime
    detail: str


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the append-only audit: something of ours was closed, deleted or refused to be."""

    at: datetime
    prober: str
    canary_id: CanaryId
    kind: RemovalKind
    place: str
    what: str
    action: str
    outcome: str
    detail: str


@dataclass(frozen=True, slots=True)
class TriedRemoval:
    """A removal that was tried: its line of the audit, and when to try again; None: nothing is left to remove."""

    entry: AuditEntry
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class PathFacts:
    """When a path was last heard of; each None until it was."""

    last_launch_at: datetime | None
    last_verdict_at: datetime | None
    last_success_at: datetime | None
    verdicts: tuple[tuple[datetime, Verdict], ...]
    """The last ten verdicts by settling time, newest first."""


@dataclass(frozen=True, slots=True)
class Exemplar:
    """One measurement that stands for its bucket, with the trace that it came of."""

    trace_id: TraceId
    value: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Sample:
    """One series of a counter or histogram, by the names of `canary.instruments`.

    Attributes:
        value: of a counter; of a histogram, the sum of what was measured.
        counts: of a histogram, how many fell into each bucket, the one above all bounds last; not cumulative.
        created_at: when the series was born at 0.
        least, greatest: of a histogram, what was measured so far.
        exemplars: of a histogram, the newest of each bucket that has one, by the bucket's index.
    """

    name: str
    labels: Mapping[str, str]
    value: float
    counts: tuple[int, ...] = ()
    created_at: datetime | None = None
    least: float | None = None
    greatest: float | None = None
    exemplars: Mapping[int, Exemplar] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class CanaryQuery:
    """Which canaries are asked for, newest launch first; ``before``: those that follow this one."""

    path: PathName | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    limit: int = 50
    before: tuple[datetime, CanaryId] | None = None


class Store(
    LeaseStore,
    SlotStore,
    AlertStore,
    HistoryStore,
    PulseStore,
    FigureStore,
    ExportStore,
    SystemStore,
    Protocol,
):
    """What is kept. Raises `StoreError` from any verb."""

    # canaries
    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        """Keep canaries before their first byte leaves, all or none; counts each as launched.

        Raises:
            SlotConflict: the slot of one is claimed by another holder by now, has another canary, or is kept as missed.
        """
        ...

    async def launch_ended(self, *canary_ids: CanaryId) -> None:
        """Note that their probes ended, in whatever way; gives up the launch leases."""
        ...

    async def append(self, *observations: Observation) -> Sequence[bool]:
        """Keep observations, all or none; of each whether it was new.

        A look in vain renews its one row (begin kept, end moved).
        """
        ...

    async def observations(self, canary_id: CanaryId) -> Sequence[Observation]:
        """All of a canary's observations, by the time they ended."""
        ...

    async def observations_of(
        self, canary_ids: Sequence[CanaryId]
    ) -> Mapping[CanaryId, Sequence[Observation]]:
        """The same of several, by id; a canary of which there is none has an empty list."""
        ...

    async def outstanding(self, now: datetime) -> Sequence[Record]:
        """Canaries that are pending, or breached before their horizon's look, or not yet clean; oldest first."""
        ...

    async def find(self, id_or_token: str) -> Sequence[Record]:
        """Canaries whose id begins or (from `SHOWN_CHARACTERS` on) ends with the text, or whose token or trace id is it."""
        ...

    async def canaries(self, query: CanaryQuery) -> Sequence[Record]:
        """History."""
        ...

    async def launched_since(self, since: datetime, *, sender: str, paths: Sequence[PathName]) -> int:
        """How many canaries a sender launched down any of the paths since then."""
        ...

    async def known(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, Canary]:
        """Those of the given ids that the store has (kept as `Retention.canaries` says)."""
        ...

    async def path_names(self) -> Sequence[PathName]:
        """Every path of which a canary is kept or an incident is open, by name; also those configured no more."""
        ...

    # settling
    async def progress(self, path: PathName) -> tuple[Progress, int]:
        """What the incident fold remembers of a path, and its version (0: nothing yet)."""
        ...

    async def progress_of(self, paths: Sequence[PathName]) -> Mapping[PathName, tuple[Progress, int]]:
        """The same of several paths, by name."""
        ...

    async def settle(self, *several: Settlement) -> None:
        """Store judgements of different canaries, incidents and outbox rows, and count them, all or none.

        Of two canaries of one path, the second's progress was computed from what the first one's makes. A repeated
        settlement that changes no verdict only stores flaws and sharper blame.

        Raises:
            SettlementConflict: a verdict or a progress is no longer the one that was read.
        """
        ...

    async def store_progress(
        self,
        path: PathName,
        progress: Progress,
        *,
        version: int,
        changes: Sequence[Change],
        at: datetime,
        alerts: Sequence[AlertStep] = (),
    ) -> None:
        """Store an incident change that no verdict made (a path was retired). Raises `SettlementConflict`."""
        ...

    async def incidents(
        self, *, path: PathName | None, since: datetime | None, limit: int
    ) -> Sequence[Incident]:
        """Incidents, newest first; open ones always."""
        ...

    async def transitions(self, incident_id: str) -> Sequence[tuple[datetime, Transition]]:
        """What happened to an incident, oldest first."""
        ...

    async def groups(self, incident_ids: Sequence[IncidentId]) -> Mapping[IncidentId, str]:
        """The group of each of these incidents that is one of several with a common cause, or may become one."""
        ...

    async def path_facts(self, path: PathName) -> PathFacts:
        """When a path was last heard of."""
        ...

    # cleaning
    async def note_begun(self, *entries: AuditEntry) -> None:
        """Write audit lines of removals that are about to be tried (repeatable); they change nothing else."""
        ...

    async def note_removed(self, *tried: TriedRemoval) -> None:
        """Write the audit lines and what became of the leftovers, all or none.

        What is still there of a canary that was clean makes it outstanding again.
        """
        ...

    async def finish_clean(self, *canary_ids: CanaryId, at: datetime) -> None:
        """Nothing of these canaries is left, and none can come any more."""
        ...

    async def leftovers(self) -> Sequence[Leftover]:
        """All that is still to be removed, oldest first."""
        ...

    async def audit(self, *, since: datetime | None, limit: int) -> Sequence[AuditEntry]:
        """The audit, newest first."""
        ...

    async def disposals_since(self, place: str, since: datetime) -> int:
        """How many disposals the audit has of a place since then (the hourly cap)."""
        ...

    # gauges, controls and telemetry
    async def add_gauges(self, gauges: Sequence[Gauge]) -> None:
        """Keep readings."""
        ...

    async def gauges(
        self, *, place: str, name: GaugeName, resource: Resource | None, since: datetime
    ) -> Sequence[Gauge]:
        """Readings, oldest first."""
        ...

    async def latest_gauges(self, *, now: datetime | None = None) -> Sequence[Gauge]:
        """The newest reading of each place, name and resource; one ahead of ``now`` only where there is no other."""
        ...

    async def note_control(self, control: str, *, at: datetime, worked: bool) -> None:
        """Keep what a control came to."""
        ...

    async def control_worked_at(self, control: str) -> datetime | None:
        """When a control last worked, from this prober; None: never."""
        ...

    async def note_excuse(self, control: str, *, at: datetime) -> None:
        """Keep that the failure of a control that was tried showed our own network to be at fault."""
        ...

    async def excused_at(self) -> datetime | None:
        """When a control of this prober last did; None: never."""
        ...

    async def seed(self, series: Mapping[str, Sequence[Mapping[str, str]]], *, at: datetime) -> None:
        """Create series at 0 where they do not exist yet: of each instrument's name, the labels of its series."""
        ...

    async def samples(self) -> Sequence[Sample]:
        """All counters and histograms."""
        ...
