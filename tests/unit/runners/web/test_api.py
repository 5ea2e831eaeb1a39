"""The JSON at the page's addresses is what the command line prints."""

import asyncio
import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from canary.path import PathName
from canary.verdict import Verdict
from runners.answer_shapes import ANSWERS
from runners.asking import ask_status, ask_trace, status_answer, trace_answer
from runners.contracts import CanaryQuery
from tests.fakes.page_scene import BILLING, FORM, HOSTILE, MAIL, SECRET, night
from tests.unit.runners.web.asked import Asker, asker


@pytest.fixture(scope="module")
def page() -> Asker:
    return asker()


def shaped(command: str, answer: object) -> dict[str, Any]:
    """The answer, held to the shape of that command's."""
    found: dict[str, Any] = TypeAdapter(ANSWERS[command]).validate_python(answer, strict=True)
    assert found == answer
    return found


@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("/status.json", "status"),
        ("/paths/support-email.json", "status"),
        ("/canaries.json", "canaries"),
        ("/incidents.json", "incidents"),
        ("/nowhere.json", "errors"),
        ("/paths/nowhere.json", "errors"),
        ("/canaries/nobody.json", "errors"),
        ("/incidents/nobody.json", "errors"),
        ("/canaries.json?verdict=green", "errors"),
    ],
)
def test_answer__has_the_shape_of_the_command_s(page: Asker, address: str, command: str) -> None:
    answer = page.ask(address)

    assert answer.headers["content-type"] == "application/json"
    shaped(command, answer.json())


def test_status__is_the_command_s_object(page: Asker) -> None:
    scene = page.scene
    expected = status_answer(
        asyncio.run(ask_status(scene.store, list(scene.paths.values()), now=scene.clock.now()))
    )

    found = page.ask("/status.json").json()

    assert found == json.loads(json.dumps(expected))
    assert [(one["path"], one["state"], one["silenced"]) for one in found["paths"]] == [
        ("support-email", "broken", False),
        ("billing-email", "broken", False),
        ("support-portal", "degraded", False),
        ("contact-form", "ok", False),
        ("legacy-form", "blind", True),
    ]
    assert found["exit"] == 1


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("/", "/status.json"),
        ("/paths/support-email", "/paths/support-email.json"),
        ("/canaries", "/canaries.json"),
        ("/incidents", "/incidents.json"),
    ],
)
def test_page_s_own_address__answers_json_when_that_is_accepted(page: Asker, address: str, same: str) -> None:
    answer = page.ask(address, accept="application/json")

    assert answer.json() == page.ask(same).json()
    assert "<!doctype" in page.ask(address, accept="text/html,application/json;q=0.9").text


def test_canary__is_the_trace_of_the_command(page: Asker) -> None:
    word = page.newest(MAIL, Verdict.BREACHED)
    scene = page.scene
    expected = trace_answer(asyncio.run(ask_trace(scene.store, word, scene.paths, now=scene.clock.now())))

    found = shaped("trace", page.ask(f"/canaries/{word}.json").json())

    assert found == json.loads(json.dumps(expected))
    assert found["runbook"] == "https://wiki.acme.example/intake?page=7"
    assert found["canary"]["reason"] == "mailbox_full"


def test_canaries__are_chosen_by_path_verdict_time_and_number(page: Asker) -> None:
    found = page.ask("/canaries.json?path=billing-email&verdict=breached&since=1h&limit=3").json()["canaries"]

    assert len(found) == 3
    assert {(one["path"], one["verdict"]) for one in found} == {("billing-email", "breached")}
    assert len(page.ask("/canaries.json").json()["canaries"]) == 20


@pytest.mark.parametrize(
    ("query", "message", "remedy"),
    [
        ("path=suport-email", "there is no path suport-email", "Did you mean support-email?"),
        ("verdict=confirmt", "confirmt is not a verdict", "Did you mean confirmed?"),
        ("since=yesterday", "yesterday is not a time", "Write 90m, 24h, 7d"),
        ("since=2026-03-01", "2026-03-01 is not a time", "with its zone"),
        ("limit=0", "0 is no number from 1 to 500", "Leave limit out."),
        ("limit=%C2%B2", "is no number", "Leave limit out."),
    ],
)
def test_query_that_means_nothing__is_told_with_its_remedy(
    page: Asker, query: str, message: str, remedy: str
) -> None:
    answer = page.ask(f"/canaries.json?{query}")

    (error,) = answer.json()["errors"]
    assert answer.status_code in {400, 404}
    assert message in error["message"]
    assert remedy in error["remedy"]
    assert answer.json()["exit"] == 2


