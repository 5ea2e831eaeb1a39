"""Several looks together: what one sees is shown though another is blind, or has not come to it yet."""

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from canary.traffic import Way
from probes.contracts import Blind, Look
from probes.ticketing.generic.adapter import Generic
from tests.unit.probes.ticketing.generic.test_looks import Bench, rows
from tests.unit.probes.ticketing.generic.test_looks_whole import found

TWO = """
find: {all: {get: /t, rows: rows}}
diverted: {held: {get: /held, rows: rows, ticket: {id: id, subject: subject}}}
"""
BUSY = """
find:
  mine: {get: /mine, when: poll, per: requesters, query: {from: "{{ requester }}"}, rows: rows}
  wide: {get: /t, when: deadline, max_pages: 2, page: {number: {param: page}}, rows: rows}
"""


def test_ticket_that_is_seen__is_shown_though_the_queue_of_what_is_held_is_refused(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        TWO,
        lambda one: (
            httpx.Response(403)
            if "held" in one.url.path
            else rows({"id": 1, "subject": canary.subject_prefix})
        ),
    )
    canary = bench.canary()

    look = bench.find(canary, depth=Depth.DEADLINE)

    assert found(look) == (["1"], False)
    assert isinstance(look.blinded_by, Blind)
    assert look.blinded_by.status == 403


def test_what_is_held__is_shown_though_the_list_of_tickets_fails(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        TWO,
        lambda one: (
            rows({"id": 1, "subject": canary.subject_prefix})
            if "held" in one.url.path
            else httpx.Response(500)
        ),
    )
    canary = bench.canary()

    assert found(bench.find(canary, depth=Depth.DEADLINE)) == (["held/1"], False)


def test_nothing_is_seen_and_one_look_is_refused__is_blind(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TWO, lambda one: httpx.Response(403) if "held" in one.url.path else rows())

    with pytest.raises(Blind) as caught:
        bench.find(bench.canary(), depth=Depth.DEADLINE)

    assert caught.value.status == 403


def test_system_that_asks_to_be_left_alone__is_asked_no_further_look(tmp_path: Path) -> None:
    bench = Bench(tmp_path, TWO, lambda _: httpx.Response(429))

    with pytest.raises(Blind):
        bench.find(bench.canary(), depth=Depth.DEADLINE)

    assert len(bench.requests) == 1


def test_page_that_fails_after_one_with_our_ticket__does_not_hide_it(tmp_path: Path) -> None:
    bench = Bench(
        tmp_path,
        "find: {all: {get: /t, rows: rows, page: {number: {param: page}}}}",
        lambda one: (
            httpx.Response(500)
            if one.url.params["page"] == "2"
            else rows({"id": 1, "subject": canary.subject_prefix})
        ),
    )
    canary = bench.canary()

    look = bench.find(canary)

    assert found(look) == (["1"], False)
    assert look.blinded_by is not None


def busy(bench: Bench, mine: list[object]) -> httpx.Response:
    request = bench.requests[-1]
    if request.url.path.endswith("/mine"):
        return rows(*mine)
    page = int(request.url.params["page"])
    return rows(*({"id": page * 1000 + number, "subject": "a question"} for number in range(3)))


@pytest.mark.parametrize("is_sweep", [False, True])
def test_desk_too_busy_for_the_wide_look__shows_by_the_narrow_one_what_is_ours(
    tmp_path: Path, *, is_sweep: bool
) -> None:
    mine: list[object] = []
    bench = Bench(tmp_path, BUSY, lambda _: busy(bench, mine))
    canary = bench.canary()
    mine.append({"id": 7, "subject": f"intakecanary {canary.subject_prefix}"})

    look = bench.find(*([] if is_sweep else [canary]), depth=Depth.DEADLINE)

    assert found(look) == (["7"], False)


def test_narrow_look_that_shows_nothing__does_not_make_a_wide_one_that_is_not_complete_worth_more(
    tmp_path: Path,
) -> None:
    bench = Bench(tmp_path, BUSY, lambda _: busy(bench, []))

    assert found(bench.find(bench.canary(), depth=Depth.DEADLINE)) == ([], False)


def test_poll_that_is_not_complete__makes_no_wide_look(tmp_path: Path) -> None:
    configuration = BUSY.replace("per: requesters, ", "per: requesters, max_calls: 1, ")
    bench = Bench(tmp_path, configuration, lambda _: busy(bench, []))

    look = bench.find(bench.canary("a@x.test"), bench.canary("b@x.test"))

    assert not look.is_complete
    assert [one.url.path for one in bench.requests] == ["/base/mine"]


