"""What `render grafana` makes of the kept dashboards: own uids, own links, and none that lead nowhere."""

import json
import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from dashboards.provisioning import (
    DATASOURCES_FILE,
    PROVIDER_FILE,
    Setting,
    dashboard_text,
    provisioned,
)
from dashboards.uids import LONGEST_PREFIX, UIDS
from tests.unit.dashboards.dashboard_queries import kept, texts

WHOLE = Setting(page_url="https://prober.acme.example/", runbooks_url="https://runbooks.acme.example/intake")


def made(uid: str, setting: Setting) -> dict[str, Any]:
    tree: dict[str, Any] = json.loads(dashboard_text(uid, setting))
    return tree


@pytest.mark.parametrize("prefix", ["a b", "ä", "a/", "x" * (LONGEST_PREFIX + 1)])
def test_prefix_that_grafana_would_refuse__is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix of uids"):
        Setting(uid_prefix=prefix)


@pytest.mark.parametrize("uid", UIDS)
def test_links__are_left_out_where_they_would_lead_nowhere(uid: str) -> None:
    every = list(texts(made(uid, Setting())))

    assert not [one for one in every if "${page}" in one or "${runbooks}" in one or ".invalid" in one]
    assert [one for one in texts(kept(uid)) if ".invalid" in one]


@pytest.mark.parametrize("uid", UIDS)
def test_links__lead_to_the_page_and_the_runbook_that_are_configured(uid: str) -> None:
    values = {one["name"]: one.get("query") for one in made(uid, WHOLE)["templating"]["list"]}

    assert values["page"] == "https://prober.acme.example"
    assert values["runbooks"] == "https://runbooks.acme.example/intake"
    assert values["lookback"] == "2m"


@pytest.mark.parametrize("uid", UIDS)
def test_prefix__is_before_each_uid_and_in_each_link(uid: str) -> None:
    setting = Setting(uid_prefix="emea-")
    tree = made(uid, setting)

    linked = {one for text in texts(tree) for one in re.findall(r"/d/([\w-]+)", text)}
    assert tree["uid"] == f"emea-{uid}"
    assert linked <= {f"emea-{one}" for one in UIDS}
    assert f"dashboards/emea-{uid}.json" in provisioned(setting)


@pytest.mark.parametrize("uid", UIDS)
def test_longest_prefix__makes_uids_that_grafana_takes(uid: str) -> None:
    assert len(made(uid, Setting(uid_prefix="x" * LONGEST_PREFIX))["uid"]) <= 40


@pytest.mark.parametrize("uid", UIDS)
def test_what_is_not_set__is_as_it_was_kept(uid: str) -> None:
    def plain(tree: dict[str, Any]) -> list[Any]:
        return [[one["id"], one["gridPos"], one.get("targets")] for one in tree["panels"]]

    assert plain(made(uid, WHOLE)) == plain(kept(uid))


def test_lookback__is_that_of_figures_that_are_pushed() -> None:
    tree = made("intake-overview", Setting(lookback="40m"))

    assert [one["query"] for one in tree["templating"]["list"] if one["name"] == "lookback"] == ["40m"]


def test_provider__reads_the_dashboards_into_the_folder() -> None:
    (provider,) = yaml.safe_load(provisioned(Setting(folder="Night shift"))[PROVIDER_FILE])["providers"]

    assert provider["folder"] == "Night shift"
    assert provider["type"] == "file"
    assert provider["allowUiUpdates"] is False
    assert provider["options"]["path"].startswith("/")


def test_sample__leads_from_an_exemplar_to_its_trace() -> None:
    metrics, traces = yaml.safe_load(provisioned(Setting())[DATASOURCES_FILE])["datasources"]

    assert metrics["type"] == "prometheus"
    assert metrics["jsonData"]["exemplarTraceIdDestinations"] == [
        {"name": "trace_id", "datasourceUid": traces["uid"]}
    ]
    assert traces["type"] == "tempo"


def test_rendering__needs_nothing_of_what_builds_dashboards() -> None:
    script = (
        "import sys; from dashboards.provisioning import Setting, provisioned; provisioned(Setting()); "
        "sys.exit(any(one.startswith('grafana_foundation_sdk') for one in sys.modules))"
    )

    ended = subprocess.run([sys.executable, "-c", script], check=False)  # noqa: S603 -- our own interpreter

    assert ended.returncode == 0
