"""The catalogue, one by one: in a store in which every state is, every metric has a series, and what it means."""

import asyncio
from pathlib import Path

import pytest

from canary.instruments import METRICS, Instrument, Kind, metrics
from canary.verdict import Verdict
from runners.store import open_store
from runners.telemetry.families import Buckets, Snapshot
from tests.fakes import every_state
from tests.fakes.clock import FakeClock
from tests.fakes.every_state import FORM, MAIL, PORTAL
from tests.fakes.memory_store import MemoryStore


async def _of(store: MemoryStore, *, grown: int = 0) -> Snapshot:
    clock = FakeClock()
    await every_state.fill(store, clock.now())
    for number in range(grown):
        clock.advance(60)
        await every_state.grow(store, number, clock.now())
    return await every_state.snapshots(store, clock).current()


def of_memory(*, grown: int = 0) -> Snapshot:
    return asyncio.run(_of(MemoryStore(prober=every_state.PROBER), grown=grown))


SNAPSHOT = of_memory()


def values(snapshot: Snapshot, instrument: Instrument) -> dict[tuple[str, ...], float]:
    """Each series of a metric; of a histogram, how much was measured."""
    return {
        point.labels: float(sum(point.value.counts)) if isinstance(point.value, Buckets) else point.value
        for family in snapshot.families
        if family.instrument is instrument
        for point in family.points
    }


@pytest.mark.parametrize("instrument", METRICS, ids=lambda one: one.name)
def test_metric__has_a_series_that_says_something(instrument: Instrument) -> None:
    found = values(SNAPSHOT, instrument)

    assert found, (
        f"no series of {instrument.name}: fill it in tests/fakes/every_state.py, and show it in the snapshot"
    )
    assert any(found.values()), f"every series of {instrument.name} is 0"


@pytest.mark.parametrize(
    "instrument", [one for one in METRICS if one.kind is not Kind.GAUGE], ids=lambda one: one.name
)
def test_counter__never_goes_back_as_life_goes_on(instrument: Instrument) -> None:
    before, after = values(SNAPSHOT, instrument), values(of_memory(grown=1), instrument)

    assert before.keys() <= after.keys()
    assert all(after[labels] >= value for labels, value in before.items())


def test_paths__are_broken_and_silenced_and_blind() -> None:
    assert values(SNAPSHOT, metrics.PATH_UP) == {(MAIL,): 0, (PORTAL,): 1}
    assert values(SNAPSHOT, metrics.PATH_SILENCED) == {(MAIL,): 0, (PORTAL,): 1, (FORM,): 0}
    assert values(SNAPSHOT, metrics.PROBER_BLIND)["fra-1", "ticket_api"] == 1


def test_incidents__one_lasts_and_one_is_over() -> None:
    assert values(SNAPSHOT, metrics.INCIDENT_OPEN) == {
        (MAIL, "smtp.accept", "mailbox_full"): 1,
        (MAIL, "ticket.created", "not_seen"): 0,
    }


def test_verdicts__each_that_there_is_was_reached() -> None:
    reached = {labels[2] for labels, value in values(SNAPSHOT, metrics.CANARY_VERDICTS).items() if value}

    assert reached == {one.value for one in Verdict if one is not Verdict.PENDING}


def test_real_store__shows_what_the_memory_store_shows(tmp_path: Path) -> None:
    async def main() -> Snapshot:
        clock = FakeClock()
        url = f"sqlite:///{tmp_path / 'intake.db'}"
        async with open_store(url, clock=clock, prober=every_state.PROBER) as store:
            await every_state.fill(store, clock.now())
            return await every_state.snapshots(store, clock).current()

    real = asyncio.run(main())

    for instrument in METRICS:
        assert values(real, instrument) == pytest.approx(values(SNAPSHOT, instrument)), instrument.name
