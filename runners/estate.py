"""What rules and dashboards are rendered for, out of the configuration."""

from dashboards.estate import (
    DASHBOARDS_MISSING,
    RUNBOOKS_MISSING,
    Estate,
    WatchedMailbox,
    WatchedPath,
)
from dashboards.timing import timing_of
from runners.config.config import Config, PathConfig
from runners.config.telemetry import MetricsByOtlp
from runners.deploy.refusal import CannotRender
from runners.deploy.timing import MOST_MINUTES, tick_minutes
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
        tick_seconds=_tick_seconds(config),
        is_pushed=told_by.otlp_metrics is not None and told_by.by_otlp is not MetricsByOtlp.NEVER,
    )


def _tick_seconds(config: Config) -> float:
    """As the rendered cron, timer or CronJob has it; where there can be none, the daemon beats at least so often."""
    try:
        return 60.0 * tick_minutes(config)
    except CannotRender:
        return 60.0 * MOST_MINUTES


def usual_seconds(path: PathConfig) -> float | None:
    """The longest time between two launches while the path's schedule runs; None: launched by hand only."""
    return path.path.usual_seconds


def page_after_seconds(config: Config) -> float:
    """From an incident that opens to its page leaving Alertmanager, by the rules that are rendered, at the latest."""
    return timing_of(estate_of(config)).page_seconds(exposed_within=REUSED_SECONDS)
