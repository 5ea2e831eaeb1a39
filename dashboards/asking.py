"""What the panels of all kinds share: their queries, colours, words and links.

For development alone: this imports the library that writes Grafana's JSON, which is not installed with the program.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus, tempo
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from dashboards.promql import Query

METRICS: Final = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
TRACES: Final = shapes.DataSourceRef(type_val="tempo", uid="${tempo}")
GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#808080"
Levels = Sequence[tuple[float | None, str]]
"""Colours from a value on; None: from the lowest."""
Words = Mapping[str, tuple[str, str]]
"""What is shown for a value, and its colour."""
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Ask:
    """One query of a panel.

    Attributes:
        query: what is asked.
        legend: how a series is called, with labels in double braces.
        has_exemplars: also ask for the traces behind a histogram.
        interval: the least step, where canaries come too seldom for the screen's.
    """

    query: Query
    legend: str = ""
    has_exemplars: bool = False
    interval: str = ""


def ref(number: int) -> str:
    """The name of a panel's query: A, B, …."""
    return _LETTERS[number] if number < len(_LETTERS) else f"A{_LETTERS[number - len(_LETTERS)]}"


def mapping(words: Words) -> models.ValueMap:
    """What is shown for a value, and its colour."""
    return models.ValueMap(
        {
            value: models.ValueMappingResult(text=text, color=color, index=number)
            for number, (value, (text, color)) in enumerate(words.items())
        }
    )


def thresholds(levels: Levels) -> dashboard.ThresholdsConfig:
    """Colours from a value on; None: from the lowest."""
    steps = [models.Threshold(value=value, color=color) for value, color in levels or ((None, GREEN),)]
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def link(title: str, url: str, *, is_new: bool = False) -> dashboard.DashboardLink:
    """A link of a value or a panel."""
    made = dashboard.DashboardLink(title).url(url)
    return made.target_blank(True) if is_new else made


def target(ask: Ask, number: int) -> prometheus.Dataquery:
    """The query as Grafana has it; it is still to be told for which time it is asked."""
    made = (
        prometheus.Dataquery()
        .ref_id(ref(number))
        .datasource(METRICS)
        .editor_mode(QueryEditorMode.CODE)
        .expr(ask.query.text)
        .legend_format(ask.legend)
    )
    if ask.interval:
        made = made.interval(ask.interval)
    return made.exemplar(True) if ask.has_exemplars else made


def targets(
    asks: Sequence[Ask], *, is_instant: bool = False, is_table: bool = False
) -> list[Builder[Dataquery]]:
    """The queries: of the whole time, or of its end alone."""
    made: list[Builder[Dataquery]] = []
    for number, ask in enumerate(asks):
        one = target(ask, number)
        one = one.instant() if is_instant else one.range()
        made.append(one.format(PromQueryFormat.TABLE if is_table else PromQueryFormat.TIME_SERIES))
    return made


def traceql(query: str) -> tempo.Dataquery:
    """A query to Tempo: TraceQL, or a trace's id."""
    return tempo.Dataquery().ref_id("A").datasource(TRACES).query_type("traceql").query(query)
