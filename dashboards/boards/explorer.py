"""The canary explorer: from figures to single canaries, and from a canary to each of its hops."""

from typing import Final

from canary.hop import Hop
from canary.instruments import metrics
from canary.verdict import Verdict
from dashboards import figures
from dashboards.asking import Ask
from dashboards.boards import words
from dashboards.boards.path import ROLLING_SECONDS
from dashboards.boards.traceql import RESULT, ROOT, attribute, spans
from dashboards.layout import OF_PATH, PATHS, Band, Board, Line, Placeable, choice, tempo, text, values_of
from dashboards.panels import bars, lines, waterfall
from dashboards.promql import Matcher, increase, max_by, quantile
from dashboards.tabular import Column, rows, traces

_SETTLED: Final = tuple(one.value for one in Verdict if one is not Verdict.PENDING)
_ANY: Final = ("all", ".+")
_HOP: Final = Matcher("hop", "=~", "$hop")


def explorer() -> Board:
    """Look for a canary by path, verdict, hop or id."""
    return Board(
        uid="intake-explorer",
        title="Support intake: canary explorer",
        says="Find a canary, open its trace: by path, verdict and hop, by its id, or from a dot on a curve. Needs Tempo.",
        variables=[
            values_of("path", "Path", metrics.PATH_INFO),
            tempo(),
            choice("verdict", "Verdict", [_ANY, *((one, one) for one in _SETTLED)]),
            choice("hop", "Hop", [_ANY, *((one.value, one.value) for one in Hop)]),
            text("canary", "Canary's id"),
            text("trace", "Trace's id"),
        ],
        scope=(PATHS,),
        bands=[
            Band("Canaries", [Line(10, [(24, _canaries())])]),
            Band("What went wrong", [Line(9, [(14, _failed_hops()), (10, _failures())])]),
            Band("One canary", [Line(5, [(24, _of_id())]), Line(14, [(24, _trace())])]),
            Band(
                "From figures to traces",
                [Line(9, [(12, _durations()), (12, _hops())]), Line(8, [(24, _seen())])],
            ),
        ],
        links=[("Canaries on the prober's page", "${page}/canaries")],
    )


def _canaries() -> Placeable:
    return traces(
        "Canaries",
        "A row is a canary that was judged; its id opens the trace. Choose a verdict above to see the breached ones alone. "
        "Without Tempo: intake-prober canaries.",
        spans(
            ROOT,
            f'{attribute("intake.path")} =~ "${{path:regex}}"',
            f'{attribute("intake.verdict")} =~ "$verdict"',
            shown=("intake.canary.id", "intake.path", *RESULT),
        ),
        limit=50,
    )


def _failed_hops() -> Placeable:
    return traces(
        "Hops that failed",
        "A row is a hop of a canary that went wrong, with what the server said. The same words from one server: call whoever "
        "runs it.",
        spans(
            f'{attribute("intake.outcome")} = "failed"',
            f'{attribute("intake.path")} =~ "${{path:regex}}"',
            f'{attribute("intake.hop")} =~ "$hop"',
            shown=(
                "intake.canary.id",
                "intake.path",
                "intake.hop",
                "error.type",
                "server.address",
                "intake.smtp.code",
                "http.response.status_code",
                "intake.evidence",
            ),
        ),
        limit=50,
    )


def _failures() -> Placeable:
    return rows(
        "Failures in the time shown",
        "Breached canaries by path, hop and reason: what to look for in the traces. The reason leads to its page of the runbook.",
        Ask(figures.failures("$__range", PATHS, _HOP)),
        by=("path", "hop", "reason"),
        empty="no failures",
        sort="Canaries",
        columns=[
            Column("path", "Path", link=("Path", f"{OF_PATH}${{__value.raw}}")),
            Column("hop", "Hop"),
            Column("reason", "Reason", link=words.TO_RUNBOOK),
            Column("Value #A", "Canaries", levels=words.FAILURES, decimals=0),
        ],
    )


def _of_id() -> Placeable:
    return traces(
        "The canary of this id",
        "Paste a canary's id above, as an alert, a ticket or intake-prober names it; then open its trace.",
        spans(
            ROOT,
            f'{attribute("intake.canary.id")} = "$canary"',
            shown=("intake.canary.id", "intake.path", *RESULT),
        ),
        limit=5,
    )


def _trace() -> Placeable:
    return waterfall(
        "The trace of this id",
        "Paste a trace's id above, as logs and `intake-prober trace --json` name it. Each bar is a hop; relays of the mail lie "
        "below mailbox.arrival.",
        "$trace",
    )


def _durations() -> Placeable:
    return lines(
        "From launch to ticket: 95 % within",
        "Of the last hour, a line a path. A dot is a canary: it opens the trace. Dots far above the line are the ones to look at.",
        Ask(
            quantile(0.95, metrics.CANARY_DURATION, ROLLING_SECONDS, PATHS, by=("path",)),
            "{{path}}",
            has_exemplars=True,
        ),
        unit="s",
        interval="1m",
    )


def _hops() -> Placeable:
    return lines(
        "Hops: 95 % within",
        "Of the last hour, a line a path and hop; choose a hop above. A dot is a canary: it opens the trace.",
        Ask(
            quantile(0.95, metrics.HOP_DURATION, ROLLING_SECONDS, PATHS, _HOP, by=("path", "hop")),
            "{{path}}: {{hop}}",
            has_exemplars=True,
        ),
        unit="s",
        interval="1m",
    )


def _seen() -> Placeable:
    found = increase(metrics.HOP_OBSERVATIONS, "$__interval", PATHS, _HOP)
    return bars(
        "What was seen at hops",
        "Observed: by ourselves. Reported: by a bounce. Inferred: a later hop proves it. Failed ones are what to look for above.",
        Ask(max_by(("hop", "outcome", "evidence"), found), "{{hop}} {{outcome}} ({{evidence}})"),
    )
