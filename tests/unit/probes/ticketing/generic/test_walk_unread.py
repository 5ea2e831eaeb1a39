"""A walk that meets a ticket whose text can't be read: whom it may be of, the walk covers no more."""

from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Look
from probes.ticketing.generic.adapter import Generic
from probes.ticketing.look_span import was_read
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import Desk

CONFIGURATION = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject, requester: from, created_at: at}
find:
  mine: {get: /mine, rows: tickets, when: poll}
  wide:
    get: /tickets
    rows: tickets
    when: deadline
    max_pages: 2
    page: {cursor: {pick: next, into: {query: c}}}
    read: [{get: "/t/{{ ticket.id }}", ticket: {body: text}}]
"""


def test_last_piece_that_covers_nobody_any_more__is_no_whole_look_for_those_who_joined_later(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, CONFIGURATION)
    rows: list[dict[str, object]] = []
    texts: dict[str, tuple[int, object]] = {}

    def add(number: str, text: tuple[int, object] = (200, {"text": "nothing"})) -> None:
        at = desk.clock.now().isoformat()
        rows.insert(0, {"id": number, "subject": "hi", "from": "x@y.example", "at": at})
        texts[number] = text
        desk.answers[f"/t/{number}"] = lambda request: texts[request.url.path.removeprefix("/t/")]

    def page(request: httpx.Request) -> tuple[int, object]:
        after = request.url.params.get("c")
        first = [one["id"] for one in rows].index(after) + 1 if after else 0
        shown = rows[first : first + 4]
        return 200, {"tickets": shown, "next": shown[-1]["id"] if first + 4 < len(rows) else None}

    desk.answers |= {"/tickets": page, "/mine": lambda _: (200, {"tickets": []})}
    early = new_canary(desk.clock.now())
    desk.clock.advance(5)
    add("odd", (500, {}))
    desk.clock.advance(300)
    for number in range(10):
        add(f"old-{number}")

    async def work(system: Generic) -> list[Look]:
        await system.find([early], Depth.DEADLINE)
        desk.clock.advance(20)
        late = new_canary(desk.clock.now())
        desk.clock.advance(20)
        add("ours", (200, {"text": late.subject_prefix}))
        for number in range(12):
            add(f"new-{number}")
        desk.clock.advance(5)
        looks = []
        for _ in range(12):
            desk.clock.advance(3)
            looks.append(await system.find([early, late], Depth.DEADLINE))
            if looks[-1].tickets:
                break
            covered = looks[-1].walk is not None and late.id in looks[-1].walk.covers
            assert looks[-1].walk is not None, "a piece of the list is no whole look"
            assert not covered or looks[-1].walk.is_under_way
        return looks

    looks = desk.run(work)

    assert [one.ref.id for one in looks[-1].tickets] == ["ours"]


@pytest.mark.parametrize("odd", [(500, {}), (403, {})])
def test_ticket_that_cannot_be_read_on_a_busy_desk__does_not_keep_a_walk_at_its_page(
    tmp_path: Path, odd: tuple[int, object]
) -> None:
    desk = Desk(tmp_path, CONFIGURATION)
    rows: list[dict[str, object]] = []
    texts: dict[str, tuple[int, object]] = {}

    def add(number: str, text: tuple[int, object] = (200, {"text": "nothing"})) -> None:
        at = desk.clock.now().isoformat()
        rows.insert(0, {"id": number, "subject": "hi", "from": "x@y.example", "at": at})
        texts[number] = text
        desk.answers[f"/t/{number}"] = lambda request: texts[request.url.path.removeprefix("/t/")]

    def page(request: httpx.Request) -> tuple[int, object]:
        after = request.url.params.get("c")
        first = [one["id"] for one in rows].index(after) + 1 if after else 0
        shown = rows[first : first + 4]
        return 200, {"tickets": shown, "next": shown[-1]["id"] if first + 4 < len(rows) else None}

    desk.answers |= {"/tickets": page, "/mine": lambda _: (200, {"tickets": []})}
    canaries = [new_canary(desk.clock.now()) for _ in range(2)]
    desk.clock.advance(20)
    add("ours", (200, {"text": canaries[0].subject_prefix}))
    for number in range(24):
        add(f"old-{number}")
    add("odd", odd)
    add("new")

    async def work(system: Generic) -> list[Look]:
        looks: list[Look] = []
        for number in range(8):
            desk.clock.advance(3)
            looks.append(await system.find(canaries, Depth.DEADLINE))
            add(f"new-{number}")
            if looks[-1].tickets:
                break
        return looks

    looks = desk.run(work)

    assert [one.ref.id for one in looks[-1].tickets] == ["ours"]
    assert not any(was_read(look, canaries[1]) for look in looks), "the odd one may be the other's"
    assert any("could not be read" in str(look.blinded_by) for look in looks)
