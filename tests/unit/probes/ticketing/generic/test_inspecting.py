"""`check` says what a run would stumble over: further requests, fields, filters and zones."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from probes.contracts import Check, CheckState
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import Scene

HOUR = timedelta(hours=1)
READ = """\
    read:
      - get: "/v1/threads/{{ ticket.thread }}"
        ticket: {body: {pick: "entries[0].html", as: html}}
"""
WIDE = """\
  wide:
    when: deadline
    get: /v1/tickets
    rows: data
"""


def changed(before: str, after: str) -> str:
    assert before in CONFIGURATION
    return CONFIGURATION.replace(before, after)


def checks(scene: Scene) -> list[Check]:
    return list(scene.run(lambda system: system.check()))


def bad(scene: Scene) -> list[Check]:
    """What is not in order, but that our rights are not known."""
    return [one for one in checks(scene) if one.state is not CheckState.OK and one.name != "ticket.close"]


def of_name(scene: Scene, name: str) -> Check:
    (found,) = [one for one in bad(scene) if one.name == name]
    return found


def filled(folder: Path, configuration: str = CONFIGURATION, rows: int = 4) -> Scene:
    scene = Scene(folder, configuration=configuration)
    for number in range(rows, 0, -1):
        scene.desk.add(f"a question of {number}", opened=scene.clock.now() - timedelta(seconds=20 * number))
    return scene


def test_misspelt_read__fails_and_names_its_key(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("/v1/threads/", "/v1/thread/"))
    scene.desk.answer = lambda request: (
        httpx.Response(404, json={}) if "/v1/thread/" in request.url.path else None
    )

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.FAIL
    assert "ticketing.desk.find.recent.read[0]" in check.finding


@pytest.mark.parametrize("status", [400, 500])
def test_refused_read__fails_and_names_its_key(tmp_path: Path, status: int) -> None:
    scene = filled(tmp_path)
    scene.desk.answer = lambda request: (
        httpx.Response(status, json={}) if "/v1/threads/" in request.url.path else None
    )

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.FAIL
    assert "ticketing.desk.find.recent.read[0]" in check.finding


def test_read_whose_pick_is_misspelt__fails_with_the_names_that_are_there(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("entries[0].html", "entries[0].text"))

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.FAIL
    assert "read[0].ticket.body" in check.finding
    assert check.finding.endswith("There are: html.")


def test_read_whose_pick_comes_to_nothing__is_warned_of(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("entries[0].html", "entries[?kind=='x'] | [0].html"))

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.WARN
    assert "read[0].ticket.body" in check.finding


def test_reads__are_made_for_two_rows_and_show_nothing_of_them(tmp_path: Path) -> None:
    scene = filled(tmp_path)

    found = checks(scene)

    assert scene.desk.paths().count("GET /v1/threads/7004") == 1
    assert sum("/threads/" in one for one in scene.desk.paths()) == 2
    assert not [one for one in found if "question" in one.finding or "help" in one.finding]


def test_renamed_field__fails_as_in_a_run_with_the_names_that_are_there(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("subject: title", "subject: headline"))

    check = of_name(scene, "ticket.search")

    assert check.state is CheckState.FAIL
    assert check.finding.startswith(str(scene.blind(scene.canary())))
    assert "There are: id, title, opened" in check.finding


def test_open_that_is_null_in_all_rows__is_warned_of(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("open: {pick: state, not_among: [9]}", 'open: "!state.final"'))

    check = of_name(scene, "ticket.fields")

    assert check.state is CheckState.WARN
    assert "ticket.open" in check.finding
    assert "!(status.final)" in check.remedy


def test_tags_that_are_never_there__are_warned_of(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("tags: labels", "tags: words"))

    check = of_name(scene, "ticket.fields")

    assert (check.state, "ticketing.desk.ticket.tags" in check.finding) == (CheckState.WARN, True)


def test_tags_with_a_default__may_be_missing(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("tags: labels", "tags: {pick: words, default: []}"))

    assert bad(scene) == []


def test_budget_that_no_answer_tells__is_warned_of(tmp_path: Path) -> None:
    scene = filled(tmp_path, CONFIGURATION + "budget: {main: {remaining: {header: X-Left}}}\n")

    assert "ticketing.desk.budget.main" in of_name(scene, "budget").finding


def test_budget_that_an_answer_tells__is_no_matter(tmp_path: Path) -> None:
    scene = filled(tmp_path, CONFIGURATION + "budget: {main: {remaining: {header: X-Left}, limit: 20}}\n")
    scene.desk.headers["x-left"] = "15"

    assert bad(scene) == []


def test_budget_of_which_nobody_tells_how_much_it_has__is_said(tmp_path: Path) -> None:
    scene = filled(tmp_path, CONFIGURATION + "budget: {main: {remaining: {header: X-Left}}}\n")
    scene.desk.headers["x-left"] = "15"

    (found,) = bad(scene)

    assert found.name == "budget"
    assert "no answer tells how many it has: nothing of it is kept" in found.finding
    assert "limit: 700" in found.remedy


def test_share_of_no_window_at_all__is_said(tmp_path: Path) -> None:
    (found,) = bad(filled(tmp_path, CONFIGURATION + "throttle: {share: 50%}\n"))

    assert (found.name, found.state) == ("budget", CheckState.WARN)
    assert "at_most: 300/m" in found.remedy


def test_more_recent_rows_than_a_look_reads__are_warned_of(tmp_path: Path) -> None:
    scene = filled(tmp_path, changed("    rows: data\n", "    max_reads: 4\n    rows: data\n"), rows=5)

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.WARN
    assert "max_reads" in check.remedy


def test_deadline_look_that_does_not_read_the_text__is_warned_of(tmp_path: Path) -> None:
    narrow = changed("  recent:\n", "  recent:\n    when: poll\n").replace(
        "diverted:\n", f"{WIDE}diverted:\n", 1
    )
    scene = filled(tmp_path, narrow)

    check = of_name(scene, "ticket.read")

    assert check.state is CheckState.WARN
    assert "ticketing.desk.find.wide: the deadline look can't see the text" in check.finding


@pytest.mark.parametrize(("late", "age"), [(HOUR, 20), (5 * HOUR, 20), (2 * HOUR, 2400)])
def test_filter_in_another_zone__fails_with_the_age_of_what_is_left_out(
    tmp_path: Path, late: timedelta, age: int
) -> None:
    scene = Scene(tmp_path)
    scene.desk.filter_is_late = late
    for hours in range(20, 0, -1):
        scene.desk.add("old", opened=scene.clock.now() - hours * HOUR - timedelta(minutes=50))
    scene.desk.add("new", opened=scene.clock.now() - timedelta(seconds=age))

    check = of_name(scene, "ticket.time")

    assert check.state is CheckState.FAIL
    assert f"leaves out a ticket that is {age} s old" in check.finding
    assert "zone of `since`" in check.remedy


def test_filter_in_another_zone__is_seen_in_a_list_without_order(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=changed("    order: newest_first\n", ""))
    scene.desk.is_oldest_first = True
    scene.desk.filter_is_late = HOUR
    for minutes in range(200, 0, -20):
        scene.desk.add("older", opened=scene.clock.now() - timedelta(minutes=minutes))
    scene.desk.add("new", opened=scene.clock.now() - timedelta(seconds=20))

    assert "20 s old" in of_name(scene, "ticket.time").finding


@pytest.mark.parametrize("age", [10, 200, 3000, 40_000])
def test_filter_that_fits__is_no_matter(tmp_path: Path, age: int) -> None:
    scene = Scene(tmp_path)
    scene.desk.filter_is_late = timedelta()
    scene.desk.add("one", opened=scene.clock.now() - timedelta(seconds=age))

    assert bad(scene) == []


def test_ticket_of_the_future__is_warned_of(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("one", opened=scene.clock.now() + HOUR)

    check = of_name(scene, "ticket.time")

    assert (check.state, "zone" in check.remedy) == (CheckState.WARN, True)


def test_new_ticket_that_is_an_hour_old_by_its_stamp__is_warned_of(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.desk.add("one", opened=scene.clock.now() - HOUR - timedelta(minutes=2))

    check = of_name(scene, "ticket.time")

    assert (check.state, "1 h old" in check.finding) == (CheckState.WARN, True)


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_stamps_in_another_zone__are_warned_of_in_a_list_without_order(
    tmp_path: Path, off: timedelta
) -> None:
    scene = Scene(tmp_path, configuration=changed("    order: newest_first\n", ""))
    scene.desk.is_oldest_first = True
    for seconds in range(280, 0, -40):
        scene.desk.add("new", opened=scene.clock.now() - timedelta(seconds=seconds) - off)

    check = of_name(scene, "ticket.time")

    assert (check.state, "zone" in check.remedy) == (CheckState.WARN, True)


def test_refused_log_in__names_its_key(tmp_path: Path) -> None:
    scene = Scene(tmp_path, key="another-key-of-the-tests")

    assert "ticketing.desk.auth.exchange" in of_name(scene, "ticket.search").finding


def test_sight_that_is_refused__names_its_key(tmp_path: Path) -> None:
    scene = filled(tmp_path)
    scene.desk.answer = lambda request: httpx.Response(403, json={}) if request.url.path == "/v1/me" else None

    assert "ticketing.desk.sight" in of_name(scene, "ticket.search").finding
