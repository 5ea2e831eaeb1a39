"""Pauses of the process and steps of the clock, told apart by three clocks."""

import asyncio
from datetime import datetime

import pytest

from runners.pauses import Pause, PauseKind, PauseWatch
from tests.fakes.clock import FakeClock, run_jumping


@pytest.mark.parametrize(
    ("still", "wall", "boot", "kinds"),
    [
        (0.0, 0.0, 0.0, []),
        (4.0, 0.0, 0.0, []),
        (60.0, 0.0, 0.0, [(PauseKind.STOOD_STILL, 60.0)]),
        (0.0, 600.0, 600.0, [(PauseKind.SUSPENDED, 600.0)]),
        (0.0, 3600.0, 0.0, [(PauseKind.SET_FORWARD, 3600.0)]),
        (0.0, -3600.0, 0.0, [(PauseKind.SET_BACK, 3600.0)]),
        (0.0, 1.5, 0.0, []),
        (30.0, -10.0, 0.0, [(PauseKind.STOOD_STILL, 30.0), (PauseKind.SET_BACK, 10.0)]),
        (0.0, 500.0, 600.0, [(PauseKind.SUSPENDED, 600.0), (PauseKind.SET_BACK, 100.0)]),
    ],
)
def test_between_two_beats__what_happened_is_named_with_its_length(
    still: float, wall: float, boot: float, kinds: list[tuple[PauseKind, float]]
) -> None:
    clock = FakeClock()
    slept = 0.0
    found: list[Pause] = []
    beats: list[datetime] = []

    async def main() -> None:
        nonlocal slept
        watch = PauseWatch(
            clock=clock,
            since_boot=lambda: clock.monotonic() + slept,
            beat=beats.append,
            paused=found.append,
        )
        async with asyncio.TaskGroup() as group:
            running = group.create_task(watch.run())
            await clock.sleep(5.5)
            clock.advance(still)
            clock.step(wall)
            slept += boot
            await clock.sleep(5)
            running.cancel()

    run_jumping(clock, main())

    assert [(one.kind, round(one.span.total_seconds())) for one in found] == [
        (kind, round(seconds)) for kind, seconds in kinds
    ]
    assert len(beats) >= 9
    assert all("UTC" in one.words for one in found)
