"""What the policy lets out: the ports of all that the configuration names, and who is behind each."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from runners.config.telemetry import OtlpConfig
from runners.deploy.commands import commands_of
from runners.deploy.cronjob import render_cronjob
from runners.deploy.deployment import DeploymentOptions, render_deployment
from runners.deploy.egress import Way, unknown_ways, ways
from tests.unit.runners.deploy.scene import PATHS, POSTGRESQL, config_of, only, text_of, work_of

SINKS = """\
alerts:
  sinks:
    pager: {type: pagerduty, routing_key: {env: PD_KEY}}
    hook: {type: webhook, url: {env: HOOK_URL}, secret: {env: HOOK_SECRET}}
    chat: {type: slack, url: {env: SLACK_URL}}
    beat: {type: heartbeat, url: {env: BEAT_URL}}
    manager: {type: alertmanager, urls: ["http://alertmanager:9093"]}
"""
OLD_ALERTS = "alerts: {open: [2 of 3, 3 of 10], resolve: 2, at_once: [mailbox_full]}\n"


def egress(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = only(text, "NetworkPolicy")["spec"]["egress"]
    return found


def ports(rule: dict[str, Any]) -> set[tuple[str, int]]:
    return {(one["protocol"], one["port"]) for one in rule["ports"]}


def test_ports__are_those_of_all_that_is_named(tmp_path: Path) -> None:
    found = ways(config_of(tmp_path, text_of(store=POSTGRESQL)))

    assert found == (
        Way(25, "prober.controls"),
        Way(143, "mailboxes.support"),
        Way(443, "prober.controls"),
        Way(443, "ticketing.desk"),
        Way(587, "accounts.canary.smtp"),
        Way(993, "accounts.canary.imap"),
        Way(4318, "telemetry.otlp"),
        Way(5432, "prober.store"),
    )


def test_ports_of_web_channels_and_sinks__are_among_them(tmp_path: Path) -> None:
    config = config_of(tmp_path, text_of(paths=PATHS["browser"], changes={OLD_ALERTS: SINKS}))

    found = set(ways(config))
    assert {
        Way(443, "paths.support-portal"),
        Way(3128, "paths.contact-form.proxy"),
        Way(443, "alerts.sinks.pager"),
        Way(9093, "alerts.sinks.manager"),
    } <= found
    assert unknown_ways(config) == ("alerts.sinks.hook", "alerts.sinks.chat", "alerts.sinks.beat")


def test_commands__may_go_anywhere_whatever_they_are_for(tmp_path: Path) -> None:
    changes = {"{env: DESK_TOKEN}": "{exec: [vault, read, desk]}"}
    config = config_of(tmp_path, text_of(changes=changes))

    assert {f"the command {one[0]}" for one in commands_of(config)} == {"the command vault"}
    assert "the command vault" in unknown_ways(config)


def test_metrics__may_have_a_receiver_of_their_own(tmp_path: Path) -> None:
    config = config_of(tmp_path, text_of())
    otlp = OtlpConfig("http://metrics:4319/v1/metrics")

    found = ways(replace(config, telemetry=replace(config.telemetry, otlp_traces=None, otlp_metrics=otlp)))

    assert [one.port for one in found if one.about == "telemetry.otlp"] == [4319]


def test_direct_delivery__needs_the_port_of_the_mx(tmp_path: Path) -> None:
    config = config_of(tmp_path, text_of(changes={"via: smtp": "via: mx\n    mx_port: 2525"}))

    assert Way(2525, "paths.support-email (the target's MX)") in ways(config)


def test_dns__is_let_out_to_the_systems_resolver_and_ours(tmp_path: Path) -> None:
    rule = egress(render_cronjob(work_of(tmp_path, text_of())))[0]

    assert ports(rule) == {("UDP", 53), ("TCP", 53), ("UDP", 5353), ("TCP", 5353)}
    assert "to" not in rule


def test_networks__bound_all_but_dns(tmp_path: Path) -> None:
    rules = egress(render_cronjob(work_of(tmp_path, text_of()), networks=("203.0.113.0/24",)))

    assert rules[1]["to"] == [{"ipBlock": {"cidr": "203.0.113.0/24"}}]
    assert ("TCP", 587) in ports(rules[1])


def test_policy__says_that_it_knows_no_names_and_who_is_behind_a_port(tmp_path: Path) -> None:
    text = render_cronjob(work_of(tmp_path, text_of()))

    assert "# A NetworkPolicy knows addresses, not names" in text
    assert "#   587: accounts.canary.smtp" in text


def test_one_shot_run__lets_nobody_in(tmp_path: Path) -> None:
    assert only(render_cronjob(work_of(tmp_path, text_of())), "NetworkPolicy")["spec"]["ingress"] == []


def test_page__is_read_by_its_own_namespace_and_those_that_are_named(tmp_path: Path) -> None:
    options = DeploymentOptions(readers=("monitoring",))
    text = render_deployment(work_of(tmp_path, text_of()), options)

    assert only(text, "NetworkPolicy")["spec"]["ingress"] == [
        {
            "from": [
                {"podSelector": {}},
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}},
            ],
            "ports": [{"protocol": "TCP", "port": 8080}],
        }
    ]
