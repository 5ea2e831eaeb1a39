"""`render`: what it writes, what it refuses to overwrite, and what it says beside."""

from pathlib import Path

import pytest
import yaml

from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.config.examples import FULL, changed

TARGETS = {"prometheus-rules": "intake.rules.yml", "alertmanager": "alertmanager.yml"}


def configured(text: str = FULL) -> None:
    Path("intake.yaml").write_text(text)


@pytest.mark.parametrize("target", TARGETS)
def test_file_that_is_there__is_left_as_it_is_unless_forced(run: Run, target: str) -> None:
    configured()
    Path("mine.yml").write_text("mine")

    refused = run("render", target, "--output", "mine.yml")

    assert refused.status == 2
    assert "mine.yml exists and is left as it is. Give --force" in refused.err
    assert Path("mine.yml").read_text() == "mine"
    assert run("render", target, "--output", "mine.yml", "--force").status == 0
    assert yaml.safe_load(Path("mine.yml").read_text())


@pytest.mark.parametrize("target", TARGETS)
def test_folder_that_is_not_there__is_named(run: Run, target: str) -> None:
    configured()

    said = run("render", target, "--output", "nowhere/file.yml")

    assert said.status == 2
    assert "nowhere/file.yml can't be written" in said.err


def test_configuration_with_a_mistake__is_told_with_its_line(run: Run) -> None:
    configured(changed("every: 10m", "every: often"))

    said = run("render", "prometheus-rules")

    assert said.status == 2
    assert "intake.yaml:" in said.err
    assert said.out == ""


@pytest.mark.parametrize("target", TARGETS)
def test_standard_output__has_the_file_and_nothing_else(run: Run, target: str) -> None:
    configured()

    said = run("render", target)

    assert said.status == 0
    assert yaml.safe_load(said.out)
    assert said.out.startswith("# Made by `intake-prober render")


@pytest.mark.parametrize(("target", "name"), TARGETS.items())
def test_folder__gets_the_file_under_its_own_name(run: Run, target: str, name: str) -> None:
    configured()
    Path("out").mkdir()

    said = run("render", target, "--output", "out")

    assert said.status == 0
    assert [one.name for one in Path("out").iterdir()] == [name]
    assert f"Wrote out/{name}" in said.err


def test_tests__lie_beside_the_rules_that_they_test(run: Run) -> None:
    configured()

    said = run("render", "prometheus-rules", "--output", "intake.rules.yml", "--with-tests", "tests")

    assert said.status == 0
    assert said.out == ""
    assert Path("tests/intake.rules.yml").read_text() == Path("intake.rules.yml").read_text()
    tests = list(Path("tests").glob("*.test.yml"))
    assert tests
    assert all(yaml.safe_load(one.read_text())["rule_files"] == ["intake.rules.yml"] for one in tests)
    assert run("render", "prometheus-rules", "--with-tests", "tests").status == 2


def test_json__is_one_object_with_the_text(run: Run) -> None:
    configured()

    said = run("--json", "render", "alertmanager").answer("render")

    assert (said["written"], said["exit"]) == ([], 0)
    assert "route:" in said["text"]


def test_json_of_rules_with_their_tests__is_the_text_and_what_was_written(run: Run) -> None:
    configured()

    said = run("--json", "render", "prometheus-rules", "--with-tests", "tests").answer("render")

    assert "groups:" in said["text"]
    assert "tests/intake.rules.yml" in said["written"]


@pytest.mark.parametrize("target", [["prometheus-rules"], ["grafana", "--output", "grafana"]])
def test_secret_in_what_is_rendered__is_refused_and_nothing_is_written(
    run: Run, target: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "correct-horse-battery"
    text = changed("wiki.acme.example/intake", f"wiki.acme.example/{secret}")
    configured(text + f"web: {{url: 'https://prober.example/{secret}'}}\n")
    monkeypatch.setenv("SUPPORT_PASSWORD", secret)

    said = run("render", *target)

    assert said.status == 2
    assert "the value of the secret SUPPORT_PASSWORD" in said.err
    assert secret not in said.out + said.err
    assert not list(Path("grafana").glob("**/*.json"))


def test_rules_beside_sinks_that_page__are_said_to_page_twice(run: Run) -> None:
    pager = "alerts: {open: [2 of 3, 3 of 10], via: direct, "
    configured(changed("alerts: {open: [2 of 3, 3 of 10], ", pager))

    assert "paged twice" in run("render", "prometheus-rules").err


def test_links_and_team__are_those_of_the_configuration(run: Run) -> None:
    told = (
        "alerts: {runbooks: 'https://r.acme.example/x/', "
        "prometheus: {team: intake-ops, dashboards: 'https://g.acme.example'}, "
    )
    configured(changed("alerts: {", told))

    said = run("render", "prometheus-rules")

    assert "https://r.acme.example/x/alerts/IntakeProberSilent.md" in said.out
    assert "https://g.acme.example/d/intake-path" in said.out
    assert "team: intake-ops" in said.out
    assert "links lead nowhere" not in said.err


def test_limits_of_a_mailbox__are_those_of_the_configuration(run: Run) -> None:
    configured(changed("warn: 80%, page: 95%", "warn: 60%, page: 90%"))

    said = run("render", "prometheus-rules").out

    assert "> 0.6)" in said
    assert ">= 0.9)" in said


def test_secrets__are_not_needed_and_not_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    configured()
    monkeypatch.delenv("CANARY_PASSWORD")

    said = run("render", "alertmanager")

    assert said.status == 0
    assert "planted" not in said.out + said.err


@pytest.mark.parametrize("target", TARGETS)
def test_help__has_an_example(run: Run, target: str) -> None:
    assert "Example: intake-prober render" in run("render", target, "--help").out
