"""The store that is kept in a database: each verb of the contract as one transaction."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from typing import Protocol

from canary.canary import Canary
from canary.gauge import Gauge, GaugeName, Resource
from canary.incident import Change, Incident, IncidentId, Progress, Transition
from canary.observation import Observation
from canary.path import PathName
from canary.signature import CanaryId
from canary.slot import MissedSlot, Slot
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep
from runners.contracts import (
    AuditEntry,
    CanaryQuery,
    Leftover,
    PathFacts,
    Record,
    Sample,
    Settlement,
    TriedRemoval,
)
from runners.history import Day, Glance, Past, Point
from runners.leases import Held
from runners.pulse import Pulse
from runners.retention import KEPT, Retention
from runners.store import (
    canaries,
    claims,
    cleaning,
    counters,
    glances,
    history,
    incidents,
    observing,
    pulses,
    retaining,
    schema,
    settling,
    standings,
    watches,
)
from runners.store import gauges as readings
from runners.store.alert_verbs import SqlAlerts
from runners.store.call_verbs import SqlCalls
from runners.store.connecting import Database, connect_to
from runners.store.export_verbs import SqlExports
from runners.store.figure_verbs import SqlFigures
from runners.store.frames import Frames
from runners.store.quarantine_verbs import SqlQuarantines
from runners.store.traffic_verbs import SqlTraffic
from runners.store.walk_verbs import SqlWalks


class StampClock(Protocol):
    """The part of a clock that the store needs."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...


@asynccontextmanager
async def open_store(
    address: str, *, clock: StampClock, prober: str = "", read_only: bool = False, beside: bool = False
) -> AsyncIterator["SqlStore"]:
    """Open a store, bring it to this program's revision, and close it at the end.

    Cancellable at any moment. A transaction that was asked for runs to its end, and closing waits for it.

    Args:
        address: ``sqlite:///file`` or ``postgresql+psycopg://user:password@host/database``.
        clock: what time it is, for the stamps that no caller gives.
        prober: whose controls are kept; those of others are not ours.
        read_only: writes nothing and creates no file; `NoStoreYet` where there is none.
        beside: a reader beside a writer of this process: it has connections and threads of its own.

    Raises:
        StoreError: it can't be opened; the message says why and what to do.
    """
    database = connect_to(address, is_read_only=read_only, is_beside=beside)
    try:
        await schema.bring_up(database)
        yield SqlStore(database, clock=clock, prober=prober)
    finally:
        await database.close()


