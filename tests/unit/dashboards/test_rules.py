"""The rendered rules: of the catalogue's names alone, one of each name and labels, the same bytes each time."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from canary.instruments import metrics
from canary.reason import CAUSES, Side
from dashboards.alertmanager import alertmanager_text
from dashboards.estate import Estate
from dashboards.example import EXAMPLE, FOLDER, example_files
from dashboards.path_rules import FINAL_REASONS
from dashboards.promql import PUSHED_AT
from dashboards.recording import PATH_INFO
from dashboards.rule import AlertRule, RecordingRule, Severity
from dashboards.rule_tests import rule_cases
from dashboards.rules import alert_rules, prometheus_rules, rule_groups
from tests.unit.dashboards.estates import ESTATES, MANY, PLAIN, estates
from tests.unit.dashboards.promql_names import CATALOGUE, grouped, selected

CONTRACT = {
    "IntakePathBroken",
    "IntakeSloBurn",
    "IntakePathNotProbed",
    "IntakeMailboxFilling",
    "IntakeMailboxFullWithin24h",
    "IntakeMailboxFull",
    "IntakeMailboxBacklog",
    "IntakeCertificateExpiring",
    "IntakeCertificateNotTrusted",
    "IntakeMailDnsUnexpected",
    "IntakeTicketApiBudgetLow",
    "IntakeProberSilent",
    "IntakeProberBlind",
    "IntakeProberBlindLong",
    "IntakeLeftovers",
    "IntakeAlertsNotDelivered",
    "IntakeSlotsMissed",
    "IntakeStoreErrors",
    "IntakeWatchdog",
}
"""What there must be at least."""


def known(estate: Estate) -> dict[str, frozenset[str]]:
    """Every series that may be asked for: of the catalogue, those that the rules record, and a Pushgateway's own."""
    recorded = {
        one.record.name: frozenset(one.record.labels)
        for group in rule_groups(estate)
        for one in group.rules
        if isinstance(one, RecordingRule)
    }
    return {**CATALOGUE, **recorded, PUSHED_AT.name: frozenset(PUSHED_AT.labels)}


@pytest.mark.parametrize("name", ESTATES)
def test_expression__asks_for_series_and_labels_of_the_catalogue(name: str) -> None:
    estate = ESTATES[name]
    series = known(estate)

    for group in rule_groups(estate):
        for rule in group.rules:
            asked = selected(rule.query.text)
            for one, labels in asked:
                assert one in series, f"{one} in {rule.query.text}"
                assert labels <= series[one], f"{one} has no {labels - series[one]}"
            there = {label for one, _ in asked for label in series[one]} | {"blame"}
            assert grouped(rule.query.text) <= there, rule.query.text
            assert rule.query.labels <= there, rule.query.text


@pytest.mark.parametrize("name", ESTATES)
def test_words__speak_of_labels_that_the_alert_has(name: str) -> None:
    estate = ESTATES[name]

    for rule in alert_rules(estate):
        for text in rule.annotations(estate).values():
            asked = set(re.findall(r"\$labels\.(\w+)", text))
            assert asked <= rule.query.labels, f"{rule.name}: {asked - rule.query.labels}"


def test_query_within_a_template__asks_for_the_catalogues_series() -> None:
    for rule in alert_rules(PLAIN):
        for asked in re.findall(r'printf "((?:[^"\\]|\\.)*)"', rule.description):
            ((one, labels),) = selected(asked.replace("%q", '"p"'))
            assert labels <= CATALOGUE[one]


def test_series_that_nobody_has__would_be_found() -> None:
    ((one, labels),) = selected('max by (path) (intake_paht_up{color="red"})')

    assert one not in CATALOGUE
    assert not labels <= CATALOGUE[metrics.PATH_UP.prometheus]


@pytest.mark.parametrize("name", ESTATES)
def test_contract__is_met_at_least(name: str) -> None:
    without = set() if ESTATES[name].scheduled else {"IntakeSloBurn", "IntakeSlotsMissed"}

    assert {one.name for one in alert_rules(ESTATES[name])} >= CONTRACT - without


def test_burn__is_a_ticket_in_all_windows() -> None:
    burning = [one for one in alert_rules(PLAIN) if one.name == "IntakeSloBurn"]

    assert [one.labels["window"] for one in burning] == ["1h", "6h", "1d", "3d"]
    assert {one.severity for one in burning} == {Severity.TICKET}


