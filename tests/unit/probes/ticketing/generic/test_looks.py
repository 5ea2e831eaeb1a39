"""Looks that are repeated, that may say nothing, that must hold something, and files that lie elsewhere."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from canary.canary import Canary
from canary.observation import Depth
from probes.contracts import Blind, Look, RemovalState
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened
from tests.unit.probes.ticketing.generic.test_doubts import CLOSE, HEAD, Desk

T = TypeVar("T")
TOP = """
url: https://desk.acme.test/base
cleanup: none
ticket: {id: id, subject: {pick: subject, default: null}}
"""
Handler = Callable[[httpx.Request], httpx.Response]


class Bench:
    """A system that answers by a function."""

    def __init__(
        self, folder: Path, configuration: str, handler: Handler, *, reads_files: bool = True
    ) -> None:
        self._reads_files = reads_files
        self.clock = FakeClock()
        self.requests: list[httpx.Request] = []
        self._config = configured(folder, TOP + configuration)
        self._handler = handler

    def canary(self, sender: str = "canary@probe.test") -> Canary:
        return new_canary(self.clock.now(), sender=sender)

    def run(self, work: Callable[[Generic], Awaitable[T]]) -> T:
        def noted(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return self._handler(request)

        async def main() -> T:
            async with opened(
                self._config, clock=self.clock, transport=Answering(noted), reads_files=self._reads_files
            ) as system:
                return await work(system)

        return run_jumping(self.clock, main())

    def find(self, *canaries: Canary, depth: Depth = Depth.POLL) -> Look:
        return self.run(lambda system: system.find(canaries, depth))


def rows(*found: object) -> httpx.Response:
    return httpx.Response(200, json={"rows": list(found)})


def test_answer_that_does_not_hold_what_it_must__is_blind(tmp_path: Path) -> None:
    look = "find: {all: {get: /t, rows: rows, must: \"type(total) == 'number'\"}}"
    bench = Bench(tmp_path, look, lambda _: rows({"id": 1}))

    with pytest.raises(Blind, match=r"find\.all\.must"):
        bench.find(bench.canary())


def test_list_that_is_left_out_when_empty__is_no_blindness_where_that_is_said(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        "find: {all: {get: /t, rows: {pick: rows, default: []}}}",
        lambda _: httpx.Response(200, json={}),
    )

    assert bench.find(bench.canary()).is_complete


@pytest.mark.parametrize("status", [204, 404])
def test_status_that_means_no_tickets__is_complete_and_empty(tmp_path: Path, status: int) -> None:
    look = f"find: {{all: {{get: /t, rows: rows, empty_on: [204, 404], ok: [{status}]}}}}"
    bench = Bench(tmp_path, look, lambda _: httpx.Response(status))

    look_made = bench.find(bench.canary())

    assert (look_made.tickets, look_made.is_complete) == ((), True)


def test_look_by_tokens__asks_for_them_in_chunks_and_is_not_made_without_any(tmp_path: Path) -> None:
    look = (
        "find: {some: {get: /t, per: tokens, chunk: 2, query: {q: \"{{ tokens | join(' ') }}\"}, rows: rows}}"
    )
    bench = Bench(tmp_path, look, lambda _: rows())

    assert bench.find(*(bench.canary() for _ in range(5))).is_complete
    assert [len(one.url.params["q"].split()) for one in bench.requests] == [2, 2, 1]
    assert not bench.find(depth=Depth.DEADLINE).is_complete
    assert len(bench.requests) == 3


def test_more_repetitions_than_allowed__is_not_complete(tmp_path: Path) -> None:
    look = (
        'find: {some: {get: /t, per: tokens, chunk: 1, max_calls: 2, query: {q: "{{ token }}"}, rows: rows}}'
    )
    bench = Bench(tmp_path, look, lambda _: rows())

    assert not bench.find(*(bench.canary() for _ in range(3))).is_complete
    assert len(bench.requests) == 2


BY_SENDER = """
vars: {user: {per: requesters, get: /users, query: {mail: "{{ requester }}"}, pick: "users[0].id"}}
find: {mine: {get: "/users/{{ vars.user }}/t", per: requesters, rows: rows}}
"""


def test_look_by_sender__asks_once_for_what_is_kept(tmp_path: Path) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/users"):
            return httpx.Response(200, json={"users": [{"id": len(request.url.params["mail"])}]})
        return rows()

    bench = Bench(tmp_path, BY_SENDER, answer)
    canaries = [bench.canary("a@x.test"), bench.canary("bb@x.test"), bench.canary("a@x.test")]

    async def work(system: Generic) -> list[Look]:
        return [await system.find(canaries, Depth.POLL) for _ in range(2)]

    assert all(one.is_complete for one in bench.run(work))
    paths = [one.url.path.removeprefix("/base") for one in bench.requests]
    assert paths == ["/users", "/users/8/t", "/users", "/users/9/t", "/users/8/t", "/users/9/t"]


def test_sender_that_the_system_does_not_know_yet__is_not_complete_and_no_blindness(tmp_path: Path) -> None:
    bench = Bench(tmp_path, BY_SENDER, lambda _: httpx.Response(200, json={"users": [], "rows": []}))

    assert not bench.find(bench.canary()).is_complete


def test_proof_of_sight__is_remembered_for_a_minute_by_narrow_looks_and_asked_by_each_wide_one(
    tmp_path: Path,
) -> None:
    configuration = "find: {all: {get: /t, rows: rows}}\nsight: {get: /me, must: id}"
    bench = Bench(
        tmp_path,
        configuration,
        lambda one: httpx.Response(200, json={"id": 1}) if one.url.path.endswith("/me") else rows(),
    )

    async def work(system: Generic) -> None:
        for depth, seconds in ((Depth.POLL, 10), (Depth.POLL, 60), (Depth.POLL, 0), (Depth.DEADLINE, 0)):
            await system.find([bench.canary()], depth)
            bench.clock.advance(seconds)

    bench.run(work)

    assert [one.url.path for one in bench.requests].count("/base/me") == 3


def test_proof_of_sight__is_asked_where_only_strangers_tickets_are_shown_and_not_where_ours_is(
    tmp_path: Path,
) -> None:
    bench = Bench(
        tmp_path,
        "find: {all: {get: /t, rows: rows}}\nsight: {get: /me, must: id}",
        lambda one: httpx.Response(200, json={}) if one.url.path.endswith("/me") else rows(*shown),
    )
    ours, other = bench.canary(), bench.canary()
    shown = [{"id": 1, "subject": "a customer's question"}, {"id": 2, "subject": ours.subject_prefix}]

    assert [one.ref.id for one in bench.find(ours, depth=Depth.DEADLINE).tickets] == ["2"]
    with pytest.raises(Blind, match=r"sight\[0\]\.must"):
        bench.find(other, depth=Depth.DEADLINE)


def test_row_of_ours_whose_further_request_says_that_it_is_gone__is_shown_closed_and_one_without_our_token_is_not(
    tmp_path: Path,
) -> None:
    read = (
        'read: [{get: "/t/{{ ticket.id }}", gone: "state == \'binned\'", row: ticket, ticket: {body: text}}]'
    )
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {read}}}}}",
        lambda one: rows(*listed) if one.url.path.endswith("/t") else httpx.Response(200, json=told),
    )
    canary = bench.canary()
    listed = [{"id": 1, "subject": canary.subject_prefix}, {"id": 2, "subject": "rewritten"}]

    told: dict[str, object] = {"state": "binned"}
    gone = bench.find(canary, depth=Depth.DEADLINE)
    told = {"state": "new", "ticket": {"text": "help"}}
    there = bench.find(canary, depth=Depth.DEADLINE)

    assert [(one.ref.id, one.is_open, one.body) for one in gone.tickets] == [("1", False, None)]
    assert gone.is_complete
    assert [(one.ref.id, one.is_open, one.body) for one in there.tickets] == [("1", True, "help")]


def test_ticket_that_is_listed_and_said_to_be_gone_by_its_further_request__counts_as_removed(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
find: {{all: {{get: /tickets, rows: tickets, read: [{{get: "/t/{{{{ ticket.id }}}}", gone: binned, ticket: {{body: text}}}}]}}}}
clean: {{close: [{{put: "/t/{{{{ ticket.id }}}}", json: {{open: false}}}}]}}
""",
    )
    canary = new_canary(desk.clock.now())
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [desk.row(canary)]}),
        "/t/7": lambda one: (404 if one.method == "PUT" else 200, {"binned": True}),
    }

    async def work(system: Generic) -> list[RemovalState]:
        look = await system.find([canary], Depth.DEADLINE)
        return [one.state for one in await system.dispose(look.tickets, CLOSE)]

    assert desk.run(work) == [RemovalState.ABSENT]


