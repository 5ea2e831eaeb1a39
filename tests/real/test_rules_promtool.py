"""The rendered rules, in the eyes of promtool; what mutes what, and who is told, in those of a real Alertmanager."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings

from dashboards.alertmanager import alertmanager_configuration, alertmanager_text
from dashboards.estate import Estate
from dashboards.rule_tests import rule_tests
from dashboards.rules import FILE, prometheus_rules
from dashboards.written import written
from tests.real.servers.alertmanager import Alertmanager, checked, receivers_of, running_alertmanager
from tests.real.servers.needed import PROMETHEUS
from tests.real.servers.process import wait_until
from tests.real.servers.prometheus import rules_checked, rules_tested
from tests.unit.dashboards.estates import ESTATES, MANY, PLAIN, estates

Labels = Mapping[str, str]


@pytest.mark.parametrize("name", ESTATES)
def test_rules__are_as_promtool_wants_them(name: str) -> None:
    said = rules_checked(prometheus_rules(ESTATES[name]))

    assert "SUCCESS" in said
    assert "lint error" not in said


@pytest.mark.parametrize("name", ESTATES)
def test_generated_unit_tests__all_hold(name: str) -> None:
    files = {FILE: prometheus_rules(ESTATES[name]), **rule_tests(ESTATES[name])}

    said = rules_tested(files)

    assert "FAILED" not in said, said[:4000]
    assert said.count("SUCCESS") == len(files) - 1


def gone(lookback: str) -> str:
    """What leaves out groups of a Pushgateway that nobody pushes."""
    return (
        f" unless on (job, instance, prober) time() - last_over_time(push_time_seconds[{lookback}]) > 7200)"
    )


MISTAKES = [
    (
        "IntakePathBroken",
        f"last_over_time(intake_incident_open[40m]){gone('40m')}) == 1",
        f"last_over_time(intake_incident_open[40m]){gone('40m')}) == 2",
    ),
    ("IntakePathBroken", "keep_firing_for: 10m", "keep_firing_for: 1h"),
    ("IntakePathBroken", "intake_incident_open[40m]", "intake_incident_open[10m]"),
    ("IntakePathBroken", "topk by (path) (1,", "max without () ("),
    (
        "IntakePathBroken",
        f"(max by (path, blame, reason) (intake_incident_open{gone('40m')} or on (path, blame, reason)",
        "(",
    ),
    ("IntakePathBroken", f"max by (path) (intake_path_silenced{gone('40m')} or on (path)", ""),
    ("IntakePathBroken", "> 7200", "> 72000"),
    (
        "IntakeMailboxBacklog",
        f"(max by (place) (intake_mailbox_backlog{gone('30m')} or on (place)",
        "(",
    ),
    (
        "IntakeSloBurn",
        "max by (path) (last_over_time(intake_slo_",
        "sum by (path) (last_over_time(intake_slo_",
    ),
    ("IntakeSloBurn", "intake_slo_bad:increase1h > 1.5", "intake_slo_bad:increase1h > 0.5"),
    (
        "IntakeSloBurn",
        "increase(path:intake_slo_eligible:max[1h]) - increase(path:intake_slo_good:max[1h])",
        "max by (path) (increase(intake_slo_eligible_total[1h])) - max by (path) (increase(intake_slo_good_total[1h]))",
    ),
    ("IntakeSloBurn", "last_over_time(intake_slo_eligible_total[15m])", "intake_slo_eligible_total"),
    ("IntakeSlotsMissed", "max by (path, prober) (last_over", "sum by (path, prober) (last_over"),
    ("IntakeFinalAnswer", "> on (path) group_left () clamp_min(", "> on (path) group_left () 0 * ("),
    (
        "IntakeFinalAnswer",
        " and on (path) max by (path) (last_over_time(intake_path_consecutive",
        " or max by (path) (last_over_time(intake_path_consecutive",
    ),
    (
        "IntakeMailboxBacklog",
        f"max by (place) (last_over_time(intake_mailbox_backlog[30m]){gone('30m')}) > 0",
        "place:intake_info)",
    ),
    ("IntakeCertificateExpiring", "severity: ticket", "severity: page"),
    (
        "IntakeCertificateNotTrusted",
        f"last_over_time(intake_certificate_trusted[30m]){gone('30m')}) == 0",
        f"last_over_time(intake_certificate_trusted[30m]){gone('30m')}) == 1",
    ),
    ("IntakeProberSilent", "> 900", "> 9000"),
    ("IntakePathNotProbed", "[15m] offset 25m", "[15m] offset 5m"),
    ("IntakePathNotProbed", "  unless on (path) max by (path) (last", "  and on (path) max by (path) (last"),
    ("IntakeLeftovers", "or on (path, kind)", "and on (path, kind)"),
]


def about(alert: str, tests: Mapping[str, str]) -> dict[str, str]:
    """Of the generated tests, those that ask for one alert."""
    chosen = {}
    for name, text in tests.items():
        tree = yaml.safe_load(text)
        tree["tests"] = [
            one
            for one in tree["tests"]
            if any(asked["alertname"] == alert for asked in one["alert_rule_test"])
        ]
        if tree["tests"]:
            chosen[name] = yaml.safe_dump(tree)
    return chosen


@pytest.mark.parametrize(("name", "right", "wrong"), MISTAKES, ids=[f"{one[0]} {one[2]}" for one in MISTAKES])
def test_rule_that_is_wrong__is_found_by_the_generated_tests(name: str, right: str, wrong: str) -> None:
    rules = prometheus_rules(PLAIN)
    assert right in rules, right

    said = rules_tested({FILE: rules.replace(right, wrong), **about(name, rule_tests(PLAIN))})

    assert "FAILED" in said


def test_final_answer__that_is_looked_for_as_far_back_as_the_slowest_path_needs__is_found_to_be_late() -> (
    None
):
    right = prometheus_rules(MANY)
    assert "[15m] offset 15m" in right
    wrong = right.replace("[15m] offset 15m", "[15m] offset 18h").replace(
        "[15m] offset 1h", "[15m] offset 3d"
    )

    said = rules_tested({FILE: wrong, **about("IntakeFinalAnswer", rule_tests(MANY))})

    assert "FAILED" in said


@pytest.mark.parametrize("name", ESTATES)
def test_routes__are_as_amtool_wants_them(name: str) -> None:
    assert "SUCCESS" in checked(alertmanager_text(ESTATES[name]))


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ({"severity": "page", "category": "target", "path": "p", "team": "support"}, "intake-pager-support"),
        ({"severity": "page", "category": "target", "path": "p"}, "intake-pager"),
        ({"severity": "page", "category": "silence", "team": "intake-ops"}, "intake-pager-intake-ops"),
        ({"severity": "page", "category": "prober", "path": "p", "team": "sales"}, "intake-pager-sales"),
        ({"severity": "page", "category": "prober"}, "intake-pager"),
        ({"severity": "ticket", "category": "target", "team": "support"}, "intake-tickets-support"),
        ({"severity": "ticket", "category": "prober"}, "intake-tickets"),
        ({"severity": "none", "category": "watchdog"}, "intake-heartbeat"),
        ({"alertname": "SomebodyElses"}, "intake-tickets"),
    ],
)
def test_alert__goes_to_its_team(labels: Labels, receiver: str) -> None:
    assert receivers_of(alertmanager_text(PLAIN), **labels) == receiver


def alert(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": name, **labels}


def broken(
    path: str, blame: str, domain: str = "acme.example", name: str = "IntakePathBroken"
) -> dict[str, str]:
    return alert(name, severity="page", category="target", path=path, blame=blame, reason="r", domain=domain)


FULL = alert(
    "IntakeMailboxFull",
    severity="page",
    category="target",
    place="support",
    resource="storage",
    domain="acme.example",
)
DNS_WRONG = alert(
    "IntakeMailDnsUnexpected",
    severity="page",
    category="target",
    blame="dns",
    place="acme.example",
    record="mx",
    domain="acme.example",
)
SILENT = alert("IntakeProberSilent", severity="page", category="silence")
BLIND = alert(
    "IntakeProberBlindLong", severity="page", category="prober", blame="prober", prober="eu", cause="dns"
)


def burning(window: str, path: str = "support-email") -> Labels:
    return alert("IntakeSloBurn", severity="ticket", category="target", path=path, window=window)


BURN = burning("1h")
ENDS = {"category": "target", "place": "www.acme.example:443", "kind": "endpoint"}

MUTED = {
    "a silent prober, what targets do": (SILENT, broken("support-email", "dns")),
    "a silent prober, what it knew of itself": (SILENT, BLIND),
    "a broken path, its burn": (broken("support-email", "dns"), BURN),
    "a broken path, its final answer": (
        broken("support-email", "dns"),
        broken("support-email", "smtp.accept", name="IntakeFinalAnswer"),
    ),
    "a final answer, the burn": (broken("support-email", "smtp.accept", name="IntakeFinalAnswer"), BURN),
    "a fast burn, the next slower one": (BURN, burning("6h")),
    "a fast burn, the slowest one": (BURN, burning("3d")),
    "a burn between, a slower one": (burning("6h"), burning("1d")),
    "a name server, what else breaks in its domain": (
        broken("support-email", "dns"),
        broken("sales-email", "smtp.connect"),
    ),
    "a wrong record, mail of its domain": (DNS_WRONG, broken("support-email", "smtp.accept")),
    "a full mailbox, the paths through it": (FULL, broken("support-email", "mailbox.arrival")),
    "a full mailbox, that it fills": (
        FULL,
        alert(
            "IntakeMailboxFilling", severity="ticket", category="target", place="support", resource="storage"
        ),
    ),
    "a page, the ticket about the same": (
        alert("IntakeCertificateExpiring", severity="page", **ENDS),
        alert("IntakeCertificateExpiring", severity="ticket", **ENDS),
    ),
}
TOLD = {
    "blindness, a target": (BLIND, broken("support-email", "dns")),
    "blindness, a mailbox": (BLIND, FULL),
    "a slow burn, a faster one": (burning("6h"), BURN),
    "another path's fast burn, a slower one": (burning("1h", "sales-email"), burning("6h")),
    "another path that is broken, a burn": (broken("sales-email", "ticket.created"), BURN),
    "a full mailbox, a path through another of the same domain": (
        FULL,
        broken("sales-email", "mailbox.arrival"),
    ),
    "a full mailbox, a path that is broken elsewhere": (FULL, broken("support-email", "dns")),
    "a name server, another domain": (
        broken("support-email", "dns"),
        broken("sales-email", "smtp.connect", domain="other.example"),
    ),
    "a name server of no domain, what has none either": (
        broken("support-email", "dns", domain=""),
        broken("sales-email", "smtp.connect", domain=""),
    ),
    "another place's page, a ticket": (
        alert("IntakeCertificateExpiring", severity="page", **ENDS),
        alert("IntakeCertificateExpiring", severity="ticket", **{**ENDS, "place": "mx.acme.example:25"}),
    ),
    "itself": (broken("support-email", "dns"), broken("support-email", "dns")),
}


def quiet(estate: Estate) -> str:
    """The rules of inhibition, with nobody to notify."""
    tree = alertmanager_configuration(estate)
    return written(
        {
            "route": {"receiver": "nobody", "group_wait": "1s", "group_interval": "1s"},
            "receivers": [{"name": "nobody"}],
            "inhibit_rules": tree["inhibit_rules"],
        }
    )


def inhibited(server: Alertmanager, source: Labels, target: Labels) -> bool:
    """Whether the target is muted while the source fires, by Alertmanager's own word."""
    shown = {name: value for name, value in target.items() if value}
    server.post([{name: value for name, value in source.items() if value}, shown])
    wait_until(
        lambda: any(one["labels"] == shown for one in server.alerts()), what="alert", child=server.child
    )
    # It is decided when a group is notified of, a second later; then the state is no longer "unprocessed".
    wait_until(
        lambda: all(one["status"]["state"] != "unprocessed" for one in server.alerts()),
        what="decision",
        child=server.child,
    )
    (found,) = [one for one in server.alerts() if one["labels"] == shown]
    return bool(found["status"]["inhibitedBy"])


