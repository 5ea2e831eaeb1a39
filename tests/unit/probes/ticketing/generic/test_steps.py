"""Clean-up by configuration: what can go wrong with a write, and what is said of it."""

import json
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Disposal, Disposed, RemovalState
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import CLOSE, DELETE, Scene

NO_READ = CONFIGURATION.replace('  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}\n', "")


@pytest.mark.parametrize("how", [CLOSE, DELETE])
def test_write_that_is_answered_204_and_changes_nothing__is_failed(tmp_path: Path, how: Disposal) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)
    scene.desk.keeps_writes = False

    (disposed,) = scene.disposed(how, canary)

    assert disposed.state is RemovalState.FAILED
    assert "it took the" in disposed.detail


def test_close__sends_the_etag_back_and_keeps_other_labels(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix, labels=["vip"], version=7)

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.DONE
    assert scene.desk.rows[number].labels == ["vip", "synthetic"]
    (patch,) = [one for one in scene.desk.requests if one.method == "PATCH"]
    assert patch.headers["if-match"] == '"v7"'


def test_close__twice__is_absent_the_second_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    states = [scene.disposed(CLOSE, canary)[0].state for _ in range(2)]

    assert states == [RemovalState.DONE, RemovalState.ABSENT]


def test_close__changed_by_others_meanwhile__reads_again_and_uses_the_new_version(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)
    changes = iter([True])

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PATCH" and next(changes, False):
            scene.desk.rows[number].version += 1
        return None

    scene.desk.answer = answer

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.DONE
    assert len([one for one in scene.desk.requests if one.method == "PATCH"]) == 2


def test_close__changed_by_others_each_time__is_failed_after_three_tries(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)
    scene.desk.answer = lambda request: httpx.Response(412) if request.method == "PATCH" else None

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.FAILED
    assert len([one for one in scene.desk.requests if one.method == "PATCH"]) == 3


def test_ticket_that_is_gone__is_absent(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        look = await system.find([canary], Depth.DEADLINE)
        del scene.desk.rows[number]
        return await system.dispose(look.tickets, CLOSE)

    (disposed,) = scene.run(work)

    assert disposed.state is RemovalState.ABSENT


BINNED = CONFIGURATION.replace(
    '  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}\n',
    '  read: {get: "/v1/tickets/{{ ticket.id }}", gone: "ticket.state == `99`", row: ticket}\n',
)


def test_ticket_that_is_read_and_says_that_it_is_gone__is_absent_and_not_written_to(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=BINNED)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix, state=99)

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.ABSENT
    assert [one for one in scene.desk.requests if one.method == "PATCH"] == []


def test_without_a_way_to_read_it_back__is_only_promised(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=NO_READ)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    (disposed,) = scene.disposed(DELETE, canary)

    assert disposed.state is RemovalState.ACCEPTED


