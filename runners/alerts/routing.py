"""Which sinks a concern goes to, by its severity, kind, paths and labels and by the hour. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from canary.alert import AlertKind, Severity
from canary.path import Path, PathName
from runners.alerts.hours import Hours

NO_LABELS: Mapping[str, str] = MappingProxyType({})


def labels_of(path: Path) -> Mapping[str, str]:
    """The labels by which alerts of a path are routed."""
    return {"team": path.team, "domain": path.domain, "channel": path.channel.value}


@dataclass(frozen=True, slots=True)
class Route:
    """What goes to some sinks; a condition that is not named holds for everything.

    Attributes:
        severity: None: both.
        kinds: empty: all.
        paths, labels: conditions that one path of the concern must meet both.
        hours: any of these spans; empty: at every hour.
    """

    sinks: tuple[str, ...]
    severity: Severity | None = None
    kinds: frozenset[AlertKind] = frozenset()
    paths: frozenset[PathName] = frozenset()
    labels: Mapping[str, str] = field(default_factory=lambda: NO_LABELS)
    hours: tuple[Hours, ...] = ()

    def takes(
        self,
        severity: Severity,
        kind: AlertKind,
        paths: Sequence[PathName],
        labels: Mapping[PathName, Mapping[str, str]],
    ) -> bool:
        """Whether it takes such a concern, at whatever hour."""
        if self.severity not in {None, severity} or (self.kinds and kind not in self.kinds):
            return False
        if not self.paths and not self.labels:
            return True
        return any(
            (not self.paths or name in self.paths)
            and self.labels.items() <= labels.get(name, NO_LABELS).items()
            for name in paths
        )

    def is_open(self, now: datetime) -> bool:
        """Whether it takes anything at that hour."""
        return not self.hours or any(one.holds(now) for one in self.hours)


@dataclass(frozen=True, slots=True)
class PathRouting:
    """The routes as whoever reviews concerns asks for them; satisfies `runners.situation.Routing`."""

    router: "Router"

    def sinks_for(
        self, severity: Severity, kind: AlertKind, paths: Sequence[Path], now: datetime
    ) -> tuple[str, ...]:
        """The sinks for a concern of these paths at this hour."""
        labels = {one.name: labels_of(one) for one in paths}
        return self.router.sinks_for(severity, kind, tuple(labels), labels, now)


@dataclass(frozen=True, slots=True)
class Router:
    """All routes that match decide; without routes every sink gets everything.

    A page that no route takes at any hour goes to every sink: a route that was forgotten must not swallow it. One that a
    route takes at another hour waits for that hour.

    Attributes:
        sinks: all that get alerts, in order; a heartbeat is none of them.
        catches: whether forgotten pages go to every sink (not where Prometheus pages).
    """

    routes: tuple[Route, ...]
    sinks: tuple[str, ...]
    catches: bool = True

    def sinks_for(
        self,
        severity: Severity,
        kind: AlertKind,
        paths: Sequence[PathName],
        labels: Mapping[PathName, Mapping[str, str]],
        now: datetime,
    ) -> tuple[str, ...]:
        """The sinks for such a concern at this hour, in the order of the configuration, each once.

        Args:
            severity: of the concern.
            kind: of the concern.
            paths: of the concern; it may have none.
            labels: of each path.
            now: aware UTC.
        """
        if not self.routes:
            return self.sinks
        taking = [one for one in self.routes if one.takes(severity, kind, paths, labels)]
        if not taking and severity is Severity.PAGE and self.catches:
            return self.sinks
        named = {sink for one in taking if one.is_open(now) for sink in one.sinks}
        return tuple(one for one in self.sinks if one in named)

    def has_page_hours(
        self, kind: AlertKind, path: PathName, labels: Mapping[PathName, Mapping[str, str]]
    ) -> bool:
        """Whether pages of a path reach somebody only at some hours."""
        taking = [one for one in self.routes if one.takes(Severity.PAGE, kind, (path,), labels)]
        return bool(taking) and all(one.hours for one in taking)
