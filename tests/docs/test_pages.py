"""Pages lead where they say, decisions are whole and numbered, and the rules' page knows every verdict."""

import re
from pathlib import Path

import pytest

from canary.verdict import Verdict
from tests.architecture.tree import ROOT
from tests.docs.pages import anchors, headings, links, pages, text_of

DECISIONS = [one for one in pages() if one.parts[:2] == ("docs", "decisions")]


@pytest.mark.parametrize("page", pages(), ids=str)
def test_link__leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for link in links(page):
        target, _, anchor = link.partition("#")
        there = (ROOT / page.parent / target).resolve() if target else ROOT / page
        assert there.exists(), f"{page}: {link}"
        if anchor and there.suffix == ".md":
            assert anchor in anchors(there.relative_to(ROOT)), f"{page}: {link}"


@pytest.mark.parametrize("page", pages(), ids=str)
def test_page__begins_with_its_title(page: Path) -> None:
    assert text_of(page).startswith("# ")


@pytest.mark.parametrize("page", DECISIONS, ids=str)
def test_decision__says_context_decision_rejected_alternatives_and_consequences(page: Path) -> None:
    title, *sections = headings(page)

    assert title.startswith(f"{page.name[:4]}: ")
    assert sections[:4] == ["Context", "Decision", "Rejected alternatives", "Consequences"]


def test_decisions__are_numbered_without_a_gap() -> None:
    numbers = [int(one.name[:4]) for one in DECISIONS if re.match(r"\d{4}-", one.name)]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("verdict", list(Verdict))
def test_page_of_the_rules__has_a_row_for_each_verdict(verdict: Verdict) -> None:
    assert f"| `{verdict}` |" in text_of(Path("docs/how-it-judges.md"))


def test_changelog__has_an_unreleased_part_for_operators() -> None:
    changelog = text_of(Path("CHANGELOG.md"))

    assert "## Unreleased" in changelog
    assert "### Operators" in changelog