class SqlStore(SqlAlerts, SqlCalls, SqlFigures, SqlExports, SqlQuarantines, SqlTraffic, SqlWalks):
    """Satisfies `runners.contracts.Store`; opened by `open_store`."""

    def __init__(self, database: Database, *, clock: StampClock, prober: str) -> None:
        self._database = database
        self._clock = clock
        self._prober = prober
        self._frames = Frames()

    # canaries
    async def record(self, *several: Canary, holder: str, lease_until: datetime) -> None:
        """Keep canaries before their first byte leaves; outlives a loss of power."""
        if several:
            work = partial(canaries.record, several=several, holder=holder, lease_until=lease_until)
            await self._database.write(work, is_durable=True)

    async def launch_ended(self, *canary_ids: CanaryId) -> None:
        """Note that their probes ended; gives up the launch leases."""
        work = partial(canaries.launch_ended, canary_ids=canary_ids, at=self._clock.now())
        await self._database.write(work)

    async def append(self, *observations: Observation) -> Sequence[bool]:
        """Keep observations, all or none; of each whether it was new."""
        work = partial(observing.append, several=observations, frames=self._frames, now=self._clock.now())
        return await self._database.write(work)

    async def observations(self, canary_id: CanaryId) -> Sequence[Observation]:
        """All of a canary's observations, by the time they ended."""
        return await self._database.read(partial(observing.observations, canary_id=canary_id))

    async def observations_of(
        self, canary_ids: Sequence[CanaryId]
    ) -> Mapping[CanaryId, Sequence[Observation]]:
        """The observations of several canaries, by id, each by the time they ended."""
        return await self._database.read(partial(observing.observations_of, canary_ids=canary_ids))

    async def outstanding(self, now: datetime) -> Sequence[Record]:
        """Canaries that are pending, or breached before their horizon, or not yet clean; oldest first."""
        return await self._database.read(partial(canaries.outstanding, now=now))

    async def renew(self, canary_ids: Sequence[CanaryId], *, holder: str, lease_until: datetime) -> None:
        """Keep the launch leases that this holder has."""
        work = partial(canaries.renew, canary_ids=canary_ids, holder=holder, lease_until=lease_until)
        await self._database.write(work)

    async def abandoned(self, now: datetime) -> Sequence[Canary]:
        """Canaries whose launch began, has no end, and whose lease ran out."""
        return await self._database.read(partial(canaries.abandoned, now=now))

    async def hold(self, now: datetime, *, holder: str, lease_until: datetime) -> Sequence[Held]:
        """Watch what nobody else watches; all that is held from now on."""
        work = partial(watches.hold, now=now, holder=holder, lease_until=lease_until)
        return await self._database.write(work)

    async def records(self, canary_ids: Sequence[CanaryId]) -> Sequence[Record]:
        """Canaries by their ids, oldest first."""
        return await self._database.read(partial(canaries.of_ids, canary_ids=canary_ids))

    async def others_claimed(self, holder: str, *, since: datetime) -> bool:
        """Whether another holder claimed a slot since that time."""
        return await self._database.read(partial(claims.others_claimed, holder=holder, since=since))

    async def let_go(self, *, holder: str, at: datetime) -> None:
        """Give up all watches of this holder."""
        await self._database.write(partial(watches.let_go, holder=holder, at=at))

    async def find(self, id_or_token: str) -> Sequence[Record]:
        """Canaries whose id begins or ends with the text, or whose token or trace id is it; newest first."""
        return await self._database.read(partial(canaries.find, id_or_token=id_or_token))

    async def canaries(self, query: CanaryQuery) -> Sequence[Record]:
        """History, newest launch first."""
        return await self._database.read(partial(canaries.history, query=query))

    async def launched_since(self, since: datetime, *, sender: str, paths: Sequence[PathName]) -> int:
        """How many canaries a sender launched down any of the paths since then."""
        work = partial(canaries.launched_since, since=since, sender=sender, paths=paths)
        return await self._database.read(work)

    async def known(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, Canary]:
        """Those of the given ids that the store has."""
        return await self._database.read(partial(canaries.known, canary_ids=canary_ids))

    async def path_names(self) -> Sequence[PathName]:
        """Every path of which a canary is kept or an incident is open."""
        return await self._database.read(canaries.path_names)

    # slots
    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        """Insert (path, slot time); True for exactly one holder."""
        return await self._database.write(partial(claims.claim, one=slot, holder=holder, at=at))

    async def take_slot(self, slot: Slot, *, holder: str, claimed_before: datetime, at: datetime) -> bool:
        """Take over a slot that was claimed before that time and of which nothing came."""
        work = partial(claims.take, one=slot, holder=holder, claimed_before=claimed_before, at=at)
        return await self._database.write(work)

    async def last_slot_at(self, path: PathName) -> datetime | None:
        """The newest slot of a path that was claimed or is known to be missed."""
        return await self._database.read(partial(claims.last_slot_at, path=path))

    async def claimed_in_vain(self, path: PathName | None, *, before: datetime) -> Sequence[Slot]:
        """Slots that were claimed before that time and of which nothing came; None: of all paths."""
        return await self._database.read(partial(claims.claimed_in_vain, path=path, before=before))

    async def note_missed(self, missed: Sequence[MissedSlot], *, at: datetime) -> int:
        """Keep slots as missed, and count them."""
        work = partial(claims.note_missed, missed=missed, prober=self._prober, at=at)
        return await self._database.write(work)

    async def missed(self, path: PathName, *, since: datetime) -> Sequence[MissedSlot]:
        """A path's missed slots, oldest first."""
        return await self._database.read(partial(claims.missed, path=path, since=since))

    # settling
    async def progress(self, path: PathName) -> tuple[Progress, int]:
        """What the incident fold remembers of a path, and its version."""
        return await self._database.read(partial(incidents.progress, path=path))

    async def progress_of(self, paths: Sequence[PathName]) -> Mapping[PathName, tuple[Progress, int]]:
        """The same of several paths, by name."""
        return await self._database.read(partial(incidents.progress_of, paths=paths))

    async def settle(self, *several: Settlement) -> None:
        """Store judgements, incidents and outbox rows, and count them. Raises `SettlementConflict`."""
        if several:
            await self._database.write(partial(settling.settle, several=several))

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
        """Store an incident change that no verdict made. Raises `SettlementConflict`."""
        work = partial(
            settling.change,
            path=path,
            fresh=progress,
            version=version,
            changes=changes,
            alerts=alerts,
            at=at,
        )
        await self._database.write(work)

    async def incidents(
        self, *, path: PathName | None, since: datetime | None, limit: int
    ) -> Sequence[Incident]:
        """Incidents, newest first; open ones always."""
        return await self._database.read(partial(incidents.find, path=path, since=since, limit=limit))

    async def transitions(self, incident_id: str) -> Sequence[tuple[datetime, Transition]]:
        """What happened to an incident, oldest first."""
        return await self._database.read(partial(incidents.transitions, incident_id=incident_id))

    async def path_facts(self, path: PathName) -> PathFacts:
        """When a path was last heard of."""
        return await self._database.read(partial(settling.path_facts, path=path))

    async def pulses(self, paths: Sequence[PathName], *, now: datetime) -> Mapping[PathName, Pulse]:
        """The pulse of each of the paths, by name."""
        return await self._database.read(partial(pulses.pulses, paths=paths, now=now))

    async def groups(self, incident_ids: Sequence[IncidentId]) -> Mapping[IncidentId, str]:
        """The group of each of these incidents that has one."""
        return await self._database.read(partial(standings.groups, incident_ids=incident_ids))

    async def points(
        self, path: PathName, *, since: datetime, limit: int, until: datetime | None = None
    ) -> Sequence[Point]:
        """A path's canaries, newest launch first."""
        work = partial(history.points, path=path, since=since, limit=limit, until=until)
        return await self._database.read(work)

    async def ends(
        self,
        path: PathName,
        *,
        verdicts: Collection[Verdict],
        since: datetime,
        before: datetime | None,
        each: int,
    ) -> Sequence[Point]:
        """The first and the last so many of a path's canaries of these verdicts, oldest first."""
        work = partial(history.ends, path=path, verdicts=verdicts, since=since, before=before, each=each)
        return await self._database.read(work)

    async def days(self, path: PathName, *, since: datetime) -> Sequence[Day]:
        """A path's days from the one of that time on, oldest first."""
        return await self._database.read(partial(history.days, path=path, since=since))

    async def glances(
        self, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
    ) -> Mapping[PathName, Glance]:
        """What the states of several paths are judged by, and so many of their newest canaries."""
        return await self._database.read(partial(glances.glances, windows=windows, now=now, points=points))

    async def pasts(self, paths: Sequence[PathName], *, since: datetime) -> Mapping[PathName, Past]:
        """The figures of several paths."""
        return await self._database.read(partial(glances.pasts, paths=paths, since=since))

    async def open_incidents(self) -> Sequence[Incident]:
        """All that last, newest first."""
        return await self._database.read(incidents.lasting)

    async def incident(self, incident_id: str) -> Incident | None:
        """One incident as it now stands."""
        return await self._database.read(partial(incidents.one, incident_id=incident_id))

    # cleaning
    async def note_begun(self, *entries: AuditEntry) -> None:
        """Write audit lines of removals that are about to be tried; outlives a loss of power."""
        if entries:
            await self._database.write(partial(cleaning.note_begun, entries=entries), is_durable=True)

    async def note_removed(self, *tried: TriedRemoval) -> None:
        """Write the audit lines and what became of the leftovers, all or none; outlives a loss of power."""
        if tried:
            await self._database.write(partial(cleaning.note_removed, several=tried), is_durable=True)

    async def finish_clean(self, *canary_ids: CanaryId, at: datetime) -> None:
        """Nothing of these canaries is left, and none can come any more."""
        if canary_ids:
            await self._database.write(partial(cleaning.finish_clean, canary_ids=canary_ids, at=at))

    async def leftovers(self) -> Sequence[Leftover]:
        """All that is still to be removed, oldest first."""
        return await self._database.read(cleaning.leftovers)

    async def audit(self, *, since: datetime | None, limit: int) -> Sequence[AuditEntry]:
        """The audit, newest first."""
        return await self._database.read(partial(cleaning.read_audit, since=since, limit=limit))

    async def disposals_since(self, place: str, since: datetime) -> int:
        """How many disposals the audit has of a place since then."""
        return await self._database.read(partial(cleaning.disposals_since, place=place, since=since))

    # gauges and controls
    async def add_gauges(self, gauges: Sequence[Gauge]) -> None:
        """Keep readings."""
        if gauges:
            await self._database.write(partial(readings.add, readings=gauges))

    async def gauges(
        self, *, place: str, name: GaugeName, resource: Resource | None, since: datetime
    ) -> Sequence[Gauge]:
        """Readings, oldest first."""
        work = partial(readings.series, place=place, name=name, resource=resource, since=since)
        return await self._database.read(work)

    async def latest_gauges(self, *, now: datetime | None = None) -> Sequence[Gauge]:
        """The newest reading of each place, name and resource, by ``now`` if that is given."""
        return await self._database.read(partial(readings.latest, now=now))

    async def note_control(self, control: str, *, at: datetime, worked: bool) -> None:
        """Keep what a control came to."""
        work = partial(readings.note_control, prober=self._prober, name=control, at=at, worked=worked)
        await self._database.write(work)

    async def control_worked_at(self, control: str) -> datetime | None:
        """When a control last worked, from this prober; None: never."""
        work = partial(readings.control_worked_at, prober=self._prober, name=control)
        return await self._database.read(work)

    async def note_excuse(self, control: str, *, at: datetime) -> None:
        """Keep that a control's failure showed our own network to be at fault."""
        work = partial(readings.note_excuse, prober=self._prober, name=control, at=at)
        await self._database.write(work)

    async def excused_at(self) -> datetime | None:
        """When a control of this prober last did."""
        return await self._database.read(partial(readings.excused_at, prober=self._prober))

    # telemetry and housekeeping
    async def seed(self, series: Mapping[str, Sequence[Mapping[str, str]]], *, at: datetime) -> None:
        """Create series at 0 where they do not exist yet."""
        await self._database.write(partial(counters.seed, series=series, at=at))

    async def samples(self) -> Sequence[Sample]:
        """All counters and histograms."""
        return await self._database.read(counters.samples)

    async def forget(self, now: datetime, *, keep: Retention = KEPT) -> int:
        """Drop what is older than it is kept, in short transactions; returns how many canaries went."""
        return await retaining.forget(self._database.write, now, keep)
