"""The overview: is intake up, since when, which hop. The page that is open at 3 a.m."""

from typing import Final

from canary.instruments import metrics
from dashboards import figures
from dashboards.asking import GREEN, ORANGE, Ask
from dashboards.boards import words
from dashboards.boards.words import TO_RUNBOOK
from dashboards.figures import DAY_SECONDS, age, now, of_incidents, open_incidents, states
from dashboards.layout import OF_PATH, OF_PLACE, OF_PROBER, PATHS, Band, Board, Line, Placeable, values_of
from dashboards.panels import gauges, lines, tiles, timeline
from dashboards.promql import Query, increase, max_by, sum_by
from dashboards.tabular import Column, rows

_BY: Final = ("path",)
_INCIDENT: Final = ("path", "blame", "reason")
_TO_PATH: Final = ("Path", f"{OF_PATH}${{__field.labels.path}}")
_PATH_COLUMN: Final = Column("path", "Path", link=("Path", f"{OF_PATH}${{__value.raw}}"))
_NO_PATHS: Final = "no paths: is the prober scraped?"
_USED: Final = now(metrics.MAILBOX_USED_RATIO, ("place", "resource"))


def overview() -> Board:
    """All paths at a glance."""
    return Board(
        uid="intake-overview",
        title="Support intake: overview",
        says="Is intake up, since when, and at which hop did it break? Start here; a path's name leads on.",
        variables=[values_of("path", "Path", metrics.PATH_INFO)],
        scope=(PATHS,),
        bands=[
            Band(
                "Is intake up? Since when? Which hop?",
                [
                    Line(5, [(4, _broken()), (14, _is_up()), (3, _heard_from()), (3, _sees())]),
                    Line(7, [(24, _open_incidents())]),
                ],
            ),
            Band("Every path", [Line(9, [(24, _paths())]), Line(8, [(24, _history())])]),
            Band(
                "What breaks next",
                [Line(7, [(8, _mailboxes()), (8, _certificates()), (4, _waiting()), (4, _missed())])],
            ),
            Band("Where it breaks", [Line(8, [(12, _incidents()), (12, _filling())])]),
        ],
        links=[("Prober's page", "${page}/"), ("Incidents", "${page}/incidents")],
    )


def _broken() -> Placeable:
    return tiles(
        "Broken paths",
        "How many paths have an open incident: there customers can't reach support. The table below says where. "
        "'no figures' is not health: look at the prober first.",
        Ask(figures.broken(PATHS)),
        levels=words.ANY,
        words={"0": ("none", GREEN)},
    )


def _is_up() -> Placeable:
    return tiles(
        "Is intake up?",
        "DOWN: an incident is open. unknown: no verdict yet, or the prober can't see; nobody knows whether customers get "
        "through. Click a path to see the hop.",
        Ask(states(PATHS), "{{path}}"),
        words=words.STATE,
        empty=_NO_PATHS,
        links=[_TO_PATH],
    )


def _heard_from() -> Placeable:
    return tiles(
        "Prober heard from",
        "How long ago any prober ended a whole round. Above 15 minutes all else on this page is old: restart the prober "
        "before you believe anything.",
        Ask(age(metrics.PROBER_HEARTBEAT, ())),
        unit="dtdurations",
        levels=words.BEAT,
        empty="never",
        links=[("Prober", OF_PROBER)],
    )


def _sees() -> Placeable:
    return tiles(
        "Prober sees",
        "BLIND: something keeps a prober from seeing, so its verdicts are inconclusive. The prober's dashboard names it.",
        Ask(now(metrics.PROBER_BLIND, ())),
        words=words.BLIND,
        links=[("Prober", OF_PROBER)],
    )


def _open_incidents() -> Placeable:
    onset = now(metrics.INCIDENT_START, _BY, PATHS)
    return rows(
        "Open incidents",
        "Which hop broke, why, and since when: the launch of the first canary that failed. Whoever wrote since the last "
        "success may be affected. The reason leads to its page of the runbook. First: intake-prober incidents.",
        Ask(open_incidents(PATHS)),
        Ask(of_incidents(age(metrics.INCIDENT_START, _BY, PATHS), PATHS)),
        # Grafana's dates are in milliseconds.
        Ask(of_incidents(Query(f"1000 * {onset}", onset.labels), PATHS)),
        Ask(of_incidents(age(metrics.PATH_LAST_SUCCESS, _BY, PATHS), PATHS)),
        Ask(of_incidents(now(metrics.PATH_CONSECUTIVE_FAILURES, _BY, PATHS), PATHS)),
        by=_INCIDENT,
        empty="no incident is open",
        sort="Since",
        columns=[
            _PATH_COLUMN,
            Column("blame", "Hop"),
            Column("reason", "Reason", link=TO_RUNBOOK),
            Column("Value #B", "Since", unit="dtdurations"),
            Column("Value #C", "First failed canary", unit="dateTimeAsIsoNoDateIfToday"),
            Column("Value #D", "Last success ago", unit="dtdurations"),
            Column("Value #E", "Failures in a row", levels=words.FAILURES),
        ],
    )


