"""The house's panels: each kind with its looks decided once, so that a dashboard says only what it asks and what to do.

For development alone: this imports the library that writes Grafana's JSON, which is not installed with the program.
"""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    stat,
    statetimeline,
    timeseries,
)
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import heatmap as heatmaps
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.asking import (
    BLUE,
    GREY,
    METRICS,
    TRACES,
    Ask,
    Levels,
    Words,
    link,
    mapping,
    target,
    targets,
    thresholds,
    traceql,
)
from dashboards.promql import Query


def tiles(
    title: str,
    says: str,
    *asks: Ask,
    unit: str = "none",
    levels: Levels = (),
    words: Words | None = None,
    empty: str = "no figures",
    links: Sequence[tuple[str, str]] = (),
    is_named: bool = False,
    is_history_shown: bool = False,
    decimals: int | None = None,
) -> stat.Panel:
    """One tile a series, with the value of now.

    Args:
        title: what it shows.
        says: what to do about it.
        asks: the queries.
        unit: as Grafana names it.
        levels: colours from a value on.
        words: what is shown for a value.
        empty: what is said where there is no series at all.
        links: of each tile.
        is_named: show the legend in the value's place: what a label says.
        is_history_shown: with a small line behind it.
        decimals: as many, else as Grafana thinks.
    """
    made = (
        stat.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .unit(unit)
        .thresholds(thresholds(levels))
        .no_value(empty)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(shapes.BigValueGraphMode.AREA if is_history_shown else shapes.BigValueGraphMode.NONE)
        .justify_mode(shapes.BigValueJustifyMode.CENTER)
        .text_mode(shapes.BigValueTextMode.NAME if is_named else shapes.BigValueTextMode.AUTO)
        .targets(targets(asks, is_instant=not is_history_shown))
    )
    if words:
        made = made.mappings([mapping(words)])
    if decimals is not None:
        made = made.decimals(decimals)
    return made.data_links([link(*one) for one in links]) if links else made


def lines(
    title: str,
    says: str,
    *asks: Ask,
    unit: str = "none",
    levels: Levels = (),
    least: float | None = 0.0,
    most: float | None = None,
    is_stepped: bool = False,
    dashed: str = "",
    links: Sequence[tuple[str, str]] = (),
    interval: str = "",
) -> timeseries.Panel:
    """Values over time: gaps stay gaps, so that what wasn't seen isn't drawn.

    Args:
        title: what it shows.
        says: what to do about it.
        asks: the queries.
        unit: as Grafana names it.
        levels: drawn as dashed lines; the first stands below all.
        least: the soft lower end of the axis.
        most: the soft upper end.
        is_stepped: the value holds until the next.
        dashed: a regular expression of the series that are no measurement: limits and forecasts.
        links: of each series.
        interval: the least step.
    """
    made = (
        timeseries.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .unit(unit)
        .line_width(2)
        .fill_opacity(0)
        .show_points(shapes.VisibilityMode.AUTO)
        .line_interpolation(
            shapes.LineInterpolation.STEP_AFTER if is_stepped else shapes.LineInterpolation.LINEAR
        )
        .span_nulls(False)
        .legend(_legend("lastNotNull", "max"))
        .tooltip(_tooltip())
        .targets(targets(asks))
    )
    if levels:
        style = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        made = made.thresholds(thresholds(levels)).thresholds_style(style)
    if least is not None:
        made = made.axis_soft_min(least)
    if most is not None:
        made = made.axis_soft_max(most)
    if dashed:
        properties = [
            models.DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 8]}),
            models.DynamicConfigValue("custom.lineWidth", 1),
        ]
        made = made.override_by_regexp(f"/{dashed}/", properties)
    if interval:
        made = made.interval(interval)
    return made.data_links([link(*one) for one in links]) if links else made


def bars(
    title: str,
    says: str,
    *asks: Ask,
    unit: str = "none",
    colors: Mapping[str, str] | None = None,
    interval: str = "10m",
) -> timeseries.Panel:
    """Counts of each stretch of time, stacked; ``colors`` by the names of the series."""
    made = (
        timeseries.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .unit(unit)
        .decimals(0)
        .interval(interval)
        .draw_style(shapes.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(0)
        .axis_soft_min(0)
        .stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
        .legend(_legend("sum"))
        .tooltip(_tooltip())
        .targets(targets(asks))
    )
    for name, color in (colors or {}).items():
        value = {"mode": "fixed", "fixedColor": color}
        made = made.override_by_name(name, [models.DynamicConfigValue("color", value)])
    return made


def timeline(
    title: str,
    says: str,
    *asks: Ask,
    words: Words,
    links: Sequence[tuple[str, str]] = (),
) -> statetimeline.Panel:
    """States over time, one line a series; what wasn't seen is a gap."""
    made = (
        statetimeline.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .mappings([mapping(words)])
        .thresholds(thresholds(((None, GREY),)))
        .fill_opacity(80)
        .show_value(shapes.VisibilityMode.NEVER)
        .merge_values(True)
        .row_height(0.8)
        .span_nulls(False)
        .legend(common.VizLegendOptions().show_legend(False))
        .targets(targets(asks))
    )
    return made.data_links([link(*one) for one in links]) if links else made


def gauges(
    title: str,
    says: str,
    *asks: Ask,
    unit: str,
    levels: Levels = (),
    least: float = 0.0,
    most: float | None = None,
    empty: str = "no figures",
) -> bargauge.Panel:
    """One bar a series, in the order of the queries."""
    made = (
        bargauge.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .unit(unit)
        .min(least)
        .no_value(empty)
        .thresholds(thresholds(levels or ((None, BLUE),)))
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .display_mode(shapes.BarGaugeDisplayMode.BASIC)
        .value_mode(shapes.BarGaugeValueMode.COLOR)
        .name_placement(shapes.BarGaugeNamePlacement.LEFT)
        .show_unfilled(True)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .targets(targets(asks, is_instant=True))
    )
    return made.max(most) if most is not None else made


def heat(title: str, says: str, query: Query, *, interval: str = "10m") -> heatmap.Panel:
    """How durations were spread, over time, by the buckets of a histogram."""
    asked = target(Ask(query, "{{le}}"), 0).range().format(PromQueryFormat.HEATMAP)
    return (
        heatmap.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .interval(interval)
        .calculate(False)
        .color(
            heatmap.HeatmapColorOptions()
            .mode(heatmaps.HeatmapColorMode.SCHEME)
            .scheme("Oranges")
            .scale(heatmaps.HeatmapColorScale.EXPONENTIAL)
            .exponent(0.5)
            .steps(32)
        )
        .cell_gap(1)
        .y_axis(heatmap.YAxisConfig().unit("s").axis_placement(shapes.AxisPlacement.LEFT))
        .targets([asked])
    )


def waterfall(title: str, says: str, query: str) -> dashboard.Panel:
    """One trace with all its spans; the query is its id."""
    return (
        dashboard.Panel()
        .type("traces")
        .title(title)
        .description(says)
        .datasource(TRACES)
        .targets([traceql(query)])
    )


def _legend(*calcs: str) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.TABLE)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(list(calcs))
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
