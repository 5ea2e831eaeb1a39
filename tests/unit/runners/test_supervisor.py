"""Loops that fail are told of, begun again after growing pauses, and are nobody else's end."""

import asyncio

import pytest

from runners.contracts import StoreError
from runners.supervisor import Supervisor
from tests.fakes.clock import FakeClock, run_jumping


def test_loop_that_keeps_failing__is_begun_again_after_pauses_that_double_to_a_minute() -> None:
    clock = FakeClock()
    begun: list[float] = []
    told: list[tuple[str, str]] = []

    async def fail() -> None:
        begun.append(clock.monotonic() - 1000.0)
        raise StoreError("store: the disk is full. Free space.")

    async def main() -> None:
        supervisor = Supervisor(clock=clock, mask=str, failed=lambda *words: told.append(words))
        async with asyncio.TaskGroup() as group:
            kept = group.create_task(supervisor.keep("watch", fail))
            await clock.sleep(200)
            assert supervisor.problems() == [
                "watch stopped and is begun again: store: the disk is full. Free space."
            ]
            kept.cancel()

    run_jumping(clock, main())

    assert begun == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]
    assert set(told) == {("watch", "store: the disk is full. Free space.")}


def test_loop_that_runs_again__is_no_problem_any_more() -> None:
    clock = FakeClock()
    tries = 0

    async def fail_once() -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("secret word")
        await asyncio.Event().wait()

    async def main() -> None:
        supervisor = Supervisor(
            clock=clock, mask=lambda text: text.replace("secret", "***"), failed=lambda *_: None
        )
        async with asyncio.TaskGroup() as group:
            kept = group.create_task(supervisor.keep("gauges", fail_once))
            await clock.sleep(0.5)
            assert supervisor.problems() == ["gauges stopped and is begun again: ValueError: *** word"]
            await clock.sleep(3)
            assert supervisor.problems() == []
            kept.cancel()

    run_jumping(clock, main())


def test_loop_that_returns__has_failed_too() -> None:
    clock = FakeClock()
    told: list[str] = []

    async def end() -> None:
        return

    async def main() -> None:
        supervisor = Supervisor(clock=clock, mask=str, failed=lambda _, problem: told.append(problem))
        async with asyncio.TaskGroup() as group:
            kept = group.create_task(supervisor.keep("schedule", end))
            await clock.sleep(0.5)
            kept.cancel()

    run_jumping(clock, main())

    assert told == ["it ended by itself"]


def test_cancelled_loop__passes_the_cancellation_on() -> None:
    clock = FakeClock()

    async def wait() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        supervisor = Supervisor(clock=clock, mask=str, failed=lambda *_: None)
        async with asyncio.TaskGroup() as group:
            kept = group.create_task(supervisor.keep("watch", wait))
            await clock.sleep(1)
            kept.cancel()
            with pytest.raises(asyncio.CancelledError):
                await kept

    run_jumping(clock, main())


def test_one_launch_that_fails__is_told_and_ends_nothing() -> None:
    clock = FakeClock()
    told: list[tuple[str, str]] = []

    async def fail() -> None:
        raise KeyError("no such path")

    async def main() -> None:
        supervisor = Supervisor(clock=clock, mask=str, failed=lambda *words: told.append(words))
        await supervisor.once("launch of support-mail", fail)

    run_jumping(clock, main())

    assert told == [("launch of support-mail", "KeyError: 'no such path'")]
