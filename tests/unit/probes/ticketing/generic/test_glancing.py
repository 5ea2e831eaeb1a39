"""A short look over recent tickets: each pick by itself, strangers as counts, nothing changed."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from probes.contracts import FieldRead, Glance, View
from probes.masking import Masker
from probes.ticketing.generic.adapter import Generic
from tests.fakes.answers import Answering
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.generic_desks import configured, opened

DESK = """\
cleanup: none
url: https://desk.acme.test
secrets: {key: {env: KEY}}
auth: {bearer: "{{ secret.key }}"}
ticket: {id: id, subject: title, requester: who.mail, created_at: at, channel: via, open: {pick: state, not_among: [done]}}
channel: {email: [mail]}
find:
  recent:
    get: /tickets
    query: {after: "{{ since | iso }}"}
    page: {number: {param: page}}
    order: newest_first
    rows: tickets
sight: {get: /me, must: id}
"""
TOKEN = "k" + "a" * 36
Rows = list[dict[str, object]]


def row(number: int, **changed: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "id": number,
        "title": "a stranger's words",
        "who": {"mail": "jane@customer.test"},
        "at": START.isoformat(),
        "via": "mail",
        "state": "new",
    }
    return {**usual, **changed}


class Desk:
    """Answers as told; keeps what it was asked."""

    def __init__(self, *pages: Rows, status: int = 200) -> None:
        self.pages = pages
        self.status = status
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.status != 200:
            return httpx.Response(self.status, json={})
        number = int(request.url.params.get("page", 1))
        rows = self.pages[number - 1] if number <= len(self.pages) else []
        return httpx.Response(200, json={"tickets": rows})


def glanced(
    folder: Path, answer: Callable[[httpx.Request], httpx.Response], text: str = DESK, *, hours: int = 24
) -> Glance:
    (glance,) = all_glanced(folder, answer, text, hours=hours)
    return glance


def all_glanced(
    folder: Path, answer: Callable[[httpx.Request], httpx.Response], text: str = DESK, *, hours: int = 24
) -> list[Glance]:
    clock = FakeClock(START)

    async def main() -> list[Glance]:
        config = configured(folder, text, {"KEY": "key-of-the-desk"})
        async with opened(config, clock=clock, masker=Masker(), transport=Answering(answer)) as system:
            assert isinstance(system, Generic)
            return list(await system.glance(START - timedelta(hours=hours)))

    return run_jumping(clock, main())


def fields(glance: Glance) -> dict[str, tuple[int, int]]:
    return {one.name: (one.read, one.of) for one in glance.fields}


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
def test_refusal__is_a_fault_of_the_look_with_its_remedy_and_is_unreadable(
    tmp_path: Path, status: int
) -> None:
    glance = glanced(tmp_path, Desk(status=status))

    assert glance.is_unreadable
    assert str(status) in glance.fault
    assert (glance.shown, glance.fields, glance.is_whole) == (0, (), False)


@pytest.mark.parametrize(("status", "calls"), [(401, 2), (429, 1), (403, 2), (500, 2)])
def test_refusal_of_us__is_not_asked_for_again_by_the_next_look(
    tmp_path: Path, status: int, calls: int
) -> None:
    desk = Desk(status=status)
    text = DESK.replace("sight:", "  all: {get: /all, rows: tickets}\nsight:", 1)

    first, second = all_glanced(tmp_path, desk, text)

    assert (first.status, second.note) == (status, "we are refused" if status in {401, 429} else "")
    assert len([one for one in desk.asked if one.url.path == "/tickets"]) == (2 if status == 401 else 1)
    assert len(desk.asked) == calls


def test_silence__is_a_fault_that_is_unreadable(tmp_path: Path) -> None:
    def silent(_: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("nothing")

    glance = glanced(tmp_path, silent)

    assert glance.is_unreadable
    assert "was not answered in time" in glance.fault


def test_rows_that_moved__are_a_fault_of_the_configuration(tmp_path: Path) -> None:
    glance = glanced(tmp_path, lambda _: httpx.Response(200, json={"items": []}))

    assert not glance.is_unreadable
    assert "find.recent.rows" in glance.fault


def test_web_page__is_a_fault_and_shows_nothing_of_it(tmp_path: Path) -> None:
    glance = glanced(tmp_path, lambda _: httpx.Response(200, html="<p>Jane</p>"))

    assert "web page" in glance.fault
    assert "Jane" not in glance.fault


def test_pick_that_fails__is_counted_by_itself_and_the_others_go_on(tmp_path: Path) -> None:
    glance = glanced(tmp_path, Desk([row(2, who="Jane Miller", at="yesterday"), row(1, via="fax")]))

    assert fields(glance) == {
        "id": (2, 2),
        "subject": (2, 2),
        "requester": (1, 2),
        "created_at": (1, 2),
        "channel": (1, 2),
        "open": (2, 2),
    }
    (time,) = [one for one in glance.fields if one.name == "created_at"]
    assert "ticket.created_at" in time.fault
    assert "yesterday" not in time.fault
    assert not glance.fault


def test_field_that_is_gone__is_read_in_none(tmp_path: Path) -> None:
    rows = [{name: one for name, one in row(number).items() if name != "who"} for number in (3, 2, 1)]

    glance = glanced(tmp_path, Desk(rows))

    (requester,) = [one for one in glance.fields if one.name == "requester"]
    assert (requester.read, requester.of) == (0, 3)
    assert "ticketing.desk.ticket.requester: the field is in none of the 3 tickets" in requester.fault
    assert requester.fault.endswith("There are: id, title, at, via, state.")


def test_row_without_an_id__is_counted_and_is_no_ticket(tmp_path: Path) -> None:
    glance = glanced(tmp_path, Desk([row(0, id=None, title=f"intakecanary {TOKEN}")]))

    assert fields(glance)["id"] == (0, 1)
    assert glance.tickets == ()


def test_strangers__are_counts_alone(tmp_path: Path) -> None:
    glance = glanced(tmp_path, Desk([row(2), row(1, title=f"intakecanary {TOKEN} hello")]))

    assert (glance.shown, [one.ref.id for one in glance.tickets]) == (2, ["1"])
    assert "stranger" not in repr(glance)


def test_older_rows__are_left_out_and_counted(tmp_path: Path) -> None:
    old = (START - timedelta(days=3)).isoformat()

    glance = glanced(tmp_path, Desk([row(2), row(1, at=old)]))

    assert (glance.shown, glance.older) == (1, 1)


def test_pages__are_bounded_and_what_is_left_is_said(tmp_path: Path) -> None:
    desk = Desk(*([row(number)] for number in range(9)))

    glance = glanced(tmp_path, desk)

    assert (glance.shown, glance.is_whole, len(desk.asked)) == (3, False, 3)


def test_page_that_repeats_itself__is_read_once(tmp_path: Path) -> None:
    glance = glanced(tmp_path, lambda _: httpx.Response(200, json={"tickets": [row(1)]}))

    assert glance.shown == 1


def test_reads__are_tried_for_ours_and_a_few_strangers(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        if request.url.path.startswith("/texts/"):
            return httpx.Response(200, json={"text": "words"})
        page = int(request.url.params["page"])
        rows = [row(number, title=f"{TOKEN} x" if number == 4 else "x") for number in range(9, 0, -1)]
        return httpx.Response(200, json={"tickets": rows if page == 1 else []})

    reads = '    read: [{get: "/texts/{{ ticket.id }}", ticket: {body: text}}]\nsight:'
    glance = glanced(tmp_path, answer, DESK.replace("sight:", reads, 1))

    assert [one for one in asked if one.startswith("/texts/")] == [
        "/texts/9",
        "/texts/8",
        "/texts/7",
        "/texts/4",
    ]
    assert fields(glance)["body"] == (4, 4)
    assert fields(glance)["id"] == (9, 9)


def test_read_that_is_refused__is_a_fault_of_its_fields(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/texts/"):
            return httpx.Response(403, json={"fault": "only Jane may see it"})
        return httpx.Response(200, json={"tickets": [row(1)] if request.url.params["page"] == "1" else []})

    reads = '    read: [{get: "/texts/{{ ticket.id }}", ticket: {body: text}}]\nsight:'
    glance = glanced(tmp_path, answer, DESK.replace("sight:", reads, 1))

    (body,) = [one for one in glance.fields if one.name == "body"]
    assert (body.read, body.of) == (0, 1)
    assert "403" in body.fault
    assert "Jane" not in body.fault, "of a stranger's ticket nothing is quoted"
    assert glance.shown == 1


def test_look_that_asks_for_tokens__is_not_made_and_says_so(tmp_path: Path) -> None:
    desk = Desk()
    text = DESK.replace("    get: /tickets\n", "    per: tokens\n    get: /tickets\n")

    glance = glanced(tmp_path, desk, text)

    assert "tokens" in glance.note
    assert desk.asked == []


def test_look_for_a_sender_whom_it_does_not_know__is_not_made_and_says_so(tmp_path: Path) -> None:
    text = DESK.replace(
        "find:\n",
        'vars:\n  user: {per: requesters, get: /users, query: {q: "{{ requester }}"}, pick: "[0].id"}\nfind:\n',
    ).replace("    get: /tickets\n", '    per: requesters\n    get: "/users/{{ vars.user }}/tickets"\n')

    glance = glanced(tmp_path, lambda _: httpx.Response(200, json=[]), text)

    assert "none of our addresses" in glance.note


def test_variable_that_can_not_be_asked_for__is_a_fault_of_its_look(tmp_path: Path) -> None:
    text = DESK.replace("find:\n", 'vars:\n  user: {get: /users, pick: "[0].id"}\nfind:\n').replace(
        "    get: /tickets\n", '    get: "/users/{{ vars.user }}/tickets"\n'
    )

    glance = glanced(tmp_path, lambda _: httpx.Response(403, json={}), text)

    assert glance.is_unreadable
    assert "403" in glance.fault


def test_view_and_lag__are_as_configured(tmp_path: Path) -> None:
    text = DESK.replace("    rows: tickets\n", "    rows: tickets\n    view: eventual\n    lag: 60s\n")

    glance = glanced(tmp_path, Desk([row(1)]), text)

    assert (glance.view, glance.lag_seconds) == (View.EVENTUAL, 60.0)


def test_nothing__is_written(tmp_path: Path) -> None:
    desk = Desk([row(1, title=f"intakecanary {TOKEN}")])

    glanced(tmp_path, desk)

    assert {one.method for one in desk.asked} == {"GET"}


def test_row_that_has_nothing_to_be_read__is_no_fault(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert not request.url.path.startswith("/texts/"), "nothing is there"
        rows = [row(1, title=f"intakecanary {TOKEN}", texts=[])]
        return httpx.Response(200, json={"tickets": rows if request.url.params["page"] == "1" else []})

    reads = '    read: [{get: "/texts/{{ ticket.text }}", ticket: {body: text}}]\nsight:'
    text = DESK.replace("sight:", reads, 1).replace(
        "state, not_among: [done]}", 'state, not_among: [done]}, also: {text: "texts[0]"}'
    )
    glance = glanced(tmp_path, answer, text)

    assert FieldRead("body", 0, 1) in glance.fields
    assert [one.ref.id for one in glance.tickets] == ["1"]


def texts(told: dict[str, object]) -> Callable[[httpx.Request], httpx.Response]:
    """A desk of two tickets whose texts are told by further requests."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/texts/"):
            return httpx.Response(200, json=told)
        page = request.url.params["page"]
        return httpx.Response(200, json={"tickets": [row(2), row(1)] if page == "1" else []})

    return answer


