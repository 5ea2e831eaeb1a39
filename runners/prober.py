"""The prober as wired: its paths with their probes, the places that are watched, and who is known where."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from canary.canary import Canary
from canary.gauge import CapacityLimits
from canary.hop import Hop
from canary.path import Path, PathName
from canary.signature import CanaryId, verify
from canary.slot import Slot
from probes.contracts import GaugeReader, Probe, Watcher
from probes.masking import Masker
from probes.selfcheck import Selfcheck
from probes.ticketing.listening import Listening
from probes.ticketing.watcher import TicketWatcher
from runners.alerts.contracts import AlertSink
from runners.alerts.heartbeat import Heartbeat
from runners.contracts import RemovalKind
from runners.outside import Outside
from runners.place_faults import PlaceFaults
from runners.retention import KEPT, Retention
from runners.situation import AlertRules
from runners.telemetry.process_figures import ProcessFigures
from runners.telemetry.routes import Route


class Archive(Protocol):
    """What keeps files for a while."""

    async def forget(self) -> None:
        """Remove what was kept long enough; never raises for a disk."""


@dataclass(frozen=True, slots=True)
class Place:
    """A watched place.

    Attributes:
        hop: the hop that is seen there; once it is, the place need not be asked again for that canary.
        may_write: whether anything is removed there.
        tickets: the watcher, where the place is a ticketing system; it also finds tickets of which no store knows.
        listening: the same system, where its looks are heard for when strangers' tickets came.
    """

    watcher: Watcher
    hop: Hop
    may_write: bool = True
    tickets: TicketWatcher | None = None
    listening: Listening | None = None

    @property
    def leaves(self) -> RemovalKind:
        """What a canary leaves behind there."""
        return RemovalKind.TICKET if self.holds_tickets else RemovalKind.MAIL

    @property
    def holds_tickets(self) -> bool:
        """Whether it is a ticketing system, where nothing tells of a new ticket."""
        return self.hop is Hop.TICKET_CONTENT


@dataclass(frozen=True, slots=True)
class GaugedPlace:
    """A place whose gauges are read, and the limits of what it may come to."""

    reader: GaugeReader
    capacity: CapacityLimits = field(default_factory=CapacityLimits)
    backlog_age: timedelta = timedelta(minutes=15)


_REMEMBERED = 4096


@dataclass(frozen=True, slots=True)
class SignedPaths:
    """Whose tokens verify: the signing keys, and the names of all paths that may have signed with them."""

    keys: Sequence[bytes]
    paths: Sequence[str]
    _known: dict[str, CanaryId | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Every look finds the tokens of the look before it again, and any path may have signed each."""

    def recognise(self, token: str) -> CanaryId | None:
        """The id of the canary whose token this is, or None for a forged, altered or foreign one."""
        if token not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            verified = verify(token, keys=self.keys, paths=self.paths)
            self._known[token] = verified.canary_id if verified is not None else None
        return self._known[token]


@dataclass(frozen=True, slots=True)
class Prober:
    """Everything that `run`, `sweep` and `serve` share; constructed by `runners.wiring` alone.

    Attributes:
        senders: the addresses that take turns, by path.
        places: watched places by name; a sender's mailbox has the account's name.
        sender_places: the place of a sender's own mailbox, by address.
        keys: signing keys, the first signs.
        schedules: the latest due slot of a path at a time; None: launched by hand only.
        outside: what places outside told this process; the probes' self-checks ask it.
        controls: those that are configured; None where there is none.
        alerts: how people are told; without sinks nobody is, and incidents are grouped all the same.
        sinks: where alerts go, by name; ``heartbeats``: who is told that the prober lives.
        retention: how long the store keeps what.
        archives: folders of evidence, which forget the old at the end of a run.
        disposals_per_hour: removals an hour by place, where another cap than the default is wished.
        timetable: when a slot of a path becomes due next, of those in ``schedules``.
        cap_per_hour: launches an hour by (sender, ticketing system), where a guard is known.
        figures: what this process counts itself.
        placed: puts file and line before the key of the configuration that a finding names.
        faults: what of ours went wrong at which place.
        routes: makes the ways out by which figures are pushed; called when they are, and not before: that loads libraries.
    """

    name: str
    marker: str
    paths: Mapping[PathName, Path]
    probes: Mapping[PathName, Probe]
    senders: Mapping[PathName, Sequence[str]]
    places: Mapping[str, Place]
    sender_places: Mapping[str, str]
    gauges: Sequence[GaugedPlace]
    keys: Sequence[bytes]
    masker: Masker
    schedules: Mapping[PathName, Callable[[datetime], Slot | None]] = field(default_factory=dict)
    timetable: Mapping[PathName, Callable[[datetime], datetime | None]] = field(default_factory=dict)
    cap_per_hour: Mapping[str, int] = field(default_factory=dict)
    disposals_per_hour: Mapping[str, int] = field(default_factory=dict)
    outside: Outside = field(default_factory=Outside)
    controls: Selfcheck | None = None
    archives: Sequence[Archive] = ()
    sinks: Mapping[str, AlertSink] = field(default_factory=dict)
    heartbeats: Sequence[Heartbeat] = ()
    retention: Retention = KEPT
    alerts: AlertRules = field(default_factory=lambda: AlertRules("prober"))
    figures: ProcessFigures = field(default_factory=lambda: ProcessFigures("prober"))
    faults: PlaceFaults = field(default_factory=PlaceFaults)
    routes: Callable[[], Sequence[Route]] | None = None
    placed: Callable[[str], str] = str

    @property
    def gauged_places(self) -> frozenset[str]:
        """Every place of which a reading matters: of the paths, of the gauges, and those that are watched."""
        named = {
            name for one in self.paths.values() for name in (one.mailbox, one.ticketing, one.domain) if name
        }
        return frozenset(named | {one.reader.place for one in self.gauges} | set(self.places))

    def places_of(self, canary: Canary) -> tuple[str, ...]:
        """The places where a canary is to be seen; all of them where its path is no longer configured."""
        path = self.paths.get(canary.path)
        if path is None:
            return tuple(self.places)
        named = (path.mailbox, path.ticketing, self.sender_places.get(canary.sender))
        return tuple(place for place in named if place is not None and place in self.places)
