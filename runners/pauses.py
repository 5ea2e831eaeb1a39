"""Pauses: times in which this process did not run, and steps of the machine's clock. While they last nobody probes."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from probes.contracts import Clock

_log = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
LEAST = timedelta(seconds=5)
"""A beat that is later than that is a pause."""
STEP = timedelta(seconds=2)
"""The wall clock may depart so far from the monotonic one before it counts as set."""


class PauseKind(StrEnum):
    """What happened."""

    STOOD_STILL = "stood_still"
    """The process was stopped (SIGSTOP), or the machine too busy to run it."""
    SUSPENDED = "suspended"
    """The machine slept."""
    SET_FORWARD = "set_forward"
    SET_BACK = "set_back"


@dataclass(frozen=True, slots=True)
class Pause:
    """One of them; ``span`` is how long, or by how much."""

    kind: PauseKind
    at: datetime
    span: timedelta

    @property
    def words(self) -> str:
        """It in a sentence."""
        seconds = f"{self.span.total_seconds():.0f} s"
        match self.kind:
            case PauseKind.STOOD_STILL:
                return f"this process stood still for {seconds} until {self.at:%Y-%m-%d %H:%M:%S} UTC; it probed nothing meanwhile"
            case PauseKind.SUSPENDED:
                return f"the machine was suspended for {seconds} until {self.at:%Y-%m-%d %H:%M:%S} UTC; it probed nothing meanwhile"
            case PauseKind.SET_FORWARD:
                return f"the clock was set forward by {seconds} at {self.at:%Y-%m-%d %H:%M:%S} UTC; slots between were missed"
            case PauseKind.SET_BACK:
                return (
                    f"the clock was set back by {seconds} at {self.at:%Y-%m-%d %H:%M:%S} UTC; slots that it passes again"
                    " are launched, but for those that have a canary"
                )


class PauseWatch:
    """Beats once a second and tells of every pause.

    Args:
        clock: the wall clock and the monotonic one. On Linux that one stands still while the machine sleeps.
        since_boot: seconds that the machine is up, its sleep included (CLOCK_BOOTTIME); tells sleep from a set clock.
        beat: called at each beat, with the time.
        paused: hears of a pause.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        since_boot: Callable[[], float],
        beat: Callable[[datetime], None],
        paused: Callable[[Pause], None],
    ) -> None:
        self._clock = clock
        self._since_boot = since_boot
        self._beat = beat
        self._paused = paused

    async def run(self) -> None:
        """Beat for ever; cancel it to stop."""
        wall, steady, boot = self._clock.now(), self._clock.monotonic(), self._since_boot()
        while True:
            await self._clock.sleep(BEAT_SECONDS)
            before = (wall, steady, boot)
            wall, steady, boot = self._clock.now(), self._clock.monotonic(), self._since_boot()
            for pause in _pauses(before, (wall, steady, boot)):
                if pause.kind in {PauseKind.SET_FORWARD, PauseKind.SET_BACK}:
                    _log.warning(
                        "clock_stepped", extra={"seconds": pause.span.total_seconds(), "detail": pause.words}
                    )
                self._paused(pause)
            self._beat(wall)


def _pauses(before: tuple[datetime, float, float], now: tuple[datetime, float, float]) -> list[Pause]:
    at = now[0]
    awake = timedelta(seconds=now[1] - before[1])
    asleep = timedelta(seconds=(now[2] - before[2])) - awake
    moved = (now[0] - before[0]) - awake - asleep
    found = []
    if awake - timedelta(seconds=BEAT_SECONDS) >= LEAST:
        found.append(Pause(PauseKind.STOOD_STILL, at, awake - timedelta(seconds=BEAT_SECONDS)))
    if asleep >= LEAST:
        found.append(Pause(PauseKind.SUSPENDED, at, asleep))
    if moved > STEP:
        found.append(Pause(PauseKind.SET_FORWARD, at, moved))
    elif moved < -STEP:
        found.append(Pause(PauseKind.SET_BACK, at, -moved))
    return found
