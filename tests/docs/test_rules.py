"""Each alert of the rules has a page of the runbook and a line of the guide, and what it says to run is right."""

import re
import shlex
from pathlib import Path

import pytest

from canary.hop import Hop
from dashboards.example import EXAMPLE
from dashboards.rules import alert_rules
from dashboards.timing import timing_of
from runners.config.fields import duration_text
from runners.telemetry.snapshot import REUSED_SECONDS
from tests.architecture.tree import ROOT
from tests.docs.pages import commands, headings, text_of
from tests.docs.test_commands import mistake_in

FOLDER = Path("docs/runbook/alerts")
GUIDE = Path("docs/guides/rules.md")
RULES = {one.name: one for one in alert_rules(EXAMPLE)}
PAGES = sorted({one.runbook or one.name for one in RULES.values()})


def test_no_page__is_about_an_alert_that_does_not_exist() -> None:
    assert sorted(one.stem for one in (ROOT / FOLDER).glob("*.md")) == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_of_an_alert__is_fit_for_three_in_the_morning(name: str) -> None:
    page = FOLDER / f"{name}.md"
    sections = text_of(page).split("\n## ")

    assert headings(page)[1:] == ["Meaning", "First command", "Whom to call", "When it ends"]
    assert sections[0].startswith(f"# `{name}`: ")
    assert all(len(one.split("\n", 1)[1].strip()) >= 6 for one in sections[1:])
    assert list(commands(page)) or name == "IntakeWatchdog"


@pytest.mark.parametrize("name", ["IntakePathBroken", "IntakeFinalAnswer"])
def test_page_that_a_blame_leads_to__has_an_anchor_for_each_hop(name: str) -> None:
    anchors = set(re.findall(r'<a id="([^"]+)">', text_of(FOLDER / f"{name}.md")))

    assert anchors == {one.value for one in Hop} - {Hop.TICKET_CLEANUP.value}


@pytest.mark.parametrize("name", RULES)
def test_link_of_an_alert__leads_to_its_page(name: str) -> None:
    url = RULES[name].annotations(EXAMPLE)["runbook_url"]

    assert (ROOT / "docs/runbook" / url.partition("/intake-prober/")[2].partition("#")[0]).exists()


@pytest.mark.parametrize("name", RULES)
def test_guide__has_a_line_for_the_alert_with_its_severity(name: str) -> None:
    (line,) = [one for one in text_of(GUIDE).splitlines() if one.startswith("| [") and f"`{name}`" in one]

    severities = {one.severity.value for one in alert_rules(EXAMPLE) if one.name == name}
    assert all(one in line for one in severities)


def test_guide__promises_the_time_that_the_rules_have() -> None:
    page = timing_of(EXAMPLE).page_seconds(exposed_within=REUSED_SECONDS)

    assert duration_text(2 * 300 + 600 + page) == "22m5s"
    assert "22 m 5 s" in text_of(GUIDE)


def test_commands_that_alerts_name__are_ones_that_the_program_takes() -> None:
    for rule in RULES.values():
        said = rule.description.replace("{{ $labels.path }}", "support-email")
        for words in re.findall(r"intake-prober ((?:[a-z0-9-]+ ?)+)", said):
            asked = shlex.split(words)
            if asked[0] == "serve" or "with" in asked:
                continue
            assert mistake_in(tuple(asked)) is None, f"{rule.name}: {words}"
