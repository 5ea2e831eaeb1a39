"""Looks that see less than there is: what of it is still shown, and that nobody is called missing for it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Blind, Look
from probes.ticketing.generic.adapter import Generic
from tests.unit.probes.ticketing.generic.test_looks import Bench, rows

READ = 'read: [{get: "/t/{{ ticket.id }}/text", ticket: {body: text}}]'
FIELDS = "ticket: {subject: {pick: subject, default: null}, created_at: created, requester: {pick: from, default: null}}"


def found(look: Look) -> tuple[list[str], bool]:
    return sorted(str(one.ref.id) for one in look.tickets), look.is_complete


def listed(listing: Callable[[httpx.Request], httpx.Response], texts: Callable[[str], httpx.Response]):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """A system with a list, and with something further at each ticket."""

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/base")
        return listing(request) if path == "/t" else texts(path)

    return answer


def test_further_request_is_refused_for_a_row_with_our_token__is_shown_with_what_the_row_tells(
    tmp_path: Path,
) -> None:
    read = 'read: [{get: "/users/{{ ticket.id }}", ticket: {requester: mail}}]'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {read}}}}}",
        listed(lambda _: rows({"id": 1, "subject": canary.subject_prefix}), lambda _: httpx.Response(404)),
    )
    canary = bench.canary()

    look = bench.find(canary, depth=Depth.DEADLINE)

    assert found(look) == (["1"], True)
    assert look.tickets[0].requester is None


def test_further_request_is_refused_for_a_row_without_a_token__is_not_complete_and_is_asked_again(
    tmp_path: Path,
) -> None:
    texts: list[httpx.Response] = [httpx.Response(404)]
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {READ}}}}}",
        listed(lambda _: rows({"id": 1, "subject": "rewritten"}), lambda _: texts[-1]),
    )
    canary = bench.canary()

    async def work(system: Generic) -> list[Look]:
        first = await system.find([canary], Depth.DEADLINE)
        texts.append(httpx.Response(200, json={"text": canary.token}))
        return [first, await system.find([canary], Depth.DEADLINE)]

    first, second = bench.run(work)

    assert found(first) == ([], False)
    assert found(second) == (["1"], True)


def test_text_that_comes_later_than_its_ticket__is_read_again(tmp_path: Path) -> None:
    text = [""]
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}, {READ}}}}}",
        listed(lambda _: rows(row), lambda _: httpx.Response(200, json={"text": text[-1]})),
    )
    canary = bench.canary()
    row = {"id": 1, "subject": "rewritten", "created": (bench.clock.now() - timedelta(hours=1)).isoformat()}

    async def work(system: Generic) -> list[Look]:
        looks = [await system.find([canary], Depth.DEADLINE)]
        text.append(f"token {canary.token}")
        bench.clock.advance(30)
        return [*looks, await system.find([canary], Depth.DEADLINE)]

    assert [found(one)[0] for one in bench.run(work)] == [[], ["1"]]


def test_old_strangers_row__is_read_once_and_a_young_one_until_it_is_settled(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}, {READ}}}}}",
        listed(lambda _: rows(*listing), lambda _: httpx.Response(200, json={"text": "help"})),
    )
    canary = bench.canary()
    listing = [
        {"id": number, "subject": "a question", "created": (bench.clock.now() - age).isoformat()}
        for number, age in ((1, timedelta(hours=1, seconds=1)), (2, timedelta(seconds=1)))
    ]

    async def work(system: Generic) -> None:
        for _ in range(6):
            assert found(await system.find([canary], Depth.DEADLINE)) == ([], True)
            bench.clock.advance(60)

    bench.run(work)

    asked = [one.url.path for one in bench.requests]
    assert asked.count("/base/t/1/text") == 1
    assert asked.count("/base/t/2/text") == 4


def test_busy_desk_whose_rows_are_read__comes_to_a_complete_look_and_stays_there(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, max_reads: 40, {FIELDS}, {READ}}}}}",
        listed(lambda _: rows(*listing), lambda _: httpx.Response(200, json={"text": "help"})),
    )
    canary = bench.canary()
    created = (bench.clock.now() - timedelta(hours=1, seconds=1)).isoformat()
    listing = [{"id": number, "subject": "a question", "created": created} for number in range(1200)]

    async def work(system: Generic) -> list[bool]:
        return [(await system.find([canary], Depth.DEADLINE)).is_complete for _ in range(33)]

    assert bench.run(work) == [False] * 29 + [True] * 4


def test_row_of_our_sender__is_read_before_those_of_others(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, max_reads: 1, {FIELDS}, {READ}}}}}",
        listed(
            lambda _: rows(*listing),
            lambda path: httpx.Response(200, json={"text": canary.token if path == "/t/9/text" else "help"}),
        ),
    )
    canary = bench.canary()
    listing = [
        {"id": number, "subject": "x", "from": mail, "created": None}
        for number, mail in ((1, "a@customer.test"), (9, canary.sender))
    ]

    assert found(bench.find(canary, depth=Depth.DEADLINE)) == (["9"], False)


def test_more_tickets_of_ours_than_may_be_read__are_all_shown_at_once(tmp_path: Path) -> None:
    read = 'read: [{get: "/t/{{ ticket.id }}/files", ticket: {files: {rows: files, name: name}}}]'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, max_reads: 2, {read}}}}}",
        listed(
            lambda _: rows(
                *({"id": number, "subject": one.subject_prefix} for number, one in enumerate(canaries))
            ),
            lambda _: httpx.Response(200, json={"files": [{"name": "a.pdf"}]}),
        ),
    )
    canaries = [bench.canary() for _ in range(5)]

    look = bench.find(*canaries, depth=Depth.DEADLINE)

    assert found(look) == (["0", "1", "2", "3", "4"], True)
    assert [one.attachments is None for one in look.tickets].count(True) == 3


def test_sweep_that_meets_more_tickets_than_may_be_read__comes_to_a_complete_look(tmp_path: Path) -> None:
    read = 'read: [{get: "/users/{{ ticket.id }}", ticket: {requester: mail}}]'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, max_reads: 3, {read}}}}}",
        listed(lambda _: rows(*listing), lambda _: httpx.Response(200, json={"mail": "a@acme.test"})),
    )
    tokens = [bench.canary() for _ in range(10)]
    ours = [{"id": number, "subject": one.subject_prefix} for number, one in enumerate(tokens[:5])]
    stolen = [{"id": 10 + number, "subject": f"Fwd: {one.token}"} for number, one in enumerate(tokens[5:])]
    listing = [*ours, *stolen]

    async def work(system: Generic) -> list[Look]:
        return [await system.find([], Depth.DEADLINE) for _ in range(4)]

    looks = bench.run(work)

    assert all(found(one)[0] == ["0", "1", "2", "3", "4"] for one in looks)
    assert looks[-1].is_complete


def test_requests_for_nothing_but_files__are_not_made_where_nobody_wants_files(tmp_path: Path) -> None:
    read = 'read: [{get: "/t/{{ ticket.id }}/files", ticket: {files: {rows: files, name: name}}}]'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {read}}}}}",
        lambda _: rows({"id": 1, "subject": canary.subject_prefix}),
        reads_files=False,
    )
    canary = bench.canary()

    assert found(bench.find(canary, depth=Depth.DEADLINE)) == (["1"], True)
    assert len(bench.requests) == 1


class Shrinking:
    """A list by offset, range or number, of which a ticket of the first page is deleted once that was shown."""

    def __init__(self, count: int, *, deletes: bool = True) -> None:
        self.rows: list[dict[str, object]] = [{"id": one, "subject": "x"} for one in range(count, 0, -1)]
        self._deletes = deletes

    def page(self, begin: int, count: int) -> httpx.Response:
        answer = httpx.Response(200, json={"rows": self.rows[begin : begin + count], "total": len(self.rows)})
        if self._deletes:
            del self.rows[3]
            self._deletes = False
        return answer


OFFSET = "page: {offset: {param: offset, size_param: limit, size: 100, total: total}}"
NUMBER = "page: {number: {param: page}}"
LINK = "page: {next: {link: next, numbered: true}}"


def by_offset(desk: Shrinking) -> Callable[[httpx.Request], httpx.Response]:
    return lambda one: desk.page(int(one.url.params["offset"]), 100)


def by_number(desk: Shrinking) -> Callable[[httpx.Request], httpx.Response]:
    return lambda one: desk.page((int(one.url.params["page"]) - 1) * 100, 100)


def by_link(desk: Shrinking) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        page = int(request.url.params.get("page", "1"))
        is_more = len(desk.rows) > page * 100
        answered = desk.page((page - 1) * 100, 100)
        if is_more:
            answered.headers["Link"] = f'</base/t?page={page + 1}>; rel="next"'
        return answered

    return answer


def test_ticket_deleted_between_two_pages_by_offset__is_not_complete(tmp_path: Path) -> None:
    desk = Shrinking(300)
    bench = Bench(tmp_path, f"find: {{all: {{get: /t, rows: rows, {OFFSET}}}}}", by_offset(desk))
    canary = bench.canary()
    desk.rows[100]["subject"] = canary.subject_prefix

    look = bench.find(canary)

    assert look.tickets or not look.is_complete


@pytest.mark.parametrize(("paging", "serve"), [(NUMBER, by_number), (LINK, by_link)])
@pytest.mark.parametrize("count", [101, 300])
def test_first_row_of_the_second_page_goes_to_the_first__is_found_on_the_page_that_is_read_again(
    tmp_path: Path,
    paging: str,
    serve: Callable[[Shrinking], Callable[[httpx.Request], httpx.Response]],
    count: int,
) -> None:
    desk = Shrinking(count)
    bench = Bench(tmp_path, f"find: {{all: {{get: /t, rows: rows, {paging}}}}}", serve(desk))
    canary = bench.canary()
    desk.rows[100]["subject"] = canary.subject_prefix

    assert found(bench.find(canary)) == ([str(count - 100)], True)


@pytest.mark.parametrize(("paging", "serve"), [(OFFSET, by_offset), (NUMBER, by_number), (LINK, by_link)])
@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 199, 200, 201, 250])
def test_pages_of_which_nothing_is_deleted__are_complete_and_show_all(
    tmp_path: Path,
    paging: str,
    serve: Callable[[Shrinking], Callable[[httpx.Request], httpx.Response]],
    count: int,
) -> None:
    desk = Shrinking(count, deletes=False)
    bench = Bench(tmp_path, f"find: {{all: {{get: /t, rows: rows, {paging}}}}}", serve(desk))
    canaries = [bench.canary() for _ in range(count)]
    for row, one in zip(desk.rows, canaries, strict=True):
        row["subject"] = one.subject_prefix

    look = bench.find(*canaries)

    assert (len(look.tickets), look.is_complete) == (count, True)


def test_odd_row_of_a_stranger__is_left_out_and_the_look_is_not_complete(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}}}}}",
        lambda _: rows(
            {"id": 1, "subject": "x", "created": "2026-13-01"},
            {"id": 2, "subject": canary.subject_prefix, "created": None},
        ),
    )
    canary = bench.canary()

    assert found(bench.find(canary)) == (["2"], False)


def test_rows_that_are_all_odd__are_blindness(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}}}}}",
        lambda _: rows(*({"id": one, "subject": "x", "created": "2026-13-01"} for one in range(3))),
    )

    with pytest.raises(Blind, match=r"created_at"):
        bench.find(bench.canary())


def test_odd_row_with_our_token__is_blindness(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}}}}}",
        lambda _: rows(
            {"id": 1, "subject": canary.subject_prefix, "created": "2026-13-01"},
            {"id": 2, "subject": "x", "created": None},
        ),
    )
    canary = bench.canary()

    with pytest.raises(Blind, match=r"created_at"):
        bench.find(canary)


def test_status_that_means_no_tickets__need_not_be_said_twice(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path, "find: {all: {get: /t, rows: rows, empty_on: [404]}}", lambda _: httpx.Response(404)
    )

    assert found(bench.find(bench.canary())) == ([], True)


@pytest.mark.parametrize(
    ("form", "zone", "shown"),
    [
        ("%Y-%m-%d", "UTC", "%Y-%m-%d"),
        ("rfc3339", "UTC", "%Y-%m-%d"),
        ("%Y-%m-%d %H:%M", "UTC", "%Y-%m-%d %H:%M"),
        ("%Y-%m-%d %H", "UTC", "%Y-%m-%d %H"),
    ],
)
def test_times_without_seconds__do_not_end_the_look_before_its_time(
    tmp_path: Path, form: str, zone: str, shown: str
) -> None:
    fields = f'ticket: {{created_at: {{pick: created, as: {{time: "{form}", zone: {zone}}}}}}}'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, order: newest_first, {fields}, {NUMBER}}}}}",
        lambda one: rows(*pages.get(one.url.params["page"], [])),
    )
    bench.clock.advance(3599.0 - bench.clock.now().timestamp() % 3600)
    canary = bench.canary()
    created = bench.clock.now().strftime(shown)
    pages = {
        page: [
            {"id": f"{page}{number}", "created": created, "subject": subject}
            for number in range(3 if page == "1" else 1)
        ]
        for page, subject in (("1", "x"), ("2", canary.subject_prefix))
    }

    assert found(bench.find(canary)) == (["20"], True)
