"""Tickets of what was caught: one that is odd, or has an odd file, hides none of the others."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from canary.canary import Canary
from canary.observation import Depth
from probes.contracts import Blind, Look
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

FILES = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject, requester: from, open: open, tags: tags, files: {rows: files, name: name, url: at}}
find: {all: {get: /tickets, rows: tickets}}
"""
Row = dict[str, object]


class Desk:
    """Two canaries' tickets, and what a test adds; files are as the test says."""

    def __init__(self, folder: Path, configuration: str = FILES) -> None:
        self.clock = FakeClock()
        self.first, self.second = new_canary(self.clock.now()), new_canary(self.clock.now())
        self.rows = [self.row(1, self.first), self.row(2, self.second)]
        self.files: dict[str, Callable[[], httpx.Response]] = {}
        self.asked: list[str] = []
        self._config = configured(folder, configuration)

    def row(self, number: int, canary: Canary, **more: object) -> Row:
        return {
            "id": number,
            "subject": canary.subject_prefix,
            "from": canary.sender,
            "open": True,
            "tags": [],
            "files": [],
            **more,
        }

    def looks(self, *between: Callable[[], None]) -> list[Look]:
        """As many looks as there are steps, each after its step."""

        def handle(request: httpx.Request) -> httpx.Response:
            self.asked.append(request.url.path)
            if request.url.path == "/tickets":
                return httpx.Response(200, json={"tickets": self.rows})
            if request.url.path == "/login":
                return httpx.Response(200, json={"session": f"s{len(self.asked)}"})
            return self.files[request.url.path]()

        async def main() -> list[Look]:
            looks = []
            async with opened(self._config, clock=self.clock, transport=Answering(handle)) as system:
                for step in between:
                    step()
                    looks.append(await system.find([self.first, self.second], Depth.DEADLINE))
            return looks

        return run_jumping(self.clock, main())

    def look(self) -> Look:
        (look,) = self.looks(lambda: None)
        return look


def ids_of(look: Look) -> list[str]:
    return [one.ref.id for one in look.tickets]


def digests_of(look: Look, number: str) -> list[str | None]:
    (ticket,) = [one for one in look.tickets if one.ref.id == number]
    return [one.sha256 for one in ticket.attachments or ()]


def unanswered() -> httpx.Response:
    raise httpx.ReadTimeout("nothing came")


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(500),
        lambda: httpx.Response(200, content=bytes(17 * 1024 * 1024)),
        lambda: httpx.Response(400),
        unanswered,
    ],
    ids=["broken", "too long", "refused", "not in time"],
)
def test_file_that_cannot_be_read__is_not_compared_for_a_minute_and_hides_no_ticket(
    tmp_path: Path, answer: Callable[[], httpx.Response]
) -> None:
    desk = Desk(tmp_path)
    desk.rows[0]["files"] = [{"name": "a.pdf", "at": "/f"}]
    desk.files["/f"] = answer

    def mended() -> None:
        desk.clock.advance(61)
        desk.files["/f"] = lambda: httpx.Response(200, content=b"x")

    looks = desk.looks(lambda: None, lambda: None, mended)

    assert [ids_of(one) for one in looks] == [["1", "2"]] * 3
    assert [one.is_complete for one in looks] == [True, True, True]
    assert [digests_of(one, "1") == [None] for one in looks] == [True, True, False]
    assert desk.asked.count("/f") == 2


@pytest.mark.parametrize("requester", ["stranger@evil.test", "canary@evil.test"])
def test_file_of_a_strangers_ticket__is_not_asked_for(tmp_path: Path, requester: str) -> None:
    desk = Desk(tmp_path)
    files = [{"name": "a.pdf", "at": "/f"}]
    desk.rows.append(desk.row(3, desk.second, files=files, **{"from": requester}))

    look = desk.look()

    assert ids_of(look) == ["1", "2", "3"]
    assert digests_of(look, "3") == [None]
    assert desk.asked == ["/tickets"]


@pytest.mark.parametrize(
    "requester",
    [None, "canary+a@probe.test", "srs0=h=t=probe.test=canary@relay.test", "Support@acme.test"],
)
def test_file_of_a_ticket_that_may_be_ours__is_compared(tmp_path: Path, requester: str | None) -> None:
    desk = Desk(tmp_path)
    desk.rows[0] |= {"from": requester, "files": [{"name": "a.pdf", "at": "/f"}]}
    desk.files["/f"] = lambda: httpx.Response(200, content=b"x")

    assert digests_of(desk.look(), "1") != [None]


