"""What a run shows while it goes on."""

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.observation import Outcome
from canary.reason import Reason
from canary.trace import span_id
from canary.verdict import judge
from probes.masking import Masker
from runners.cli.live import LiveProgress, LoggedFacts, progress_for
from runners.cli.output import Output, Style, open_output, painted
from runners.telemetry.logs import ids_of, log_context, set_up_logging
from tests.unit.runners.cli.filled import History, good, vanished

AT = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """A configuration, for its path."""
    return History(tmp_path)


@pytest.fixture
def canary(history: History) -> Canary:
    """A canary."""
    return history.canary(AT)


@pytest.fixture
def root() -> Iterator[None]:
    """Leaves the root logger as it was."""
    logger = logging.getLogger()
    handlers, level = list(logger.handlers), logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


def _output(*, paints: bool = False) -> tuple[Output, io.StringIO]:
    remarks = io.StringIO()
    return Output(io.StringIO(), remarks, paints_answers=paints, paints_remarks=paints), remarks


def test_lines__are_one_a_hop_and_none_for_a_look_in_vain(history: History, canary: Canary) -> None:
    output, remarks = _output()
    live = LiveProgress(output)

    live.launched(canary)
    for seen in vanished(canary):
        live.observed(canary, seen)
    live.judged(canary, judge(history.path, canary, vanished(canary), canary.horizon_at))

    lines = remarks.getvalue().splitlines()
    assert lines[0] == f"support-email  {canary.id[-6:]}  launched as canary@probe.example"
    assert [line.split()[2] for line in lines[1:6]] == [
        "dns",
        "smtp.connect",
        "smtp.tls",
        "smtp.auth",
        "smtp.accept",
    ]
    assert lines[6].endswith("breached at mailbox.arrival: not_seen")
    assert len(lines) == 7


def test_line_of_a_failed_hop__shows_its_reason_and_what_the_remote_said_without_its_control_characters(
    canary: Canary,
) -> None:
    output, remarks = _output()
    refused = replace(
        good(canary)[4],
        outcome=Outcome.FAILED,
        reason=Reason.MAILBOX_FULL,
        detail="552 5.2.2 mailbox full\x1b[2J",
    )

    LiveProgress(output).observed(canary, refused)

    assert "failed   mailbox_full  552 5.2.2 mailbox full�[2J" in remarks.getvalue()


def test_colour__is_for_terminals_and_not_against_the_users_will() -> None:
    output, remarks = _output(paints=True)

    LiveProgress(output).note("look here")

    assert remarks.getvalue() == painted("look here", Style.WARN) + "\n"
    assert not open_output(no_color=True).paints_answers
    assert not open_output(no_color=False, environ={"NO_COLOR": "1"}).paints_remarks
    assert not open_output(no_color=False, environ={"TERM": "dumb"}).paints_remarks


def test_gauge__is_shown_with_its_limit_and_share() -> None:
    output, remarks = _output()
    gauge = Gauge(
        "support",
        GaugeName.MAILBOX_CAPACITY,
        900 * 1024.0,
        "By",
        1000 * 1024.0,
        AT,
        GaugeState.WARN,
        Resource.STORAGE,
    )

    LiveProgress(output).gauged(gauge)

    assert remarks.getvalue() == "support: mailbox.capacity storage warn: 900.0 KiB of 1000.0 KiB (90 %)\n"


@pytest.mark.usefixtures("root")
def test_facts__elsewhere_than_on_a_terminal__are_log_events_with_the_trace(
    history: History, canary: Canary
) -> None:
    output, _ = _output()
    stream = io.StringIO()
    set_up_logging(Masker(), frozenset(), prober="fra-1", as_json=True, stream=stream, environ={})
    progress = progress_for(output)

    progress.launched(canary)
    progress.observed(canary, good(canary)[0])
    progress.judged(canary, judge(history.path, canary, good(canary), canary.deadline_at))

    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert isinstance(progress, LoggedFacts)
    assert [line["event"] for line in lines] == ["canary_launched", "hop_observed", "verdict_reached"]
    assert {line["trace_id"] for line in lines} == {canary.trace_id}
    assert (lines[1]["hop"], lines[1]["outcome"], lines[1]["seconds"]) == (Hop.DNS, "ok", 0.01)
    assert lines[2]["verdict"] == "confirmed"


@pytest.mark.usefixtures("root")
def test_line_of_a_skipped_hop__names_the_trace_and_no_span__since_it_has_none(canary: Canary) -> None:
    stream = io.StringIO()
    set_up_logging(Masker(), frozenset(), prober="fra-1", as_json=True, stream=stream, environ={})
    passed = good(canary)[0]

    with log_context(**ids_of(canary)):  # as a launch is: its own span is no span of the hop
        LoggedFacts().observed(canary, replace(passed, outcome=Outcome.SKIPPED))
        LoggedFacts().observed(canary, passed)

    skipped, seen = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (skipped["outcome"], skipped["trace_id"]) == ("skipped", canary.trace_id)
    assert "span_id" not in skipped
    assert seen["span_id"] == span_id(canary.id, Hop.DNS)
