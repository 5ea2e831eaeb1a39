"""Open pages hear of every change, in bounded memory, and end when told."""

import asyncio

import pytest

from runners.web.events import (
    HEARTBEAT_SECONDS,
    LIFE_SECONDS,
    MOST_READERS,
    Broadcaster,
    TooManyReaders,
    stream,
)
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.page_scene import Scene
from tests.unit.runners.web.asked import Asker

CHANGED = b"event: changed\ndata: verdict\n\n"


def test_change__is_told_to_every_reader() -> None:
    async def told() -> list[bytes]:
        broadcaster, clock = Broadcaster(), FakeClock()
        readers = [stream(broadcaster, clock) for _ in range(3)]
        for one in readers:
            assert (await anext(one)).startswith(b"retry: ")
        broadcaster.note("verdict")
        return [await anext(one) for one in readers]

    assert asyncio.run(told()) == [CHANGED] * 3


def test_burst_of_changes__is_one_event_for_a_slow_reader() -> None:
    async def told() -> list[bytes]:
        broadcaster, clock = Broadcaster(), FakeClock()
        reader = stream(broadcaster, clock)
        await anext(reader)
        for _ in range(10_000):
            broadcaster.note("verdict")
        first = await anext(reader)
        async with clock.jumping():
            return [first, await anext(reader)]

    assert asyncio.run(told()) == [CHANGED, b": still here\n\n"]


def test_silence__is_a_comment_every_fifteen_seconds() -> None:
    clock = FakeClock()

    async def told() -> list[bytes]:
        reader = stream(Broadcaster(), clock)
        return [await anext(reader) for _ in range(4)]

    began = clock.monotonic()
    assert run_jumping(clock, told())[1:] == [b": still here\n\n"] * 3
    assert clock.monotonic() - began == 3 * HEARTBEAT_SECONDS


def test_stream__ends_after_ten_minutes() -> None:
    clock = FakeClock()

    async def told() -> int:
        return len([one async for one in stream(Broadcaster(), clock)])

    began = clock.monotonic()
    assert run_jumping(clock, told()) == 41
    assert clock.monotonic() - began == LIFE_SECONDS == 600.0


def test_kind_with_a_line_break__is_still_one_event() -> None:
    async def told() -> bytes:
        broadcaster = Broadcaster()
        reader = stream(broadcaster, FakeClock())
        await anext(reader)
        broadcaster.note("a\n\nevent: forged")
        return await anext(reader)

    assert asyncio.run(told()) == b"event: changed\ndata: a  event: forged\n\n"


def test_reader_that_goes__is_forgotten() -> None:
    async def left() -> int:
        broadcaster = Broadcaster()
        reader = stream(broadcaster, FakeClock())
        await anext(reader)
        assert broadcaster.readers == 1
        await reader.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
        return broadcaster.readers

    assert asyncio.run(left()) == 0


def test_end__reaches_readers_that_wait_and_those_to_come() -> None:
    async def ended() -> list[list[bytes]]:
        broadcaster, clock = Broadcaster(), FakeClock()
        waiting = stream(broadcaster, clock)
        await anext(waiting)
        broadcaster.note("verdict")
        broadcaster.close()
        return [[one async for one in waiting], [one async for one in stream(broadcaster, clock)][1:]]

    assert asyncio.run(ended()) == [[], []]


def test_too_many_readers__are_refused() -> None:
    async def refused() -> None:
        broadcaster, clock = Broadcaster(), FakeClock()
        readers = [stream(broadcaster, clock) for _ in range(MOST_READERS)]
        for one in readers:
            await anext(one)
        with pytest.raises(TooManyReaders):
            await anext(stream(broadcaster, clock))

    asyncio.run(refused())


def test_events__are_refused_with_the_remedy_when_too_many_pages_are_open() -> None:
    page = Asker(Scene())
    for _ in range(MOST_READERS):
        page.scene.events._readers.add(asyncio.Queue())

    answer = page.ask("/events")

    assert answer.status_code == 503
    assert "every minute" in answer.text


def test_changes__are_counted_also_without_a_reader() -> None:
    broadcaster = Broadcaster()
    broadcaster.note("verdict")
    broadcaster.note("incident")

    assert broadcaster.changes == 2


def test_incident_that_turns__makes_what_was_shown_before_of_no_use_and_a_canary_does_not() -> None:
    broadcaster = Broadcaster()

    broadcaster.note("canaries")
    before = broadcaster.turns
    broadcaster.note("incidents")
    broadcaster.note("health")

    assert (before, broadcaster.turns, broadcaster.changes) == (0, 2, 3)


def test_page_that_is_opened_anew__has_live_readers_again() -> None:
    async def heard() -> bytes:
        broadcaster, clock = Broadcaster(), FakeClock()
        broadcaster.close()
        broadcaster.reopen()
        reader = stream(broadcaster, clock)
        await anext(reader)
        broadcaster.note("verdict")
        return await anext(reader)

    assert asyncio.run(heard()) == CHANGED
