"""The dashboards: of the catalogue's names alone, right by Grafana's own types, without overlap, and with words that help."""

import itertools
import json
import re
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from canary.hop import Channel, Hop, route
from canary.instruments import ATTRIBUTES, METRICS, Instrument, metrics
from dashboards.boards.traceql import attribute
from dashboards.example import EXAMPLE
from dashboards.figures import grown
from dashboards.grafana import boards, grafana_files
from dashboards.layout import Line, values_of
from dashboards.panels import tiles
from dashboards.promql import quantile
from dashboards.provisioning import FOLDER
from dashboards.rules import alert_rules
from dashboards.uids import UIDS
from tests.unit.dashboards.dashboard_queries import (
    ANNOTATIONS,
    PANELS,
    Asked,
    kept,
    named,
    of_tempo,
    panels,
    texts,
    variables,
)
from tests.unit.dashboards.promql_names import CATALOGUE, grouped, selected

FIGURE_TABLES = [
    pytest.param(uid, panel, id=f"{uid}: {panel['title']}")
    for uid in UIDS
    for panel in panels(uid)
    if panel["type"] == "table" and "expr" in panel["targets"][0]
]
EVERY_PANEL = [
    pytest.param(uid, panel, id=f"{uid}: {panel['title']}") for uid in UIDS for panel in panels(uid)
]
PLAIN_COUNTS = {"none", "short"}


def labels_of(expression: str) -> set[str]:
    """All labels of the series that are asked for."""
    return {label for one, _ in selected(expression) for label in CATALOGUE[one]}


def filled(expression: str) -> str:
    """With any values in the variables' places: to be parsed, not to be run."""
    return Asked("", "", expression, "").sent(path="p", place="p", prober="p", hop="dns")


def wrong_names(asked: Asked) -> list[str]:
    """What an expression asks for that telemetry doesn't have."""
    expression = filled(asked.expression)
    found = []
    for name, labels in selected(expression):
        if name not in CATALOGUE:
            found.append(name)
        else:
            found += sorted(labels - CATALOGUE[name])
    if found:
        return found
    known = labels_of(expression)
    legend = set(re.findall(r"{{(\w+)}}", asked.legend))
    return sorted((grouped(expression) | legend) - known)


def test_kept_files__are_what_the_generator_makes() -> None:
    there = {one.name: one.read_text() for one in FOLDER.iterdir()}

    assert there == grafana_files(), "make them anew: python -m dashboards.grafana"
    assert tuple(name.removesuffix(".json") for name in grafana_files()) == UIDS


@pytest.mark.parametrize("asked", [*PANELS, *ANNOTATIONS], ids=str)
def test_query__asks_for_series_and_labels_of_the_catalogue(asked: Asked) -> None:
    assert wrong_names(asked) == []


@pytest.mark.parametrize(
    "asked",
    [
        Asked("u", "a metric", "max(intake_path_upp)", ""),
        Asked("u", "a condition", 'intake_path_up{colour="red"}', ""),
        Asked("u", "a grouping", "max by (colour) (intake_path_up)", ""),
        Asked("u", "a legend", "intake_path_up", "{{colour}}"),
    ],
    ids=str,
)
def test_name_that_nobody_has__is_found(asked: Asked) -> None:
    assert wrong_names(asked) in (["intake_path_upp"], ["colour"])


@pytest.mark.parametrize("asked", [one for one in PANELS if "{{" in one.legend], ids=str)
def test_legend__names_labels_that_the_result_still_has(asked: Asked) -> None:
    expression = filled(asked.expression)
    left = grouped(expression) if " by (" in expression else labels_of(expression)

    assert set(re.findall(r"{{(\w+)}}", asked.legend)) <= left


@pytest.mark.parametrize("instrument", METRICS, ids=lambda one: one.name)
def test_metric__is_on_a_panel(instrument: Instrument) -> None:
    asked = {name for one in PANELS for name, _ in selected(filled(one.expression))}

    assert {
        instrument.prometheus,
        f"{instrument.prometheus}_bucket",
    } & asked or instrument is metrics.PLACE_INFO


@pytest.mark.parametrize("uid", UIDS)
def test_variable__has_values_of_a_label_that_its_metric_has(uid: str) -> None:
    for one in variables(uid).values():
        if one["type"] == "query":
            metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", one["query"]).groups()  # type: ignore[union-attr]
            assert label in CATALOGUE[metric]


