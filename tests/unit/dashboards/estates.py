"""What rules are rendered for in tests."""

from dataclasses import replace
from datetime import timedelta

from canary.gauge import CapacityLimits
from canary.hop import Channel, route
from canary.path import Path, PathName, Slo
from dashboards.estate import Estate, WatchedMailbox, WatchedPath

MAIL = Path(
    PathName("support-email"),
    Channel.EMAIL,
    route(Channel.EMAIL),
    Slo(600.0),
    interval_seconds=300.0,
    ticketing="desk",
    mailbox="support",
    team="support",
    domain="acme.example",
    runbook="https://wiki.acme.example/intake",
)
SALES = replace(MAIL, name=PathName("sales-email"), mailbox="sales", team="sales", runbook=None)


def every(path: Path, seconds: float, *, objective: float = 0.99, name: str = "") -> WatchedPath:
    """The path, launched so often."""
    return WatchedPath(
        replace(
            path,
            name=PathName(name or path.name),
            interval_seconds=seconds,
            slo=Slo(min(600.0, 2 * seconds), objective_share=objective),
        ),
        seconds,
    )


PLAIN = Estate(
    (every(SALES, 300.0), every(MAIL, 300.0)),
    (WatchedMailbox("sales"), WatchedMailbox("support")),
    team="intake-ops",
    runbooks_url="https://runbooks.acme.example/intake",
    dashboards_url="https://grafana.acme.example",
)
"""Two paths every five minutes: the case of the contract."""
OFFICE = WatchedPath(replace(MAIL, name=PathName("office.hours"), interval_seconds=216_000.0), 600.0)
"""A cron schedule: every ten minutes, with weekends of sixty hours."""
MANY = Estate(
    (
        every(MAIL, 86400.0, name="daily"),
        every(MAIL, 150.0, name="quick"),
        every(MAIL, 1800.0, name="half-hourly", objective=0.9),
        WatchedPath(replace(MAIL, name=PathName("by-hand"), interval_seconds=None), None),
        OFFICE,
    ),
    (
        WatchedMailbox("small", CapacityLimits(warn_share=0.5, page_share=0.7, forecast=timedelta(hours=72))),
        WatchedMailbox("support", backlog_age_seconds=7200.0),
    ),
)
"""Intervals, objectives and limits that differ."""
ESTATES = {
    "plain": PLAIN,
    "many": MANY,
    "nothing": Estate(()),
    "seconds": Estate((every(MAIL, 15.0),), (WatchedMailbox("support"),)),
    "pushed": Estate((every(MAIL, 900.0),), (WatchedMailbox("support"),), is_pushed=True),
}