READ_TIME = '    read: [{get: "/texts/{{ ticket.id }}", gone: gone, ticket: {body: text, created_at: written}}]\nsight:'


def test_time_that_a_further_request_tells_wrongly__is_a_fault_although_the_row_has_one(
    tmp_path: Path,
) -> None:
    told: dict[str, object] = {"text": "words", "written": "2026-03-02 14:00:00"}

    glance = glanced(tmp_path, texts(told), DESK.replace("sight:", READ_TIME, 1))

    (time,) = [one for one in glance.fields if one.name == "created_at"]
    assert (time.read, time.of) == (0, 2)
    assert "find.recent.read[0].ticket.created_at: the time names no zone" in time.fault


def test_field_that_no_further_request_tells__is_a_fault_although_the_row_has_it(tmp_path: Path) -> None:
    glance = glanced(tmp_path, texts({"text": "words"}), DESK.replace("sight:", READ_TIME, 1))

    (time,) = [one for one in glance.fields if one.name == "created_at"]
    assert "read[0].ticket.created_at: the field is in none of the 2 tickets" in time.fault
    assert time.fault.endswith("There are: text.")


def test_ticket_whose_further_request_says_that_it_is_gone__is_no_fault(tmp_path: Path) -> None:
    glance = glanced(tmp_path, texts({"gone": True}), DESK.replace("sight:", READ_TIME, 1))

    assert not any(one.fault for one in glance.fields)
