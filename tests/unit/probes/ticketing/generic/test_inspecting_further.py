"""`check` tries what a run needs later: the second page, looks for senders, and how a clean-up reads a ticket."""

from pathlib import Path

import httpx
import pytest

from probes.contracts import Check, CheckState
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import Scene
from tests.unit.probes.ticketing.generic.test_inspecting import bad, changed, checks, filled, of_name

READ = '  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}\n'
MINE = """\
  mine:
    when: poll
    per: requesters
    get: /v1/tickets
    query: {from: "{{ requester }}"}
    rows: data
"""


def named(found: list[Check], name: str) -> Check:
    (check,) = [one for one in found if one.name == name]
    return check


def reading(folder: Path, status: int, body: object) -> Scene:
    """A desk that answers so to the reading of one ticket."""
    scene = filled(folder)
    scene.desk.answer = lambda request: (
        httpx.Response(status, json=body) if request.url.path == "/v1/tickets/4" else None
    )
    return scene


def test_second_page_that_shows_the_first_again__fails_and_names_its_key(tmp_path: Path) -> None:
    scene = filled(tmp_path)
    scene.desk.repeats_page = True

    check = of_name(scene, "ticket.page")

    assert check.state is CheckState.FAIL
    assert check.finding.startswith("ticketing.desk.find.recent: the second page")
    assert "`page`" in check.remedy


def test_second_page_that_is_refused__fails_and_names_its_key(tmp_path: Path) -> None:
    scene = filled(tmp_path)
    scene.desk.answer = lambda request: (
        httpx.Response(400, json={"message": "no such cursor"}) if "cursor" in request.url.params else None
    )

    check = of_name(scene, "ticket.page")

    assert check.state is CheckState.FAIL
    assert "ticketing.desk.find.recent" in check.finding
    assert "no such cursor" in check.finding


@pytest.mark.parametrize(
    ("rows", "expected"), [(4, "the second page was understood"), (2, "one page only")], ids=["two", "one"]
)
def test_second_page__is_asked_for_once_where_there_is_one(tmp_path: Path, rows: int, expected: str) -> None:
    scene = filled(tmp_path, rows=rows)

    check = named(checks(scene), "ticket.page")

    assert (check.state, check.finding.startswith(expected)) == (CheckState.OK, True)
    assert "ticketing.desk.find.recent" in check.finding


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (404, {}, "is answered that it is gone"),
        (403, {}, "ticketing.desk.clean.read"),
        (200, {"oops": 1}, "ticketing.desk"),
        (200, {"ticket": {"id": 1, "title": "a question of 1", "state": 1, "labels": []}}, "shows another"),
        (200, {"ticket": {"id": 4, "title": "anothers words", "state": 1, "labels": []}}, "shows another"),
    ],
    ids=["gone", "refused", "another shape", "another ticket", "another subject"],
)
def test_reading_of_a_clean_up_that_would_fail__fails_and_names_its_key(
    tmp_path: Path, status: int, body: object, words: str
) -> None:
    scene = reading(tmp_path, status, body)

    check = of_name(scene, "ticket.clean")

    assert check.state is CheckState.FAIL
    assert words in check.finding
    assert "anothers words" not in check.finding


@pytest.mark.parametrize(
    ("fields", "key"), [({"state": None, "labels": []}, "ticket.open"), ({"state": 1}, "ticket.tags")]
)
def test_reading_of_a_clean_up_that_shows_no_state_or_tags__is_warned_of(
    tmp_path: Path, fields: dict[str, object], key: str
) -> None:
    ticket = {"id": 4, "title": "a question of 1", "customer": 504, **fields}
    scene = reading(tmp_path, 200, {"ticket": ticket, "people": [{"id": 504, "mail": "a@acme.test"}]})

    check = of_name(scene, "ticket.clean")

    assert (check.state, key in check.finding) == (CheckState.WARN, True)


def test_reading_of_a_clean_up__is_tried_with_the_newest_ticket_and_changes_nothing(tmp_path: Path) -> None:
    scene = filled(tmp_path)

    found = checks(scene)

    assert named(found, "ticket.clean").state is CheckState.OK
    assert scene.desk.paths().count("GET /v1/tickets/4") == 1
    assert {one.split()[0] for one in scene.desk.paths()} == {"GET", "POST"}  # the log-in and the log-out
    assert not [one for one in found if "question" in one.finding]


def test_reading_of_a_clean_up_that_is_no_get__is_not_tried(tmp_path: Path) -> None:
    post = changed(READ, '  read: {post: "/v1/tickets/{{ ticket.id }}", row: ticket}\n')
    scene = filled(tmp_path, post)

    check = named(checks(scene), "ticket.clean")

    assert (check.state, "not tried" in check.finding) == (CheckState.OK, True)
    assert not [one for one in scene.desk.paths() if one.startswith("POST /v1")]


def with_mine(more: str = "") -> str:
    return CONFIGURATION.replace("diverted:\n", f"{more or MINE}diverted:\n", 1)


def test_look_for_our_sender_that_is_refused__fails_and_names_its_key(tmp_path: Path) -> None:
    scene = filled(tmp_path, with_mine())
    scene.desk.answer = lambda request: (
        httpx.Response(400, json={"message": "no such filter"}) if "from" in request.url.params else None
    )

    check = of_name(scene, "ticket.search")

    assert check.state is CheckState.FAIL
    assert "ticketing.desk.find.mine" in check.finding


def test_look_for_our_sender__is_made_with_our_own_address(tmp_path: Path) -> None:
    scene = filled(tmp_path, with_mine())

    assert bad(scene) == []
    assert {one.url.params["from"] for one in scene.desk.requests if "from" in one.url.params} == {
        "canary@probe.test"
    }


def test_look_for_our_sender_whom_the_system_does_not_know_yet__is_told_as_not_tried(tmp_path: Path) -> None:
    scene = filled(tmp_path, with_mine())
    scene.desk.answer = lambda request: httpx.Response(404, json={}) if "from" in request.url.params else None

    (check,) = bad(scene)

    assert (check.name, check.state) == ("ticket.search", CheckState.WARN)
    assert "ticketing.desk.find.mine" in check.finding
    assert "not tried" in check.finding


def test_look_for_tokens__is_made_with_a_word_that_is_nobodys(tmp_path: Path) -> None:
    by_token = MINE.replace("per: requesters", "per: tokens").replace("{{ requester }}", "{{ token }}")
    scene = filled(tmp_path, with_mine(by_token))

    assert bad(scene) == []
    assert {one.url.params["from"] for one in scene.desk.requests if "from" in one.url.params} == {
        "intakecanary"
    }
