"""The series of paths and their incidents, out of what the store knows of them."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.incident import Incident, IncidentKind
from canary.instruments import metrics
from canary.path import Path, PathName
from canary.quarantine import Quarantine
from runners.contracts import Leftover, RemovalKind
from runners.pulse import Pulse
from runners.states import stale_since
from runners.telemetry.families import Points

CLOSED_SHOWN = timedelta(hours=24)
"""An ended incident stays as a 0 for so long: an alert that looks back must see that it is over."""


@dataclass(frozen=True, slots=True)
class PathsRead:
    """What was read of the paths.

    Attributes:
        pulses: of each path that is shown.
        incidents: those that are open, and those that ended of late.
    """

    pulses: Mapping[PathName, Pulse]
    incidents: Sequence[Incident]
    leftovers: Sequence[Leftover]
    quarantines: Mapping[PathName, Quarantine]


def add_paths(
    points: Points, paths: Sequence[Path], read: PathsRead, *, silenced: Collection[str], now: datetime
) -> None:
    """Add the gauges of paths, of their incidents and of what is left of their canaries.

    A path that is switched off has no gauges: it launches nothing, so every alert about its silence would be false.
    """
    targets = [one for one in read.incidents if one.kind is IncidentKind.TARGET]
    broken = {one.path for one in targets if one.is_open}
    # Its last two canaries were inconclusive: then an incident of the prober is open, until one says something.
    blind = {one.path for one in read.incidents if one.is_open and one.kind is IncidentKind.BLIND}
    for path in paths:
        if path.is_enabled:
            _add_settings(points, path, is_silenced=path.name in silenced)
            pulse = read.pulses.get(path.name, Pulse())
            _add_up(points, path, pulse, is_broken=path.name in broken, is_blind=path.name in blind, now=now)
            _add_pulse(points, path.name, pulse)
            _add_quarantine(points, path, read.quarantines.get(path.name, Quarantine()))
    _add_incidents(points, targets, now)
    _add_leftovers(points, [path.name for path in paths], read.leftovers)


def _add_settings(points: Points, path: Path, *, is_silenced: bool) -> None:
    """What the configuration says, so that no rule needs a number of its own."""
    name = {"path": path.name}
    facts = {"channel": path.channel, "team": path.team, "domain": path.domain}
    points.add(metrics.PATH_INFO, 1.0, {**name, **facts, "ticketing": path.ticketing or ""})
    points.add(metrics.PATH_DEADLINE, path.slo.deadline_seconds, name)
    if path.interval_seconds is not None:
        points.add(metrics.PATH_INTERVAL, path.interval_seconds, name)
    points.add(metrics.PATH_SILENCED, float(is_silenced), name)
    points.add(metrics.SLO_OBJECTIVE, path.slo.objective_share, name)


def _add_up(
    points: Points, path: Path, pulse: Pulse, *, is_broken: bool, is_blind: bool, now: datetime
) -> None:
    """Known to work is what a confirmed canary proved, as long as canaries still say something: else nobody knows."""
    is_stale = stale_since(path, pulse.last_verdict_at, now) is not None
    is_known = pulse.last_success_at is not None and not is_blind and not is_stale
    if is_broken or is_known:
        points.add(metrics.PATH_UP, float(not is_broken), {"path": path.name})


def _add_pulse(points: Points, path: PathName, pulse: Pulse) -> None:
    name = {"path": path}
    points.add(metrics.PATH_IN_FLIGHT, float(pulse.in_flight), name)
    points.add_time(metrics.PATH_OLDEST_IN_FLIGHT, pulse.oldest_in_flight_at, name)
    points.add(metrics.PATH_CONSECUTIVE_FAILURES, float(pulse.consecutive_failures), name)
    points.add_time(metrics.PATH_LAST_LAUNCH, pulse.last_launch_at, name)
    points.add_time(metrics.PATH_LAST_VERDICT, pulse.last_verdict_at, name)
    points.add_time(metrics.PATH_LAST_SUCCESS, pulse.last_success_at, name)


def _add_quarantine(points: Points, path: Path, quarantine: Quarantine) -> None:
    points.add(metrics.QUARANTINE_MISSES, float(quarantine.misses), {"path": path.name})
    if path.quarantine_misses is not None:
        points.add(metrics.QUARANTINE_LIMIT, float(path.quarantine_misses), {"path": path.name})


def _add_incidents(points: Points, incidents: Sequence[Incident], now: datetime) -> None:
    """Open ones first, since two of the same path, blame and reason are one series."""
    for one in sorted(incidents, key=lambda one: (not one.is_open, one.path, one.opened_at)):
        if one.resolved_at is None or now - one.resolved_at < CLOSED_SHOWN:
            # Of its opening, though a sharper blame may be known by now: another label would be another alert.
            labels = {"path": one.path, "blame": one.stop.hop, "reason": one.stop.reason}
            points.add(metrics.INCIDENT_OPEN, float(one.is_open), labels)
        if one.is_open:
            points.add_time(metrics.INCIDENT_START, one.onset_at, {"path": one.path})


def _add_leftovers(points: Points, paths: Sequence[PathName], leftovers: Sequence[Leftover]) -> None:
    """A series of every configured path and kind; what is left of a path that is none any more is work, too."""
    counts = Counter((one.path, one.kind) for one in leftovers)
    known = dict.fromkeys((path, kind) for path in paths for kind in RemovalKind)
    for path, kind in {**known, **dict.fromkeys(sorted(counts))}:
        points.add(metrics.CLEANUP_LEFTOVERS, float(counts[path, kind]), {"path": path, "kind": kind})
