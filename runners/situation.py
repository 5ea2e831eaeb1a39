"""The situation: what is open, told and silenced at one moment, and what a change of it makes people hear.

It is read once and then kept up while several changes are stored in one transaction: the second of two incidents of
one cause joins what the first one opened. Whether anybody else changed it meanwhile is found out by the versions.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from canary.alert import Alert, AlertKind, AlertTransition, Concern, Ending, Severity, Subject, message_id
from canary.concern import cause_of, incident_concerns, may_break_alike
from canary.gauge import Gauge
from canary.gauge_words import headline
from canary.incident import Change, Incident, IncidentId
from canary.path import Path, PathName
from canary.review import CALM, Notice, Reminding, Review, Standing, end, review
from canary.silence import Silence, are_silenced
from canary.traffic import History
from canary.usual import all_at_risk
from runners.alert_contracts import AlertStep

FLOOD = Subject("flood")
HOUR = timedelta(hours=1)


class Routing(Protocol):
    """Which sinks a concern goes to at an hour."""

    def sinks_for(
        self,
        severity: Severity,
        kind: AlertKind,
        paths: Sequence[Path],
        now: datetime,
    ) -> Sequence[str]:
        """The names of the sinks; none where nobody is to be told."""
        ...


class NoSinks:
    """A `Routing` that tells nobody: alerts are Prometheus's work, or no sink is configured."""

    def sinks_for(
        self,
        severity: Severity,  # noqa: ARG002 -- the contract
        kind: AlertKind,  # noqa: ARG002
        paths: Sequence[Path],  # noqa: ARG002
        now: datetime,  # noqa: ARG002
    ) -> Sequence[str]:
        """None."""
        return ()


@dataclass(frozen=True, slots=True)
class AlertRules:
    """How alerts are told.

    Attributes:
        namespace: of this deployment, in the keys of its alerts.
        pages_per_hour: more are held back, and that is told.
        sinks: all that are configured; who was told and is none of them is not reminded.
        windows: the maintenance windows: each gives the silence that it makes at a time, or None.
    """

    namespace: str
    routing: Routing = field(default_factory=NoSinks)
    reminding: Reminding = field(default_factory=Reminding)
    pages_per_hour: int = 10
    sinks: frozenset[str] | None = None
    windows: Sequence[Callable[[datetime], Silence | None]] = ()

    @property
    def tells_anybody(self) -> bool:
        """Whether there is anyone to tell; without, incidents are grouped and no more."""
        return not isinstance(self.routing, NoSinks)

    def silences_at(self, now: datetime, stored: Sequence[Silence]) -> list[Silence]:
        """The silences in force: those that somebody made, and the maintenance windows."""
        found = [window(now) for window in self.windows]
        return [*(one for one in stored if one.is_in_force(now)), *(one for one in found if one is not None)]