def test_refused_for_us__is_not_said_again_for_each_ticket(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canaries = [scene.canary() for _ in range(3)]
    for one in canaries:
        scene.desk.add(one.subject_prefix)
    scene.desk.answer = lambda request: httpx.Response(429) if request.method == "PATCH" else None

    disposed = scene.disposed(CLOSE, *canaries)

    assert [one.state for one in disposed] == [RemovalState.FAILED] * 3
    assert len([one for one in scene.desk.requests if one.method == "PATCH"]) == 1


BATCH = (
    NO_READ[: NO_READ.index("  close:")]
    + """\
  close:
    - put: /v1/many
      batch: 2
      query: {ids: "{{ ids | join(',') }}"}
      json: {state: 9}
      job: {get: "{{ answer.job }}", done: "state == 'done'", failed: "state == 'failed'", every: 2s, for: 10s}
"""
    + NO_READ[NO_READ.index("failures:") :]
)


def batch(tmp_path: Path, states: list[str]) -> tuple[list[RemovalState], Scene]:
    scene = Scene(tmp_path, configuration=BATCH)
    canaries = [scene.canary() for _ in range(3)]
    for one in canaries:
        scene.desk.add(one.subject_prefix)
    told = iter(states)

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/v1/many":
            return httpx.Response(202, json={"job": "/v1/jobs/5"})
        if request.url.path == "/v1/jobs/5":
            return httpx.Response(200, json={"state": next(told, "working")})
        return None

    scene.desk.answer = answer
    return [one.state for one in scene.disposed(CLOSE, *canaries)], scene


def test_batch__with_a_job_that_gets_done__is_promised_by_two_requests(tmp_path: Path) -> None:
    states, scene = batch(tmp_path, ["working", "done", "done"])

    assert states == [RemovalState.ACCEPTED] * 3
    sent = [one.url.params["ids"] for one in scene.desk.requests if one.url.path == "/v1/many"]
    assert sorted(len(one.split(",")) for one in sent) == [1, 2]


def test_batch__with_a_job_that_fails__is_failed(tmp_path: Path) -> None:
    assert batch(tmp_path, ["failed"])[0] == [RemovalState.FAILED] * 3


def test_batch__with_a_job_that_never_ends__is_promised_after_its_time(tmp_path: Path) -> None:
    states, scene = batch(tmp_path, [])

    assert states == [RemovalState.ACCEPTED] * 3
    assert scene.desk.paths().count("GET /v1/jobs/5") <= 12


def test_batch_with_a_piece_for_each__sends_a_list_of_them_with_each_tickets_own_values(
    tmp_path: Path,
) -> None:
    piece = 'item: {id: "{{ ticket.id | int }}", labels: "{{ ticket.tags | plus(tag) }}"}'
    many = BATCH.replace("json: {state: 9}", f'{piece}\n      json: {{state: 9, tickets: "{{{{ items }}}}"}}')
    scene = Scene(tmp_path, configuration=many)
    canaries = [scene.canary() for _ in range(3)]
    numbers = [
        scene.desk.add(one.subject_prefix, labels=[f"label-{index}"]) for index, one in enumerate(canaries)
    ]
    bodies: list[dict[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/v1/many":
            bodies.append(json.loads(request.content))
            return httpx.Response(202, json={"job": "/v1/jobs/5"})
        return httpx.Response(200, json={"state": "done"}) if request.url.path == "/v1/jobs/5" else None

    scene.desk.answer = answer
    scene.disposed(CLOSE, *canaries)

    pieces = [one for body in bodies for one in body["tickets"]]  # type: ignore[attr-defined]  # a list, as JSON has it
    assert [body["state"] for body in bodies] == [9, 9]
    assert sorted(pieces, key=lambda one: str(one["labels"])) == [
        {"id": int(number), "labels": [f"label-{index}", "synthetic"]} for index, number in enumerate(numbers)
    ]


TWO_STEPS = CONFIGURATION.replace(
    "  close:\n",
    '  close:\n    - {patch: "/v1/tickets/{{ ticket.id }}", json: {state: 2, labels: []}, if_match: {header: ETag}}\n',
)


def test_two_steps__of_which_the_first_changes_the_version__read_it_again_in_between(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=TWO_STEPS)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.DONE
    assert scene.desk.rows[number].state == 9
    sent = [one.headers["if-match"] for one in scene.desk.requests if one.method == "PATCH"]
    assert sent == ['"v1"', '"v2"']


NO_TEXT = CONFIGURATION.replace(
    '  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}\n',
    '  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket, ticket: {requester: mail}}\n',
)


def given_out_again(scene: Scene, how: Disposal, *, in_text: bool = False, **again: object) -> RemovalState:
    """The ticket of a canary is found; its number then belongs to what ``again`` says; it is cleaned."""
    canary = scene.canary()
    if in_text:
        number = scene.desk.add("a rewritten subject", html=f"<p>{canary.subject_prefix}</p>")
    else:
        number = scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        look = await system.find([canary], Depth.DEADLINE)
        assert len(look.tickets) == 1
        for name, value in again.items():
            setattr(scene.desk.rows[number], name, value)
        return await system.dispose(look.tickets, how)

    (disposed,) = scene.run(work)
    assert isinstance(disposed, Disposed)
    return disposed.state


def writes(scene: Scene) -> list[str]:
    return [one.method for one in scene.desk.requests if one.method in {"PATCH", "DELETE", "PUT"}]


@pytest.mark.parametrize("how", [CLOSE, DELETE])
@pytest.mark.parametrize("title", ["", None, "the same subject"])
def test_number_given_out_again__to_a_ticket_without_our_token__is_not_touched(
    tmp_path: Path, how: Disposal, title: str | None
) -> None:
    scene = Scene(tmp_path)

    state = given_out_again(scene, how, title=title)

    assert state is RemovalState.FAILED  # made at the same moment, so that it can't be told
    assert writes(scene) == []


@pytest.mark.parametrize("how", [CLOSE, DELETE])
def test_number_given_out_again__later_and_without_a_subject__is_a_strangers(
    tmp_path: Path, how: Disposal
) -> None:
    scene = Scene(tmp_path)
    scene.clock.advance(7)

    state = given_out_again(scene, how, title=None, opened=scene.clock.now() + timedelta(hours=1))

    assert state is RemovalState.ABSENT
    assert writes(scene) == []


def test_token_that_was_in_the_text_alone__and_is_not_read_back__is_not_taken_for_the_same(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)

    assert given_out_again(scene, DELETE, in_text=True) is RemovalState.FAILED
    assert writes(scene) == []


def test_token_that_is_not_read_back__with_subject_requester_and_time_equal__is_ours(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=NO_TEXT)

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.method == "GET" and request.url.path == "/v1/tickets/1" and 1 in scene.desk.rows:
            shown = {**scene.desk._shown(1), "mail": scene.desk.rows[1].mail}
            return httpx.Response(200, json={"ticket": shown})
        return None

    scene.desk.answer = answer

    assert given_out_again(scene, DELETE, in_text=True) is RemovalState.DONE


ROW_VERSION = TWO_STEPS.replace("if_match: {header: ETag}", "if_match: ticket.none").replace(
    "  tags: labels\n", "  tags: labels\n  version: version\n"
)


def test_two_steps__with_the_version_in_the_row_that_is_read__send_the_newest_version(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=ROW_VERSION)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)
    plain = scene.desk._shown
    scene.desk._shown = lambda number: {  # type: ignore[method-assign]
        **plain(number),
        "version": f'"v{scene.desk.rows[number].version}"',
    }

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.DONE, disposed.detail
    assert scene.desk.rows[number].state == 9
    sent = [one.headers["if-match"] for one in scene.desk.requests if one.method == "PATCH"]
    assert sent == ['"v1"', '"v2"']


TAG_LAST = (
    CONFIGURATION.replace("      ok: [204]\n", '      ok: [204]\n    - {post: "/v1/tags/{{ ticket.id }}"}\n')
    .replace("  tags: labels\n", "")
    .replace('"{{ ticket.tags | plus(tag) }}"', "[]")
)


def test_second_step_that_failed__is_made_by_the_next_try_though_the_ticket_is_closed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, configuration=TAG_LAST)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)
    fails = iter([True])

    def answer(request: httpx.Request) -> httpx.Response | None:
        is_tag = request.url.path.startswith("/v1/tags")
        return httpx.Response(500) if is_tag and next(fails, False) else None

    scene.desk.answer = answer

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        look = await system.find([canary], Depth.DEADLINE)
        return [(await system.dispose(look.tickets, CLOSE))[0].state for _ in range(3)]

    states = scene.run(work)

    assert states == [RemovalState.FAILED, RemovalState.DONE, RemovalState.ABSENT]
    assert scene.desk.paths().count("POST /v1/tags/1") == 2


