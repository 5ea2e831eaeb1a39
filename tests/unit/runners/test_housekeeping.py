"""Series that exist from the start, paths that are retired, and history that is dropped."""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.gauge import Gauge, GaugeName
from canary.incident import Progress, Transition
from canary.path import Path
from canary.slot import Slot
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep
from runners.alerting import Alerting
from runners.contracts import CanaryQuery
from runners.housekeeping import Housekeeping, patience
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from runners.retention import Retention
from tests.contracts.store_cases import incident_of, make_canary, opened
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.sink import FakeSink
from tests.fakes.world import World, email_path, prober_of
from tests.unit.runners.alerts.cases import an_alert


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def keep(clock: FakeClock, store: MemoryStore, *paths: Path) -> Housekeeping:
    prober = prober_of(World(clock), *paths)
    alerting = Alerting(prober, store, clock=clock)
    return Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")


def with_open_incident(store: MemoryStore, clock: FakeClock) -> Path:
    """An incident of the path of `make_canary`."""
    canary = make_canary()
    progress = Progress(target=incident_of(canary))
    done: Coroutine[object, object, None] = store.store_progress(
        canary.path, progress, version=0, changes=[opened(canary)], at=clock.now()
    )
    asyncio.run(done)
    return replace(email_path(canary.path), name=canary.path)


def test_first_run__begins_every_series_of_a_path_at_0(clock: FakeClock, store: MemoryStore) -> None:
    asyncio.run(keep(clock, store, email_path()).begin())

    samples = asyncio.run(store.samples())
    assert {one.value for one in samples} == {0.0}
    verdicts = {one.labels["verdict"] for one in samples if one.name == "intake.canary.verdicts"}
    assert verdicts == {"confirmed", "breached", "inconclusive", "late", "lost"}
    blames = {one.labels["blame"] for one in samples if one.name == "intake.incidents"}
    assert blames == set(email_path().route)


def test_first_run__begins_what_was_sent_to_each_sink_at_0(clock: FakeClock, store: MemoryStore) -> None:
    sinks = {name: FakeSink(name) for name in ("pager", "chat")}
    prober = replace(prober_of(World(clock), email_path()), sinks=sinks)
    alerting = Alerting(prober, store, clock=clock)

    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")
    asyncio.run(house.begin())

    sent = [one for one in asyncio.run(store.samples()) if one.name == "intake.prober.alerts.sent"]
    assert {(one.labels["sink"], one.labels["outcome"], one.value) for one in sent} == {
        ("pager", "delivered", 0.0),
        ("pager", "dead", 0.0),
        ("chat", "delivered", 0.0),
        ("chat", "dead", 0.0),
    }


def test_later_run__leaves_the_counts_as_they_are(clock: FakeClock, store: MemoryStore) -> None:
    world = World(clock)
    shot = OneShot(prober_of(world, email_path()), store, clock=clock, progress=Silent())
    run_jumping(clock, shot.run(RunOptions()))
    before = asyncio.run(store.samples())

    asyncio.run(keep(clock, store, email_path()).begin())

    assert asyncio.run(store.samples()) == before


@pytest.mark.parametrize("is_gone", [True, False], ids=["gone", "disabled"])
def test_path_that_is_no_more__has_its_incident_retired_without_a_word_of_recovery(
    clock: FakeClock, store: MemoryStore, *, is_gone: bool
) -> None:
    path = with_open_incident(store, clock)
    others = (email_path("another"),) if is_gone else (replace(path, is_enabled=False),)

    asyncio.run(keep(clock, store, *others).retire())

    [incident] = asyncio.run(store.incidents(path=None, since=None, limit=9))
    assert (incident.is_open, incident.is_retired, incident.impact_until) == (False, True, None)
    happened = [transition for _, transition in asyncio.run(store.transitions(incident.id))]
    assert happened == [Transition.OPENED, Transition.RETIRED]
    assert asyncio.run(store.progress(path.name))[0] == Progress()


def test_enabled_path__keeps_its_incident(clock: FakeClock, store: MemoryStore) -> None:
    path = with_open_incident(store, clock)

    asyncio.run(keep(clock, store, path).retire())

    [incident] = asyncio.run(store.incidents(path=None, since=None, limit=9))
    assert incident.is_open


def test_path_that_another_replica_still_probes__keeps_its_incident_until_that_has_stopped(
    clock: FakeClock, store: MemoryStore
) -> None:
    # A rolling deploy: this replica has the configuration without the path already.
    path = with_open_incident(store, clock)
    for number in range(4):
        launched = make_canary(10 + number, launched_at=clock.now())
        asyncio.run(store.claim(Slot(path.name, clock.now()), holder="another", at=clock.now()))
        asyncio.run(store.record(launched, holder="another", lease_until=clock.now()))
        clock.advance(600)
    here = keep(clock, store, email_path("another"))

    asyncio.run(here.retire())
    [still] = asyncio.run(store.incidents(path=path.name, since=None, limit=9))
    clock.advance(20 * 60)
    asyncio.run(here.retire())
    [ended] = asyncio.run(store.incidents(path=path.name, since=None, limit=9))

    assert (still.is_open, ended.is_open, ended.is_retired) == (True, False, True)


def test_path_of_rare_slots__is_retired_at_once_where_this_replica_is_alone(
    clock: FakeClock, store: MemoryStore
) -> None:
    path = with_open_incident(store, clock)
    for day in range(3):
        at = clock.now()
        asyncio.run(store.claim(Slot(path.name, at), holder="here" if day else "gone", at=at))
        asyncio.run(store.record(make_canary(10 + day, launched_at=at), holder="here", lease_until=at))
        clock.advance(24 * 3600 if day < 2 else 1)

    asyncio.run(keep(clock, store, email_path("another")).retire())

    [incident] = asyncio.run(store.incidents(path=path.name, since=None, limit=9))
    assert incident.is_retired


