"""Why a removal failed: the request, its answer, what was read and wanted, and what to do."""

import json
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.contracts import RemovalState
from probes.http_wire import Answer
from probes.masking import Masker, Secret
from probes.ticketing.generic.failures import said_by, short
from probes.ticketing.generic.removal_words import answered, untagged
from probes.ticketing.generic.tickets import tags_of
from tests.fakes.odd_desk import CONFIGURATION
from tests.unit.probes.ticketing.generic.scene import CLOSE, Scene


def _answer(content: bytes) -> Answer:
    return Answer(name="desk", what="POST /x", status=409, headers={}, content=content)


def test_change_that_is_refused_each_time__names_request_answer_and_remedy(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)
    stale = {"error": {"code": "stale", "message": "it is at version 4"}}
    scene.desk.answer = lambda request: httpx.Response(409, json=stale) if request.method == "PATCH" else None

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.state is RemovalState.FAILED
    assert (
        f"PATCH https://odd.acme.test/v1/tickets/{number} answered 409 (it is at version 4)"
        in disposed.detail
    )
    assert "{{ answer.… }}" in disposed.detail


def test_change_that_is_taken_and_not_made__names_request_answer_and_remedy(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)
    scene.desk.keeps_writes = False

    (disposed,) = scene.disposed(CLOSE, canary)

    assert f"PATCH https://odd.acme.test/v1/tickets/{number} answered 204." in disposed.detail
    assert "may lack the right" in disposed.detail


TWO_STEPS = CONFIGURATION.replace(
    "  close:\n",
    '  close:\n    - {patch: "/v1/tickets/{{ ticket.id }}", json: {state: 2, labels: []}, if_match: {header: ETag}}\n',
)


@pytest.mark.parametrize("keeps_writes", [False, True])
def test_change_that_is_refused_after_one_that_was_answered__names_the_step_before(
    tmp_path: Path, keeps_writes: bool
) -> None:
    scene = Scene(tmp_path, configuration=TWO_STEPS)
    scene.desk.keeps_writes = keeps_writes
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)

    def answer(request: httpx.Request) -> httpx.Response | None:
        is_last = request.method == "PATCH" and b'"state":9' in request.content.replace(b" ", b"")
        return httpx.Response(409, json={"fault": "settle first"}) if is_last else None

    scene.desk.answer = answer

    (disposed,) = scene.disposed(CLOSE, canary)

    before = "ticketing.desk.clean.close[0]"
    then = f"PATCH https://odd.acme.test/v1/tickets/{number} answered 409 (settle first)"
    if keeps_writes:
        assert disposed.detail.startswith(f"{then}: {before}, the step before it, was answered 204")
    else:
        assert f"{before} was answered 204 and changed nothing; then {then}" in disposed.detail
    assert "somebody else" not in disposed.detail
    assert disposed.is_open


def test_ticket_that_is_closed_and_not_tagged__names_the_step_that_did_not_tag_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    canary = scene.canary()
    number = scene.desk.add(canary.subject_prefix)
    scene.desk.keeps_writes = False
    scene.desk.rows[number].state = 9

    (disposed,) = scene.disposed(CLOSE, canary)

    assert disposed.detail.startswith("it is closed and not tagged: tags read: '', wanted 'synthetic'")
    assert "ticketing.desk.clean.close[0] was answered 204 and did not do it. Compare" in disposed.detail
    assert disposed.is_open is False


@pytest.mark.parametrize("read", ["web;other", ["web;other"]])
def test_closed_and_not_tagged__says_what_was_read_and_what_was_wanted(read: object) -> None:
    assert untagged(read, "synthetic").endswith("tags read: 'web;other', wanted 'synthetic'")


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("web;synthetic", {"web", "synthetic"}),
        ("web; a vip;", {"web", "a vip"}),
        ("web,synthetic", {"web", "synthetic"}),
        ("web synthetic", {"web", "synthetic"}),
        (["web", "a, b"], {"web", "a, b"}),
        ("", set()),
        (None, set()),
    ],
)
def test_tags__are_a_list_or_a_text_with_marks_or_spaces(value: object, tags: set[str]) -> None:
    assert tags_of(value) == tags


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"error": "slow down"}, "slow down"),
        ({"errors": [{"detail": "no such state"}]}, "no such state"),
        ({"title": "Conflict", "detail": "stale\nversion"}, "stale version"),
        ({"code": 7}, ""),
        ("not allowed", "not allowed"),
        ({"fault": "settle first"}, "settle first"),
        ({"fault": "the burrow was dug since (If-Match)", "rows": 7}, "the burrow was dug since (If-Match)"),
        ({"fault": "settle first", "hint": "or not"}, ""),
        ({"request": "8f3a-22"}, ""),
        ({"who": "jane@customer.test"}, ""),
    ],
)
def test_error_in_json__is_said_in_short(content: object, said: str) -> None:
    assert said_by(_answer(json.dumps(content).encode())) == said


@given(
    st.binary(max_size=60)
    | st.recursive(st.none() | st.text(), st.lists, max_leaves=5).map(json.dumps).map(str.encode)
)
def test_any_answer__is_said_on_one_short_line(content: bytes) -> None:
    said = short(said_by(_answer(content)))

    assert len(said) <= 120
    assert said.isprintable()


@pytest.mark.parametrize("name", ["description", "reason", "code", "errorCode", "message"])
def test_refusal__is_quoted_by_the_same_names_wherever_it_is_met(name: str) -> None:
    content = json.dumps({"rows": [], name: "settle first", "hint": "or not"}).encode()

    assert said_by(_answer(content)) == "settle first"
    assert answered(_answer(content), str) == "POST /x answered 409 (settle first)"


def test_secret_in_a_long_refusal__is_masked_before_it_is_cut() -> None:
    masker = Masker([Secret("a-long-secret-of-ours")])
    content = json.dumps({"message": "x" * 110 + " a-long-secret-of-ours"}).encode()

    assert "a-long" not in answered(_answer(content), masker.mask)