def test_canaries__are_paged_by_the_id_that_each_answer_names(page: Asker) -> None:
    first = page.ask("/canaries.json?path=support-email&limit=3")
    second = page.ask(f"/canaries.json?path=support-email&limit=3&before={first.json()['next']}").json()
    together = page.ask("/canaries.json?path=support-email&limit=6").json()

    ids = [one["id"] for one in (*first.json()["canaries"], *second["canaries"])]
    assert ids == [one["id"] for one in together["canaries"]]
    assert {one["path"] for one in second["canaries"]} == {"support-email"}
    assert page.ask("/canaries.json?limit=501").status_code == 400


def test_canaries__link_to_the_next_ones_until_there_are_none(page: Asker) -> None:
    address, seen = "/canaries.json?path=support-email&limit=20", list[str]()
    while address:
        answer = page.ask(address)
        seen += [one["id"] for one in answer.json()["canaries"]]
        address = answer.links.get("next", {}).get("url", "")
        assert bool(address) == (answer.json()["next"] is not None)

    assert len(seen) > 40
    assert len(seen) == len(set(seen))
    whole = asyncio.run(page.scene.store.canaries(CanaryQuery(path=MAIL, limit=9999)))
    assert seen == [one.canary.id for one in whole]


@pytest.mark.parametrize("letters", [6, 8, 15])
def test_canary__is_found_by_the_last_letters_of_its_id(page: Asker, letters: int) -> None:
    word = page.newest(MAIL)

    assert page.ask(f"/canaries/{word[-letters:]}.json").json()["canary"]["id"] == word
    assert word in page.ask(f"/canaries/{word[-letters:]}").text
    assert page.ask(f"/canaries/{word[:15]}.json").status_code == 200


def test_canary__is_not_found_by_fewer_letters_and_that_is_said(page: Asker) -> None:
    answer = page.ask(f"/canaries/{page.newest(MAIL)[-5:]}.json")

    assert answer.status_code == 404
    assert "the last six letters" in answer.json()["errors"][0]["remedy"]


def test_incident__is_the_one_of_its_id(page: Asker) -> None:
    word = page.incident(BILLING)

    (found,) = shaped("incidents", page.ask(f"/incidents/{word}.json").json())["incidents"]

    assert (found["id"], found["path"], found["state"]) == (word, "billing-email", "open")


def test_path_that_is_called_like_a_file__is_still_a_path() -> None:
    page = asker()
    name = PathName("form.json")
    page.scene.paths[name] = page.scene.paths[FORM]

    assert "<!doctype" in page.ask("/paths/form.json").text
    assert page.ask("/paths/form.json", accept="application/json").json()["exit"] == 0


def test_secret_in_a_detail__is_masked_everywhere() -> None:
    page = Asker(
        asyncio.run(night(hours=2, detail=f"{HOSTILE} said {SECRET} https://x.example/?key={SECRET}"))
    )
    word = page.newest(MAIL, Verdict.BREACHED)

    for address in (
        "/status.json",
        "/canaries.json",
        f"/canaries/{word}.json",
        f"/canaries/{word}",
        "/canaries",
        "/",
    ):
        answer = page.ask(address)
        assert SECRET not in answer.text, address
        assert "<script>window" not in answer.text or address.endswith(".json")


def test_token_in_a_reply_s_text__is_shown_without_its_signature() -> None:
    token = "k" + "abcdefgh23456777" + "z" * 20
    page = Asker(asyncio.run(night(hours=2, detail=f"550 <{token}@probe.example> was refused")))
    word = page.newest(MAIL, Verdict.BREACHED)

    for address in (f"/canaries/{word}", f"/canaries/{word}.json", "/canaries.json"):
        text = page.ask(address).text
        assert "kabcdefgh23456777" in text
        assert token not in text