@pytest.mark.parametrize("uid", UIDS)
def test_variables__are_all_there_and_all_used(uid: str) -> None:
    tree = kept(uid)
    used = {name for text in texts({**tree, "templating": None}) for name in named(text)}

    assert used <= variables(uid).keys()
    assert variables(uid).keys() - used <= {"lookback", "page", "runbooks"}


@pytest.mark.parametrize("uid", UIDS)
def test_data_source__is_a_variable_everywhere(uid: str) -> None:
    found = {one["uid"] for one in every_source(kept(uid))}

    assert found <= {"${datasource}", "${tempo}"}
    assert {one["uid"] for one in every_source(kept(uid)["annotations"])} == {"${datasource}"}


def every_source(value: Any) -> list[dict[str, str]]:  # noqa: ANN401 -- whatever JSON holds
    if isinstance(value, dict):
        own = [value["datasource"]] if isinstance(value.get("datasource"), dict) else []
        return own + [one for inner in value.values() for one in every_source(inner)]
    return [one for inner in value for one in every_source(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("uid", UIDS)
def test_panels__neither_overlap_nor_leave_the_page(uid: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in kept(uid)["panels"]:
        place = panel["gridPos"]
        assert place["w"] > 0
        assert place["h"] > 0
        assert place["x"] + place["w"] <= 24
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        ):
            assert cell not in taken, f"{panel['title']} lies on {taken.get(cell)}"
            taken[cell] = panel["title"]
    numbers = [panel["id"] for panel in kept(uid)["panels"]]
    assert len(set(numbers)) == len(numbers)
    assert len(taken) == 24 * (max(row for _, row in taken) + 1), "a hole"


@pytest.mark.parametrize("uid", UIDS)
def test_dashboard__is_right_by_grafanas_own_types(uid: str) -> None:
    """The types are made from Grafana's published schema: what they don't know is lost on the way."""
    register_default_plugins()
    tree = kept(uid)

    again = json.loads(json.dumps(Dashboard.from_json(tree), cls=JSONEncoder))

    assert again == tree
    assert tree["schemaVersion"] >= 39


def test_field_that_grafana_does_not_know__would_be_found() -> None:
    register_default_plugins()
    tree = kept("intake-path")
    tree["panels"][1]["fieldConfig"]["defaults"]["colour"] = "red"

    assert json.loads(json.dumps(Dashboard.from_json(tree), cls=JSONEncoder)) != tree


@pytest.mark.parametrize(("uid", "panel"), EVERY_PANEL)
def test_panel__says_what_to_do(uid: str, panel: dict[str, Any]) -> None:
    says = panel["description"]

    assert len(says) > 40, uid
    assert says.endswith((".", "?"))
    assert all(
        len(one["legendFormat"]) > 0 or panel["type"] in {"stat", "table"}
        for one in panel["targets"]
        if "expr" in one
    )


@pytest.mark.parametrize(("uid", "panel"), EVERY_PANEL)
def test_panel_without_data__says_so_and_draws_no_line(uid: str, panel: dict[str, Any]) -> None:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})

    if panel["type"] in {"stat", "table", "bargauge"}:
        assert defaults["noValue"], uid
    if panel["type"] in {"timeseries", "state-timeline"} and defaults["custom"].get("drawStyle") != "bars":
        assert defaults["custom"]["spanNulls"] is False
    if panel["type"] in {"timeseries", "stat", "bargauge"}:
        assert defaults["unit"]


@pytest.mark.parametrize(("uid", "panel"), EVERY_PANEL)
def test_time_and_bytes__have_their_unit(uid: str, panel: dict[str, Any]) -> None:
    unit = panel.get("fieldConfig", {}).get("defaults", {}).get("unit", "")
    for target in panel["targets"]:
        expression = target.get("expr", "")
        if panel["type"] == "table" or not expression:
            continue
        if expression.startswith(("time() -", "histogram_quantile")) or expression.endswith("- time()"):
            assert unit in {"s", "dtdurations"}, uid
        if re.match(r"max by \(\w+\) \(last_over_time\(intake_mailbox_(used|limit)_bytes", expression):
            assert unit == "bytes", uid


