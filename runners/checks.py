"""Run every check at once, each within a limit, and hand each finding over as it comes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter

from probes.contracts import Check, CheckState, Clock
from probes.masking import Masker

LIMIT_SECONDS = 60.0
"""How long one source of checks may take: a login and a few commands, each with limits of its own."""
AT_ONCE = 8
"""How many sources are asked at the same time."""


@dataclass(frozen=True, slots=True)
class CheckSource:
    """Something that can be tried without sending a canary.

    Attributes:
        place: what is tried, as it is named in the configuration.
        check: tries it; what a remote can cause is a finding, never an exception.
    """

    place: str
    check: Callable[[], Awaitable[Sequence[Check]]]


async def run_checks(
    sources: Sequence[CheckSource],
    *,
    clock: Clock,
    masker: Masker,
    found: Callable[[Check], None],
    limit_seconds: float = LIMIT_SECONDS,
) -> tuple[Check, ...]:
    """Try all sources; returns every check, sorted by place and name. Cancellable, repeatable.

    Args:
        sources: what to try.
        clock: limits each of them.
        masker: masks findings.
        found: hears each check as soon as it is known; must return at once.
        limit_seconds: how long one source may take.
    """
    checks: list[Check] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def attempt(source: CheckSource) -> None:
        async with gate:
            for check in await _tried(source, clock=clock, limit_seconds=limit_seconds):
                masked = _masked(check, masker)
                checks.append(masked)
                found(masked)

    async with asyncio.TaskGroup() as group:
        for source in sources:
            group.create_task(attempt(source))
    return tuple(sorted(checks, key=attrgetter("place", "name")))


def exit_of(checks: Sequence[Check]) -> int:
    """2 if one failed; warnings are all right."""
    return 2 if any(one.state is CheckState.FAIL for one in checks) else 0


async def _tried(source: CheckSource, *, clock: Clock, limit_seconds: float) -> Sequence[Check]:
    began = clock.monotonic()
    try:
        async with clock.timeout(limit_seconds):
            return await source.check()
    except TimeoutError:
        return [
            Check(
                place=source.place,
                name="answer",
                state=CheckState.FAIL,
                finding=f"no answer within {limit_seconds:g} s",
                remedy="Look whether it can be reached from here, and at its load.",
                seconds=clock.monotonic() - began,
            )
        ]


def _masked(check: Check, masker: Masker) -> Check:
    return Check(
        place=check.place,
        name=check.name,
        state=check.state,
        finding=masker.detail(check.finding),
        remedy=masker.detail(check.remedy),
        seconds=check.seconds,
    )
