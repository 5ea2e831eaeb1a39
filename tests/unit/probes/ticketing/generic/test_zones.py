"""A zone of created_at that makes tickets older than they are: no look ends early by it, and none is called missing."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Look
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import Desk

FORM = "%Y-%m-%d %H:%M:%S"
CONFIGURATION = """
url: https://desk.acme.test
cleanup: none
ticket: {{id: id, subject: subject, requester: from, created_at: {{pick: at, as: {{time: "{form}", zone: {zone}}}}}}}
find:
  wide:
    get: /tickets
    query: {{{query}}}
    rows: tickets
    order: newest_first
    max_pages: {pages}
    page: {page}
    read: [{{get: "/t/{{{{ ticket.id }}}}", ticket: {{body: text}}}}]
"""
NUMBER = "{number: {param: page}}"
CURSOR = "{cursor: {pick: next, into: {query: c}}}"
SINCE = """since: "{{ since | strftime('%Y-%m-%d %H:%M:%S') }}" """
UNTIL = """, until: "{{ until | strftime('%Y-%m-%d %H:%M:%S') }}" """
ZONES = ["UTC", "Asia/Tokyo", "Etc/GMT-1"]


class Listed(Desk):
    """Tickets, the newest first, five a page, whose times are UTC without a word of it.

    Attributes:
        reads_as: the zone in which it takes what is asked for.
    """

    def __init__(self, folder: Path, *, zone: str, query: str, page: str, pages: int = 10) -> None:
        text = CONFIGURATION.format(form=FORM, zone=zone, query=query, page=page, pages=pages)
        super().__init__(folder, text)
        self.reads_as = "UTC"
        self.tickets: list[tuple[str, datetime]] = []
        self.texts: dict[str, str] = {}
        self.answers["/tickets"] = self.listed

    def add(self, number: str, at: datetime, text: str = "nothing") -> None:
        self.tickets.append((number, at))
        self.texts[number] = text
        self.answers[f"/t/{number}"] = lambda request: (
            200,
            {"text": self.texts[request.url.path.removeprefix("/t/")]},
        )

    def listed(self, request: httpx.Request) -> tuple[int, object]:
        asked = request.url.params

        def bound(name: str, otherwise: datetime) -> datetime:
            return (
                datetime.strptime(asked[name], FORM).replace(tzinfo=ZoneInfo(self.reads_as))
                if name in asked
                else otherwise
            )

        begin, end = bound("since", datetime.min.replace(tzinfo=UTC)), bound("until", self.clock.now())
        rows = [one for one in self.tickets if begin <= one[1] <= end]
        rows.sort(key=lambda one: one[1], reverse=True)
        first = 5 * (int(asked.get("page", 1)) - 1)
        if "c" in asked:
            first = [number for number, _ in rows].index(asked["c"]) + 1
        shown = [
            {"id": number, "subject": "hi", "from": "x@y.example", "at": at.strftime(FORM)}
            for number, at in rows[first : first + 5]
        ]
        return 200, {
            "tickets": shown,
            "next": shown[-1]["id"] if shown and first + 5 < len(rows) else None,
        }


@pytest.mark.parametrize("query", ["", SINCE])
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", [1, 50])
def test_ticket_on_the_second_page__is_found_in_whichever_zone_its_time_is_read(
    tmp_path: Path, zone: str, query: str, minutes: int
) -> None:
    desk = Listed(tmp_path, zone=zone, query=query, page=NUMBER)
    canary = new_canary(desk.clock.now())
    desk.clock.advance(60 * minutes)
    for number in range(12):
        desk.add(f"n{number}", desk.clock.now() - timedelta(seconds=number))
    desk.add("ours", canary.launched_at + timedelta(seconds=5), canary.subject_prefix)

    look = desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    assert [one.ref.id for one in look.tickets] == ["ours"]


def test_list_of_years_on_a_quiet_day__is_not_read_to_its_end(tmp_path: Path) -> None:
    desk = Listed(tmp_path, zone="UTC", query="", page=NUMBER, pages=50)
    canary = new_canary(desk.clock.now())
    for number in range(200):
        desk.add(f"n{number}", desk.clock.now() - timedelta(hours=5 + number))
    desk.clock.advance(600)

    look = desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    assert look.is_complete_for(canary)
    assert sum(one == "GET /tickets" for one in desk.asked) < 15


@pytest.mark.parametrize(
    ("zone", "reads_as"), [("UTC", "UTC"), ("Asia/Tokyo", "UTC"), ("UTC", "Asia/Tokyo"), ("UTC", "Etc/GMT-1")]
)
def test_walk_that_is_gone_on_with_by_time__passes_over_nobody_whatever_the_zones(
    tmp_path: Path, zone: str, reads_as: str
) -> None:
    desk = Listed(tmp_path, zone=zone, query=SINCE + UNTIL, page=CURSOR, pages=2)
    desk.reads_as = reads_as
    canary = new_canary(desk.clock.now())
    desk.add("ours", canary.launched_at + timedelta(seconds=5), canary.subject_prefix)
    desk.clock.advance(300)
    for number in range(60):
        desk.add(f"n{number}", desk.clock.now() - timedelta(seconds=3 * number))

    async def work(system: Generic) -> list[Look]:
        looks = []
        for _ in range(20):
            desk.clock.advance(3)
            looks.append(await system.find([canary], Depth.DEADLINE))
            if looks[-1].tickets:
                break
            assert not looks[-1].is_complete_for(canary), "its ticket is there"
        return looks

    looks = desk.run(work)

    if reads_as == "UTC":
        assert [one.ref.id for one in looks[-1].tickets] == ["ours"]
