"""What an answer does not prove: that a ticket is gone, that it is another's, that we see, that our key is refused."""

import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from canary.observation import Depth
from canary.ticket import TicketState
from probes.contracts import Blind, Disposal, DisposalAction, Look, RemovalState
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

T = TypeVar("T")
CLOSE = Disposal(DisposalAction.CLOSE, "synthetic")
HEAD = """
url: https://desk.acme.test
ticket: {id: id, subject: subject, requester: from, created_at: at, open: open}
sight: {get: /tickets, tickets: tickets}
"""


class Desk:
    """Answers by path, out of what a test says."""

    def __init__(
        self, folder: Path, configuration: str, environment: Mapping[str, str] | None = None
    ) -> None:
        self.clock = FakeClock()
        self.clock.advance(7)
        self.answers: dict[str, Callable[[httpx.Request], tuple[int, object]]] = {}
        self.asked: list[str] = []
        self._config = configured(folder, configuration, environment or {})

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        status, body = self.answers[request.url.path](request)
        return httpx.Response(status, content=json.dumps(body), headers={"content-type": "application/json"})

    def run(self, work: Callable[[Generic], Awaitable[T]]) -> T:
        async def main() -> T:
            async with opened(self._config, clock=self.clock, transport=Answering(self.handle)) as system:
                return await work(system)

        return run_jumping(self.clock, main())

    def row(self, canary: object, number: str = "7", **more: object) -> dict[str, object]:
        prefix, sender = canary.subject_prefix, canary.sender  # type: ignore[attr-defined]
        row = {
            "id": number,
            "subject": prefix,
            "from": sender,
            "at": self.clock.now().isoformat(),
            "open": True,
        }
        return {**row, **more}


def test_ticket_that_answers_404_alone__is_not_called_gone_by_looks_that_do_not_show_all(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
find: {{mine: {{get: /tickets, rows: tickets, max_pages: 1, page: {{offset: {{param: o, size_param: l, size: 2}}}}}}}}
clean:
  read: {{get: "/t/{{{{ ticket.id }}}}"}}
  close: [{{put: "/t/{{{{ ticket.id }}}}", json: {{open: false}}}}]
""",
    )
    canary = new_canary(desk.clock.now())
    strangers = [
        desk.row(canary, str(number), subject="hi", **{"from": "a@b.example"}) for number in range(50, 56)
    ]
    rows = [desk.row(canary), *strangers]

    def page(request: httpx.Request) -> tuple[int, object]:
        first = int(request.url.params.get("o", 0))
        return 200, {"tickets": rows[first : first + 2]}

    desk.answers = {"/tickets": page, "/t/7": lambda _: (404, {})}

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        rows.append(rows.pop(0))  # strangers' tickets push it off the page
        return (await system.dispose(look.tickets, CLOSE))[0].state

    assert desk.run(work) is RemovalState.FAILED


@pytest.mark.parametrize(
    ("alone", "state"),
    [
        ({"requester": "from_id"}, RemovalState.FAILED),
        ({"requester": "from", "created_at": "day"}, RemovalState.FAILED),
        ({"requester": "other"}, RemovalState.ABSENT),
        ({"requester": "from", "created_at": "later"}, RemovalState.ABSENT),
    ],
)
def test_number__is_anothers_only_where_an_address_or_an_exact_time_says_so(
    tmp_path: Path, alone: dict[str, str], state: RemovalState
) -> None:
    picks = ", ".join(f"{name}: {pick}" for name, pick in alone.items())
    head = HEAD if "created_at" in alone else HEAD.replace(", created_at: at", "")
    desk = Desk(
        tmp_path,
        f"""{head}
find: {{mine: {{get: /tickets, rows: tickets}}}}
clean:
  read: {{get: "/t/{{{{ ticket.id }}}}", ticket: {{subject: {{pick: title, default: null}}, {picks}}}}}
  close: [{{put: "/t/{{{{ ticket.id }}}}", json: {{open: false}}}}]
""",
    )
    canary = new_canary(desk.clock.now())
    row = desk.row(canary)
    single = {
        "id": "7",
        "title": None,
        "open": True,
        "from": f"Canary <{canary.sender.upper()}>",
        "from_id": 4711,
        "other": "bob@acme.example",
        "day": desk.clock.now().replace(hour=0, minute=0, second=0).isoformat(),
        "later": desk.clock.now().replace(second=31).isoformat(),
    }
    desk.answers = {"/tickets": lambda _: (200, {"tickets": [row]}), "/t/7": lambda _: (200, single)}

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        return (await system.dispose(look.tickets, CLOSE))[0].state

    assert desk.run(work) is state
    assert not [one for one in desk.asked if one.startswith("PUT")]


def test_what_is_held_aside__does_not_prove_that_tickets_are_seen(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
cleanup: none
find: {{wide: {{get: /tickets, rows: tickets}}}}
diverted:
  held:
    get: /held
    rows: tickets
    when: deadline
    ticket: {{id: id, subject: subject, requester: from, created_at: at, open: open}}
""",
    )
    held, other = new_canary(desk.clock.now()), new_canary(desk.clock.now())
    row = desk.row(held)
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": []}),
        "/held": lambda _: (200, {"tickets": [row]}),
    }

    look = desk.run(lambda system: system.find([held, other], Depth.DEADLINE))

    assert [one.state for one in look.tickets] == [TicketState.DIVERTED]
    assert not look.is_complete
    assert isinstance(look.blinded_by, Blind)


