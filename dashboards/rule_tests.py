"""Unit tests for the rendered rules, in promtool's format: each fires when it should and is silent when it shouldn't."""

from typing import Any, Final

from dashboards.cases_burn import burn_cases
from dashboards.cases_paths import path_cases
from dashboards.cases_places import place_cases
from dashboards.cases_prober import prober_cases
from dashboards.cases_seen import seen_cases
from dashboards.estate import Estate
from dashboards.promql import duration
from dashboards.rule_case import Case
from dashboards.rule_scene import Cases, Scene
from dashboards.rules import FILE, alert_rules, rule_groups
from dashboards.timing import timing_of
from dashboards.written import written

_CASES: Final[tuple[Cases, ...]] = (path_cases, seen_cases, burn_cases, place_cases, prober_cases)
_HEAD: Final = """\
Made by `intake-prober render prometheus-rules --with-tests DIR`. Run all of them: promtool test rules DIR/*.test.yml"""


def rule_cases(estate: Estate) -> list[Case]:
    """All tests."""
    scene = Scene(estate, timing_of(estate), alert_rules(estate))
    return [case for make in _CASES for case in make(scene)]


def rule_tests(estate: Estate) -> dict[str, str]:
    """Files by their names; each has the tests of one pace, since promtool evaluates a whole file at one."""
    paces: dict[float, list[dict[str, Any]]] = {}
    for case in rule_cases(estate):
        paces.setdefault(case.step, []).append(case.shown(estate))
    # Else promtool evaluates groups in any order, and with steps beyond five minutes what was recorded is forgotten.
    order = [group.name for group in rule_groups(estate) if group.rules]
    return {
        f"intake.{duration(step)}.test.yml": written(
            {
                "rule_files": [FILE],
                "evaluation_interval": duration(step),
                "group_eval_order": order,
                "tests": paces[step],
            },
            head=_HEAD,
        )
        for step in sorted(paces)
    }