@pytest.mark.parametrize("how", [CLOSE, DELETE])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_ticket_that_answers_404_and_is_still_listed__is_not_called_gone(
    tmp_path: Path, how: Disposal, method: str
) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)
    scene.desk.answer = lambda request: (
        httpx.Response(404)
        if request.url.path == "/v1/tickets/1" and request.method in {method, "PATCH", "DELETE"}
        else None
    )

    (disposed,) = scene.disposed(how, canary)

    assert disposed.state is RemovalState.FAILED
    assert "still shows it" in disposed.detail


def test_ticket_that_answers_404__where_we_see_nothing_any_more__is_not_called_gone(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    scene.desk.add(canary.subject_prefix)

    async def work(system):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        look = await system.find([canary], Depth.DEADLINE)
        scene.desk.hides_all = True
        scene.desk.answer = lambda request: (
            httpx.Response(404) if request.url.path.startswith("/v1/tickets/") else None
        )
        return await system.dispose(look.tickets, CLOSE)

    (disposed,) = scene.run(work)

    assert disposed.state is RemovalState.FAILED
    assert "can't be seen" in disposed.detail


READ_BATCH = BATCH.replace(
    "  close:\n", '  read: {get: "/v1/tickets/{{ ticket.id }}", row: ticket}\n  close:\n'
)


@pytest.mark.parametrize("is_done", [True, False])
def test_batch_of_twenty__is_verified_by_a_look_before_and_one_after(tmp_path: Path, is_done: bool) -> None:
    scene = Scene(tmp_path, configuration=READ_BATCH.replace("batch: 2", "batch: 100"))
    scene.desk.page_size = 50
    canaries = [scene.canary() for _ in range(20)]
    for one in canaries:
        scene.desk.add(one.subject_prefix, labels=["synthetic"])

    def answer(request: httpx.Request) -> httpx.Response | None:
        if request.url.path == "/v1/many":
            for row in scene.desk.rows.values() if is_done else ():
                row.state = 9
            return httpx.Response(202, json={"job": "/v1/jobs/5"})
        return httpx.Response(200, json={"state": "done"}) if request.url.path == "/v1/jobs/5" else None

    scene.desk.answer = answer

    disposed = scene.disposed(CLOSE, *canaries)

    wanted = RemovalState.DONE if is_done else RemovalState.FAILED
    assert [one.state for one in disposed] == [wanted] * 20
    alone = [one for one in scene.desk.paths() if one.startswith("GET /v1/tickets/")]
    assert len(alone) == (0 if is_done else 20)
