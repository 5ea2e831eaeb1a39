"""The prober's own health: can it see, does it launch, do its alerts get out, does it clean up."""

from typing import Final

from canary.instruments import metrics
from dashboards.asking import GREEN, ORANGE, RED, Ask
from dashboards.boards import words
from dashboards.figures import LOOKBACK, age, now
from dashboards.layout import PROBERS, Band, Board, Line, Placeable, values_of
from dashboards.panels import bars, lines, tiles, timeline
from dashboards.promql import increase, last, max_by, min_by, quantile, sum_by
from dashboards.tabular import Column, rows

_PROBER: Final = ("prober",)
_SINK: Final = ("sink",)
_HOUR: Final = 3600.0


def prober() -> Board:
    """What an alert about the prober links to."""
    return Board(
        uid="intake-prober",
        title="Support intake: prober",
        says="Can the prober be believed? If it is silent or blind, all other dashboards are old or empty.",
        variables=[values_of("prober", "Prober", metrics.BUILD_INFO)],
        bands=[
            Band(
                "Can it be believed?",
                [Line(5, [(8, _heartbeat()), (6, _blind()), (5, _outbox()), (5, _versions())])],
            ),
            Band("Seeing", [Line(8, [(12, _causes()), (12, _watchers())])]),
            Band("Launching", [Line(8, [(12, _lag()), (12, _missed())])]),
            Band(
                "Telling",
                [
                    Line(8, [(8, _pending()), (8, _oldest()), (8, _sent())]),
                    Line(7, [(12, _store()), (12, _exports())]),
                ],
            ),
            Band(
                "Cleaning and quarantine",
                [Line(8, [(8, _leftovers()), (8, _attempts()), (8, _quarantine())])],
            ),
            Band("What runs", [Line(6, [(24, _builds())])]),
        ],
        links=[("Prober's page", "${page}/")],
    )


def _heartbeat() -> Placeable:
    return tiles(
        "Heard from",
        "How long ago each prober ended a whole round. Above 15 minutes: restart it; its log says where it stopped.",
        Ask(age(metrics.PROBER_HEARTBEAT, _PROBER, PROBERS), "{{prober}}"),
        unit="dtdurations",
        levels=words.BEAT,
        empty="never: is it scraped?",
    )


def _blind() -> Placeable:
    return tiles(
        "Sees",
        "BLIND: its verdicts are inconclusive until the cause below is gone.",
        Ask(now(metrics.PROBER_BLIND, _PROBER, PROBERS), "{{prober}}"),
        words=words.BLIND,
    )


def _outbox() -> Placeable:
    return tiles(
        "Alerts that wait",
        "Alerts that a sink hasn't taken. If they stay, nobody is told: try the sink with intake-prober check --send.",
        Ask(now(metrics.PROBER_OUTBOX_PENDING, _SINK), "{{sink}}"),
        levels=words.WAITING,
        empty="no sinks",
    )


def _versions() -> Placeable:
    return tiles(
        "Version",
        "Two versions of one prober for long: a replica wasn't replaced.",
        Ask(now(metrics.BUILD_INFO, ("prober", "version"), PROBERS), "{{prober}} {{version}}"),
        levels=((None, "blue"),),
        is_named=True,
    )


def _causes() -> Placeable:
    return timeline(
        "Blind, by cause",
        "network, dns: the prober's own. credentials: renew them. disk, store: the database. ticket_api: the vendor, or the token. "
        "clock: NTP. browser: reinstall it.",
        Ask(now(metrics.PROBER_BLIND, ("prober", "cause"), PROBERS), "{{prober}}: {{cause}}"),
        words=words.BLIND,
    )


def _watchers() -> Placeable:
    return timeline(
        "Watchers see their places",
        "NO: the mailbox or ticketing system can't be read; canaries there become inconclusive. Try intake-prober check.",
        Ask(
            min_by(("place", "prober"), last(metrics.PROBER_WATCHER_UP, LOOKBACK, PROBERS)),
            "{{prober}}: {{place}}",
        ),
        words=words.FINE,
    )


