"""The ping of a daemon, a minute."""

import asyncio
from collections.abc import Callable, Sequence

from runners.living import keep_pinging
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.test_pinging import Pinger


def told_within(seconds: float, problems: Callable[[FakeClock], Sequence[str]]) -> Pinger:
    """What somebody was told in the first seconds, of troubles that depend on the time."""
    clock = FakeClock()
    pinger = Pinger(clock)
    began = clock.monotonic()

    async def some_time() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(
                keep_pinging(lambda: problems(clock), [pinger], clock=clock, randomness=bytes)
            )
            await clock.sleep(began + seconds - clock.monotonic())
            task.cancel()

    run_jumping(clock, some_time())
    return pinger


def test_trouble_that_lasts__is_told_with_its_words_and_its_end_as_success() -> None:
    def until_a_minute(clock: FakeClock) -> Sequence[str]:
        return ["the store was not written", "nobody launches"] if clock.monotonic() < 1060 else []

    pinger = told_within(100, until_a_minute)

    assert pinger.told == [("failure", "the store was not written\nnobody launches"), ("success", "")]


def test_process_that_just_woke_up__is_well_once_it_has_beaten() -> None:
    def stuck_for_a_moment(clock: FakeClock) -> Sequence[str]:
        return ["the process is stuck"] if clock.monotonic() < 1001 else []

    assert told_within(30, stuck_for_a_moment).told == [("success", "")]


def test_work_that_is_done__is_told_each_minute() -> None:
    assert told_within(150, lambda _: []).told == [("success", "")] * 3
