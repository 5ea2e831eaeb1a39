"""Tables: figures with a row for each path or place, and traces out of Tempo.

For development alone, as `dashboards.panels`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.tempo import SearchTableType

from dashboards.asking import METRICS, TRACES, Ask, Levels, Words, mapping, targets, thresholds, traceql


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the field that a query gives, its heading and its looks.

    Attributes:
        field: a label, or ``Value #A`` of the first query.
        levels: colours from a value on; the first stands below all.
        words: what is shown for a value.
        link: title and URL.
        is_colored: paint the cell, not the letters alone.
    """

    field: str
    heading: str
    unit: str = ""
    levels: Levels = ()
    words: Words | None = None
    link: tuple[str, str] | None = None
    is_colored: bool = False
    decimals: int | None = None


def rows(
    title: str,
    says: str,
    *asks: Ask,
    columns: Sequence[Column],
    by: Sequence[str],
    empty: str,
    sort: str = "",
) -> tables.Panel:
    """A table with a row for each value of some labels.

    Args:
        title: what it shows.
        says: what to do about it.
        asks: the queries; each gives one column.
        columns: those that are shown, in this order; all others are hidden.
        by: the labels that make a row.
        empty: what is said where there is no row.
        sort: the heading of the column by which rows are put in order, the greatest first.
    """
    made = (
        tables.Panel()
        .title(title)
        .description(says)
        .datasource(METRICS)
        .no_value(empty)
        .cell_height(shapes.TableCellHeight.SM)
        .show_header(True)
        .thresholds(thresholds(()))
        .targets(targets(asks, is_instant=True, is_table=True))
        .transformations(_arranged(columns, by, queries=len(asks)))
    )
    if sort:
        made = made.sort_by([common.TableSortByFieldState().display_name(sort).desc(True)])
    for column in columns:
        made = made.override_by_name(column.heading, _properties(column))
    return made


def traces(title: str, says: str, query: str, *, limit: int = 20) -> tables.Panel:
    """What Tempo finds, newest first; the id of each opens its trace.

    Args:
        title: what it shows.
        says: what to do about it.
        query: in TraceQL.
        limit: how many traces at most.
    """
    found = traceql(query).limit(limit).spss(3).table_type(SearchTableType.SPANS)
    return (
        tables.Panel()
        .title(title)
        .description(says)
        .datasource(TRACES)
        .no_value("no such trace in this time")
        .cell_height(shapes.TableCellHeight.SM)
        .show_header(True)
        .thresholds(thresholds(()))
        .targets([found])
    )


def _arranged(
    columns: Sequence[Column], by: Sequence[str], *, queries: int
) -> list[models.DataTransformerConfig]:
    """One row for each value of the labels, the columns in order and under their headings."""
    # Of a single query, Grafana names the field without the query's letter.
    names = {one.field: "Value" if one.field == "Value #A" and queries == 1 else one.field for one in columns}
    fields = list(names.values())
    merging = [models.DataTransformerConfig("merge", options={})] if queries > 1 else []
    return [
        models.DataTransformerConfig(
            "filterFieldsByName", options={"include": {"names": list(dict.fromkeys([*by, *fields]))}}
        ),
        *merging,
        models.DataTransformerConfig(
            "organize",
            options={
                "excludeByName": {name: True for name in by if name not in fields},
                "indexByName": {name: number for number, name in enumerate(fields)},
                "renameByName": {names[one.field]: one.heading for one in columns},
            },
        ),
    ]


def _properties(column: Column) -> list[models.DynamicConfigValue]:
    made = []
    if column.unit:
        made.append(models.DynamicConfigValue("unit", column.unit))
    if column.decimals is not None:
        made.append(models.DynamicConfigValue("decimals", column.decimals))
    if column.levels:
        made.append(models.DynamicConfigValue("thresholds", thresholds(column.levels).build()))
    if column.words:
        made.append(models.DynamicConfigValue("mappings", [mapping(column.words)]))
    if column.is_colored:
        made.append(models.DynamicConfigValue("custom.cellOptions", {"type": "color-background"}))
    elif column.levels:
        made.append(models.DynamicConfigValue("custom.cellOptions", {"type": "color-text"}))
    if column.link is not None:
        title, url = column.link
        made.append(models.DynamicConfigValue("links", [{"title": title, "url": url}]))
    return made
