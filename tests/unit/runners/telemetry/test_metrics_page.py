"""The page of the metrics is what the catalogue says."""

from pathlib import Path

import pytest

from canary.instruments import METRICS, Instrument
from runners.telemetry.metrics_page import metrics_page

PAGE = Path(__file__).parents[4] / "docs" / "metrics.md"


def test_page_of_the_metrics__is_that_of_this_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), "run python -m runners.telemetry.metrics_page"


@pytest.mark.parametrize("one", METRICS, ids=lambda one: one.name)
def test_metric__has_one_row_with_its_type_source_and_labels(one: Instrument) -> None:
    [row] = [
        line for line in metrics_page().splitlines() if line.startswith(f"| `{one.prometheus}` | {one.kind}")
    ]

    cells = [cell.strip() for cell in row.strip("|").split("|")]
    labels = [label.strip("`") for label in cells[3].split(", ")] if cells[3] else []
    assert cells[2] == one.source.value
    assert tuple(labels) == one.labels
    assert cells[4] == one.meaning
