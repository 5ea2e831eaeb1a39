"""Rows whose further request is odd: whom they hide, for how long, and that what else is there is seen."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from canary.canary import Canary
from canary.observation import Depth
from probes.contracts import Blind, Look
from probes.ticketing.generic.adapter import Generic
from tests.unit.probes.ticketing.generic.test_looks import Bench, rows

FIELDS = "ticket: {subject: {pick: subject, default: null}, created_at: {pick: created, default: null}}"
READ = 'read: [{get: "/t/{{ ticket.id }}/text", must: "text", ticket: {body: text}}]'
FIND = f"find: {{all: {{get: /t, rows: rows, {FIELDS}, {READ}}}}}"
ODD = {
    "wrong shape": httpx.Response(200, json={"text": {"en": 1}}),
    "what it must hold is gone": httpx.Response(200, json={"error": "oops"}),
    "no JSON": httpx.Response(200, text="<p>sorry</p>"),
    "404": httpx.Response(404),
    "403": httpx.Response(403),
    "500": httpx.Response(500),
}


class Desk:
    """A list, and a text of each ticket; of those that are odd, another answer."""

    def __init__(self, folder: Path, find: str = FIND, *, odd: httpx.Response | None = None) -> None:
        self.rows: list[dict[str, object]] = []
        self.texts: dict[str, str] = {}
        self.odd = odd if odd is not None else ODD["wrong shape"]
        self.bench = Bench(folder, find, self.answer)

    def add(self, number: int, *, age: float, text: str | None = "help", subject: str = "hello") -> None:
        created = self.bench.clock.now() - timedelta(seconds=age)
        self.rows.append({"id": number, "subject": subject, "created": created.isoformat()})
        if text is not None:
            self.texts[str(number)] = text

    def answer(self, request: httpx.Request) -> httpx.Response:
        parts = request.url.path.removeprefix("/base/t").strip("/").split("/")
        if parts == [""]:
            begin = 2 * (int(request.url.params.get("page", 1)) - 1)
            return (
                rows(*self.rows) if "page" not in request.url.params else rows(*self.rows[begin : begin + 2])
            )
        text = self.texts.get(parts[0])
        return self.odd if text is None else httpx.Response(200, json={"text": text})

    def canary(self, *, age: float = 0.0) -> Canary:
        """One that was launched so many seconds ago."""
        canary = self.bench.canary()
        return replace(canary, launched_at=canary.launched_at - timedelta(seconds=age))

    def find(self, *canaries: Canary) -> Look:
        return self.bench.find(*canaries, depth=Depth.DEADLINE)


def shown(look: Look) -> list[str]:
    return sorted(str(one.ref.id) for one in look.tickets)


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_young_row_that_is_odd__hides_nothing_that_is_seen_and_is_told(
    tmp_path: Path, odd: httpx.Response
) -> None:
    desk = Desk(tmp_path, odd=odd)
    seen, lost = desk.canary(age=60), desk.canary(age=60)
    desk.add(1, age=30, text=None)
    desk.add(2, age=30, text=f"token {seen.token}")

    look = desk.find(seen, lost)

    assert shown(look) == ["2"]
    assert not look.is_complete_for(lost)
    words = str(look.blinded_by)
    assert words.startswith("desk: the text of 1 ticket could not be read")
    assert "ticketing.desk.find.all.read[0]" in words


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
def test_old_row_that_is_odd__hides_nobody(tmp_path: Path, odd: httpx.Response) -> None:
    desk = Desk(tmp_path, odd=odd)
    canary = desk.canary(age=60)
    desk.add(1, age=3671, text=None)
    desk.add(2, age=30)

    look = desk.find(canary)

    assert (shown(look), look.is_complete, look.blinded_by) == ([], True, None)


def test_row_that_is_odd__hides_those_alone_who_were_out_when_it_was_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    before, after = desk.canary(age=3000), desk.canary(age=60)
    desk.add(1, age=1800, text=None)

    look = desk.find(before, after)

    assert (look.is_complete, look.is_complete_for(before), look.is_complete_for(after)) == (
        False,
        False,
        True,
    )


def test_row_without_a_time__hides_nobody_who_is_launched_after_it_was_first_shown(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.rows = [{"id": 1, "subject": "hello", "created": None}]
    before = desk.canary()

    async def work(system: Generic) -> tuple[Look, Look]:
        first = await system.find([before], Depth.DEADLINE)
        desk.bench.clock.advance(1)
        return first, await system.find([desk.canary()], Depth.DEADLINE)

    first, second = desk.bench.run(work)

    assert (first.is_complete, second.is_complete) == (False, True)


def test_row_that_changes__may_be_ours_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.rows = [{"id": 1, "subject": "hello", "created": None}]

    async def work(system: Generic) -> Look:
        await system.find([desk.canary()], Depth.DEADLINE)
        desk.bench.clock.advance(1)
        canary = desk.canary()
        desk.bench.clock.advance(1)
        desk.rows = [{"id": 1, "subject": "given out again", "created": None}]
        return await system.find([canary], Depth.DEADLINE)

    assert not desk.bench.run(work).is_complete


def test_odd_row_on_the_first_page__does_not_hide_the_second(tmp_path: Path) -> None:
    find = f"find: {{all: {{get: /t, rows: rows, page: {{number: {{param: page}}}}, {FIELDS}, {READ}}}}}"
    desk = Desk(tmp_path, find)
    canary, other = desk.canary(age=60), desk.canary(age=60)
    for number, text in ((1, None), (2, "help"), (3, "help"), (4, f"token {canary.token}")):
        desk.add(number, age=30, text=text)

    look = desk.find(canary, other)

    assert (shown(look), look.is_complete_for(other)) == (["4"], False)


def test_walk_past_an_odd_row__comes_to_its_end_for_those_whom_it_does_not_hide(tmp_path: Path) -> None:
    find = f"find: {{all: {{get: /t, rows: rows, max_pages: 3, page: {{number: {{param: page}}}}, {FIELDS}, {READ}}}}}"
    desk = Desk(tmp_path, find)
    before, after = desk.canary(age=3000), desk.canary(age=60)
    desk.add(1, age=1800, text=None)
    for number in range(2, 20):
        desk.add(number, age=30)

    async def work(system: Generic) -> Look:
        looks = [await system.find([before, after], Depth.DEADLINE) for _ in range(12)]
        return next(one for one in looks if one.walk is not None and one.is_complete)

    walk = desk.bench.run(work).walk

    assert walk is not None
    assert walk.covers == {after.id}


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(401), httpx.Response(429), httpx.Response(503, headers={"Retry-After": "60"})],
    ids=["refused", "throttled", "closed"],
)
def test_refusal_of_the_whole_system__is_asked_for_no_second_row(
    tmp_path: Path, answer: httpx.Response
) -> None:
    desk = Desk(tmp_path, odd=answer)
    for number in range(5):
        desk.add(number, age=30, text=None)

    with pytest.raises(Blind):
        desk.find(desk.canary(age=60))

    assert sum("/text" in one.url.path for one in desk.bench.requests) <= 2  # a log-in is tried anew once


def test_many_rows_of_which_none_can_be_read__are_blindness(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(30):
        desk.add(number, age=30, text=None)

    with pytest.raises(Blind, match=r"find\.all\.read\[0\]"):
        desk.find(desk.canary(age=60))

    assert sum("/text" in one.url.path for one in desk.bench.requests) == 10


LINKED = (
    f"find: {{all: {{get: /t, rows: rows, {FIELDS.removesuffix('}')}, also: {{message: message}}}}, "
    'read: [{get: "/t/{{ ticket.message }}/text", ticket: {body: text}}]}}'
)


@pytest.mark.parametrize(
    ("others", "is_complete"),
    [(True, True), (False, False)],
    ids=["others have one", "no row has one: the pick may be wrong"],
)
def test_ticket_of_a_stranger_without_any_text__hides_nobody_where_others_have_one(
    tmp_path: Path, others: bool, is_complete: bool
) -> None:
    desk = Desk(tmp_path, LINKED)
    canary = desk.canary(age=60)
    desk.add(1, age=30)
    if others:
        desk.add(2, age=30)
        desk.rows[-1]["message"] = 2

    look = desk.find(canary)

    assert look.is_complete is is_complete


def test_row_that_is_odd__is_read_after_those_that_were_not_tried(tmp_path: Path) -> None:
    desk = Desk(tmp_path, FIND.replace("rows: rows", "rows: rows, max_reads: 1"))
    canary = desk.canary(age=60)
    desk.add(1, age=30, text=None)
    desk.add(2, age=30, text=f"token {canary.token}")

    async def work(system: Generic) -> list[Look]:
        return [await system.find([canary], Depth.DEADLINE) for _ in range(2)]

    looks = desk.bench.run(work)

    assert [shown(one) for one in looks] == [[], ["2"]]
