"""A filter that hides every ticket is told by `check`: what `sight` shows beside it gives it away."""

from datetime import timedelta
from pathlib import Path

import pytest

from probes.contracts import Check, CheckState
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import Desk

CONFIGURATION = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject, requester: from, created_at: at}
sight: {get: /all, tickets: SHOWN}
find: {wide: {get: /tickets, query: {since: "{{ now | iso }}"}, rows: tickets}}
"""


def search_of(desk: Desk, row: dict[str, object]) -> Check:
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": []}),
        "/all": lambda _: (200, {"tickets": [row], "count": 1}),
    }
    search, *_ = desk.run(lambda system: system.check())
    return search


@pytest.mark.parametrize("left_out", [{"at"}, {"subject"}])
def test_filter_that_leaves_out_what_sight_shows_of_the_last_minutes__is_warned_of(
    tmp_path: Path, left_out: set[str]
) -> None:
    desk = Desk(tmp_path, CONFIGURATION.replace("SHOWN", "tickets"))
    row = desk.row(new_canary(desk.clock.now()))
    desk.clock.advance(120)

    search = search_of(desk, {name: one for name, one in row.items() if name not in left_out})

    assert search.state is CheckState.WARN
    assert "2 min old" in search.finding
    assert "since" in search.remedy


@pytest.mark.parametrize("shown", ["tickets", "count"])
def test_ticket_that_sight_shows_without_its_age__leaves_in_doubt_whether_looks_leave_out_all(
    tmp_path: Path, shown: str
) -> None:
    search = search_of(Desk(tmp_path, CONFIGURATION.replace("SHOWN", shown)), {"id": "1"})

    assert search.state is CheckState.WARN
    assert "of whatever age" in search.finding


def test_system_where_the_last_ticket_is_of_last_week__is_in_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path, CONFIGURATION.replace("SHOWN", "tickets"))
    at = (desk.clock.now() - timedelta(days=7)).isoformat()

    assert search_of(desk, {"id": "1", "subject": "hi", "at": at}).state is CheckState.OK
