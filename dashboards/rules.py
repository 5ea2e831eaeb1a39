"""The rules of Prometheus for what is configured: recorded series, and alerts out of them."""

from dashboards.burn import burn_rules, burns, windows_of
from dashboards.estate import Estate
from dashboards.path_rules import leftover_rule, path_rules, seen_rules
from dashboards.place_rules import place_rules
from dashboards.prober_rules import prober_rules, watchdog_rule
from dashboards.recording import recording_rules
from dashboards.rule import AlertRule, Group
from dashboards.timing import timing_of
from dashboards.written import written

FILE = "intake.rules.yml"
"""What the file is called where a name is needed."""
_HEAD = """\
Made by `intake-prober render prometheus-rules` out of the configuration: change that, and render again.
Check it: promtool check rules FILE. What each alert means: docs/runbook/alerts."""


def rule_groups(estate: Estate) -> tuple[Group, ...]:
    """All groups, in the order of the file."""
    timing = timing_of(estate)
    return (
        Group("intake-recording", recording_rules(timing, windows_of(burns(estate)))),
        Group("intake-paths", [*path_rules(estate, timing), *seen_rules(estate, timing)]),
        Group("intake-slo", list(burn_rules(estate, timing))),
        Group("intake-places", list(place_rules(estate, timing))),
        Group("intake-prober", [*prober_rules(timing), leftover_rule(timing), watchdog_rule()]),
    )


def alert_rules(estate: Estate) -> tuple[AlertRule, ...]:
    """All alerts, in the order of the file."""
    return tuple(one for group in rule_groups(estate) for one in group.rules if isinstance(one, AlertRule))


def prometheus_rules(estate: Estate) -> str:
    """The file."""
    every = timing_of(estate).evaluation
    groups = [one.shown(estate, every_seconds=every) for one in rule_groups(estate) if one.rules]
    return written({"groups": groups}, head=_HEAD)
