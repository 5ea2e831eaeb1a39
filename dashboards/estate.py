"""What rules and dashboards are made for: the configured paths and places, and where alerts may link to."""

from dataclasses import dataclass, field
from typing import Final

from canary.gauge import CapacityLimits
from canary.path import Path, PathName
from dashboards.uids import check_prefix

RUNBOOKS_MISSING: Final = "https://runbooks.invalid/set-alerts.runbooks"
DASHBOARDS_MISSING: Final = "https://grafana.invalid/set-alerts.prometheus.dashboards"
PAGE_MISSING: Final = "https://prober.invalid/set-web.url"
"""Placeholders, in a domain that never exists (RFC 2606 section 2)."""


@dataclass(frozen=True, slots=True)
class WatchedPath:
    """A path that is switched on.

    Attributes:
        usual_seconds: the longest time between two launches while its schedule runs; None: launched by hand only.
            The path's own ``interval_seconds`` has the nights and weekends of a cron schedule in it. A window that
            asks for canaries needs the usual time, a limit on silence needs the longest.
    """

    path: Path
    usual_seconds: float | None


@dataclass(frozen=True, slots=True)
class WatchedMailbox:
    """A mailbox whose capacity and backlog are read."""

    name: str
    limits: CapacityLimits = field(default_factory=CapacityLimits)
    backlog_age_seconds: float = 900.0


@dataclass(frozen=True, slots=True)
class Estate:
    """All that is watched.

    Attributes:
        paths: those that are switched on, by name.
        mailboxes: by name.
        team: who answers for the prober itself; empty: nobody is named.
        runbooks_url: base of docs/runbook as it is published.
        dashboards_url: base of Grafana.
        uid_prefix: before the uid of each dashboard there.
        tick_seconds: from one heartbeat to the next at most, day and night: of the rendered cron, timer or CronJob, whose
            runs beat though no path is due. The daemon's come more often.
        is_pushed: figures are sent by OTLP: a series is seen for five minutes after each push, then no more.
    """

    paths: tuple[WatchedPath, ...]
    mailboxes: tuple[WatchedMailbox, ...] = ()
    team: str = ""
    runbooks_url: str = RUNBOOKS_MISSING
    dashboards_url: str = DASHBOARDS_MISSING
    tick_seconds: float = 300.0
    uid_prefix: str = ""
    is_pushed: bool = False

    def __post_init__(self) -> None:
        """Refuse a prefix that Grafana would refuse.

        Raises:
            ValueError: it has other characters than a uid may have, or is too long.
        """
        check_prefix(self.uid_prefix)

    @property
    def scheduled(self) -> tuple[tuple[Path, float], ...]:
        """The paths with a schedule, each with its usual interval in seconds."""
        return tuple((one.path, one.usual_seconds) for one in self.paths if one.usual_seconds is not None)

    @property
    def names(self) -> tuple[PathName, ...]:
        """The names of all paths."""
        return tuple(one.path.name for one in self.paths)

    @property
    def teams(self) -> tuple[str, ...]:
        """The teams that paths and the prober belong to, sorted."""
        return tuple(sorted({self.team, *(one.path.team for one in self.paths)} - {""}))
