"""A canary's waterfall: where its evidence is, and lines that stay in their columns."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from canary.hop import Hop
from canary.observation import Fact
from canary.verdict import judge
from runners.cli.output import Output
from runners.cli.waterfall import waterfall
from runners.contracts import Record
from tests.unit.runners.cli.filled import History, good

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def lines(folder: Path, *, detail: str = "", **facts: Fact) -> list[str]:
    """Of a canary whose submit bears these facts."""
    history = History(folder)
    canary = history.canary(AT)
    seen = [replace(one, facts=facts, detail=detail) if one.hop is Hop.DNS else one for one in good(canary)]
    judgement = judge(history.path, canary, seen, AT + timedelta(minutes=1))
    record = Record(canary, judgement, launch_ended=True, is_clean=True)
    output = Output(io.StringIO(), io.StringIO(), paints_answers=False, paints_remarks=False)
    return list(waterfall(record, seen, output, artifacts=Path("kept")))


def test_evidence__is_named_with_its_folder(tmp_path: Path) -> None:
    facts = {
        "intake.artifact.screenshot": "support-portal/abc/screenshot.png",
        "intake.artifact.trace": "support-portal/abc/trace.zip",
    }

    assert "Evidence: kept/support-portal/abc/ (screenshot.png, trace.zip)" in lines(tmp_path, **facts)


def test_evidence_that_could_not_be_kept__is_told(tmp_path: Path) -> None:
    said = lines(tmp_path, **{"intake.artifact.trouble": "the disk is full"})

    assert [one for one in said if one.startswith("Evidence")] == ["Evidence: the disk is full"]


def test_hop_that_went_well__says_no_more_than_fits_a_line(tmp_path: Path) -> None:
    said = lines(tmp_path, detail="slowest: " + "x" * 300)

    (line,) = (one for one in said if "slowest" in one)
    assert line.endswith("…")
    assert len(line) < 200
