"""A canary's waterfall: where its evidence is, and lines that stay in their columns."""

import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from canary.hop import Hop
from canary.observation import Fact, Outcome
from canary.reason import Reason
from canary.verdict import Verdict, judge
from runners.cli.output import Output
from runners.cli.waterfall import waterfall
from runners.cli.words import clock
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


def test_tries_of_a_hop_that_went_wrong__are_shown_beside_the_last_one(tmp_path: Path) -> None:
    history = History(tmp_path)
    canary = history.canary(AT)
    seen = good(canary)[:4]
    lost, refused = (
        replace(
            one,
            outcome=Outcome.FAILED,
            reason=reason,
            detail=detail,
            attempt=attempt,
            began_at=one.began_at + timedelta(seconds=attempt),
            ended_at=one.ended_at + timedelta(seconds=attempt),
        )
        for one, attempt, reason, detail in (
            (good(canary)[4], 1, Reason.CONNECTION_LOST, "lost while the mail was being sent"),
            (good(canary)[1], 2, Reason.REFUSED, "nothing listens on the port"),
        )
    )
    judgement = judge(history.path, canary, [*seen, lost, refused], AT + timedelta(minutes=1))
    record = Record(canary, judgement, launch_ended=True, is_clean=False)
    output = Output(io.StringIO(), io.StringIO(), paints_answers=False, paints_remarks=False)

    said = "\n".join(waterfall(record, [*seen, lost, refused], output))

    assert "└ try 2 at 12:00:02Z: failed  refused  nothing listens on the port" in said
    assert said.count("lost while the mail was being sent") == 1


def test_ticket_that_is_kept__is_told_with_the_time_until_which_it_is(tmp_path: Path) -> None:
    history = History(tmp_path)
    canary = history.canary(AT)
    judgement = replace(
        judge(history.path, canary, good(canary), AT + timedelta(minutes=1)), verdict=Verdict.BREACHED
    )
    record = Record(canary, judgement, launch_ended=True, is_clean=False)
    output = Output(io.StringIO(), io.StringIO(), paints_answers=False, paints_remarks=False)

    *_, last = waterfall(record, good(canary), output, is_kept=True)

    assert last.startswith(f"Its ticket is kept until {clock(canary.horizon_at)}: ticket 17 in desk")