FILES = f"""{HEAD.replace("open: open}", "open: open, files: {rows: files, name: name, url: url}}")}
secrets: {{key: {{env: KEY}}}}
auth: {{bearer: "{{{{ secret.key }}}}"}}
cleanup: none
find: {{all: {{get: /tickets, rows: tickets}}}}
"""


@pytest.mark.parametrize("status", [401, 403, 404])
def test_file_that_is_refused__is_no_word_about_our_key_and_is_asked_for_again(
    tmp_path: Path, status: int
) -> None:
    desk = Desk(tmp_path, FILES, {"KEY": "k" * 20})
    canary = new_canary(desk.clock.now())
    row = desk.row(canary, files=[{"name": "a", "url": "/files/0"}])
    is_served = [True]

    def file(_: httpx.Request) -> tuple[int, object]:
        return (200, "content") if is_served[0] else (status, {})

    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [row]}),
        "/files/0": file,
        "/files/1": file,
    }

    async def work(system: Generic) -> list[bool]:
        read = [_is_read(await system.find([canary], Depth.DEADLINE))]
        row["files"] = [{"name": "a", "url": "/files/1"}]
        is_served[0] = False
        read += [_is_read(await system.find([canary], Depth.DEADLINE)) for _ in range(2)]
        is_served[0] = True
        desk.clock.advance(61)
        return [*read, _is_read(await system.find([canary], Depth.DEADLINE))]

    assert desk.run(work) == [True, False, False, True]


def _is_read(look: Look) -> bool:
    (file,) = look.tickets[0].attachments or ()
    return file.sha256 is not None


def test_words_of_a_refusal__are_quoted_unless_it_is_of_one_ticket_that_may_be_a_strangers(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
cleanup: none
find: {{all: {{get: /tickets, rows: tickets, read: [{{get: "/t/{{{{ ticket.id }}}}", ticket: {{body: text}}}}]}}}}
""",
    )
    canary = new_canary(desk.clock.now())
    rows = [desk.row(canary, subject="hi", **{"from": "bob@customer.example"})]
    refusal = {"message": "'My divorce' of Jane may not be read"}
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": rows}),
        "/t/7": lambda _: (403, refusal),
    }

    def said() -> str:
        try:
            look = desk.run(lambda system: system.find([canary], Depth.DEADLINE))
        except Blind as error:
            return str(error)
        return str(look.blinded_by)

    assert "divorce" not in said()

    desk.answers["/tickets"] = lambda _: (403, {"message": "the key lacks tickets:read"})
    assert "the key lacks tickets:read" in said()


UNREAD = f"""{HEAD}
find: {{all: {{get: /tickets, rows: tickets}}}}
diverted:
  held:
    get: /held
    rows: tickets
    when: deadline
    ticket: {{id: id, subject: subject, requester: from, created_at: at}}
    clean: [{{delete: "/held/{{{{ ticket.id }}}}"}}]
clean:
  close: [{{put: "/t/{{{{ ticket.id }}}}", json: {{open: false}}}}]
"""


@pytest.mark.parametrize("listed", ["/tickets", "/held"])
def test_number_that_was_given_out_again__is_not_written_to_though_nothing_is_read_alone(
    tmp_path: Path, listed: str
) -> None:
    desk = Desk(tmp_path, UNREAD)
    canary = new_canary(desk.clock.now())
    row = desk.row(canary)
    rows = {"/tickets": [], "/held": [], listed: [row]}
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": rows["/tickets"] or [desk.row(canary, "1", subject="hi")]}),
        "/held": lambda _: (200, {"tickets": rows["/held"]}),
    }

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        (ticket,) = look.tickets
        row.update({"subject": "my order", "from": "bob@customer.example"})
        return (await system.dispose([ticket], CLOSE))[0].state

    assert desk.run(work) is RemovalState.FAILED
    assert not [one for one in desk.asked if not one.startswith("GET")]


def test_ticket_that_is_still_ours__is_closed_without_being_read_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UNREAD)
    canary = new_canary(desk.clock.now())
    row = desk.row(canary)
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [row]}),
        "/held": lambda _: (200, {"tickets": []}),
        "/t/7": lambda _: (200, {}),
    }

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        return (await system.dispose(look.tickets, CLOSE))[0].state

    assert desk.run(work) is RemovalState.ACCEPTED
    assert [one for one in desk.asked if not one.startswith("GET")] == ["PUT /t/7"]


def test_ticket_that_the_proof_of_sight_shows_and_no_look__makes_the_looks_blind_and_accuses_nobody(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD.replace("/tickets, tickets", "/newest, tickets")}
cleanup: none
find: {{wide: {{get: /tickets, query: {{since: "{{{{ now | iso }}}}"}}, rows: tickets}}}}
""",
    )
    canary = new_canary(desk.clock.now())
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": []}),
        "/newest": lambda _: (200, {"tickets": [desk.row(canary)]}),
    }

    with pytest.raises(Blind, match="filter by time"):
        desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    other = new_canary(desk.clock.now())
    assert desk.run(lambda system: system.find([other], Depth.DEADLINE)).is_complete


