"""Gauges get their state from thresholds and trend; what can't be read is unknown, and only facts explain a breach."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from canary.gauge import CapacityLimits, Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.observation import Evidence, Outcome
from canary.reason import Reason
from runners.gauging import READ_SECONDS, Gauging, explanations
from runners.prober import GaugedPlace
from runners.progress import Silent
from tests.contracts.store_cases import make_canary
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore

LIMIT = 1000.0


@dataclass
class Reader:
    """Reads what it is told, after a while."""

    clock: FakeClock
    name: GaugeName = GaugeName.MAILBOX_CAPACITY
    value: float | None = 0.0
    seconds: float = 0.0
    oldest_seconds: float | None = None
    place: str = "support"

    async def read(self) -> Sequence[Gauge]:
        await self.clock.sleep(self.seconds)
        now = self.clock.now()
        is_capacity = self.name is GaugeName.MAILBOX_CAPACITY
        oldest = now - timedelta(seconds=self.oldest_seconds) if self.oldest_seconds is not None else None
        return [
            Gauge(
                self.place,
                self.name,
                self.value,
                "By" if is_capacity else "{message}",
                LIMIT if is_capacity else None,
                now,
                resource=Resource.STORAGE if is_capacity else None,
                oldest_at=oldest,
            )
        ]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def read(clock: FakeClock, store: MemoryStore, reader: Reader) -> Gauge:
    place = GaugedPlace(reader, CapacityLimits(), timedelta(minutes=15))
    [gauge] = run_jumping(clock, Gauging(store, clock=clock, progress=Silent()).read([place]))
    return gauge


def test_reader_that_does_not_answer__is_unknown_and_kept_as_such(
    clock: FakeClock, store: MemoryStore
) -> None:
    gauge = read(clock, store, Reader(clock, seconds=READ_SECONDS + 1))

    assert (gauge.state, gauge.value, gauge.unit) == (GaugeState.UNKNOWN, None, "By")
    assert gauge.detail == "no answer within 20 s"
    assert list(asyncio.run(store.latest_gauges())) == [gauge]


def test_reading_without_a_value__is_unknown(clock: FakeClock, store: MemoryStore) -> None:
    assert read(clock, store, Reader(clock, value=None)).state is GaugeState.UNKNOWN


@pytest.mark.parametrize(
    ("value", "state"),
    [
        (0, GaugeState.OK),
        (799, GaugeState.OK),
        (800, GaugeState.WARN),
        (949, GaugeState.WARN),
        (950, GaugeState.PAGE),
    ],
)
def test_capacity__warns_at_80_and_pages_at_95_percent(
    clock: FakeClock, store: MemoryStore, value: float, state: GaugeState
) -> None:
    assert read(clock, store, Reader(clock, value=value)).state is state


def test_capacity_that_will_be_full_tonight__pages_now(clock: FakeClock, store: MemoryStore) -> None:
    for used in range(400, 600, 25):
        read(clock, store, Reader(clock, value=float(used)))
        clock.advance(1800)

    gauge = read(clock, store, Reader(clock, value=600.0))

    assert gauge.state is GaugeState.PAGE
    assert gauge.detail == "full in 8 h at this rate"


def test_capacity_without_a_limit__can_not_be_called_good(clock: FakeClock, store: MemoryStore) -> None:
    class Unlimited(Reader):
        async def read(self) -> Sequence[Gauge]:
            return [replace(one, limit=None) for one in await super().read()]

    gauge = read(clock, store, Unlimited(clock, value=5.0))

    assert gauge.detail == "no limit is known"
    assert gauge.state is GaugeState.UNKNOWN


@pytest.mark.parametrize(("age", "state"), [(899, GaugeState.OK), (901, GaugeState.WARN)])
def test_backlog__warns_by_the_age_of_its_oldest_message(
    clock: FakeClock, store: MemoryStore, age: float, state: GaugeState
) -> None:
    reader = Reader(clock, GaugeName.MAILBOX_BACKLOG, value=3.0, oldest_seconds=age)

    assert read(clock, store, reader).state is state


def gauge_of(name: GaugeName, value: float, state: GaugeState, limit: float | None = None) -> Gauge:
    return Gauge("support", name, value, "By", limit, make_canary().launched_at, state)


@pytest.mark.parametrize(
    "gauge",
    [
        gauge_of(GaugeName.MAILBOX_CAPACITY, 960, GaugeState.WARN, LIMIT),
        gauge_of(GaugeName.MAILBOX_CAPACITY, 600, GaugeState.PAGE, LIMIT),
        gauge_of(GaugeName.MAILBOX_BACKLOG, 0, GaugeState.OK),
        gauge_of(GaugeName.MAILBOX_BACKLOG, 3, GaugeState.UNKNOWN),
        gauge_of(GaugeName.CERTIFICATE_EXPIRY, -5, GaugeState.PAGE),
    ],
    ids=["warn", "only forecast to be full", "no backlog", "backlog unknown", "another gauge"],
)
def test_what_explains_nothing__is_not_offered_as_a_reason(gauge: Gauge) -> None:
    assert explanations(make_canary(), [gauge], now=make_canary().deadline_at) == []


@pytest.mark.parametrize(
    ("gauge", "hop", "reason", "detail"),
    [
        (
            gauge_of(GaugeName.MAILBOX_CAPACITY, 1000, GaugeState.PAGE, LIMIT),
            Hop.MAILBOX_ARRIVAL,
            Reason.MAILBOX_FULL,
            "mailbox support: 100 % used",
        ),
        (
            gauge_of(GaugeName.MAILBOX_BACKLOG, 3, GaugeState.OK),
            Hop.TICKET_CREATED,
            Reason.BACKLOG_GROWING,
            "mailbox support: 3 unprocessed",
        ),
    ],
)
def test_full_mailbox_or_mail_that_nobody_fetches__explains_the_breach(
    gauge: Gauge, hop: Hop, reason: Reason, detail: str
) -> None:
    [found] = explanations(make_canary(), [gauge], now=make_canary().deadline_at)

    assert (found.hop, found.reason, found.detail) == (hop, reason, detail)
    assert (found.outcome, found.evidence) == (Outcome.UNKNOWN, Evidence.REPORTED)
