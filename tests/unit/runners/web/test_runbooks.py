"""The runbook where an alert links to it: a page for a browser, its Markdown for everything else."""

from pathlib import Path

import pytest
from lxml import html

from runners.runbook import runbook_text
from runners.web.runbooks import runbook_markup
from tests.unit.runners.web.asked import Asker, asker

BROWSER = "text/html,application/xhtml+xml;q=0.9"
PAGES = Path("docs/runbook")


@pytest.fixture
def page() -> Asker:
    return asker()


def test_runbook__is_text_for_what_is_no_browser(page: Asker) -> None:
    assert page.ask("/runbook/mailbox_full").text.startswith("# `mailbox_full`")
    assert page.ask("/runbook").text.startswith("# Runbook")
    assert page.ask("/runbook/no_such_reason").status_code == 404


def test_runbook__is_a_page_for_a_browser_with_the_links_of_this_site(page: Asker) -> None:
    answer = page.ask("/runbook", accept=BROWSER)
    shown = html.document_fromstring(answer.text)

    assert answer.headers["content-type"].startswith("text/html")
    assert shown.findtext(".//h1") == "Runbook"
    assert "/runbook/mailbox_full" in shown.xpath("//article//a/@href")
    assert {page.ask(one).status_code for one in set(shown.xpath("//article//a/@href"))} == {200}


def test_page_of_an_alert__is_found_by_its_rules_name(page: Asker) -> None:
    shown = html.document_fromstring(page.ask("/runbook/IntakeCertificateExpiring", accept=BROWSER).text)

    assert "/runbook/IntakeCertificateNotTrusted" in shown.xpath("//article//a/@href")


@pytest.mark.parametrize("word", ["..", "../README", "alerts/../README", "%2e%2e%2fREADME"])
def test_name_that_leads_out_of_the_runbook__is_no_page(page: Asker, word: str) -> None:
    assert runbook_text(word) is None
    assert page.ask(f"/runbook/{word}x").status_code == 404


def test_link_to_what_is_not_served__keeps_its_words_and_html_stays_text() -> None:
    shown = html.fragment_fromstring(
        str(runbook_markup("See [the guide](../guides/serve.md), [x](javascript:alert(1)), <b>bold</b>.")),
        create_parent=True,
    )

    assert shown.xpath(".//a | .//b") == []
    assert shown.text_content().strip() == "See the guide, [x](javascript:alert(1)), <b>bold</b>."


def test_every_page__has_one_headline_and_no_style_of_its_own() -> None:
    for file in sorted(PAGES.rglob("*.md")):
        shown = html.fragment_fromstring(
            str(runbook_markup(file.read_text(encoding="utf-8"))), create_parent=True
        )
        assert len(shown.xpath(".//h1")) == 1, file
        assert shown.xpath(".//@style") == [], file