@settings(max_examples=40)
@given(estates())
def test_any_configuration__has_one_rule_of_each_name_and_labels(estate: Estate) -> None:
    rules = [one for group in rule_groups(estate) for one in group.rules]

    keys = [
        (one.name, tuple(sorted(one.static_labels(estate).items())))
        if isinstance(one, AlertRule)
        else (one.record.name, ())
        for one in rules
    ]
    assert len(set(keys)) == len(keys)


@settings(max_examples=20)
@given(estates())
def test_any_configuration__is_rendered_to_the_same_bytes_twice(estate: Estate) -> None:
    assert prometheus_rules(estate) == prometheus_rules(estate)
    assert alertmanager_text(estate) == alertmanager_text(estate)


@settings(max_examples=20)
@given(estates())
def test_any_configuration__has_a_test_for_each_alert(estate: Estate) -> None:
    tested = {moment.alert for case in rule_cases(estate) for moment in case.moments if moment.firing}

    assert tested == {one.name for one in alert_rules(estate)}


def test_alert__is_asked_for_when_it_fires_and_when_it_is_silent() -> None:
    moments = [moment for case in rule_cases(PLAIN) for moment in case.moments]

    for name in CONTRACT - {"IntakeWatchdog", "IntakeCertificateExpiring"}:
        assert {bool(one.firing) for one in moments if one.alert == name} == {True, False}, name


def test_final_answers__are_the_targets_own_last_word() -> None:
    assert all(CAUSES[one].is_final and CAUSES[one].side is Side.TARGET for one in FINAL_REASONS)
    assert "recipient_unknown" in FINAL_REASONS
    assert "not_seen" not in FINAL_REASONS


def test_paths_by_hand__have_no_rule_that_counts_on_a_schedule() -> None:
    for rule in alert_rules(MANY):
        if rule.name in {"IntakeSloBurn", "IntakeSlotsMissed", "IntakePathUnseen"}:
            assert "by-hand" not in rule.query.text
            assert "path=~" in rule.query.text


def test_team_of_the_prober__is_on_what_is_wrong_with_it_alone() -> None:
    ours = {one.name for one in alert_rules(PLAIN) if one.static_labels(PLAIN).get("team") == "intake-ops"}

    assert {"IntakeProberSilent", "IntakeProberBlind", "IntakeLeftovers", "IntakeStoreErrors"} <= ours
    assert not {"IntakePathBroken", "IntakeSloBurn", "IntakeMailboxFull", "IntakeWatchdog"} & ours


def test_own_runbook_of_a_path__is_said_in_its_page() -> None:
    broken = next(one for one in alert_rules(PLAIN) if one.name == "IntakePathBroken")

    assert '{{ if eq $labels.path "support-email" }}' in broken.description
    assert "https://wiki.acme.example/intake" in broken.description


def test_names_of_mailboxes_and_paths__are_no_patterns() -> None:
    text = prometheus_rules(MANY)

    assert "office[.]hours" in text
    assert f"or on (path) max by ({', '.join(PATH_INFO.labels)})" in text


@pytest.mark.parametrize("name", example_files())
def test_example__is_what_the_code_renders(name: str) -> None:
    assert (FOLDER / name).read_text() == example_files()[name], "python -m dashboards.example"


def test_example__is_yaml_with_a_head_that_says_what_made_it() -> None:
    for name, text in example_files().items():
        assert text.startswith("# Made by `intake-prober render "), name
        assert yaml.safe_load(text)
    assert EXAMPLE.scheduled
    assert not [
        one for one in Path(FOLDER).iterdir() if one.name not in example_files() and one.suffix == ".yml"
    ]


def test_runbook_with_an_emoji__stands_as_it_is_in_the_template() -> None:
    watched = replace(
        PLAIN.paths[0], path=replace(PLAIN.paths[0].path, runbook="https://wiki.example/\U0001f525")
    )

    rules = alert_rules(replace(PLAIN, paths=(watched,)))

    (broken,) = [one for one in rules if one.name == "IntakePathBroken"]
    assert '{{ "https://wiki.example/\U0001f525" }}' in broken.description
