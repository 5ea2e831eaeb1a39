"""A wrong zone of created_at proves itself: by a ticket of the future, or by one older than its canary."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.signature import mint_id, mint_token
from probes.contracts import CheckState, FieldRead
from probes.ticketing.generic.stamps import Stamp, misstamped
from tests.fakes.clock import START
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import Scene

KEY = "ticketing.desk.find.recent.read[0].ticket.created_at"
ROW = "ticketing.desk.ticket.created_at"
HOUR = timedelta(hours=1)
TOKEN = mint_token(mint_id(START, b"abcd"), "support-email", b"a-key-of-32-bytes-for-these-tests")


def told(tmp_path: Path, off: timedelta, *, title: str = "a question") -> Scene:
    """A desk of one ticket, whose time is told by a further request and is off."""
    picked = 'body: {pick: "entries[0].html", as: html}, created_at: at'
    text = CONFIGURATION.replace('body: {pick: "entries[0].html", as: html}', picked)
    assert text != CONFIGURATION
    scene = Scene(tmp_path, configuration=text)
    scene.desk.add(title, opened=scene.clock.now())
    answered = {"entries": [{"html": "<p>help</p>"}], "at": (scene.clock.now() + off).isoformat()}
    scene.desk.answer = lambda request: (
        httpx.Response(200, json=answered) if "/threads/" in request.url.path else None
    )
    return scene


def time_of(scene: Scene) -> FieldRead:
    glances = scene.run(lambda system: system.glance(scene.clock.now() - 24 * HOUR))
    (found,) = [one for one in glances[0].fields if one.name == "created_at"]
    return found


@pytest.mark.parametrize(
    ("off", "title", "expected"),
    [
        (7 * HOUR, "a question", "a ticket is made in 7 h from now"),
        (-7 * HOUR, f"intakecanary {TOKEN}", "a ticket of ours was made 7 h before its canary left"),
        (-timedelta(minutes=30), f"intakecanary {TOKEN}", "made 30 min before its canary left"),
    ],
)
def test_zone_of_a_further_request_that_is_wrong__is_told_by_check_and_try(
    tmp_path: Path, off: timedelta, title: str, expected: str
) -> None:
    scene = told(tmp_path, off, title=title)

    (check,) = [one for one in scene.run(lambda system: system.check()) if one.name == "ticket.time"]
    time = time_of(scene)

    assert check.state is CheckState.WARN
    assert check.finding.startswith(f"{KEY}: ")
    assert expected in check.finding
    assert "zone of created_at" in check.remedy
    assert f"desk: {KEY}: " in time.fault
    assert expected in time.fault
    assert "zone of created_at" in time.fault


def test_zone_of_a_row_that_is_wrong__is_told_by_try(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("a question", opened=scene.clock.now() + 7 * HOUR)

    assert f"desk: {ROW}: by its stamp a ticket is made in 7 h from now" in time_of(scene).fault


@pytest.mark.parametrize("title", ["a question", f"intakecanary {TOKEN}"])
def test_time_that_fits__is_no_matter(tmp_path: Path, title: str) -> None:
    scene = told(tmp_path, timedelta(seconds=-20), title=title)

    assert [one for one in scene.run(lambda system: system.check()) if one.name == "ticket.time"] == []
    assert time_of(scene).fault == ""


def test_older_ticket_into_which_one_of_ours_was_put__is_no_matter() -> None:
    stamps = [Stamp(ROW, START - 48 * HOUR, START), Stamp(ROW, START, START)]

    assert misstamped(stamps, START + HOUR) == {}


def test_token_of_a_canary_that_never_left__is_no_matter() -> None:
    assert misstamped([Stamp(ROW, START, START + 9999 * HOUR)], START) == {}


@given(st.lists(st.integers(0, 86_400)), st.integers(-60, 60))
def test_stamps_after_the_launch_and_before_now__are_never_told(ages: list[int], slack: int) -> None:
    launched = START - timedelta(days=2)
    stamps = [Stamp(ROW, START - timedelta(seconds=max(age, slack)), launched) for age in ages]

    assert misstamped(stamps, START) == {}
