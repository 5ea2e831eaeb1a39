"""The dead man's switch of a one-shot run: a ping when it begins, and one that says how it ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from typing import Any, Final, Protocol

from probes.contracts import Clock
from probes.servers import SecretUnavailable
from runners.contracts import StoreError
from runners.oneshot import RunResult

START_SECONDS: Final = 1.0
"""At the end, so long a start that is still under way is waited for: the end must not overtake it."""
END_SECONDS: Final = 5.0
"""How long the ping of the end may take."""
INTERRUPTED_SECONDS: Final = 2.0
"""The same, where somebody waits for us to go."""
_GOOD_EXITS: Final = frozenset({0, 1})
"""Success is that the prober did its work, also when it found the target broken."""

_log = logging.getLogger(__name__)


class RunPinger(Protocol):
    """Somebody else who misses a run that does not end."""

    async def start(self, run_id: str) -> bool:
        """The run begins."""
        ...

    async def success(self, run_id: str, text: str = "") -> bool:
        """It did its work."""
        ...

    async def failure(self, run_id: str, text: str = "") -> bool:
        """It did not; ``text`` says why."""
        ...


async def pinged(
    work: Callable[[], Awaitable[RunResult]], pingers: Sequence[RunPinger], *, clock: Clock, run_id: str
) -> RunResult:
    """Run ``work`` between two pings, a start that it does not wait for and an end.

    The end delays the exit by 6 s at most, by 2 s where the run was interrupted. What can't be pinged is logged.

    Args:
        work: the run.
        pingers: who is told; nobody: it only runs.
        clock: bounds the pings.
        run_id: a UUID, by which the receiver pairs the two.

    Raises:
        StoreError: as the run did; the failure was told.
        SecretUnavailable: likewise.
    """
    if not pingers:
        return await work()
    outcome: RunResult | StoreError | SecretUnavailable
    async with asyncio.TaskGroup() as group:
        starting = group.create_task(_all(one.start(run_id) for one in pingers))
        try:
            outcome = await work()
        except (StoreError, SecretUnavailable) as error:
            outcome = error
        except BaseException as error:
            starting.cancel()
            why = (
                "it was interrupted"
                if isinstance(error, asyncio.CancelledError)
                else f"a fault of the prober: {type(error).__name__}"
            )
            await _within(INTERRUPTED_SECONDS, clock, (one.failure(run_id, why) for one in pingers))
            raise
        is_interrupted = isinstance(outcome, RunResult) and outcome.interrupted_by is not None
        if not is_interrupted:
            await _settle(starting, clock)
        starting.cancel()
        seconds = INTERRUPTED_SECONDS if is_interrupted else END_SECONDS
        await _within(seconds, clock, (_end(one, run_id, outcome) for one in pingers))
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


async def _end(pinger: RunPinger, run_id: str, outcome: RunResult | Exception) -> bool:
    if isinstance(outcome, Exception):
        return await pinger.failure(run_id, str(outcome))
    number = len(outcome.records)
    said = f"exit {outcome.exit_code}: {number} {'canary' if number == 1 else 'canaries'} launched or settled"
    if outcome.exit_code in _GOOD_EXITS:
        return await pinger.success(run_id, said)
    return await pinger.failure(run_id, f"{said}\n{outcome.problem}" if outcome.problem else said)


async def _settle(starting: asyncio.Task[None], clock: Clock) -> None:
    try:
        async with clock.timeout(START_SECONDS):
            await asyncio.wait([starting])
    except TimeoutError:
        return


async def _within(seconds: float, clock: Clock, pings: Iterable[Coroutine[Any, Any, bool]]) -> None:
    try:
        async with clock.timeout(seconds):
            await _all(pings)
    except TimeoutError:
        _log.warning("heartbeat_failed", extra={"detail": f"no answer within {seconds:g} s"})


async def _all(pings: Iterable[Coroutine[Any, Any, bool]]) -> None:
    async with asyncio.TaskGroup() as group:
        for one in pings:
            group.create_task(one)
