"""A one-shot run between its two pings."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from canary.verdict import Verdict
from runners.contracts import Record, StoreError
from runners.oneshot import RunResult
from runners.pinging import pinged
from tests.contracts.store_cases import judged, make_canary
from tests.fakes.clock import FakeClock, run_jumping


@dataclass
class Pinger:
    """Remembers what it was told; each ping takes so long."""

    clock: FakeClock
    seconds: float = 0.0
    told: list[tuple[str, str]] = field(default_factory=list)
    runs: set[str] = field(default_factory=set)

    async def start(self, run_id: str) -> bool:
        return await self._note("start", run_id, "")

    async def success(self, run_id: str, text: str = "") -> bool:
        return await self._note("success", run_id, text)

    async def failure(self, run_id: str, text: str = "") -> bool:
        return await self._note("failure", run_id, text)

    async def _note(self, what: str, run_id: str, text: str) -> bool:
        self.runs.add(run_id)
        await self.clock.sleep(self.seconds)
        self.told.append((what, text))
        return True


def of(*verdicts: Verdict, signal: int | None = None, problem: str | None = None) -> RunResult:
    records = tuple(
        Record(make_canary(number), judged(make_canary(number), verdict), launch_ended=True, is_clean=True)
        for number, verdict in enumerate(verdicts)
    )
    return RunResult(records, records, (), interrupted_by=signal, problem=problem)


def run(clock: FakeClock, work: Callable[[], Awaitable[RunResult]], *pingers: Pinger) -> RunResult:
    return run_jumping(clock, pinged(work, pingers, clock=clock, run_id="one"))


def coming_to(result: RunResult) -> Callable[[], Awaitable[RunResult]]:
    async def work() -> RunResult:
        return result

    return work


@pytest.mark.parametrize(
    ("result", "end"),
    [
        (of(), ("success", "exit 0: 0 canaries launched or settled")),
        (of(Verdict.BREACHED), ("success", "exit 1: 1 canary launched or settled")),
        (of(Verdict.INCONCLUSIVE), ("failure", "exit 3: 1 canary launched or settled")),
        (
            of(problem="the disk is full"),
            ("failure", "exit 3: 0 canaries launched or settled\nthe disk is full"),
        ),
        (of(Verdict.CONFIRMED, signal=15), ("failure", "exit 143: 1 canary launched or settled")),
    ],
)
def test_run__pings_how_it_ended(result: RunResult, end: tuple[str, str]) -> None:
    clock = FakeClock()
    pinger = Pinger(clock)

    assert run(clock, coming_to(result), pinger) is result

    assert pinger.told[-1] == end
    assert pinger.runs == {"one"}


def test_run__begins_before_the_start_has_arrived() -> None:
    clock, order = FakeClock(), list[str]()
    pinger = Pinger(clock, seconds=0.5)

    async def work() -> RunResult:
        order.append(f"begun, told {pinger.told}")
        await clock.sleep(60)
        return of()

    run(clock, work, pinger)

    assert order == ["begun, told []"]
    assert [what for what, _ in pinger.told] == ["start", "success"]


def test_store_that_can_not_be_opened__pings_failure_and_raises_as_before() -> None:
    clock = FakeClock()
    pinger = Pinger(clock)

    async def work() -> RunResult:
        raise StoreError("store: it is gone.")

    with pytest.raises(StoreError, match="it is gone"):
        run(clock, work, pinger)

    assert pinger.told[-1] == ("failure", "store: it is gone.")


def test_cancelled_run__pings_failure_and_stays_cancelled() -> None:
    clock = FakeClock()
    pinger = Pinger(clock)

    async def main() -> None:
        async def work() -> RunResult:
            await clock.sleep(60)
            return of()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(pinged(work, [pinger], clock=clock, run_id="one"))
            await clock.sleep(1)
            task.cancel()
        assert task.cancelled()

    run_jumping(clock, main())

    assert pinger.told == [("start", ""), ("failure", "it was interrupted")]


@pytest.mark.parametrize(("result", "most"), [(of(), 6.0), (of(signal=15), 2.0)])
def test_receiver_that_does_not_answer__delays_the_exit_no_longer_than_the_bound(
    result: RunResult, most: float
) -> None:
    clock = FakeClock()
    pinger, began = Pinger(clock, seconds=3600), clock.monotonic()

    assert run(clock, coming_to(result), pinger) is result

    assert clock.monotonic() - began == most
    assert pinger.told == []


def test_nobody_to_ping__only_runs() -> None:
    result = of(Verdict.CONFIRMED)

    assert run(FakeClock(), coming_to(result)) is result