def test_file_whose_address_no_answer_tells__is_asked_for_at_one_that_is_put_together(tmp_path: Path) -> None:
    read = (
        'read: [{get: "/t/{{ ticket.id }}/mails", row: "[0]", ticket: {body: text, also: {mail: id}, files: {rows: parts,'
        ' name: name, url: {const: "{{ site.url }}/files/{{ ticket.id }}/{{ ticket.mail }}/{{ file.no }}"}}}}]'
    )
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {read}}}}}",
        lambda one: answers[one.url.path](),
    )
    canary = bench.canary()
    mail = {"id": 5, "text": "help", "parts": [{"no": 3, "name": "a.pdf"}]}
    answers: dict[str, Callable[[], httpx.Response]] = {
        "/base/t": lambda: rows({"id": 1, "subject": canary.subject_prefix}),
        "/base/t/1/mails": lambda: httpx.Response(200, json=[mail]),
        "/base/files/1/5/3": lambda: httpx.Response(200, content=b"content"),
    }

    (ticket,) = bench.find(canary, depth=Depth.DEADLINE).tickets

    assert [(one.name, one.sha256 is not None) for one in ticket.attachments or ()] == [("a.pdf", True)]


def test_files__are_compared_at_the_systems_own_place_and_asked_for_nowhere_else(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        "find: {all: {get: /t, rows: rows, ticket: {files: {rows: files, name: name, url: at}}}}",
        lambda one: rows(row) if one.url.path.endswith("/t") else httpx.Response(200, content=b"content"),
    )
    canary = bench.canary()
    files = [{"name": "a.pdf", "at": "/base/files/1"}, {"name": "b.pdf", "at": "https://cdn.test/2"}]
    row = {"id": 1, "subject": canary.subject_prefix, "files": files}

    (ticket,) = bench.find(canary).tickets

    assert ticket.attachments is not None
    assert [one.name for one in ticket.attachments if one.sha256 is not None] == ["a.pdf"]
    assert [str(one.url) for one in bench.requests][1:] == ["https://desk.acme.test/base/files/1"]
