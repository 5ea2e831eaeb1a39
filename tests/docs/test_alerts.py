"""The page of alerts shows what an alert says, and a section for every kind of sink."""

import json
from pathlib import Path

import pytest

from runners.alerts.body import body_of
from runners.config.document_alerts import SinkKind
from tests.docs.alert_page import KNOWN, opened, sample
from tests.docs.pages import headings, text_of

PAGE = Path("docs/guides/alerts.md")


def test_page__shows_the_alert_as_it_is_told() -> None:
    assert f"```text\n{sample()}```" in text_of(PAGE)


@pytest.mark.parametrize("kind", SinkKind)
def test_kind_of_sink__has_a_section_that_sets_it_up(kind: SinkKind) -> None:
    assert f"type: {kind}" in text_of(PAGE)
    assert [one for one in headings(PAGE) if kind.value in one.lower().replace("-", "")]


def test_example_of_a_webhooks_body__is_a_part_of_the_real_one() -> None:
    (block,) = [one.partition("```")[0] for one in text_of(PAGE).split("```json\n")[1:]]
    shown, real = json.loads(block), body_of(opened(), KNOWN)

    data = dict(real["data"])
    assert {**real, "data": {name: data[name] for name in shown["data"]}} == shown
