"""Ctrl-C and SIGTERM as a cancellation of the work, which may then tidy up; a second one ends the program at once."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

_NUMBERS: Final = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stopped:
    """By which signal the work was cancelled; None: by none."""

    signal: int | None = None

    @property
    def exit_code(self) -> int:
        """What the process ends with (128 and the signal's number, as shells have it)."""
        return 128 + self.signal if self.signal is not None else 0


@asynccontextmanager
async def stoppable(*, is_patient: bool = False) -> AsyncIterator[Stopped]:
    """Within this scope the first of the two signals cancels the work; the scope then ends as if it were done.

    Args:
        is_patient: a second one changes nothing: the work ends soon by itself.
    """
    stopped = Stopped()
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("no task to stop")

    def release() -> None:
        for number in _NUMBERS:
            loop.remove_signal_handler(number)

    def stop(number: int) -> None:
        if stopped.signal is not None:
            return
        stopped.signal = number
        if not is_patient:
            release()
        task.cancel()

    for number in _NUMBERS:
        loop.add_signal_handler(number, stop, number)
    try:
        yield stopped
    except asyncio.CancelledError:
        if stopped.signal is None:
            raise
        task.uncancel()
    finally:
        release()