@pytest.fixture
def server() -> Iterator[Alertmanager]:
    with running_alertmanager(configuration_text=quiet(PLAIN)) as running:
        yield running


@pytest.mark.parametrize("name", MUTED)
def test_inhibition__mutes_what_the_source_explains(server: Alertmanager, name: str) -> None:
    source, target = MUTED[name]

    assert inhibited(server, source, target)


@pytest.mark.parametrize("name", TOLD)
def test_inhibition__mutes_nothing_else(server: Alertmanager, name: str) -> None:
    source, target = TOLD[name]

    assert not inhibited(server, source, target)


def test_files_of_the_command__pass_as_they_are_written(tmp_path: Path) -> None:
    from runners.cli.app import main
    from tests.unit.runners.config.examples import FULL as CONFIGURATION

    PROMETHEUS.require()
    (tmp_path / "intake.yaml").write_text(CONFIGURATION)
    words = ["--config", str(tmp_path / "intake.yaml"), "--json", "render", "prometheus-rules"]

    assert main([*words, "--with-tests", str(tmp_path / "tests")]) == 0

    tests = sorted(str(one) for one in (tmp_path / "tests").glob("*.test.yml"))
    done = subprocess.run(
        ["/usr/bin/promtool", "test", "rules", *tests],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(estates())
def test_any_configuration__passes_promtool_and_amtool(estate: Estate) -> None:
    assert "SUCCESS" in rules_checked(prometheus_rules(estate))
    assert "SUCCESS" in checked(alertmanager_text(estate))
