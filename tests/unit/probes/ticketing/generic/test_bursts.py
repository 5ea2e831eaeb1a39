"""Vendors that allow a few calls a second: what begins anew in a moment is waited for, what does not is told."""

import json
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Blind
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.generic_desks import configured, opened

CONFIGURATION = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject}
find: {all: {get: /tickets, rows: tickets}}
sight: [{get: /me, must: tickets}, {get: /tickets, tickets: tickets}]
"""


class Burst:
    """Allows so many calls in so many seconds, and tells it in its headers; more is refused."""

    def __init__(self, clock: FakeClock, *, calls: int, seconds: float) -> None:
        self._clock = clock
        self._calls, self._seconds = calls, seconds
        self._began, self._left = clock.monotonic(), calls
        self.refused = 0

    def __call__(self, _: httpx.Request) -> httpx.Response:
        now = self._clock.monotonic()
        if now - self._began >= self._seconds:
            self._began, self._left = now, self._calls
        if self._left == 0:
            self.refused += 1
            return httpx.Response(429)
        self._left -= 1
        told = {
            "RateLimit-Limit": str(self._calls),
            "RateLimit-Remaining": str(self._left),
            "RateLimit-Reset": str(max(1, round(self._began + self._seconds - now))),
        }
        body = {"tickets": [{"id": "1", "subject": "a stranger's"}]}
        return httpx.Response(200, content=json.dumps(body), headers=told)


def look(folder: Path, *, calls: int, seconds: float) -> tuple[Burst, bool, float]:
    """One wide look of three calls: the desk, whether the look was whole, and how long it took."""
    clock = FakeClock()
    desk = Burst(clock, calls=calls, seconds=seconds)
    config = configured(folder, CONFIGURATION)

    async def main() -> bool:
        async with opened(config, clock=clock, transport=Answering(desk)) as system:
            return (await system.find([new_canary(clock.now())], Depth.DEADLINE)).is_complete

    began = clock.monotonic()
    is_complete = run_jumping(clock, main())
    return desk, is_complete, clock.monotonic() - began


@pytest.mark.parametrize(("calls", "seconds"), [(1, 1.0), (2, 1.0), (2, 4.0), (10, 1.0)])
def test_window_that_begins_anew_in_a_moment__is_waited_for_and_the_look_is_whole(
    tmp_path: Path, calls: int, seconds: float
) -> None:
    desk, is_complete, _ = look(tmp_path, calls=calls, seconds=seconds)

    assert is_complete
    assert desk.refused == 0


def test_window_that_lasts__is_told_at_once_with_the_time_to_wait(tmp_path: Path) -> None:
    with pytest.raises(Blind, match="begins anew") as caught:
        look(tmp_path, calls=1, seconds=60.0)

    assert caught.value.status == 429
    assert caught.value.retry_after_seconds == pytest.approx(60, abs=1)


LONG = """
url: https://desk.acme.test
cleanup: none
ticket: {id: id, subject: subject, requester: from, created_at: at}
find:
  wide:
    get: /tickets
    rows: tickets
    max_reads: 100
    page: {cursor: {pick: next, into: {query: c}}}
    read: [{get: "/t/{{ ticket.id }}", ticket: {body: text}}]
"""
ROWS = 90
PAGE = 40


def test_look_that_must_wait_for_longer_than_it_may_take__ends_with_what_it_has_and_the_next_goes_on(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    desk = Burst(clock, calls=2, seconds=1.0)
    config = configured(tmp_path, LONG)
    canary = new_canary(clock.now())
    at = clock.now().isoformat()
    names = [*(f"n{number}" for number in range(ROWS)), "ours"]
    rows = [{"id": one, "subject": "hi", "from": "x@y.example", "at": at} for one in names]

    def handle(request: httpx.Request) -> httpx.Response:
        answer = desk(request)
        if answer.status_code != 200:
            return answer
        path = request.url.path
        if path.startswith("/t/"):
            body: object = {"text": canary.subject_prefix if path == "/t/ours" else "nothing"}
        else:
            after = request.url.params.get("c")
            first = names.index(after) + 1 if after else 0
            shown = rows[first : first + PAGE]
            body = {"tickets": shown, "next": shown[-1]["id"] if first + PAGE < len(rows) else None}
        return httpx.Response(200, content=json.dumps(body), headers=answer.headers)

    async def main() -> tuple[int, list[str]]:
        async with opened(config, clock=clock, transport=Answering(handle), walks=MemoryStore()) as system:
            for count in range(1, 12):
                clock.advance(5)
                try:
                    async with clock.timeout(30):
                        look = await system.find([canary], Depth.DEADLINE)
                except Blind:
                    continue
                if look.tickets:
                    return count, [one.ref.id for one in look.tickets]
            return 12, []

    count, found = run_jumping(clock, main())

    assert found == ["ours"]
    assert count <= 5
    assert desk.refused == 0
