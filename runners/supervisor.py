"""Keep loops alive: one that fails is told of, and begun again after a pause that grows while it keeps failing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from probes.contracts import Clock
from runners.contracts import StoreError

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0
WELL_SECONDS = 300.0
"""A loop that lived for so long is well again: its next failure is the first one."""

_BY_ITSELF = "it ended by itself"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Loop:
    failures: int = 0
    problem: str | None = None


class Supervisor:
    """Runs loops; one of the three places that catch every exception, with `runners.launch` and what is done at a place (`runners.place_faults`)."""

    def __init__(
        self, *, clock: Clock, mask: Callable[[str], str], failed: Callable[[str, str], None]
    ) -> None:
        """Keep the parts; ``failed`` hears the loop's name and what went wrong."""
        self._clock = clock
        self._mask = mask
        self._failed = failed
        self._loops: dict[str, _Loop] = {}

    def problems(self) -> Sequence[str]:
        """What is not running right now, a sentence each."""
        return [
            f"{name} stopped and is begun again: {loop.problem}"
            for name, loop in sorted(self._loops.items())
            if loop.problem is not None
        ]

    async def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` again and again, until cancelled; it is a loop, so its return counts as a failure too."""
        loop = self._loops.setdefault(name, _Loop())
        while True:
            began = self._clock.monotonic()
            problem = await self._ended(name, work, loop)
            if self._clock.monotonic() - began >= WELL_SECONDS:
                loop.failures = 0
            pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**loop.failures)
            loop.failures = min(loop.failures + 1, 16)
            loop.problem = problem
            self._failed(name, problem)
            await self._clock.sleep(pause)

    async def once(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run ``work`` once; what goes wrong in it is told, and is nobody else's end."""
        began = _Loop()
        problem = await self._ended(name, work, began)
        if problem != _BY_ITSELF:
            self._failed(name, problem)

    async def _ended(self, name: str, work: Callable[[], Awaitable[None]], loop: _Loop) -> str:
        problem = _BY_ITSELF
        try:
            async with asyncio.TaskGroup() as group:
                healing = group.create_task(self._well(loop))
                await work()
                healing.cancel()
        except* StoreError as errors:
            problem = self._mask(str(_first(errors)))
        except* Exception as errors:  # noqa: BLE001 -- a fault of one loop ends no other
            _log.exception("loop_failed", extra={"place": name})
            problem = self._mask(f"{type(_first(errors)).__name__}: {_first(errors)}")
        return problem

    async def _well(self, loop: _Loop) -> None:
        """What runs for a while after its pause is no problem any more."""
        await self._clock.sleep(FIRST_PAUSE_SECONDS)
        loop.problem = None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
