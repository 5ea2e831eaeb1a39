"""Objectives and error budgets: for the week's review rather than the night."""

from typing import Final

from canary.instruments import metrics
from dashboards import figures
from dashboards.asking import GREEN, ORANGE, RED, Ask
from dashboards.boards import words
from dashboards.figures import BUDGET_SECONDS, DAY_SECONDS, burn, failed_share, now
from dashboards.layout import OF_PATH, PATHS, Band, Board, Line, Placeable, values_of
from dashboards.panels import bars, gauges, lines, tiles
from dashboards.promql import Query, increase, max_by, quantile
from dashboards.tabular import Column, rows

_BY: Final = ("path",)
_WINDOWS: Final = ((3600.0, "1h"), (6 * 3600.0, "6h"), (3 * DAY_SECONDS, "3d"))


def slo() -> Board:
    """Whether each path keeps its objective."""
    return Board(
        uid="intake-slo",
        title="Support intake: objectives",
        says="Which paths keep their objective over 30 days, what is left of the error budget, and how fast it burns.",
        variables=[values_of("path", "Path", metrics.PATH_INFO)],
        scope=(PATHS,),
        since="now-7d",
        bands=[
            Band("Is the objective kept?", [Line(5, [(24, _left())]), Line(9, [(24, _objectives())])]),
            Band(
                "How fast the budget burns",
                [
                    Line(8, [(8, _burn(*one)) for one in _WINDOWS]),
                    Line(8, [(12, _budget()), (12, _counted())]),
                ],
            ),
            Band("Incidents", [Line(8, [(12, _incidents()), (12, _detection())])]),
        ],
    )


def _attained(window: float) -> Query:
    share = failed_share(window, PATHS)
    return Query(f"1 - {share}", share.labels)


def _left() -> Placeable:
    return tiles(
        "Error budget left",
        "Of 30 days. Below 0: the objective is missed; put reliability before features. Prometheus must keep 30 days, else it is "
        "of what there is.",
        Ask(figures.budget_left(PATHS), "{{path}}"),
        unit="percentunit",
        levels=words.BUDGET_LEFT,
        empty="no canary counted yet",
        decimals=0,
        links=[("Path", f"{OF_PATH}${{__field.labels.path}}")],
    )


def _objectives() -> Placeable:
    eligible = figures.counted(metrics.SLO_ELIGIBLE, BUDGET_SECONDS, _BY, PATHS)
    good = figures.counted(metrics.SLO_GOOD, BUDGET_SECONDS, _BY, PATHS)
    failed = Query(f"{eligible} - {good}", eligible.labels)
    return rows(
        "Objectives",
        "Attained: confirmed canaries of those that count; inconclusive ones are in neither. Few canaries: the figure says little.",
        Ask(now(metrics.SLO_OBJECTIVE, _BY, PATHS)),
        Ask(_attained(BUDGET_SECONDS)),
        Ask(figures.budget_left(PATHS)),
        Ask(burn(3600.0, PATHS)),
        Ask(burn(DAY_SECONDS, PATHS)),
        Ask(eligible),
        Ask(failed),
        by=_BY,
        empty="no paths: is the prober scraped?",
        columns=[
            Column("path", "Path", link=("Path", f"{OF_PATH}${{__value.raw}}")),
            Column("Value #A", "Objective", unit="percentunit", decimals=2),
            Column("Value #B", "Attained in 30 days", unit="percentunit", decimals=2),
            Column("Value #C", "Budget left", unit="percentunit", levels=words.BUDGET_LEFT, decimals=0),
            Column("Value #D", "Burn in 1 h", levels=words.BURN, decimals=1),
            Column("Value #E", "Burn in a day", levels=words.BURN, decimals=1),
            Column("Value #F", "Canaries that count", decimals=0),
            Column("Value #G", "Failed", levels=((None, GREEN), (1, ORANGE)), decimals=0),
        ],
    )


def _burn(seconds: float, name: str) -> Placeable:
    level = {"1h": 14.4, "6h": 6.0, "3d": 1.0}[name]
    return lines(
        f"Burn rate over {name}",
        f"1 spends the budget in its 30 days. Above the line ({level:g}) a ticket is opened, if two or three canaries failed: "
        "see the rules' guide.",
        Ask(burn(seconds, PATHS), "{{path}}"),
        levels=((None, GREEN), (level, RED)),
        interval="1m",
    )


def _budget() -> Placeable:
    return lines(
        "Error budget left, over time",
        "A cliff is an outage, a slope is flapping: look at the path at that time.",
        Ask(figures.budget_left(PATHS), "{{path}}"),
        unit="percentunit",
        most=1.0,
        levels=((None, RED), (0, GREEN)),
        interval="5m",
    )


def _counted() -> Placeable:
    good = max_by(_BY, increase(metrics.SLO_GOOD, "$__interval", PATHS))
    all_of_them = max_by(_BY, increase(metrics.SLO_ELIGIBLE, "$__interval", PATHS))
    return bars(
        "Canaries that count, failed ones above",
        "Holes: nothing was probed, and the objective says nothing of that time. Unprobed is not good.",
        Ask(good, "{{path}}: in time"),
        Ask(Query(f"clamp_min({all_of_them} - {good}, 0)", good.labels), "{{path}}: failed"),
        interval="1h",
    )


def _incidents() -> Placeable:
    found = figures.grown(metrics.INCIDENTS, "$__range", ("path", "blame"), PATHS)
    return gauges(
        "Incidents in the time shown",
        "By path and hop. What comes again deserves a cause, not another page.",
        Ask(found, "{{path}}: {{blame}}"),
        unit="none",
        empty="none",
    )


def _detection() -> Placeable:
    return tiles(
        "Detected within (95 % of the incidents in 30 days)",
        "From the first failed canary's launch to the alert. Too long: probe more often, or shorten the deadline.",
        Ask(quantile(0.95, metrics.INCIDENT_DETECTION_DELAY, BUDGET_SECONDS, PATHS, by=_BY), "{{path}}"),
        unit="dtdurations",
        levels=((None, GREEN), (1800, ORANGE), (3600, RED)),
        empty="no incident",
    )