def _paths() -> Placeable:
    return rows(
        "Paths",
        "Each path as it is now. Judge by the age of the last success: a path that is up with an old one isn't probed. "
        "Budget: what is left of 30 days' error budget; below 0 the objective is missed.",
        Ask(states(PATHS)),
        Ask(age(metrics.PATH_LAST_SUCCESS, _BY, PATHS)),
        Ask(age(metrics.PATH_LAST_VERDICT, _BY, PATHS)),
        Ask(open_incidents(PATHS)),
        Ask(now(metrics.PATH_CONSECUTIVE_FAILURES, _BY, PATHS)),
        Ask(now(metrics.PATH_IN_FLIGHT, _BY, PATHS)),
        Ask(figures.budget_left(PATHS)),
        Ask(now(metrics.PATH_SILENCED, _BY, PATHS)),
        by=_INCIDENT,
        empty=_NO_PATHS,
        columns=[
            _PATH_COLUMN,
            Column("Value #A", "State", words=words.STATE, is_colored=True),
            Column("blame", "Hop"),
            Column("reason", "Reason", link=TO_RUNBOOK),
            Column("Value #B", "Last success ago", unit="dtdurations"),
            Column("Value #C", "Last verdict ago", unit="dtdurations"),
            Column("Value #E", "Failures in a row", levels=words.FAILURES),
            Column("Value #F", "In flight"),
            Column("Value #G", "Budget left", unit="percentunit", levels=words.BUDGET_LEFT, decimals=0),
            Column("Value #H", "Silenced", words=words.YES),
        ],
    )


def _history() -> Placeable:
    return timeline(
        "State of each path",
        "When each path was up, down or unknown; gaps: the prober wasn't seen. Paths that break together share a cause: "
        "the mail domain, the ticketing system.",
        Ask(states(PATHS), "{{path}}"),
        words=words.STATE,
        links=[_TO_PATH],
    )


def _mailboxes() -> Placeable:
    return gauges(
        "Mailboxes: share used",
        "Above 80 %: make room today. Above 95 %: mail bounces soon. Empty it or raise its limit; the places' dashboard "
        "has the forecast.",
        Ask(_USED, "{{place}} {{resource}}"),
        unit="percentunit",
        levels=words.SHARE_USED,
        most=1.0,
        empty="no mailbox is read",
    )


def _certificates() -> Placeable:
    return gauges(
        "Certificates: days left",
        "Below 14 days: renew. Below 2: now. After that, mail servers and browsers refuse to talk.",
        Ask(figures.days_left(), "{{place}}"),
        unit="d",
        levels=words.DAYS_LEFT,
        empty="no certificate is read",
    )


def _waiting() -> Placeable:
    return tiles(
        "Alerts that wait",
        "Alerts that a sink hasn't taken. If they stay, nobody is told: look at the sink.",
        Ask(now(metrics.PROBER_OUTBOX_PENDING, ("sink",)), "{{sink}}"),
        levels=words.WAITING,
        empty="no sinks",
    )


def _missed() -> Placeable:
    missed = increase(metrics.PROBER_MISFIRES, DAY_SECONDS, PATHS)
    return tiles(
        "Slots missed in a day",
        "Scheduled canaries that nobody launched. Unprobed is not good: is the prober up, has the sender reached its cap?",
        # Every replica shows the store's figure: the greatest of them, and only then the sum of probers.
        Ask(sum_by(_BY, max_by(("path", "prober"), missed)), "{{path}}"),
        levels=((None, GREEN), (1, ORANGE)),
        empty="none",
        decimals=0,
    )


def _incidents() -> Placeable:
    return gauges(
        "Incidents in the time shown, by hop",
        "Which hop breaks most: there, work on the cause pays most.",
        Ask(figures.grown(metrics.INCIDENTS, "$__range", ("path", "blame"), PATHS), "{{path}}: {{blame}}"),
        unit="none",
        empty="none",
    )


def _filling() -> Placeable:
    return lines(
        "Mailboxes: share used, over time",
        "Steady growth means that mail is fetched no more, or never removed.",
        Ask(_USED, "{{place}} {{resource}}"),
        unit="percentunit",
        levels=words.SHARE_USED,
        most=1.0,
        links=[("Place", f"{OF_PLACE}${{__field.labels.place}}")],
    )
