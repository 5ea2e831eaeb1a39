"""The guide of the dashboards names each of them, and what the program does about them."""

import json
import re
from pathlib import Path

import pytest

from dashboards.provisioning import DATASOURCES_FILE, FOLDER, PROVIDER_FILE, Setting
from dashboards.uids import UIDS
from tests.docs.pages import text_of

GUIDE = text_of(Path("docs/guides/grafana.md"))


def test_guide__has_a_line_for_each_dashboard_and_no_other() -> None:
    assert re.findall(r"^\| `(intake-[a-z]+)` \|", GUIDE, re.MULTILINE) == list(UIDS)


@pytest.mark.parametrize(
    "word", [DATASOURCES_FILE, PROVIDER_FILE, Setting().path, Setting().folder, "`lookback`"]
)
def test_guide__names_what_is_written(word: str) -> None:
    assert word in GUIDE


def test_guide__names_the_colours_of_what_is_drawn_into_curves() -> None:
    drawn = json.loads((FOLDER / "intake-overview.json").read_text())["annotations"]["list"]

    assert [(one["name"], one["iconColor"]) for one in drawn] == [
        ("Incidents", "red"),
        ("Silences", "purple"),
        ("Versions", "blue"),
    ]
    assert "incidents (red), silences (purple) and new versions (blue)" in GUIDE
