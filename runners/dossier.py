"""The dossier of an incident: all that the store knows of it, gathered once for whoever shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.alert import Party, party_of, said_of
from canary.backlog import Awaited, Backlog, backlog
from canary.blame import Stop
from canary.incident import Incident, IncidentKind, Transition
from canary.observation import Observation
from canary.path import Path, PathName, Slo, bisect_name
from canary.signature import CanaryId
from canary.verdict import Verdict
from runners.at_risk import tickets_at_risk
from runners.contracts import SHOWN_CHARACTERS, CanaryQuery, Record, Store
from runners.history import Point

AFTER_END = timedelta(days=1)
"""So long after its end an incident's backlog is still told."""
MOST_CANARIES = 20
"""A dossier holds so many failed canaries: the first and the last of them."""
_AROUND = timedelta(minutes=1)
_MOST_POINTS = 100_000
_MOST_INCIDENTS = 10_000
_BREACHES = frozenset(one for one in Verdict if one.is_breach)


@dataclass(frozen=True, slots=True)
class Dossier:
    """An incident with its surroundings.

    Attributes:
        path: as configured; None where it is no longer.
        whose: whose failure it is, as far as the path's route tells; None without a path.
        timeline: what happened to it, oldest first.
        paths: those whose incidents have the same cause, its own among them, by name.
        failed: how many canaries failed in it; ``launched``: how many were launched.
        pending: how many of those have no verdict yet: they have neither come nor failed.
        canaries: the first and the last failed ones, oldest first.
        observations: of those canaries, and of the bisect canary.
        at_risk: how many real tickets would usually have come in its impact window; None: not known.
        bisect: the canary that was sent past the mail platform as it opened; None: none was, or it is no longer kept.
    """

    incident: Incident
    path: Path | None
    whose: Party | None
    timeline: tuple[tuple[datetime, Transition], ...]
    paths: tuple[PathName, ...]
    backlog: Backlog | None
    launched: int
    failed: int
    canaries: tuple[Record, ...]
    observations: Mapping[CanaryId, Sequence[Observation]]
    bisect: Record | None = None
    pending: int = 0
    at_risk: float | None = None

    @property
    def judged(self) -> int:
        """How many canaries of those that were launched in it have a verdict."""
        return max(self.failed, self.launched - self.pending)  # the oldest may be kept no longer

    @property
    def stop(self) -> Stop:
        """Where it is broken, as well as that is known."""
        return self.incident.sharper or self.incident.stop

    @property
    def bisect_verdict(self) -> Verdict | None:
        """What the canary past the mail platform came to, pending where it is on its way; None: none was sent."""
        return bisect_verdict(self.incident, self.bisect)


def bisect_verdict(incident: Incident, sent: Record | None) -> Verdict | None:
    """What an incident's bisect canary came to, as told: confirmed, breached, inconclusive or pending; None: none was sent."""
    if incident.bisected is not None:
        return incident.bisected.verdict
    return (said_of(sent.verdict) or sent.verdict) if sent is not None else None


async def find_incidents(store: Store, word: str) -> list[Incident]:
    """The incidents whose id is the word or (from `SHOWN_CHARACTERS` on) ends with it, newest first."""
    wanted = word.strip().lower()
    every = await store.incidents(path=None, since=None, limit=_MOST_INCIDENTS)
    exact = [one for one in every if one.id == wanted]
    if exact or len(wanted) < SHOWN_CHARACTERS:
        return exact
    return [one for one in every if one.id.endswith(wanted)]


async def backlog_of(
    store: Store, incident: Incident, path: Path | None, now: datetime, *, most: int = _MOST_POINTS
) -> Backlog | None:
    """The backlog of an incident that is open or ended within `AFTER_END`; else, or of more canaries, None."""
    if incident.resolved_at is not None and incident.resolved_at < now - AFTER_END:
        return None
    points = await store.points(incident.path, since=incident.onset_at, limit=most + 1)
    return _backlog(incident, path, points, now) if len(points) <= most else None