FIELDS = "ticket: {subject: subject, created_at: created, channel: via, tags: tags}"


def heard(
    tmp_path: Path, look: str, *, depth: Depth = Depth.DEADLINE, dated: bool = True
) -> tuple[Look, Bench]:
    bench = Bench(
        tmp_path, f"channel: {{email: [mail]}}\nfind: {{all: {{{look}, {FIELDS}}}}}", lambda _: rows(*listing)
    )
    canary = bench.canary()
    created = bench.clock.now().isoformat() if dated else None
    listing: list[dict[str, object]] = [
        {"id": 1, "subject": "a question", "created": created, "via": "mail"},
        {"id": 2, "subject": "another", "created": created, "via": "fax"},
        {"id": 3, "subject": canary.subject_prefix, "created": created, "via": "mail"},
        {"id": 4, "subject": "a question", "created": created, "via": "mail", "tags": "synthetic"},
        {"id": 5, "subject": "fw: INTAKECANARY", "created": created, "via": "mail"},
        {"id": 6, "subject": bench.canary().token, "created": created, "via": "mail"},
        {
            "id": 7,
            "subject": "old",
            "created": (bench.clock.now() - timedelta(days=1)).isoformat(),
            "via": "mail",
        },
    ]
    return bench.find(canary, depth=depth), bench


def test_strangers_tickets__are_counted_by_the_way_they_came_and_ours_are_not(tmp_path: Path) -> None:
    look, bench = heard(tmp_path, "get: /t, rows: rows")

    assert look.strangers is not None
    assert look.strangers.created == {Way.EMAIL: (bench.clock.now(),), Way.OTHER: (bench.clock.now(),)}
    assert look.since <= look.strangers.since <= look.since + timedelta(seconds=1)


@pytest.mark.parametrize(
    "look",
    [
        'get: /t, rows: rows, query: {q: "{{ marker }}"}',
        'get: /t, rows: rows, query: {q: "{{ requesters | join(1) }}"}',
        'get: /t, rows: rows, per: requesters, query: {q: "{{ requester }}"}',
        "get: /t, rows: rows, max_pages: 1, page: {number: {param: page}}",
    ],
)
def test_look_that_shows_only_some_tickets__counts_no_strangers(tmp_path: Path, look: str) -> None:
    assert heard(tmp_path, look.replace("join(1)", "join(',')"))[0].strangers is None


def test_tickets_without_a_time__are_not_counted(tmp_path: Path) -> None:
    assert heard(tmp_path, "get: /t, rows: rows", dated=False)[0].strangers is None


def test_narrow_look__counts_no_strangers(tmp_path: Path) -> None:
    assert heard(tmp_path, "get: /t, rows: rows", depth=Depth.POLL)[0].strangers is None


def test_reading_of_a_strangers_row_that_is_remembered__still_counts_it(tmp_path: Path) -> None:
    read = 'read: [{get: "/x/{{ ticket.id }}", ticket: {body: text}}]'
    bench = Bench(
        tmp_path,
        f"find: {{all: {{get: /t, rows: rows, {FIELDS}, {read}}}}}",
        lambda one: rows(row) if one.url.path.endswith("/t") else httpx.Response(200, json={"text": "help"}),
    )
    row = {"id": 1, "subject": "x", "created": (bench.clock.now() + timedelta(seconds=1)).isoformat()}
    canary = bench.canary()

    async def work(system: Generic) -> list[Look]:
        looks = []
        for _ in range(6):
            looks.append(await system.find([canary], Depth.DEADLINE))
            bench.clock.advance(100)
        return looks

    counted = [one.strangers.created for one in bench.run(work) if one.strangers is not None]
    assert [len(one[Way.OTHER]) for one in counted] == [1] * 6


def last(request: httpx.Request) -> str:
    return request.url.path.rpartition("/")[2]


def test_system_that_asks_to_come_later__is_asked_no_more_though_another_look_failed_before(
    tmp_path: Path,
) -> None:
    bench = Bench(
        tmp_path,
        """
find:
  mine: {get: /mine, when: poll, rows: rows}
  one: {get: /one, when: deadline, rows: rows}
  two: {get: /two, when: deadline, rows: rows}
""",
        lambda one: httpx.Response({"one": 500, "two": 429}.get(last(one), 200), json={"rows": []}),
    )

    with pytest.raises(Blind) as caught:
        bench.find(bench.canary(), depth=Depth.DEADLINE)

    assert caught.value.status == 429
    assert "mine" not in [last(one) for one in bench.requests]