@dataclass(slots=True)
class Situation:
    """What is open, told and silenced.

    Attributes:
        incidents: the open ones, by id.
        standings: what was told of each subject, and its version in the store.
        silences: those in force now.
        working: the paths by which customers still reach support, as far as is known.
        pages: how many concerns were opened as a page in the last hour.
        ended: incidents that were told of and are over, by id.
        held_back: the pages that wait for room.
        histories: of real tickets, by ticketing system.
        reminds: whether it is known by now that what was told of still lasts.
    """

    rules: AlertRules
    prober: str
    paths: Mapping[PathName, Path]
    now: datetime
    incidents: dict[IncidentId, Incident]
    standings: dict[Subject, tuple[Standing | None, int]]
    silences: Sequence[Silence]
    working: Sequence[PathName] = ()
    pages: int = 0
    ended: dict[IncidentId, Incident] = field(default_factory=dict)
    held_back: set[Subject] = field(default_factory=set)
    histories: Mapping[str, History] = field(default_factory=dict)
    reminds: bool = True

    def take(self, changes: Iterable[Change]) -> tuple[AlertStep, ...]:
        """What is to be stored and told of incidents that just changed."""
        changed = {one.incident.id: one.incident for one in changes}
        if not changed:
            return ()
        for incident_id, one in changed.items():
            if one.is_open:
                self.incidents[incident_id] = one
            else:
                self.incidents.pop(incident_id, None)
                self.ended[incident_id] = one
        concerns = {one.subject: one for one in self.incident_concerns()}
        subjects = {
            subject
            for subject, concern in concerns.items()
            if any(one in changed for one in concern.incidents)
        }
        subjects |= {
            subject
            for subject, (standing, _) in self.standings.items()
            if standing is not None and any(one in changed for one in standing.incidents)
        }
        return tuple(
            step for subject in sorted(subjects) for step in self.review(subject, concerns.get(subject))
        )

    def incident_concerns(self) -> list[Concern]:
        """The concerns that the open incidents make."""
        known = {
            incident_id: subject
            for subject, (standing, _) in self.standings.items()
            if standing is not None
            for incident_id in standing.incidents
        }
        return incident_concerns(self.incidents.values(), self.paths, now=self.now, known=known)

    def review(
        self,
        subject: Subject,
        concern: Concern | None,
        *,
        is_retired: bool = False,
        reading: Gauge | None = None,
    ) -> tuple[AlertStep, ...]:
        """What is to be stored and told of one subject; nothing where all is as it was told.

        Args:
            subject: what it is called.
            concern: as it is now; None: it is over.
            is_retired: over because nobody looks any more.
            reading: of a gauge that is well again, what was read.
        """
        standing, version = self.standings.get(subject, (None, 0))
        if standing is None and concern is None:
            return ()
        well_at = reading.read_at if reading is not None else self.now
        ending = None
        if standing is not None:
            ending = self._ending(standing, well_at, reading, is_retired=is_retired)
        if standing is not None and standing.concern.incidents and concern is not None:
            ended = set(standing.concern.incidents) - set(self.incidents)
            if ended == set(standing.concern.incidents):
                # All that was told of is over, and another incident of the same cause began: that is news.
                first = self._step(subject, end(standing), version, standing.concern, ending)
                return (first, *self.review(subject, concern))
        reviewed = review(
            standing,
            concern,
            sinks=self._sinks(standing, concern),
            is_silenced=concern is not None and are_silenced(concern.names, self.silences, self.now),
            namespace=self.rules.namespace,
            now=self.now,
            reminding=self.rules.reminding,
            configured=self.rules.sinks,
            well_at=well_at,
            reminds=self.reminds and concern is not None and self._is_looked_at(concern),
        )
        if reviewed.standing == standing and not reviewed.notices:
            return ()
        about = concern or (standing.concern if standing is not None else None)
        if about is None:
            return ()
        if standing is not None:
            # A gauge is read again and again: what lasts began when it was first seen, not with the last reading.
            about = replace(about, since=min(about.since, standing.concern.since))
        return (self._step(subject, reviewed, version, about, ending),)

    def _is_looked_at(self, concern: Concern) -> bool:
        """Whether anybody here looks at what an incident broke: where not, it only waits to be retired.

        Another replica that still probes its path reminds of it itself.
        """
        paths = [self.paths.get(one) for one in concern.paths]
        return not concern.incidents or any(one is not None and one.is_enabled for one in paths)

    def _ending(
        self, standing: Standing, well_at: datetime, reading: Gauge | None, *, is_retired: bool
    ) -> Ending:
        """How all that a concern ever grouped ended: it is known to be over only where each recovered."""
        over = [self.ended[one] for one in standing.incidents if one in self.ended]
        known = [one.impact_until for one in over if one.impact_until is not None]
        ended = [one.resolved_at for one in over if one.resolved_at is not None]
        return Ending(
            is_retired=is_retired or any(one.is_retired for one in over),
            impact_until=max(known) if known and len(known) == len(over) else None,
            well_since=(standing.gone_at or well_at)
            if standing.concern.kind in CALM and not is_retired
            else None,
            detail=headline(reading) if reading is not None else "",
            resolved_at=max(ended, default=None),
        )

    def _working_beside(self, concern: Concern) -> tuple[PathName, ...]:
        """The paths that still work and don't go through what broke the others: it may break these, too."""
        is_of_place = concern.kind is AlertKind.GAUGE  # whose paths are all that go through it
        broken = [self.paths[one] for one in concern.paths if one in self.paths and not is_of_place]
        return tuple(
            name
            for name in self.working
            if name not in concern.paths
            and not any(
                may_break_alike(other, concern.stop_of(other.name), self.paths[name]) for other in broken
            )
        )

    def _step(
        self, subject: Subject, reviewed: Review, version: int, concern: Concern, ending: Ending | None
    ) -> AlertStep:
        before = self.standings.get(subject, (None, 0))[0]
        opened_at = (reviewed.standing or before or Standing(concern, "", self.now)).opened_at
        step = AlertStep(
            subject,
            reviewed.standing,
            version,
            tuple(self._alert(one, concern, ending, opened_at) for one in reviewed.notices),
        )
        opens = {
            one.key
            for one in reviewed.notices
            if one.transition is AlertTransition.OPENED and one.severity is Severity.PAGE
        }
        self.pages += len(opens)
        self.standings[subject] = (reviewed.standing, version + 1)
        return step

    def _sinks(self, standing: Standing | None, concern: Concern | None) -> Sequence[str]:
        if concern is None:
            return ()
        paths = [self.paths[one] for one in concern.paths if one in self.paths]
        routed = self.rules.routing.sinks_for(concern.severity, concern.kind, paths, self.now)
        # That a sink can't be reached is told to the others.
        is_about_sink = concern.kind is AlertKind.DELIVERY
        sinks = [one for one in routed if not (is_about_sink and one == concern.place)]
        is_new_page = (
            concern.severity is Severity.PAGE
            and bool(sinks)
            and concern.kind is not AlertKind.FLOOD
            and not any(one.severity is Severity.PAGE for one in (standing.told if standing else ()))
        )
        if is_new_page and self.pages >= self.rules.pages_per_hour:
            self.held_back.add(concern.subject)
            return ()
        return sinks

    def _alert(self, notice: Notice, concern: Concern, ending: Ending | None, opened_at: datetime) -> Alert:
        is_over = notice.transition is AlertTransition.RESOLVED
        return Alert(
            id=message_id(notice.sink, notice.key, notice.seq),
            key=notice.key,
            seq=notice.seq,
            sink=notice.sink,
            transition=notice.transition,
            severity=notice.severity,
            at=self.now,
            concern=concern,
            prober=self.prober,
            ending=(ending or Ending()) if is_over else None,
            working=self._working_beside(concern),
            opened_at=opened_at,
            beside=() if is_over else self._beside(concern),
            at_risk=self._at_risk(concern, ending if is_over else None),
        )

    def _at_risk(self, concern: Concern, ending: Ending | None) -> float | None:
        if concern.kind is not AlertKind.INCIDENT or not all(one in self.paths for one in concern.paths):
            return None
        until = ending.impact_until if ending is not None else concern.works_from
        paths = [self.paths[one] for one in concern.paths]
        return all_at_risk(paths, self.histories, concern.impact_from or concern.since, until or self.now)

    def _beside(self, concern: Concern) -> tuple[str, ...]:
        """What else people were told of that has the same cause, and still lasts."""
        cause = cause_of(concern)
        others = [
            one.concern
            for subject, (one, _) in sorted(self.standings.items())
            if one is not None and one.told and one.gone_at is None and subject != concern.subject
        ]
        return tuple(_title(one) for one in others if cause is not None and cause_of(one) == cause)


def _title(concern: Concern) -> str:
    if concern.headline:
        return concern.headline
    if concern.each:
        return f"{', '.join(concern.paths)} broken, not all at one place"
    return f"{', '.join(concern.paths)} broken" + (
        f" at {concern.stop.hop}: {concern.stop.reason}" if concern.stop is not None else ""
    )


def _flood_detail(count: int) -> str:
    things = "more concern" if count == 1 else "more concerns"
    return f"{count} {things} would page, and are held back: look at the page, or `intake-prober status`"


def flood_concern(held_back: Collection[Subject], *, since: datetime) -> Concern | None:
    """The one page that says that others are held back."""
    if not held_back:
        return None
    return Concern(
        subject=FLOOD,
        kind=AlertKind.FLOOD,
        severity=Severity.PAGE,
        since=since,
        detail=_flood_detail(len(held_back)),
    )