async def dossier(store: Store, incident: Incident, paths: Mapping[PathName, Path], now: datetime) -> Dossier:
    """All that is known of an incident.

    Raises:
        StoreError: the store can't be read.
    """
    path = paths.get(incident.path)
    points = await store.points(incident.path, since=incident.onset_at, limit=_MOST_POINTS)
    within = _within(incident, points)
    shown = await failed_ends(store, incident)
    records = [await _record(store, one.canary_id) for one in shown]
    bisect = await bisect_of(store, incident)
    ids = [one.canary_id for one in shown] + ([bisect.canary.id] if bisect is not None else [])
    is_old = incident.resolved_at is not None and incident.resolved_at < now - AFTER_END
    return Dossier(
        incident=incident,
        path=path,
        whose=party_of(incident, path.route) if path is not None else None,
        timeline=tuple(await store.transitions(incident.id)),
        paths=await _paths_of_group(store, incident),
        backlog=None if is_old else _backlog(incident, path, points, now),
        launched=len(within),
        failed=incident.failures,
        canaries=tuple(one for one in records if one is not None),
        observations=await store.observations_of(ids),
        bisect=bisect,
        pending=sum(1 for one in within if one.verdict is Verdict.PENDING),
        at_risk=(await tickets_at_risk(store, [incident], paths, now)).get(incident.id),
    )


async def failed_ends(store: Store, incident: Incident) -> Sequence[Point]:
    """The first and the last canaries that failed in an incident, `MOST_CANARIES` in all, oldest first.

    How many failed is ``incident.failures``: what is kept of them may be fewer.
    """
    return await store.ends(
        incident.path,
        verdicts=_BREACHES if incident.kind is IncidentKind.TARGET else {Verdict.INCONCLUSIVE},
        since=incident.onset_at,
        before=incident.failed_until,
        each=MOST_CANARIES // 2,
    )


def _within(incident: Incident, points: Sequence[Point]) -> list[Point]:
    until = incident.failed_until
    within = (
        one
        for one in points
        if one.launched_at >= incident.onset_at and (until is None or one.launched_at < until)
    )
    return sorted(within, key=lambda one: (one.launched_at, one.canary_id))


async def _record(store: Store, canary_id: CanaryId) -> Record | None:
    return next((one for one in await store.find(canary_id) if one.canary.id == canary_id), None)


async def bisect_of(store: Store, incident: Incident) -> Record | None:
    """The incident's bisect canary, also while it is still on its way: its slot is when the incident opened.

    Raises:
        StoreError: the store can't be read.
    """
    if incident.kind is not IncidentKind.TARGET:
        return None
    if incident.bisected is not None:
        return await _record(store, incident.bisected.canary_id)
    # The newest come first, and later incidents have theirs.
    ended = incident.resolved_at
    query = CanaryQuery(
        path=bisect_name(incident.path),
        since=incident.opened_at - _AROUND,
        before=(ended + _AROUND, CanaryId("")) if ended is not None else None,
    )
    return next(
        (one for one in await store.canaries(query) if one.canary.slot_at == incident.opened_at), None
    )


async def _paths_of_group(store: Store, incident: Incident) -> tuple[PathName, ...]:
    every = await store.incidents(path=None, since=incident.onset_at, limit=_MOST_INCIDENTS)
    groups = await store.groups([incident.id, *(one.id for one in every)])
    group = groups.get(incident.id)
    same = {one.path for one in every if group is not None and groups.get(one.id) == group}
    return tuple(sorted({incident.path, *same}))


def _backlog(incident: Incident, path: Path | None, points: Sequence[Point], now: datetime) -> Backlog:
    horizon = timedelta(seconds=path.slo.horizon_seconds if path is not None else Slo(1.0).horizon_seconds)
    return backlog(
        incident,
        [
            Awaited(
                launched_at=one.launched_at,
                horizon_at=one.launched_at + horizon,
                verdict=one.verdict,
                came_at=one.launched_at + timedelta(seconds=one.seconds) if one.seconds is not None else None,
            )
            for one in points
        ],
        now,
    )