def test_ticket_that_looks_have_shown__and_show_no_more_once_it_is_closed__is_gone_and_blinds_nobody(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD.replace("/tickets, tickets", "/all, tickets")}
find: {{open: {{get: /tickets, rows: tickets}}}}
clean: {{close: [{{post: "/t/{{{{ ticket.id }}}}/close"}}]}}
""",
    )
    canary = new_canary(desk.clock.now())
    row = desk.row(canary)

    def close(_: httpx.Request) -> tuple[int, object]:
        row["open"] = False
        return 200, {}

    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [row] if row["open"] else []}),
        "/all": lambda _: (200, {"tickets": [row]}),
        "/t/7/close": close,
    }

    async def work(system: Generic) -> tuple[RemovalState, Look]:
        look = await system.find([canary], Depth.DEADLINE)
        (closed,) = await system.dispose(look.tickets, CLOSE)
        return closed.state, await system.find([canary], Depth.DEADLINE)

    state, after = desk.run(work)

    assert state is RemovalState.ACCEPTED
    assert (after.tickets, after.is_complete) == ((), True)


def test_odd_row_of_a_stranger__hides_no_row_behind_it_and_no_canary_that_came_later(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
cleanup: none
find: {{wide: {{get: /tickets, rows: tickets, page: {{offset: {{param: o, size_param: l, size: 5}}}}}}}}
""",
    )
    canary, missing = new_canary(desk.clock.now()), new_canary(desk.clock.now())
    rows = [desk.row(canary, str(number), subject="hi", **{"from": "x@y.example"}) for number in range(20)]
    rows[1]["at"] = "yesterday"
    rows[12] = desk.row(canary, "12")

    def page(request: httpx.Request) -> tuple[int, object]:
        first = int(request.url.params.get("o", 0))
        return 200, {"tickets": rows[first : first + 5]}

    desk.answers = {"/tickets": page}

    async def work(system: Generic) -> tuple[Look, Look]:
        desk.clock.advance(5)
        first = await system.find([canary, missing], Depth.DEADLINE)
        desk.clock.advance(60)
        later = new_canary(desk.clock.now())
        second = await system.find([later], Depth.DEADLINE)
        assert second.is_complete_for(later)
        return first, second

    first, _ = desk.run(work)

    assert [one.ref.id for one in first.tickets] == ["12"]
    assert not first.is_complete_for(missing)
    assert "created_at" in str(first.blinded_by)


def test_number_that_no_look_shows_any_more__is_not_written_to_though_nothing_is_read_alone(
    tmp_path: Path,
) -> None:
    desk = Desk(tmp_path, UNREAD)
    canary = new_canary(desk.clock.now())
    rows = [desk.row(canary)]
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [*rows, desk.row(canary, "1", subject="hi")]}),
        "/held": lambda _: (200, {"tickets": []}),
    }

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        rows.clear()  # an agent deleted it, and its number may be anybody's
        return (await system.dispose(look.tickets, CLOSE))[0].state

    assert desk.run(work) is RemovalState.FAILED  # the next try looks first, and no longer finds it
    assert not [one for one in desk.asked if not one.startswith("GET")]


