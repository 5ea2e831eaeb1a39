"""Pieces that the guide shows in one line, tried: a cursor in a header, a budget in one header, times in milliseconds."""

import re
from datetime import timedelta
from pathlib import Path

import httpx

from canary.observation import Depth
from probes.contracts import Budget, Look
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import GUIDES, configured, opened

GUIDE = (GUIDES / "ticketing-http.md").read_text(encoding="utf-8")


def piece(pattern: str) -> str:
    """What the guide shows."""
    found = re.search(pattern, GUIDE, re.MULTILINE)
    assert found is not None
    return found[1]


def test_pieces_of_the_guide__do_what_it_says(tmp_path: Path) -> None:
    clock = FakeClock()
    canary = new_canary(clock.now())
    created = int(clock.now().timestamp() * 1000)
    page, time = (
        piece(r"a cursor in a header \| `(page: .+?)`: "),
        piece(r"`(created_at: .+?epoch_ms\}\})`"),
    )
    one = piece(r"^  (one: \{from: .+\})$")
    system = f"""
url: https://desk.acme.test
ticket: {{id: id, subject: subject, {time}}}
cleanup: none
find: {{all: {{get: /tickets, rows: tickets, {page}}}}}
budget: {{{one}}}
"""

    def handle(request: httpx.Request) -> httpx.Response:
        headers = {"RateLimit": "limit=100, remaining=40, reset=30"}
        if "cursor" not in request.url.params:
            return httpx.Response(200, json={"tickets": []}, headers={**headers, "X-Next-Cursor": "two"})
        row = {"id": 1, "subject": canary.subject_prefix, "created": created}
        return httpx.Response(200, json={"tickets": [row]}, headers=headers)

    async def main() -> tuple[Look, list[Budget]]:
        async with opened(configured(tmp_path, system), clock=clock, transport=Answering(handle)) as desk:
            return await desk.find([canary], Depth.DEADLINE), list(desk.budget())

    look, budget = run_jumping(clock, main())

    assert [(one.remote_created_at, look.is_complete) for one in look.tickets] == [(clock.now(), True)]
    assert budget == [Budget("one", 40, 100, clock.now() + timedelta(seconds=30))]
