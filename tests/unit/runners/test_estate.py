"""What rules are rendered for is what the configuration says."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dashboards.estate import DASHBOARDS_MISSING, RUNBOOKS_MISSING
from probes.contracts import CheckState
from runners.advice import advise
from runners.config.cron import parse_cron
from runners.config.telemetry import MetricsByOtlp
from runners.estate import estate_of, page_after_seconds
from tests.unit.runners.config.examples import FULL, changed, only_mistake, read

TOLD = (
    "alerts: {runbooks: 'https://r.acme.example/x', "
    "prometheus: {team: intake-ops, dashboards: 'https://g.acme.example'}, "
)


def test_path_that_is_switched_off__has_no_rules(tmp_path: Path) -> None:
    estate = estate_of(read(tmp_path, changed("    every: 10m\n", "    every: 10m\n    enabled: false\n")))

    assert estate.paths == ()


def test_unknown_key_of_the_links__is_told_with_the_nearest(tmp_path: Path) -> None:
    mistake = only_mistake(
        tmp_path, changed("alerts: {", "alerts: {prometheus: {dashboard: 'https://r.x/'}, ")
    )

    assert mistake.key == "alerts.prometheus.dashboard"
    assert "dashboards" in mistake.remedy


def test_estate__has_the_paths_limits_and_links_of_the_configuration(tmp_path: Path) -> None:
    estate = estate_of(read(tmp_path, changed("alerts: {", TOLD)))

    assert [(path.name, usual) for path, usual in estate.scheduled] == [("support-email", 600.0)]
    (box,) = estate.mailboxes
    assert (box.name, box.limits.warn_share, box.backlog_age_seconds) == ("support", 0.8, 900)
    assert box.limits.forecast == timedelta(hours=24)
    assert (estate.team, estate.runbooks_url) == ("intake-ops", "https://r.acme.example/x")
    assert estate.dashboards_url == "https://g.acme.example"
    assert estate.is_pushed


@pytest.mark.parametrize(("by", "is_pushed"), [("never", False), ("one-shot", True), ("always", True)])
def test_metrics_that_do_not_leave_by_otlp__are_not_pushed_whatever_traces_do(
    tmp_path: Path, by: str, is_pushed: bool
) -> None:
    config = read(tmp_path, changed("alerts: {", TOLD))
    telemetry = replace(config.telemetry, by_otlp=MetricsByOtlp(by))

    estate = estate_of(replace(config, telemetry=telemetry))

    assert estate.is_pushed is is_pushed
    assert estate.tick_seconds == 300


def test_links_that_are_not_configured__are_marked_as_missing(tmp_path: Path) -> None:
    estate = estate_of(read(tmp_path, FULL))

    assert (estate.team, estate.runbooks_url) == ("", RUNBOOKS_MISSING)
    assert estate.dashboards_url == DASHBOARDS_MISSING


@pytest.mark.parametrize(
    ("cron", "seconds"),
    [
        ("*/10 8-20 * * mon-fri Europe/Berlin", 600),
        ("0 9,17 * * *", 28800),
        ("30 2 * * *", 86400),
        ("0 6 * * mon", 7 * 86400),
    ],
)
def test_usual_interval_of_a_cron_schedule__has_no_nights_in_it(cron: str, seconds: float) -> None:
    assert parse_cron(cron).usual_gap_seconds() == seconds


def test_cron_schedule__keeps_its_longest_pause_beside_the_usual_interval(tmp_path: Path) -> None:
    text = changed("every: 10m", 'cron: "*/10 8-20 * * mon-fri Europe/Berlin"')

    ((path, usual),) = estate_of(read(tmp_path, text)).scheduled

    assert usual == 600
    assert path.interval_seconds is not None
    assert path.interval_seconds > 2 * 86400


def test_check__says_within_which_time_an_outage_pages(tmp_path: Path) -> None:
    config = read(tmp_path, FULL)

    (check,) = [one for one in advise(config) if one.name == "schedule"]

    assert page_after_seconds(config) == 125
    assert check.state is CheckState.OK
    assert check.finding == (
        "an outage is an incident within 30m, and a page within 32m5s where Prometheus scrapes every 1m"
    )


def test_check_of_direct_alerts__promises_nothing_of_prometheus(tmp_path: Path) -> None:
    config = read(tmp_path, changed("alerts: {", "alerts: {via: direct, "))

    (check,) = [one for one in advise(config) if one.name == "schedule"]

    assert check.finding == "an outage is an incident within 30m"
