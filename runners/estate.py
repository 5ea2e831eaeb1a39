"""What rules and dashboards are rendered for, out of the configuration."""

from dashboards.estate import (
    DASHBOARDS_MISSING,
    RUNBOOKS_MISSING,
    Estate,
    WatchedMailbox,
    WatchedPath,
)
from dashboards.timing import timing_of
from runners.config.config import Config, Every, PathConfig
from runners.config.cron import Cron
from runners.telemetry.snapshot import REUSED_SECONDS


def estate_of(config: Config) -> Estate:
    """The paths that are switched on, the mailboxes, and where alerts link to; names in order, whatever the file's."""
    told, told_by = config.alerts.prometheus, config.telemetry
    return Estate(
        paths=tuple(
            WatchedPath(config.paths[name].path, usual_seconds(config.paths[name]))
            for name in sorted(config.paths)
            if config.paths[name].path.is_enabled
        ),
        mailboxes=tuple(
            WatchedMailbox(name, one.capacity.limits, one.backlog_age_seconds)
            for name, one in sorted(config.mailboxes.items())
        ),
        team=told.team,
        runbooks_url=config.alerts.runbooks or RUNBOOKS_MISSING,
        dashboards_url=told.dashboards_url or DASHBOARDS_MISSING,
        is_one_shot=any((told_by.otlp, told_by.pushgateway_url, told_by.textfile)),
        is_pushed=config.telemetry.otlp is not None,
    )


def usual_seconds(path: PathConfig) -> float | None:
    """The longest time between two launches while the path's schedule runs; None: launched by hand only."""
    match path.schedule:
        case None:
            return None
        case Every():
            return path.schedule.interval_seconds
        case Cron():
            return path.schedule.usual_gap_seconds()


def page_after_seconds(config: Config) -> float:
    """From an incident that opens to its page leaving Alertmanager, by the rules that are rendered, at the latest."""
    return timing_of(estate_of(config)).page_seconds(exposed_within=REUSED_SECONDS)
