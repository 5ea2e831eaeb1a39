"""Pushing: whatever is closed or hangs costs a counter, a line and a bounded while; and never an older after a newer."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from canary.instruments import metrics
from probes.request_outcome import RequestOutcome
from runners.contracts import Sample, StoreError
from runners.telemetry.families import Snapshot
from runners.telemetry.process_figures import ExportKind, ProcessFigures
from runners.telemetry.pushing import (
    KEEP_SECONDS,
    LAST_SECONDS,
    PUSH_SECONDS,
    ROUTE_SECONDS,
    TURN,
    TURN_NAME,
    TURN_SECONDS,
    Pushing,
)
from runners.telemetry.routes import NotPushed
from runners.telemetry.snapshot import READ_SECONDS
from tests.fakes import every_state
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.unit.runners.telemetry.test_every_state import values

PROBER = every_state.PROBER


@dataclass
class Way:
    """A way out that does as it is told."""

    clock: FakeClock
    name: str = "telemetry.metrics.pushgateway"
    needs_order: bool = True
    refusal: str = ""
    takes_seconds: float = 0.0
    taken: list[Snapshot] = field(default_factory=list)

    async def push(self, snapshot: Snapshot) -> None:
        await self.clock.sleep(self.takes_seconds)
        if self.refusal:
            raise NotPushed(self.refusal)
        self.taken.append(snapshot)


class ClosedStore(MemoryStore):
    """One that keeps no figure while it is closed."""

    is_closed = True

    async def add_figures(self, figures: Sequence[Sample], *, at: datetime) -> None:
        if self.is_closed:
            raise StoreError("the disk is full")
        await super().add_figures(figures, at=at)


class UnreadableStore(MemoryStore):
    """One that gives no turn and shows no figure."""

    async def take_turn(self, *_: object, **__: object) -> bool:
        raise StoreError("the server is away")

    async def samples(self) -> Sequence[Sample]:
        raise StoreError("the server is away")


class SlowStore(MemoryStore):
    """One that takes a while to keep figures, as long as it has a clock."""

    clock: FakeClock | None = None

    async def add_figures(self, figures: Sequence[Sample], *, at: datetime) -> None:
        if self.clock is not None:
            await self.clock.sleep(3)
        await super().add_figures(figures, at=at)


@dataclass
class Bench:
    store: MemoryStore = field(default_factory=lambda: MemoryStore(prober=PROBER))
    clock: FakeClock = field(default_factory=FakeClock)
    figures: ProcessFigures = field(
        default_factory=lambda: ProcessFigures(PROBER, build=every_state.BUILD, systems=["desk"])
    )

    def pushing(self, *ways: Way, holder: str = "run 1", mask: Callable[[str], str] = str) -> Pushing:
        from runners.telemetry.snapshot import Snapshots

        snapshots = Snapshots(
            self.store, self.figures, paths=every_state.PATHS, clock=self.clock, keeps_figures=True
        )
        return Pushing(
            ways,
            snapshots,
            self.figures,
            self.store,
            clock=self.clock,
            holder=holder,
            mask=mask,
            keeps_figures=True,
        )

    def errors(self, snapshot: Snapshot) -> float:
        return values(snapshot, metrics.PROBER_EXPORT_ERRORS)[PROBER, "metrics"]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_closed_way__costs_a_counter_and_one_line_and_the_other_way_is_taken(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    closed = Way(bench.clock, refusal="it is closed to pa55word. Open it.")
    good = Way(bench.clock, name="telemetry.metrics.textfile")
    pushing = bench.pushing(closed, good, mask=lambda text: text.replace("pa55word", "***"))

    async def main() -> None:
        await pushing.push()
        await pushing.push()

    with caplog.at_level(logging.WARNING):
        run_jumping(bench.clock, main())

    lines = [(one.getMessage(), vars(one)["place"], vars(one)["detail"]) for one in caplog.records]
    assert lines == [("export_failed", closed.name, "it is closed to ***. Open it.")]
    assert [bench.errors(one) for one in good.taken] == [0, 1]


def test_way_that_hangs__is_given_up_and_the_end_is_bounded(bench: Bench) -> None:
    way = Way(bench.clock, takes_seconds=3600)
    began = bench.clock.monotonic()

    run_jumping(bench.clock, bench.pushing(way).last())

    assert bench.clock.monotonic() - began <= LAST_SECONDS
    assert way.taken == []


def test_figures_of_a_run__are_kept_and_go_on_with_the_next(bench: Bench) -> None:
    way = Way(bench.clock)
    for _ in range(2):
        bench.figures = ProcessFigures(PROBER, build=every_state.BUILD, systems=["desk"])
        bench.figures.api_request("desk", RequestOutcome.OK)
        bench.figures.note_lag(0.7)
        run_jumping(bench.clock, bench.pushing(way).push())

    requests = [values(one, metrics.TICKET_API_REQUESTS) for one in way.taken]
    assert [one["desk", "ok", PROBER] for one in requests] == [1, 2]
    assert requests[0]["desk", "error", PROBER] == 0
    assert [values(one, metrics.PROBER_SCHEDULER_LAG) for one in way.taken] == [
        {(PROBER,): 1},
        {(PROBER,): 2},
    ]


def test_figures_that_the_store_would_not_keep__are_kept_later(bench: Bench) -> None:
    store = bench.store = ClosedStore(prober=PROBER)
    way = Way(bench.clock)
    pushing = bench.pushing(way)
    bench.figures.api_request("desk", RequestOutcome.RATE_LIMITED)
    bench.figures.export_error(ExportKind.TRACES)

    run_jumping(bench.clock, pushing.push())
    store.is_closed = False
    run_jumping(bench.clock, pushing.push())

    requests = [values(one, metrics.TICKET_API_REQUESTS)["desk", "rate_limited", PROBER] for one in way.taken]
    assert requests == [0, 1]
    assert values(way.taken[1], metrics.PROBER_EXPORT_ERRORS)[PROBER, "traces"] == 1


def test_two_processes__one_waits_and_takes_its_snapshot_after_the_other_is_done(bench: Bench) -> None:
    slow, quick = Way(bench.clock, takes_seconds=3), Way(bench.clock)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(bench.pushing(slow, holder="run 1").push())
            await bench.clock.sleep(0.5)
            group.create_task(bench.pushing(quick, holder="run 2").push())

    run_jumping(bench.clock, main())

    assert (quick.taken[0].at - slow.taken[0].at).total_seconds() >= 2.5


def test_turn_that_is_not_had__leaves_what_needs_its_order_to_whoever_has_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    ordered, other = Way(bench.clock), Way(bench.clock, name="telemetry.otlp", needs_order=False)
    began = bench.clock.now()

    async def main() -> None:
        pushing = bench.pushing(ordered, other)
        await bench.store.take_turn(TURN_NAME + PROBER, holder="slow", now=began, until=began + TURN)
        await pushing.push()
        assert (len(ordered.taken), len(other.taken)) == (0, 1)
        assert (bench.clock.now() - began).total_seconds() == pytest.approx(TURN_SECONDS)
        await bench.clock.sleep(TURN.total_seconds())
        await pushing.push()

    with caplog.at_level(logging.WARNING):
        run_jumping(bench.clock, main())

    assert (len(ordered.taken), len(other.taken)) == (1, 2)
    [line] = caplog.records
    assert vars(line)["detail"] == "another process pushed for more than 8 s: it was left to it"


def test_turn__is_longer_than_all_that_is_done_within_it() -> None:
    waiting_for_another_and_reading = 2 * READ_SECONDS

    assert TURN.total_seconds() > waiting_for_another_and_reading + ROUTE_SECONDS + KEEP_SECONDS


def test_store_that_can_not_be_read__is_told_by_every_way_without_a_turn(bench: Bench) -> None:
    bench.store = UnreadableStore(prober=PROBER)
    way = Way(bench.clock)

    run_jumping(bench.clock, bench.pushing(way).push())

    assert [one.is_whole for one in way.taken] == [False]


def test_figures_whose_keeping_is_cancelled__are_kept_later(bench: Bench) -> None:
    store = bench.store = SlowStore(prober=PROBER)
    store.clock = bench.clock
    way = Way(bench.clock)
    pushing = bench.pushing(way)
    bench.figures.api_request("desk", RequestOutcome.OK)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(pushing.push())
            await bench.clock.sleep(1)
            first.cancel()
        store.clock = None
        await pushing.push()

    run_jumping(bench.clock, main())

    assert [values(one, metrics.TICKET_API_REQUESTS)["desk", "ok", PROBER] for one in way.taken] == [1]


def test_push_that_is_cancelled__gives_its_turn_back(bench: Bench) -> None:
    way, now = Way(bench.clock, takes_seconds=8), bench.clock.now

    async def main() -> bool:
        async with asyncio.TaskGroup() as group:
            pushing = group.create_task(bench.pushing(way).push())
            await bench.clock.sleep(1)
            pushing.cancel()
        until = now().replace(year=2027)
        return await bench.store.take_turn(TURN_NAME + PROBER, holder="next", now=now(), until=until)

    assert run_jumping(bench.clock, main())
    assert way.taken == []


def test_long_wait__pushes_every_minute(bench: Bench) -> None:
    way = Way(bench.clock)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            pushing = group.create_task(bench.pushing(way).run())
            await bench.clock.sleep(3.5 * PUSH_SECONDS)
            pushing.cancel()

    run_jumping(bench.clock, main())

    assert len(way.taken) == 3