@pytest.mark.parametrize(("uid", "panel"), FIGURE_TABLES)
def test_column__is_one_that_the_queries_give(uid: str, panel: dict[str, Any]) -> None:
    letters = [one["refId"] for one in panel["targets"]]
    given = {"Value"} if len(letters) == 1 else {f"Value #{one}" for one in letters}
    for target in panel["targets"]:
        given |= grouped(filled(target["expr"]))
    (organized,) = [one["options"] for one in panel["transformations"] if one["id"] == "organize"]

    headings = list(organized["renameByName"].values())
    assert organized["renameByName"].keys() <= given, uid
    assert list(organized["indexByName"]) == list(organized["renameByName"])
    assert {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]} <= set(headings)
    assert len(set(headings)) == len(headings)
    shown = [name for name in organized["renameByName"] if name.startswith("Value")]
    assert len(shown) == len(letters) or panel["title"] in {"Open incidents", "Paths", "Builds"}


def test_links_of_dashboards_and_alerts__lead_to_dashboards_that_there_are() -> None:
    linked = {
        address
        for text in [
            *(text for uid in UIDS for text in texts(kept(uid))),
            *(one.annotations(EXAMPLE)["dashboard"] for one in alert_rules(EXAMPLE)),
        ]
        for address in re.findall(r"/d/([\w-]+)", text)
    }

    assert linked == {"intake-path", "intake-places", "intake-prober"}
    assert linked <= set(UIDS)


@pytest.mark.parametrize("uid", ["intake-overview", "intake-path"])
def test_first_row__says_whether_it_is_up_since_when_and_at_which_hop(uid: str) -> None:
    heading, *rest = kept(uid)["panels"]
    below = next(number for number, one in enumerate(rest) if one["type"] == "row")
    asked = {
        name
        for one in rest[:below]
        for target in one["targets"]
        for name, _ in selected(filled(target["expr"]))
    }

    assert "which hop" in heading["title"].lower()
    assert {
        one.prometheus for one in (metrics.PATH_UP, metrics.INCIDENT_START, metrics.INCIDENT_OPEN)
    } <= asked
    assert max(one["gridPos"]["y"] + one["gridPos"]["h"] for one in rest[:below]) <= 13, (
        "not on the first screen"
    )


def test_waterfall__asks_for_hops_in_the_order_in_which_a_canary_passes_them() -> None:
    for panel in panels("intake-path"):
        if panel["title"].startswith("Hops:"):
            asked = [re.search(r'hop="([^"]+)"', one["expr"])[1] for one in panel["targets"]]  # type: ignore[index]
            assert set(asked) == {one.value for one in Hop} - {"ticket.cleanup"}
            for channel in Channel:
                hops = [one.value for one in route(channel)]
                assert [one for one in asked if one in hops] == hops


@pytest.mark.parametrize(("uid", "title", "query"), list(of_tempo()))
def test_query_to_tempo__asks_for_attributes_of_the_catalogue(uid: str, title: str, query: str) -> None:
    known = {f"span.{one.name}" for one in ATTRIBUTES}

    assert set(re.findall(r"span\.[\w.]+", query)) <= known, f"{uid}: {title}"
    assert query == "$trace" or 'resource.service.name = "intake-prober"' in query


def test_histograms_curve__has_the_dots_that_open_traces() -> None:
    with_dots = [
        target["expr"]
        for uid in UIDS
        for panel in panels(uid)
        for target in panel["targets"]
        if target.get("exemplar")
    ]

    assert len(with_dots) >= 4
    assert all("_bucket" in one for one in with_dots)


def test_generator__refuses_what_the_catalogue_does_not_have() -> None:
    with pytest.raises(ValueError, match="no attribute"):
        attribute("intake.colour")
    with pytest.raises(ValueError, match="no label colour"):
        values_of("colour", "Colour", metrics.PATH_INFO)
    with pytest.raises(ValueError, match="is no histogram"):
        quantile(0.5, metrics.PATH_UP, 60)
    with pytest.raises(ValueError, match="begins anew"):
        grown(metrics.PROBER_MISFIRES, 60, ("path",))


def test_line_that_is_not_as_wide_as_the_page__is_refused() -> None:
    first = boards()[0]
    narrow = Line(3, [(5, tiles("t", "s"))])
    band = type(first.bands[0])("b", [narrow])

    with pytest.raises(ValueError, match="not 24 wide"):
        type(first)("u", "t", "s", [band]).build()