def test_path_of_rare_slots__waits_while_another_replica_claims_slots_of_other_paths(
    clock: FakeClock, store: MemoryStore
) -> None:
    path = with_open_incident(store, clock)
    for day in range(3):
        asyncio.run(
            store.record(make_canary(10 + day, launched_at=clock.now()), holder="x", lease_until=clock.now())
        )
        clock.advance(24 * 3600)
    other = email_path("another")
    asyncio.run(store.claim(Slot(other.name, clock.now()), holder="x", at=clock.now()))

    asyncio.run(keep(clock, store, other).retire())

    [incident] = asyncio.run(store.incidents(path=path.name, since=None, limit=9))
    assert incident.is_open


def test_slot_that_was_claimed_a_moment_ago__is_somebody_who_probes(
    clock: FakeClock, store: MemoryStore
) -> None:
    path = with_open_incident(store, clock)
    asyncio.run(store.claim(Slot(path.name, clock.now()), holder="another", at=clock.now()))

    asyncio.run(keep(clock, store, replace(path, is_enabled=False)).retire())

    [incident] = asyncio.run(store.incidents(path=None, since=None, limit=9))
    assert incident.is_open


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        ([], timedelta(minutes=10)),
        ([0], timedelta(minutes=10)),
        ([0, 1, 2], timedelta(minutes=10)),
        ([20, 0, 10], timedelta(minutes=30)),
        ([0, 10, 20, 740, 750], timedelta(hours=36)),
        ([0, 60 * 24 * 5], timedelta(days=7)),
    ],
    ids=["never", "once", "each minute", "each ten minutes", "with a night's rest", "seldom"],
)
def test_patience__follows_the_longest_pause_within_bounds(minutes: list[int], expected: timedelta) -> None:
    assert patience([START + timedelta(minutes=one) for one in minutes]) == expected


def test_breach_of_a_disabled_path__opens_no_incident(clock: FakeClock, store: MemoryStore) -> None:
    world = World(clock, ticket_after_seconds=None)
    path = email_path()
    for _ in range(3):
        shot = OneShot(prober_of(world, path), store, clock=clock, progress=Silent())
        run_jumping(clock, shot.run(RunOptions(detach=True)))
    off = prober_of(world, replace(path, is_enabled=False))
    clock.advance(120)

    run_jumping(clock, OneShot(off, store, clock=clock, progress=Silent()).run(RunOptions(launches=False)))

    verdicts = {one.verdict for one in asyncio.run(store.canaries(CanaryQuery()))}
    assert verdicts == {Verdict.BREACHED}
    assert asyncio.run(store.incidents(path=None, since=None, limit=9)) == []


def test_readings_older_than_90_days__are_dropped(clock: FakeClock, store: MemoryStore) -> None:
    old = Gauge("support", GaugeName.MAILBOX_BACKLOG, 3, "{message}", None, clock.now() - timedelta(days=91))
    asyncio.run(store.add_gauges([old]))

    asyncio.run(keep(clock, store, email_path()).forget())

    assert asyncio.run(store.latest_gauges()) == []


def test_readings_that_are_to_be_kept_for_longer__are_kept(clock: FakeClock, store: MemoryStore) -> None:
    old = Gauge("support", GaugeName.MAILBOX_BACKLOG, 3, "{message}", None, clock.now() - timedelta(days=91))
    asyncio.run(store.add_gauges([old]))
    year = Retention(observations=timedelta(days=30), canaries=timedelta(days=365))
    prober = replace(prober_of(World(clock), email_path()), retention=year)

    alerting = Alerting(prober, store, clock=clock)
    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")
    asyncio.run(house.forget())

    assert asyncio.run(store.latest_gauges()) == [old]


def test_end_of_a_run__has_the_archives_forget(clock: FakeClock, store: MemoryStore) -> None:
    class Archive:
        forgot = 0

        async def forget(self) -> None:
            self.forgot += 1

    archive = Archive()
    prober = replace(prober_of(World(clock), email_path()), archives=(archive,))

    alerting = Alerting(prober, store, clock=clock)
    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")
    asyncio.run(house.forget())

    assert archive.forgot == 1


@pytest.mark.parametrize(
    ("hours", "left"), [(0, {"gone", "pager"}), (23, {"gone", "pager"}), (25, {"pager"})]
)
@pytest.mark.parametrize("another_claims", [False, True], ids=["alone", "another claims"])
def test_alerts_of_a_sink_that_is_no_more__are_given_up_after_a_day(
    clock: FakeClock, store: MemoryStore, *, another_claims: bool, hours: int, left: set[str]
) -> None:
    # Whoever has the sink may be down, or claim seldom: that nobody else claims proves nothing.
    alerts = [replace(an_alert(), id=sink, sink=sink) for sink in ("gone", "pager")]
    step = AlertStep(alerts[0].concern.subject, None, 0, tuple(alerts))
    asyncio.run(store.store_alerts(step, at=clock.now()))
    clock.advance(hours * 3600 + 1)
    path = email_path()
    if another_claims:
        asyncio.run(store.claim(Slot(path.name, clock.now()), holder="another", at=clock.now()))
    prober = prober_of(World(clock), path)
    prober = replace(prober, alerts=replace(prober.alerts, sinks=frozenset({"pager"})))
    alerting = Alerting(prober, store, clock=clock)
    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")

    asyncio.run(house.give_up_alerts())

    waiting = asyncio.run(store.outbox(dead_since=START))
    assert {sink for sink, one in waiting.items() if one.pending} == left
    assert waiting["gone"].last_error == (None if "gone" in left else "sink removed")
