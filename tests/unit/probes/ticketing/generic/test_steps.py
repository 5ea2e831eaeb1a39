"""Clean-up by configuration: what can go wrong with a write, and what is said of it."""

from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Disposal, RemovalState
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