def _lag() -> Placeable:
    return lines(
        "From slot to launch: 95 % within",
        "Of the last hour. More than some seconds: the machine is short of CPU, or the store is slow.",
        Ask(quantile(0.95, metrics.PROBER_SCHEDULER_LAG, _HOUR, PROBERS, by=_PROBER), "{{prober}}"),
        unit="s",
        interval="1m",
    )


def _missed() -> Placeable:
    return bars(
        "Slots missed",
        "Scheduled canaries that nobody launched: not running, stopped, the sender's cap, too many leftovers. Unprobed is not good.",
        Ask(
            # Kept in the store: every replica shows the same.
            max_by(("path", "prober"), increase(metrics.PROBER_MISFIRES, "$__interval", PROBERS)),
            "{{path}} ({{prober}})",
        ),
    )


def _pending() -> Placeable:
    return lines(
        "Alerts that wait, over time",
        "A line that only climbs is a sink that is down.",
        Ask(now(metrics.PROBER_OUTBOX_PENDING, _SINK), "{{sink}}"),
        is_stepped=True,
    )


def _oldest() -> Placeable:
    return lines(
        "Oldest alert waits for",
        "Above 5 minutes it pages: somebody should have been told and wasn't.",
        Ask(age(metrics.PROBER_OUTBOX_OLDEST, _SINK), "{{sink}}"),
        unit="s",
        levels=((None, GREEN), (300, RED)),
    )


def _sent() -> Placeable:
    return bars(
        "Alerts sent",
        "dead: a sink refused it for good; it is told to the other sinks. Mend the sink's URL or key.",
        Ask(
            max_by(("sink", "outcome"), increase(metrics.PROBER_ALERTS_SENT, "$__interval")),
            "{{sink}} {{outcome}}",
        ),
    )


def _store() -> Placeable:
    return bars(
        "Errors of the store",
        "Facts are kept in memory until it takes them. Look at disk space, or at PostgreSQL.",
        Ask(
            sum_by(("prober", "kind"), increase(metrics.PROBER_STORE_ERRORS, "$__interval", PROBERS)),
            "{{prober}} {{kind}}",
        ),
    )


def _exports() -> Placeable:
    return bars(
        "Exports that failed",
        "Traces are kept and sent again; figures by the next push. Look at the collector.",
        Ask(
            sum_by(("prober", "kind"), increase(metrics.PROBER_EXPORT_ERRORS, "$__interval", PROBERS)),
            "{{prober}} {{kind}}",
        ),
    )


def _leftovers() -> Placeable:
    return lines(
        "Leftovers",
        "Tickets and mails of canaries that are still to be removed. A line that climbs fills the helpdesk: intake-prober sweep, then audit.",
        Ask(now(metrics.CLEANUP_LEFTOVERS, ("path", "kind")), "{{path}} {{kind}}"),
        is_stepped=True,
        levels=((None, GREEN), (50, ORANGE)),
    )


def _quarantine() -> Placeable:
    return lines(
        "Tickets outside quarantine",
        "Canaries in a row whose ticket was first seen without the mark of the vendor's rule: agents may meet them. At the limit nothing is launched: intake-prober status.",
        Ask(now(metrics.QUARANTINE_MISSES, ("path",)), "{{path}}"),
        Ask(now(metrics.QUARANTINE_LIMIT, ("path",)), "limit of {{path}}"),
        is_stepped=True,
        levels=((None, GREEN), (1, ORANGE)),
    )


def _attempts() -> Placeable:
    grown = increase(metrics.CLEANUP_ATTEMPTS, "$__interval")
    return bars(
        "Removals tried",
        "failed: intake-prober audit says what the place answered.",
        Ask(max_by(("kind", "outcome"), grown), "{{kind}} {{outcome}}"),
    )


def _builds() -> Placeable:
    by = ("prober", "version", "revision", "python")
    return rows(
        "Builds",
        "What runs where, for a report to its makers.",
        Ask(now(metrics.BUILD_INFO, by, PROBERS)),
        by=by,
        empty="no prober is scraped",
        columns=[
            Column("prober", "Prober"),
            Column("version", "Version"),
            Column("revision", "Revision"),
            Column("python", "Python"),
        ],
    )