def test_ticket_that_can_not_be_read_alone__holds_up_none_of_its_batch(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
find: {{wide: {{get: /tickets, rows: tickets}}}}
clean:
  read: {{get: "/t/{{{{ ticket.id }}}}"}}
  close: [{{post: /close, batch: 10, json: {{ids: "{{{{ ids }}}}"}}}}]
""",
    )
    canaries = [new_canary(desk.clock.now()) for _ in range(3)]
    rows = [desk.row(one, str(number)) for number, one in enumerate(canaries)]
    closed: list[str] = []

    def close(request: httpx.Request) -> tuple[int, object]:
        closed.extend(json.loads(request.content)["ids"])
        for row in rows:
            row["open"] = row["id"] not in closed
        return 200, {}

    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": rows}),
        "/t/1": lambda _: (403, {}),
        "/close": close,
    }

    async def work(system: Generic) -> list[RemovalState]:
        look = await system.find(canaries, Depth.DEADLINE)
        del rows[1]  # moved where the look doesn't show it
        return [one.state for one in await system.dispose(look.tickets, CLOSE)]

    assert desk.run(work) == [RemovalState.DONE, RemovalState.FAILED, RemovalState.DONE]
    assert closed == ["0", "2"]


def test_refusal_of_a_strangers_ticket_that_is_read_by_post__is_not_quoted(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
cleanup: none
find: {{all: {{get: /tickets, rows: tickets, read: [{{post: /t, json: {{id: "{{{{ ticket.id }}}}"}}, ticket: {{body: text}}}}]}}}}
""",
    )
    canary = new_canary(desk.clock.now())
    row = desk.row(canary, subject="hi", **{"from": "bob@customer.example"})
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [row]}),
        "/t": lambda _: (403, {"message": "'My divorce' of Jane may not be read"}),
    }

    look = desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    assert look.blinded_by is not None
    assert "divorce" not in str(look.blinded_by)


def test_new_ticket_that_the_looks_leave_out__accuses_nobody_though_an_older_canarys_is_shown(
    tmp_path: Path,
) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD.replace("/tickets, tickets", "/all, tickets")}
cleanup: none
find: {{wide: {{get: /tickets, rows: tickets}}}}
""",
    )
    older = new_canary(desk.clock.now())
    old_row = desk.row(older)
    desk.clock.advance(600)
    newer = new_canary(desk.clock.now())
    desk.clock.advance(5)
    new_row = desk.row(newer, "8")
    desk.answers = {
        "/tickets": lambda _: (
            200,
            {"tickets": [old_row]},
        ),  # an index that is behind, and is said to be none
        "/all": lambda _: (200, {"tickets": [new_row, old_row]}),
    }

    look = desk.run(lambda system: system.find([older, newer], Depth.DEADLINE))

    assert [one.ref.id for one in look.tickets] == ["7"]
    assert not look.is_complete_for(newer)
    assert "by no look" in str(look.blinded_by)


def test_unreadable_ticket_whose_time_is_of_another_zone__may_be_ours_all_the_same(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD.replace("created_at: at", 'created_at: {pick: at, as: {time: "%Y-%m-%d %H:%M:%S", zone: Asia/Tokyo}}')}
cleanup: none
find:
  wide:
    get: /tickets
    query: {{since: "{{{{ since | iso }}}}"}}
    rows: tickets
    read: [{{get: "/t/{{{{ ticket.id }}}}", ticket: {{body: text}}}}]
""",
    )
    canary = new_canary(desk.clock.now())
    desk.clock.advance(5)
    at = desk.clock.now().strftime("%Y-%m-%d %H:%M:%S")
    rows = [
        desk.row(canary, "7", subject="rewritten", at=at, **{"from": "gateway@acme.example"}),
        desk.row(canary, "8", subject="hi", at=at, **{"from": "x@y.example"}),
    ]
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": rows}),
        "/t/7": lambda _: (500, {}),
        "/t/8": lambda _: (200, {"text": "nothing"}),
    }

    look = desk.run(lambda system: system.find([canary], Depth.DEADLINE))

    assert not look.is_complete_for(canary)


def test_batch_whose_address_is_not_there__fails_for_each_and_says_so(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
find: {{wide: {{get: /tickets, rows: tickets}}}}
clean: {{close: [{{post: /close, batch: 10, json: {{ids: "{{{{ ids }}}}"}}}}]}}
""",
    )
    canary = new_canary(desk.clock.now())
    row = desk.row(canary)
    desk.answers = {"/tickets": lambda _: (200, {"tickets": [row]}), "/close": lambda _: (404, {})}

    async def work(system: Generic) -> tuple[RemovalState, str]:
        look = await system.find([canary], Depth.DEADLINE)
        (disposed,) = await system.dispose(look.tickets, CLOSE)
        return disposed.state, disposed.detail

    state, detail = desk.run(work)

    assert state is RemovalState.FAILED
    assert "clean.close[0]" in detail
