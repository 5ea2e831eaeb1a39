"""A dashboard as a whole: panels in bands, with what all dashboards have: variables, annotations, links to each other.

For development alone, as `dashboards.panels`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from canary.instruments import Instrument, metrics
from dashboards.asking import METRICS
from dashboards.estate import PAGE_MISSING, RUNBOOKS_MISSING
from dashboards.figures import now
from dashboards.promql import Matcher, Query, last

WIDTH: Final = 24
TAG: Final = "support-intake"
PATHS: Final = Matcher("path", "=~", "$path")
PATH: Final = Matcher("path", "=", "$path")
PLACES: Final = Matcher("place", "=~", "$place")
PROBERS: Final = Matcher("prober", "=~", "$prober")
OF_PATH: Final = "/d/intake-path?${datasource:queryparam}&${__url_time_range}&var-path="
"""A path's dashboard; its name is to be added."""
OF_PLACE: Final = "/d/intake-places?${datasource:queryparam}&${__url_time_range}&var-place="
OF_PROBER: Final = "/d/intake-prober?${datasource:queryparam}&${__url_time_range}"
_SAMPLED: Final = "60s"


class Placeable(Protocol):
    """A panel that is still to get its number and its place."""

    def id(self, id_val: int, /) -> object:
        """Number it."""

    def grid_pos(self, grid_pos: models.GridPos, /) -> object:
        """Place it."""

    def build(self) -> models.Panel:
        """The panel."""


@dataclass(frozen=True, slots=True)
class Line:
    """Panels beside each other, each with its width; together they are as wide as the page."""

    height: int
    panels: Sequence[tuple[int, Placeable]]


@dataclass(frozen=True, slots=True)
class Band:
    """Some lines under a heading."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard.

    Attributes:
        uid: its address, which alerts link to.
        says: for whom it is, and when.
        variables: beside those that all have.
        scope: conditions on incidents and silences that are shown as annotations.
        since: which time is shown at first.
        links: beside those to the other dashboards: title and URL.
    """

    uid: str
    title: str
    says: str
    bands: Sequence[Band]
    variables: Sequence[Builder[models.VariableModel]] = ()
    scope: tuple[Matcher, ...] = ()
    since: str = "now-24h"
    links: Sequence[tuple[str, str]] = ()

    def build(self) -> models.Dashboard:
        """As the library has it.

        Raises:
            ValueError: a line is not as wide as the page.
        """
        made = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.says)
            .tags([TAG])
            .editable()
            .timezone("browser")
            .time(self.since, "now")
            .refresh("1m")
            .tooltip(models.DashboardCursorSync.CROSSHAIR)
            .variables([_datasource("datasource", "Metrics", "prometheus"), *self.variables, *_constants()])
            .annotations(list(_annotations(self.scope)))
            .links(list(self._links()))
        )
        number, top = 0, 0
        for band in self.bands:
            number += 1
            place = models.GridPos(h=1, w=WIDTH, x=0, y=top)
            made = made.with_row(dashboard.Row(band.title).id(number).grid_pos(place))
            top += 1
            for line in band.lines:
                for panel in _placed(line, top):
                    number += 1
                    panel.id(number)
                    made = made.with_panel(_Built(panel.build()))
                top += line.height
        return made.build()

    def _links(self) -> Iterator[dashboard.DashboardLink]:
        yield (
            dashboard.DashboardLink("Support intake")
            .type(models.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .include_vars(True)
            .keep_time(True)
        )
        for title, url in self.links:
            yield (
                dashboard.DashboardLink(title)
                .type(models.DashboardLinkType.LINK)
                .url(url)
                .icon("external link")
                .target_blank(True)
            )


class _Built(Builder[models.Panel]):
    """A panel that is built already."""

    def __init__(self, panel: models.Panel) -> None:
        self._panel = panel

    def build(self) -> models.Panel:
        return self._panel


def _placed(line: Line, top: int) -> Iterator[Placeable]:
    if sum(width for width, _ in line.panels) != WIDTH:
        raise ValueError(f"a line of {[width for width, _ in line.panels]} is not {WIDTH} wide")
    left = 0
    for width, panel in line.panels:
        panel.grid_pos(models.GridPos(h=line.height, w=width, x=left, y=top))
        left += width
        yield panel


def values_of(name: str, label: str, one: Instrument, *, is_many: bool = True) -> dashboard.QueryVariable:
    """A variable with all values of a label; with many, all at first."""
    if name not in one.labels:
        raise ValueError(f"{one.name} has no label {name}")
    made = (
        dashboard.QueryVariable(name)
        .label(label)
        .datasource(METRICS)
        .query(f"label_values({one.prometheus}, {name})")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
    )
    if not is_many:
        return made
    everything = models.VariableOption(selected=True, text="All", value="$__all")
    return made.multi(True).include_all(True).all_value(".*").current(everything)


def tempo() -> dashboard.DatasourceVariable:
    """Where traces are."""
    return _datasource("tempo", "Traces", "tempo")


def choice(name: str, label: str, values: Sequence[tuple[str, str]]) -> dashboard.CustomVariable:
    """A variable with values of a closed list, each with its text; the first at first."""
    options = [
        models.VariableOption(selected=number == 0, text=text, value=value)
        for number, (text, value) in enumerate(values)
    ]
    query = ",".join(text if text == value else f"{text} : {value}" for text, value in values)
    return dashboard.CustomVariable(name).label(label).values(query).options(options).current(options[0])


def text(name: str, label: str) -> dashboard.TextBoxVariable:
    """A variable that is typed in."""
    return dashboard.TextBoxVariable(name).label(label).default_value("")


def _datasource(name: str, label: str, kind: str) -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable(name).label(label).type(kind)


def _constants() -> list[dashboard.ConstantVariable]:
    """What `render grafana` sets."""
    return [
        dashboard.ConstantVariable("lookback").value("2m"),
        dashboard.ConstantVariable("page").value(PAGE_MISSING),
        dashboard.ConstantVariable("runbooks").value(RUNBOOKS_MISSING),
    ]


def _annotations(scope: tuple[Matcher, ...]) -> Iterator[dashboard.AnnotationQuery]:
    incidents = now(metrics.INCIDENT_OPEN, ("path", "blame", "reason"), *scope)
    silences = now(metrics.PATH_SILENCED, ("path",), *scope)
    version = ("prober", "version")
    yield _annotation(
        "Incidents",
        Query(f"{incidents} == 1", incidents.labels),
        "red",
        "{{path}}: broken at {{blame}}",
        "{{reason}}",
    )
    yield _annotation(
        "Silences",
        Query(f"{silences} == 1", silences.labels),
        "purple",
        "{{path}}: silenced",
        "alerts are held",
    )
    began = now(metrics.BUILD_INFO, version)
    before = f"max by ({', '.join(version)}) ({last(metrics.BUILD_INFO, 600.0, before=60.0)})"
    yield _annotation(
        "Versions",
        Query(f"{began} unless {before}", began.labels),
        "blue",
        "{{prober}}: version {{version}}",
        "began to run",
    )


def _annotation(name: str, query: Query, color: str, title: str, text: str) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(METRICS)
        .enable(True)
        .icon_color(color)
        .expr(query.text)
        .step(_SAMPLED)
        .title_format(title)
        .text_format(text)
    )
