"""One path: what it does now, its verdicts, where its time goes, and its canaries' traces."""

from typing import Final

from canary.hop import Hop
from canary.instruments import metrics
from dashboards import figures
from dashboards.asking import GREEN, ORANGE, RED, Ask
from dashboards.boards import words
from dashboards.boards.traceql import PATH_CANARIES
from dashboards.figures import age, now, open_incidents, states
from dashboards.layout import PATH, Band, Board, Line, Placeable, tempo, values_of
from dashboards.panels import bars, gauges, heat, lines, tiles
from dashboards.promql import Matcher, buckets, increase, max_by, quantile
from dashboards.tabular import Column, rows, traces

HOPS: Final = tuple(one for one in Hop if one is not Hop.TICKET_CLEANUP)
"""In the order in which a canary passes them."""
ROLLING_SECONDS: Final = 3600.0
"""Canaries are few: quantiles are those of the last hour."""
_OK: Final = Matcher("outcome", "=", "ok")
_BY: Final = ("path",)


def path() -> Board:
    """What an alert of a path links to."""
    return Board(
        uid="intake-path",
        title="Support intake: path",
        says="One path from launch to ticket: is it up, since when, at which hop; then verdicts, durations and traces.",
        variables=[values_of("path", "Path", metrics.PATH_INFO, is_many=False), tempo()],
        scope=(PATH,),
        bands=[
            Band(
                "Is it up? Since when? Which hop?",
                [
                    Line(
                        4,
                        [
                            (4, _state()),
                            (4, _since()),
                            (6, _broken_at()),
                            (4, _success()),
                            (3, _failures_in_a_row()),
                            (3, _in_flight()),
                        ],
                    )
                ],
            ),
            Band(
                "Verdicts",
                [Line(9, [(12, _verdicts()), (12, _duration())]), Line(7, [(12, _counts()), (12, _ages())])],
            ),
            Band(
                "Waterfall",
                [
                    Line(10, [(8, _hops(0.5, "half of them")), (8, _hops(0.95, "95 %")), (8, _failures())]),
                    Line(9, [(12, _arrived()), (12, _slowest())]),
                ],
            ),
            Band("Canaries", [Line(9, [(24, _canaries())]), Line(7, [(24, _launched())])]),
        ],
        links=[("Path on the prober's page", "${page}/paths/${path}"), ("Incidents", "${page}/incidents")],
    )


def _state() -> Placeable:
    return tiles(
        "State",
        "DOWN: an incident is open. unknown: no verdict yet, or the prober can't see.",
        Ask(states(PATH), "{{path}}"),
        words=words.STATE,
        empty="no such path",
    )


def _since() -> Placeable:
    return tiles(
        "Broken since",
        "Time since the first canary that failed was launched. Whoever wrote since the last success may be affected.",
        Ask(age(metrics.INCIDENT_START, _BY, PATH)),
        unit="dtdurations",
        levels=((None, RED),),
        empty="not broken",
    )


def _broken_at() -> Placeable:
    return tiles(
        "Broken at",
        "The hop where requests stop, and why, as the incident opened. First: intake-prober incidents, then the runbook's "
        "page of the reason.",
        Ask(open_incidents(PATH), "{{blame}}: {{reason}}"),
        levels=((None, RED),),
        empty="no open incident",
        is_named=True,
    )


def _success() -> Placeable:
    return tiles(
        "Last success ago",
        "The age of the last proof that a customer gets through. Much more than interval and deadline together is bad news, "
        "whatever the state says.",
        Ask(age(metrics.PATH_LAST_SUCCESS, _BY, PATH)),
        unit="dtdurations",
        levels=((None, GREEN), (3600, ORANGE), (4 * 3600, RED)),
        empty="never",
    )


def _failures_in_a_row() -> Placeable:
    return tiles(
        "Failures in a row",
        "Breached canaries since the last success. An incident opens as `alerts.open` says, usually at 2.",
        Ask(now(metrics.PATH_CONSECUTIVE_FAILURES, _BY, PATH)),
        levels=words.FAILURES,
    )


def _in_flight() -> Placeable:
    return tiles(
        "In flight",
        "Canaries without a verdict yet; the trace of one is there when it is judged.",
        Ask(now(metrics.PATH_IN_FLIGHT, _BY, PATH)),
    )


def _verdicts() -> Placeable:
    return bars(
        "Verdicts",
        "Red: not there by the deadline. Orange: it came late; dark red: never. Grey: the prober couldn't see, which says "
        "nothing of the path.",
        Ask(max_by(("verdict",), increase(metrics.CANARY_VERDICTS, "$__interval", PATH)), "{{verdict}}"),
        colors=words.VERDICTS,
    )


