"""Clean-up: what a list does not tell is read alone, and removals side by side don't mix up their words."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Disposed, RemovalState
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.generic.test_doubts import CLOSE, HEAD, Desk

UNTAGGED_LIST = f"""{HEAD}
find: {{wide: {{get: /tickets, rows: tickets}}}}
clean:
  read: {{get: "/t/{{{{ ticket.id }}}}", ticket: {{open: open, tags: tags}}}}
  close: [{{post: /close, batch: 10, json: {{ids: "{{{{ ids }}}}"}}}}]
"""


@pytest.mark.parametrize("was_open", [True, False])
@pytest.mark.parametrize(("sets_tags", "state"), [(True, RemovalState.DONE), (False, RemovalState.FAILED)])
def test_batch_whose_list_tells_no_tags__is_done_only_where_what_is_read_alone_has_them(
    tmp_path: Path, was_open: bool, sets_tags: bool, state: RemovalState
) -> None:
    desk = Desk(tmp_path, UNTAGGED_LIST)
    canary = new_canary(desk.clock.now())
    row = desk.row(canary, open=was_open)
    tags: list[str] = []

    def close(_: httpx.Request) -> tuple[int, object]:
        row["open"] = False
        if sets_tags:
            tags.append("synthetic")
        return 200, {}

    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [row]}),
        "/t/7": lambda _: (200, {**row, "tags": tags}),
        "/close": close,
    }

    async def work(system: Generic) -> RemovalState:
        look = await system.find([canary], Depth.DEADLINE)
        return (await system.dispose(look.tickets, CLOSE))[0].state

    assert desk.run(work) is state
    assert "POST /close" in desk.asked


def test_removals_side_by_side__each_name_their_own_request(tmp_path: Path) -> None:
    desk = Desk(
        tmp_path,
        f"""{HEAD}
find: {{wide: {{get: /tickets, rows: tickets}}}}
clean:
  read: {{get: "/t/{{{{ ticket.id }}}}"}}
  verify: {{for: 5s}}
  close: [{{post: "/t/{{{{ ticket.id }}}}/close"}}]
""",
    )
    canaries = [new_canary(desk.clock.now()) for _ in range(2)]
    rows = {str(number): desk.row(one, str(number)) for number, one in enumerate(canaries)}
    desk.answers = {"/tickets": lambda _: (200, {"tickets": [*rows.values()]})}
    for number in rows:
        desk.answers[f"/t/{number}"] = lambda request: (200, rows[request.url.path[-1]])
        desk.answers[f"/t/{number}/close"] = lambda _: (200, {})  # taken, and not made

    async def work(system: Generic) -> list[Disposed]:
        look = await system.find(canaries, Depth.DEADLINE)
        async with asyncio.TaskGroup() as group:
            removals = [group.create_task(_removed(system, [one])) for one in look.tickets]
        return [one for removal in removals for one in removal.result()]

    async def _removed(system: Generic, tickets: Sequence[object]) -> Sequence[Disposed]:
        return await system.dispose(tickets, CLOSE)  # type: ignore[arg-type]

    for one in desk.run(work):
        assert one.state is RemovalState.FAILED
        assert f"/t/{one.ref.id}/close answered 200" in one.detail


def test_batches__each_name_the_answer_to_their_own(tmp_path: Path) -> None:
    desk = Desk(tmp_path, UNTAGGED_LIST.replace("batch: 10", "batch: 1"))
    canaries = [new_canary(desk.clock.now()) for _ in range(2)]
    rows = {str(number): desk.row(one, str(number), tags=[]) for number, one in enumerate(canaries)}
    desk.answers = {
        "/tickets": lambda _: (200, {"tickets": [*rows.values()]}),
        "/close": lambda request: (201 if json.loads(request.content)["ids"] == ["0"] else 202, {}),
    }
    for number in rows:
        desk.answers[f"/t/{number}"] = lambda request: (200, rows[request.url.path[-1]])

    async def work(system: Generic) -> list[str]:
        look = await system.find(canaries, Depth.DEADLINE)
        return [one.detail for one in await system.dispose(look.tickets, CLOSE)]

    first, second = desk.run(work)

    assert "/close answered 201" in first
    assert "/close answered 202" in second
