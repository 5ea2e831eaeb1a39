"""Answers that no system should give: they blind the one system, and never end the loop that watches all."""

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Blind, Look
from probes.http_dates import retry_after_seconds
from probes.ticketing.generic.conversions import resets_at, whole_of
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
REST = """
url: https://desk.acme.test
secrets: {key: {env: KEY}}
ticket: {id: id, subject: subject, files: {rows: files, name: name, url: at}}
cleanup: none
find: {all: {get: /tickets, rows: tickets}}
"""


def looked(folder: Path, answer: httpx.Response, *, key: str = "key-of-the-tests") -> object:
    clock = FakeClock()
    generic = configured(
        folder, f'auth: {{headers: {{X-Key: "{{{{ secret.key }}}}"}}}}\n{REST}', {"KEY": key}
    )

    async def main() -> object:
        async with opened(generic, clock=clock, transport=Answering(lambda _: answer)) as system:
            return await system.find([new_canary(clock.now())], Depth.DEADLINE)

    return run_jumping(clock, main())


def repr_short(value: object) -> str:
    return f"{type(value).__name__}-{str(value)[:5]}"


@pytest.mark.parametrize("value", [float("inf"), float("nan"), "1" * 31])
def test_number_beyond_all_bounds__is_another_kind_of_value(value: object) -> None:
    with pytest.raises(Blind, match="whole number"):
        whole_of(value, "budget.left")


@pytest.mark.parametrize(
    "value", ["1e999", "nan", "²", float("nan"), float("inf"), 10**400, "9" * 400, -1e20], ids=repr_short
)
def test_reset_beyond_all_bounds__is_none_or_within_a_calendar(value: object) -> None:
    try:
        found = resets_at(value, NOW, "reset")
    except Blind:
        return
    assert found is None or found.tzinfo is not None


def test_credential_that_no_header_can_hold__is_told_by_the_header_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(Blind, match="X-Key") as caught:
        looked(tmp_path, httpx.Response(200, json={"tickets": []}), key="schlüssel-of-the-tests")

    assert "schl" not in str(caught.value)


@pytest.mark.parametrize("place", ["https://[bad/", "http://[", "https://h:port/"])
def test_redirect_to_what_is_no_address__is_blindness(tmp_path: Path, place: str) -> None:
    with pytest.raises(Blind):
        looked(tmp_path, httpx.Response(302, headers={"Location": place}))


@pytest.mark.parametrize("value", ["9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"], ids=["number", "date"])
def test_wait_without_end__is_a_month(value: str) -> None:
    assert retry_after_seconds({"Retry-After": value}, now=NOW) == 31 * 86400


@pytest.mark.parametrize(
    "place", ["https://[bad/", "//[bad/", "//cdn.test/1", "https://cdn.test/1", "/files/1", "ftp://x/1"]
)
def test_file_that_lies_elsewhere_or_nowhere__is_not_compared_and_blinds_nobody(
    tmp_path: Path, place: str
) -> None:
    clock = FakeClock()
    canary = new_canary(clock.now())
    row = {"id": 1, "subject": canary.subject_prefix, "files": [{"name": "a.pdf", "at": place}]}
    asked: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.path == "/tickets":
            return httpx.Response(200, json={"tickets": [row]})
        return httpx.Response(302, headers={"Location": "https://temporary.storage.test/1?signature=x"})

    async def main() -> Look:
        generic = configured(tmp_path, f"secrets: {{}}{REST}".replace("secrets: {key: {env: KEY}}\n", ""))
        async with opened(generic, clock=clock, transport=Answering(handle)) as system:
            return await system.find([canary], Depth.DEADLINE)

    look = run_jumping(clock, main())

    (ticket,) = look.tickets
    assert [(one.name, one.sha256) for one in ticket.attachments or ()] == [("a.pdf", None)]
    assert look.is_complete
    assert set(asked) == {"desk.acme.test"}


FOLLOWED = frozenset({"http://\ud800/", "https://h:99999999/"})
"""Without what stands before the path."""


@pytest.mark.parametrize("link", ["//[bad/", "https://[bad/", "/x\x00", *sorted(FOLLOWED)])
@pytest.mark.parametrize("path_only", ["false", "true"])
def test_link_that_is_no_address__blinds_the_one_system_or_is_lost(
    tmp_path: Path, link: str, path_only: str
) -> None:
    clock = FakeClock()
    text = REST.replace(
        "rows: tickets}}", f"rows: tickets, page: {{next: {{pick: next, path_only: {path_only}}}}}}}}}"
    )
    generic = configured(tmp_path, text, {"KEY": "key-of-the-tests"})
    rows = [{"id": 1, "subject": "order"}]

    def answered(request: httpx.Request) -> httpx.Response:
        is_first = request.url.path == "/tickets"
        body = json.dumps({"tickets": rows, "next": link} if is_first else {"tickets": [], "next": None})
        return httpx.Response(200, content=body.encode(), headers={"content-type": "application/json"})

    looks: list[Look] = []

    async def main() -> None:
        async with opened(generic, clock=clock, transport=Answering(answered)) as system:
            with contextlib.suppress(Blind):
                looks.append(await system.find([new_canary(clock.now())], Depth.DEADLINE))

    run_jumping(clock, main())

    assert any(one.is_complete for one in looks) is (path_only == "true" and link in FOLLOWED)


READINGS = {
    "path": "get: '/t/{{ ticket.id }}'",
    "whole path": "get: '{{ ticket.id }}'",
    "query": "get: /t, query: {id: '{{ ticket.id }}'}",
    "form": "post: /t, form: {id: '{{ ticket.id }}'}",
    "body": "post: /t, json: {id: '{{ ticket.id }}'}",
    "header": "get: /t, headers: {X-Id: '{{ ticket.id }}'}",
}


@pytest.mark.parametrize("reading", sorted(READINGS))
def test_half_a_character__is_a_stranger_whose_ticket_can_not_be_read(tmp_path: Path, reading: str) -> None:
    clock = FakeClock()
    text = f"{REST}read: [{{{READINGS[reading]}, ticket: {{body: body}}}}]\n"
    generic = configured(tmp_path, text, {"KEY": "key-of-the-tests"})
    ours = new_canary(clock.now())

    def answered(request: httpx.Request) -> httpx.Response:
        rows = [{"id": "\ud800", "subject": "order"}, {"id": "7", "subject": ours.subject_prefix}]
        body = json.dumps({"tickets": rows} if request.url.path == "/tickets" else {"body": "order"})
        return httpx.Response(200, content=body.encode(), headers={"content-type": "application/json"})

    async def main() -> None:
        async with opened(generic, clock=clock, transport=Answering(answered)) as system:
            for look in (
                lambda: system.find([ours], Depth.DEADLINE),
                lambda: system.glance(clock.now()),
                system.check,
            ):
                with contextlib.suppress(Blind):
                    assert await look()

    run_jumping(clock, main())