def _duration() -> Placeable:
    shares = ((0.5, "half of them within"), (0.95, "95 % within"), (1, "all within"))
    return lines(
        "From launch to ticket",
        "Of the last hour, by the buckets' upper bounds; the dashed line is the deadline. A slow rise is a queue that grows: "
        "look at the hops below. A dot is a canary: it opens the trace.",
        *(
            Ask(
                quantile(share, metrics.CANARY_DURATION, ROLLING_SECONDS, PATH),
                name,
                has_exemplars=share == 1,
            )
            for share, name in shares
        ),
        Ask(now(metrics.PATH_DEADLINE, _BY, PATH), "deadline"),
        unit="s",
        dashed="^deadline$",
        interval="1m",
    )


def _counts() -> Placeable:
    return lines(
        "Failures in a row, and in flight",
        "In flight that only grows: watchers don't see what arrives. Look at the prober.",
        Ask(now(metrics.PATH_CONSECUTIVE_FAILURES, _BY, PATH), "failures in a row"),
        Ask(now(metrics.PATH_IN_FLIGHT, _BY, PATH), "in flight"),
        is_stepped=True,
    )


def _ages() -> Placeable:
    return lines(
        "How old the last of each is",
        "A last launch older than the interval (dashed): nobody probes. A last verdict older than interval and deadline: "
        "nobody judges.",
        Ask(age(metrics.PATH_LAST_LAUNCH, _BY, PATH), "last launch"),
        Ask(age(metrics.PATH_LAST_VERDICT, _BY, PATH), "last verdict"),
        Ask(age(metrics.PATH_LAST_SUCCESS, _BY, PATH), "last success"),
        Ask(age(metrics.PATH_OLDEST_IN_FLIGHT, _BY, PATH), "oldest in flight"),
        Ask(now(metrics.PATH_INTERVAL, _BY, PATH), "interval"),
        unit="s",
        dashed="^interval$",
    )


def _hops(share: float, name: str) -> Placeable:
    """A query a hop: Prometheus gives series in no order, a panel's queries are in theirs."""
    return gauges(
        f"Hops: {name} within",
        "In the order in which a canary passes them, over the time shown. The longest is where a customer waits.",
        *(
            Ask(
                quantile(share, metrics.HOP_DURATION, "$__range", PATH, _of(hop), _OK, by=("hop",)), "{{hop}}"
            )
            for hop in HOPS
        ),
        unit="s",
    )


def _of(hop: Hop) -> Matcher:
    return Matcher("hop", "=", hop.value)


def _failures() -> Placeable:
    return rows(
        "Failures in the time shown",
        "Breached canaries by hop and reason. One reason: one cause. Many: the hop itself is sick. The reason leads to its "
        "page of the runbook.",
        Ask(figures.failures("$__range", PATH)),
        by=("hop", "reason"),
        empty="no failures",
        sort="Canaries",
        columns=[
            Column("hop", "Hop"),
            Column("reason", "Reason", link=words.TO_RUNBOOK),
            Column("Value #A", "Canaries", levels=words.FAILURES, decimals=0),
        ],
    )


def _arrived() -> Placeable:
    grown = increase(buckets(metrics.HOP_DURATION), "$__interval", PATH, _of(Hop.TICKET_CREATED), _OK)
    return heat(
        "Until the ticket is there (ticket.created)",
        "Each column is a stretch of time, each row a duration. A band that climbs is a fetcher that falls behind; two bands "
        "are two ways in.",
        max_by(("le",), grown),
    )


def _slowest() -> Placeable:
    return lines(
        "95 % of each hop within",
        "Of the last hour. The hop that rises first is the one to look at. A dot is a canary: it opens the trace.",
        Ask(
            quantile(0.95, metrics.HOP_DURATION, ROLLING_SECONDS, PATH, _OK, by=("hop",)),
            "{{hop}}",
            has_exemplars=True,
        ),
        unit="s",
        interval="1m",
    )


def _canaries() -> Placeable:
    return traces(
        "The newest canaries",
        "A row is a canary; its id opens the trace with each hop. More, and by verdict, on the explorer. Without Tempo: "
        "intake-prober canaries --path.",
        PATH_CANARIES,
    )


def _launched() -> Placeable:
    return bars(
        "Canaries launched",
        "Each column has as many as the schedule says; fewer are missed slots: look at the prober.",
        Ask(max_by(_BY, increase(metrics.CANARY_LAUNCHED, "$__interval", PATH)), "launched"),
    )
