"""`render grafana`: what it writes and refuses to overwrite, and what it takes of the configuration."""

import json
from pathlib import Path

import pytest
import yaml

from dashboards.uids import UIDS
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import FULL, changed

FILES = sorted(
    [
        *(f"dashboards/{uid}.json" for uid in UIDS),
        "provisioning/dashboards/intake.yaml",
        "provisioning/datasources/intake.yaml.sample",
    ]
)


def configured(text: str = FULL) -> None:
    Path("intake.yaml").write_text(text)


def files(folder: str = "out") -> list[str]:
    return sorted(str(one.relative_to(folder)) for one in Path(folder).rglob("*") if one.is_file())


def test_file_that_is_there__is_left_and_nothing_else_is_written_unless_forced(run: Run) -> None:
    configured()
    Path("out/dashboards").mkdir(parents=True)
    Path("out/dashboards/intake-path.json").write_text("mine")

    refused = run("render", "grafana", "--output", "out")

    assert refused.status == 2
    assert "out/dashboards/intake-path.json exists and is left as it is" in refused.err
    assert files() == ["dashboards/intake-path.json"]
    assert run("render", "grafana", "--output", "out", "--force").status == 0
    assert files() == FILES


@pytest.mark.parametrize("target", [["grafana", "--output", "out"], ["prometheus-rules"]])
def test_prefix_that_is_none__is_told(run: Run, target: list[str]) -> None:
    configured()

    said = run("render", *target, "--uid-prefix", "a b")

    assert said.status == 2
    assert "--uid-prefix 'a b' is none" in said.err
    assert not Path("out").exists()


def test_folder_that_cannot_be_made__is_named(run: Run) -> None:
    configured()
    Path("out").write_text("a file")

    said = run("render", "grafana", "--output", "out")

    assert said.status == 2
    assert "out/dashboards can't be made" in said.err


def test_folder__gets_all_files(run: Run) -> None:
    configured()

    said = run("render", "grafana", "--output", "out", "--folder", "Night shift", "--json")

    assert said.status == 0
    assert files() == FILES
    assert sorted(json.loads(said.out)["written"]) == [f"out/{one}" for one in FILES]
    (provider,) = yaml.safe_load(Path("out/provisioning/dashboards/intake.yaml").read_text())["providers"]
    assert provider["folder"] == "Night shift"


def test_prefix__is_that_of_dashboards_and_of_the_rules_links(run: Run) -> None:
    configured()

    run("render", "grafana", "--output", "out", "--uid-prefix", "emea-")
    rules = run("render", "prometheus-rules", "--uid-prefix", "emea-").out

    assert json.loads(Path("out/dashboards/emea-intake-path.json").read_text())["uid"] == "emea-intake-path"
    links = {
        one["annotations"]["dashboard"]
        for group in yaml.safe_load(rules)["groups"]
        for one in group["rules"]
        if "alert" in one
    }
    assert links
    assert all("/d/emea-intake-" in one for one in links)


def test_links__are_those_of_the_configuration(run: Run) -> None:
    configured(
        changed("alerts: {", "alerts: {runbooks: 'https://runbooks.acme.example/intake', ")
        + "web: {url: https://prober.acme.example}\n"
    )

    said = run("render", "grafana", "--output", "out")

    text = Path("out/dashboards/intake-path.json").read_text()
    assert "is not set" not in said.err
    assert '"https://runbooks.acme.example/intake"' in text
    assert '"https://prober.acme.example"' in text


def test_link_that_is_not_configured__is_said_and_left_out(run: Run) -> None:
    configured()

    said = run("render", "grafana", "--output", "out")

    assert "web.url is not set: the dashboards have no links there." in said.err
    assert "alerts.runbooks is not set" in said.err
    assert "${page}" not in Path("out/dashboards/intake-path.json").read_text()


def test_figures_that_are_pushed__are_remembered_for_longer(run: Run) -> None:
    configured()
    assert run("render", "grafana", "--output", "pushed").status == 0
    configured(changed('otlp: "http://collector:4318", ', ""))
    assert run("render", "grafana", "--output", "scraped").status == 0

    assert [lookback(one) for one in ("pushed", "scraped")] == ["40m", "2m"]


def lookback(folder: str) -> str:
    tree = json.loads(Path(f"{folder}/dashboards/intake-overview.json").read_text())
    (value,) = [one["query"] for one in tree["templating"]["list"] if one["name"] == "lookback"]
    return str(value)
