"""A launch that another process has taken over goes no further, however this one was kept from noticing."""

import asyncio
from collections.abc import Callable

import pytest

from canary.observation import Observation
from runners.contracts import StoreError
from runners.lease import LeasedReport
from tests.contracts.store_cases import make_canary, seen_at
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

CANARY = make_canary()
SEEN = seen_at(CANARY)


def reported_after(pause: Callable[[FakeClock], None], *, taken_over: bool) -> list[Observation]:
    """Report a hop, pause in the middle of the next one, and report that, too."""
    clock, store, told = FakeClock(), MemoryStore(), list[Observation]()

    async def keep(*observations: Observation) -> None:
        told.extend(observations)

    async def main() -> None:
        await store.record(CANARY, holder="a", lease_until=CANARY.deadline_at)
        report = LeasedReport(CANARY, keep, store, clock=clock, lease_seconds=30.0)
        await report(SEEN)
        pause(clock)
        if taken_over:
            await store.launch_ended(CANARY.id)
        await report(SEEN)

    asyncio.run(main())
    return told


def stopped(clock: FakeClock) -> None:
    """SIGSTOP: both clocks go on."""
    clock.advance(40)


def suspended(clock: FakeClock) -> None:
    """The machine slept: only the wall clock tells."""
    clock.step(40)


@pytest.mark.parametrize("pause", [stopped, suspended])
def test_launch_taken_over_meanwhile__report__ends_the_launch(pause: Callable[[FakeClock], None]) -> None:
    with pytest.raises(StoreError, match="Nothing more is sent"):
        reported_after(pause, taken_over=True)


@pytest.mark.parametrize("pause", [stopped, suspended])
def test_launch_still_ours_after_a_pause__report__goes_on(pause: Callable[[FakeClock], None]) -> None:
    assert reported_after(pause, taken_over=False) == [SEEN, SEEN]


def test_awake_all_the_time__report__does_not_ask_the_store() -> None:
    assert reported_after(lambda clock: clock.advance(5), taken_over=True) == [SEEN, SEEN]
