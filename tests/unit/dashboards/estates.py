"""What rules are rendered for in tests."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import strategies as st

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

INTERVALS = st.one_of(
    st.sampled_from([60.0, 300.0, 600.0, 900.0, 3600.0, 86400.0]),
    st.floats(60.0, 86400.0, allow_nan=False),
)


@st.composite
def estates(draw: st.DrawFn) -> Estate:
    """1 to 20 paths, each minute to once a day, some by a cron schedule with nights, and up to three mailboxes."""
    paths = []
    for number in range(draw(st.integers(1, 20))):
        usual = draw(INTERVALS)
        made = every(MAIL, usual, objective=draw(st.sampled_from([0.9, 0.99, 0.999, 1.0])), name=f"p{number}")
        pause = draw(st.sampled_from([0.0, 43_200.0, 216_000.0]))
        longest = replace(made.path, interval_seconds=max(usual, pause))
        paths.append(WatchedPath(longest, draw(st.sampled_from([usual, usual, usual, None]))))
    limits = draw(st.lists(st.sampled_from([300.0, 900.0, 86400.0]), max_size=3))
    boxes = tuple(WatchedMailbox(f"m{at}", backlog_age_seconds=one) for at, one in enumerate(limits))
    return Estate(tuple(paths), boxes, is_pushed=draw(st.booleans()))