@pytest.mark.parametrize("status", [429, 503])
def test_wait_that_a_file_asks_for__is_heeded_and_hides_only_tickets_with_files(
    tmp_path: Path, status: int
) -> None:
    desk = Desk(tmp_path)
    desk.rows[0]["files"] = [{"name": "a.pdf", "at": "/f"}]
    desk.rows.append(desk.row(3, desk.second, files=[{"name": "b.pdf", "at": "/g"}]))
    desk.files["/f"] = lambda: httpx.Response(status, headers={"Retry-After": "40"})

    look = desk.look()

    assert ids_of(look) == ["2"]
    assert not look.is_complete
    assert isinstance(look.blinded_by, Blind)
    assert look.blinded_by.retry_after_seconds == 40
    assert desk.asked == ["/tickets", "/f"]


def test_file_that_answers_401__is_no_reason_to_log_in_anew(tmp_path: Path) -> None:
    login = 'auth: {exchange: {post: /login, take: {session: session}}, headers: {X-Session: "{{ auth.session }}"}}'
    desk = Desk(tmp_path, f"{FILES}{login}\n")
    desk.rows = [desk.row(1, desk.first, files=[{"name": "a", "at": "/f"}])]
    desk.files["/f"] = lambda: httpx.Response(401)

    looks = desk.looks(*[lambda: desk.clock.advance(61)] * 3)

    assert digests_of(looks[-1], "1") == [None]
    assert desk.asked == ["/login", "/tickets", "/f", "/tickets", "/f", "/tickets", "/f"]


@pytest.mark.parametrize("odd", [{"open": "perhaps"}, {"tags": [[{}]]}], ids=["open", "tags"])
def test_ticket_with_a_value_of_another_kind__is_left_out_told_and_hides_no_other(
    tmp_path: Path, odd: Row
) -> None:
    desk = Desk(tmp_path)
    desk.rows[0] |= odd

    look = desk.look()

    assert ids_of(look) == ["2"]
    assert not look.is_complete
    assert next(iter(odd)) in str(look.blinded_by)


TWO_LOOKS = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject}
find:
  mine: {get: /mine, rows: tickets, when: poll, ticket: {requester: from, body: body, tags: {pick: tags, default: null}}}
  wide:
    get: /tickets
    rows: tickets
    when: deadline
    ticket: {requester: {pick: from, default: null}, body: {pick: body, default: null}, group: group}
    read: [{get: "/t/{{ ticket.id }}", ticket: {requester: from, body: body}}]
    max_pages: 1
    page: {offset: {param: o, size_param: l, size: 2}}
"""


@pytest.mark.parametrize(
    "shown", [{}, {"from": "canary@probe.test", "body": "the begin"}], ids=["bare", "cut"]
)
def test_row_that_one_look_shows_poor_and_another_whole__is_told_by_both(
    tmp_path: Path, shown: dict[str, str]
) -> None:
    clock = FakeClock()
    canary = new_canary(clock.now())
    poor = {"id": 1, "subject": canary.subject_prefix, "group": "Canaries", **shown}
    whole = {
        "id": 1,
        "subject": canary.subject_prefix,
        "from": canary.sender,
        "body": "the begin and the end",
        "tags": None if shown else ["synthetic"],
    }

    def handle(request: httpx.Request) -> httpx.Response:
        rows = {"/mine": [whole], "/tickets": [poor, {**poor, "id": 2, "subject": "Printer"}]}
        if request.url.path not in rows:
            return httpx.Response(404)
        return httpx.Response(200, json={"tickets": rows[request.url.path]})

    async def main() -> Look:
        generic = configured(tmp_path, TWO_LOOKS)
        async with opened(generic, clock=clock, transport=Answering(handle)) as system:
            return await system.find([canary], Depth.DEADLINE)

    (ticket,) = run_jumping(clock, main()).tickets

    assert (ticket.requester, ticket.body) == (canary.sender, "the begin and the end")
    assert ticket.group == "Canaries"
