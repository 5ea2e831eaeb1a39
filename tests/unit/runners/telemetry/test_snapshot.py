"""The snapshot shows what the store and this process know, each series once, and says when it can't see."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.alert import Subject
from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Change, IncidentKind, Progress, Transition
from canary.instruments import METRICS, Instrument, Source, metrics
from canary.path import Path
from canary.reason import Reason, Side
from canary.silence import Silence, SilenceId
from canary.slot import MissedCause, MissedSlot, Slot
from canary.verdict import Verdict
from runners.alert_contracts import AlertStep
from runners.contracts import Sample, StoreError, TriedRemoval
from runners.telemetry.families import Buckets, Points, Snapshot
from runners.telemetry.snapshot import Snapshots, Window, add_samples
from tests.contracts.alert_contract import alert
from tests.contracts.store_cases import FORM, MAIL, after, judged, make_canary, recorded, removal, settlement
from tests.fakes.clock import FakeClock
from tests.fakes.full_store import NOW, PATHS, fill, incident, process_figures, snapshots
from tests.fakes.memory_store import MemoryStore

EPOCH_NOON = 1772452800.0


def taken(
    prepare: Callable[[MemoryStore], Awaitable[None]] = fill,
    *,
    paths: Sequence[Path] = PATHS,
    sinks: Sequence[str] = (),
    windows: Sequence[Window] = (),
) -> Snapshot:
    async def main() -> Snapshot:
        store = MemoryStore(prober="fra-1")
        await prepare(store)
        one = Snapshots(
            store, process_figures(), paths=paths, clock=FakeClock(NOW), sinks=sinks, windows=windows
        )
        return await one.current()

    return asyncio.run(main())


def series(snapshot: Snapshot, instrument: Instrument) -> dict[tuple[str, ...], object]:
    """The values of a metric by its labels' values."""
    return {
        point.labels: point.value
        for family in snapshot.families
        if family.instrument is instrument
        for point in family.points
    }


async def nothing(store: MemoryStore) -> None:
    del store


FULL = taken()


@pytest.mark.parametrize(
    ("instrument", "expected"),
    [
        (metrics.PATH_INFO, {
            (MAIL, "email", "post", "example.com", "desk"): 1,
            (FORM, "form", "", "www.example.com", "desk"): 1,
        }),
        (metrics.PATH_UP, {(MAIL,): 0}),
        (metrics.PATH_IN_FLIGHT, {(MAIL,): 0, (FORM,): 1}),
        (metrics.PATH_OLDEST_IN_FLIGHT, {(FORM,): EPOCH_NOON + 3500}),
        (metrics.PATH_CONSECUTIVE_FAILURES, {(MAIL,): 2, (FORM,): 0}),
        (metrics.PATH_LAST_LAUNCH, {(MAIL,): EPOCH_NOON + 180, (FORM,): EPOCH_NOON + 3500}),
        (metrics.PATH_LAST_VERDICT, {(MAIL,): EPOCH_NOON + 210}),
        (metrics.PATH_LAST_SUCCESS, {(MAIL,): EPOCH_NOON + 30}),
        (metrics.PATH_DEADLINE, {(MAIL,): 600, (FORM,): 600}),
        (metrics.PATH_INTERVAL, {(MAIL,): 300}),
        (metrics.PATH_SILENCED, {(MAIL,): 0, (FORM,): 0}),
        (metrics.SLO_OBJECTIVE, {(MAIL,): 0.995, (FORM,): 0.99}),
        (metrics.SLO_GOOD, {(MAIL,): 1, (FORM,): 0}),
        (metrics.SLO_ELIGIBLE, {(MAIL,): 3}),
        (metrics.INCIDENT_OPEN, {(MAIL, "smtp.accept", "mailbox_full"): 1}),
        (metrics.INCIDENT_START, {(MAIL,): EPOCH_NOON}),
        (metrics.PLACE_INFO, {
            ("desk", "ticketing", "post", "www.example.com"): 1,
            ("support", "mailbox", "post", "example.com"): 1,
            ("example.com", "domain", "post", "example.com"): 1,
            ("www.example.com:443", "endpoint", "", "www.example.com"): 1,
        }),
        (metrics.PLACE_READING, {
            ("desk", "ticketing"): EPOCH_NOON + 3600,
            ("support", "mailbox"): EPOCH_NOON + 3600,
            ("example.com", "domain"): EPOCH_NOON + 3600,
            ("www.example.com:443", "endpoint"): EPOCH_NOON + 3600,
        }),
        (metrics.MAILBOX_USED, {("support",): 8e6}),
        (metrics.MAILBOX_LIMIT, {("support",): 1e7}),
        (metrics.MAILBOX_MESSAGES, {("support",): 40}),
        (metrics.MAILBOX_MESSAGES_LIMIT, {("support",): 100}),
        (metrics.MAILBOX_USED_RATIO, {("support", "storage"): 0.8, ("support", "message"): 0.4}),
        (metrics.MAILBOX_GROWTH, {("support",): pytest.approx(100)}),
        (metrics.MAILBOX_FULL, {("support", "storage"): pytest.approx(EPOCH_NOON + 3600 + 20_000)}),
        (metrics.MAILBOX_BACKLOG, {("support",): 3}),
        (metrics.MAILBOX_OLDEST_UNPROCESSED, {("support",): EPOCH_NOON + 3000}),
        (metrics.CERTIFICATE_EXPIRY, {("www.example.com:443",): EPOCH_NOON + 3600 + 86400}),
        (metrics.CERTIFICATE_TRUSTED, {("www.example.com:443",): 1}),
        (metrics.DNS_MAIL_OK, {("example.com", "mx"): 1, ("example.com", "dmarc"): 0}),
        (metrics.TICKET_API_UP, {("desk",): 1}),
        (metrics.TICKET_API_BUDGET_REMAINING, {("desk",): 90}),
        (metrics.TICKET_API_BUDGET_LIMIT, {("desk",): 100}),
        (metrics.CLOCK_SKEW, {("desk",): -2.5}),
        (metrics.CLEANUP_LEFTOVERS, {
            (MAIL, "ticket"): 1, (MAIL, "mail"): 0, (FORM, "ticket"): 0, (FORM, "mail"): 0,
        }),
        (metrics.QUARANTINE_MISSES, {(MAIL,): 0, (FORM,): 0}),
        (metrics.QUARANTINE_LIMIT, {(MAIL,): 3}),
        (metrics.PROBER_MISFIRES, {(MAIL, "fra-1"): 1}),
        (metrics.PROBER_HEARTBEAT, {("fra-1",): EPOCH_NOON + 3590}),
        (metrics.PROBER_WATCHER_UP, {("support", "fra-1"): 1, ("desk", "fra-1"): 0}),
        (metrics.PROBER_SCHEDULER_LAG, {
            ("fra-1",): Buckets((0, 1, 0, 0, 0, 0, 1, 0), 70.3, 0.3, 70.0),
        }),
        (metrics.BUILD_INFO, {("1.2.3", "abc", "3.11.2", "fra-1"): 1}),
    ],
    ids=lambda one: one.name if isinstance(one, Instrument) else "",
)  # fmt: skip
def test_full_store__shows_each_series_of_a_metric(
    instrument: Instrument, expected: Mapping[tuple[str, ...], object]
) -> None:
    assert series(FULL, instrument) == expected


def test_full_store__shows_every_metric_but_those_of_sinks() -> None:
    shown = {family.instrument for family in FULL.families}

    of_sinks = {metrics.PROBER_OUTBOX_PENDING, metrics.PROBER_OUTBOX_OLDEST, metrics.PROBER_ALERTS_SENT}
    assert set(METRICS) - shown == of_sinks
    assert FULL.is_whole


def test_outbox__is_shown_of_configured_sinks_alone_and_its_oldest_only_if_there_is_one() -> None:
    async def prepare(store: MemoryStore) -> None:
        waiting = [alert(1, sink="pager"), alert(2, sink="pager"), alert(1, sink="of-old")]
        await store.store_alerts(AlertStep(Subject("s"), None, 0, tuple(waiting)), at=after(3000))
        await store.alert_given_up(waiting[1].id, at=after(3100), error="no")

    snapshot = taken(prepare, sinks=["pager", "chat"])

    assert series(snapshot, metrics.PROBER_OUTBOX_PENDING) == {
        ("pager",): 1,
        ("chat",): 0,
    }
    assert series(snapshot, metrics.PROBER_OUTBOX_OLDEST) == {("pager",): EPOCH_NOON + 3000}


def silence(about: str, *, begins_in: float = -60, ends_in: float = 60) -> Silence:
    begins_at, ends_at = NOW + timedelta(seconds=begins_in), NOW + timedelta(seconds=ends_in)
    return Silence(SilenceId(f"of-{about}"), about, begins_at, ends_at, "patches", "kim", NOW)


def test_silence_in_force__marks_its_path_and_one_to_come_does_not() -> None:
    async def prepare(store: MemoryStore) -> None:
        await store.add_silence(silence(MAIL))
        await store.add_silence(silence(FORM, begins_in=10))

    assert series(taken(prepare), metrics.PATH_SILENCED) == {(MAIL,): 1, (FORM,): 0}


def test_maintenance_window__marks_its_path_as_a_silence_does() -> None:
    windows: list[Window] = [lambda now: silence(FORM) if now == NOW else None, lambda _: None]

    assert series(taken(nothing, windows=windows), metrics.PATH_SILENCED) == {(MAIL,): 0, (FORM,): 1}


def test_path_that_is_switched_off__has_no_gauges_but_its_leftovers_and_counters() -> None:
    snapshot = taken(paths=[replace(PATHS[0], is_enabled=False)])

    assert series(snapshot, metrics.PATH_INFO) == {}
    assert series(snapshot, metrics.PATH_LAST_VERDICT) == {}
    assert series(snapshot, metrics.CLEANUP_LEFTOVERS) == {(MAIL, "ticket"): 1, (MAIL, "mail"): 0}
    assert series(snapshot, metrics.CANARY_LAUNCHED) == {(MAIL, "email"): 4}


def test_path_that_is_none_any_more__has_no_counters_but_its_leftovers_are_still_work() -> None:
    async def prepare(store: MemoryStore) -> None:
        gone = await recorded(store, make_canary(1))
        await store.note_removed(TriedRemoval(removal(gone.id, outcome="failed"), next_at=after(9000)))

    snapshot = taken(prepare, paths=PATHS[1:])

    assert series(snapshot, metrics.CANARY_LAUNCHED) == {}
    assert series(snapshot, metrics.CLEANUP_LEFTOVERS)[MAIL, "ticket"] == 1


def test_path_that_was_never_confirmed__is_neither_up_nor_down() -> None:
    async def prepare(store: MemoryStore) -> None:
        await recorded(store, make_canary(1))

    assert series(taken(prepare), metrics.PATH_UP) == {}


async def confirmed(store: MemoryStore, *, at: float) -> None:
    canary = await recorded(store, make_canary(1, launched_at=after(at - 30)))
    _, version = await store.progress(MAIL)
    await store.settle(settlement(judged(canary, Verdict.CONFIRMED, at=at, seconds=30.0), version=version))


@pytest.mark.parametrize(("age", "expected"), [(1500, {(MAIL,): 1}), (1501, {})])
def test_path_without_a_verdict_for_three_intervals_and_a_deadline__is_not_known_to_be_up(
    age: float, expected: Mapping[tuple[str, ...], float]
) -> None:
    async def prepare(store: MemoryStore) -> None:
        await confirmed(store, at=3600 - age)

    assert series(taken(prepare), metrics.PATH_UP) == expected


def test_path_that_the_prober_can_not_see__is_neither_up_nor_down_though_it_once_worked() -> None:
    async def prepare(store: MemoryStore) -> None:
        await confirmed(store, at=3500)
        blind = replace(incident(2), kind=IncidentKind.BLIND)
        _, version = await store.progress(MAIL)
        changes = [Change(blind, Transition.OPENED)]
        await store.store_progress(MAIL, Progress(blindness=blind), version=version, changes=changes, at=NOW)

    assert series(taken(prepare), metrics.PATH_UP) == {}


@pytest.mark.parametrize(("hours", "expected"), [(23.9, {0}), (24.1, set())])
def test_ended_incident__is_shown_as_0_for_a_day(hours: float, expected: set[float]) -> None:
    async def prepare(store: MemoryStore) -> None:
        over = incident(1, resolved_at=NOW - timedelta(hours=hours))
        changes = [Change(over, Transition.RESOLVED)]
        await store.store_progress(MAIL, Progress(), version=0, changes=changes, at=NOW)

    snapshot = taken(prepare)

    assert set(series(snapshot, metrics.INCIDENT_OPEN).values()) == expected
    assert series(snapshot, metrics.INCIDENT_START) == {}


def test_sharper_blame_of_an_open_incident__changes_no_label() -> None:
    async def prepare(store: MemoryStore) -> None:
        sharper = Stop(Hop.MAILBOX_ARRIVAL, Reason.MISROUTED, Side.TARGET)
        lasting = replace(incident(2), sharper=sharper)
        changes = [Change(lasting, Transition.CHANGED)]
        await store.store_progress(MAIL, Progress(target=lasting), version=0, changes=changes, at=NOW)

    assert series(taken(prepare), metrics.INCIDENT_OPEN) == {(MAIL, "smtp.accept", "mailbox_full"): 1}


def test_blindness_of_the_prober__is_no_incident_of_the_path() -> None:
    async def prepare(store: MemoryStore) -> None:
        blind = replace(incident(2), kind=IncidentKind.BLIND)
        changes = [Change(blind, Transition.OPENED)]
        await store.store_progress(MAIL, Progress(blindness=blind), version=0, changes=changes, at=NOW)

    snapshot = taken(prepare)

    assert series(snapshot, metrics.INCIDENT_OPEN) == {}
    assert series(snapshot, metrics.PATH_UP) == {}


def test_misfires_of_another_prober__are_its_own_to_show() -> None:
    async def prepare(store: MemoryStore) -> None:
        store._prober = "ber-2"
        await store.note_missed([MissedSlot(Slot(MAIL, after(900)), MissedCause.CAP)], at=NOW)

    assert series(taken(prepare), metrics.PROBER_MISFIRES) == {}


def test_series_of_another_version__are_left_out() -> None:
    points = Points()
    samples = [
        Sample("intake.of_another_version", {"path": MAIL}, 1.0),
        Sample(metrics.CANARY_LAUNCHED.name, {"path": MAIL}, 1.0),
        Sample(metrics.SLO_GOOD.name, {"path": MAIL}, 7.0),
    ]

    add_samples(points, samples, PATHS, prober="fra-1")

    [family] = points.families()
    assert (family.instrument, family.points[0].value) == (metrics.SLO_GOOD, 7.0)


class UnreadableStore(MemoryStore):
    """Fails at one verb."""

    async def latest_gauges(self, *, now: datetime | None = None) -> Sequence[object]:  # type: ignore[override]  # it gives nothing
        del now
        raise StoreError("store: gone")


class HangingStore(MemoryStore):
    """Never answers."""

    async def samples(self) -> Sequence[Sample]:
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.parametrize("kind", [UnreadableStore, HangingStore])
def test_store_that_cannot_be_read__leaves_this_process_s_figures_and_says_that_it_is_blind(
    kind: type[MemoryStore],
) -> None:
    clock = FakeClock(NOW)

    async def main() -> Snapshot:
        store = kind(prober="fra-1")
        await fill(store)
        async with clock.jumping():
            return await snapshots(store, clock).current()

    snapshot = asyncio.run(main())

    assert not snapshot.is_whole
    assert {family.instrument.source for family in snapshot.families} == {Source.PROCESS}
    blind = series(snapshot, metrics.PROBER_BLIND)
    assert {labels[1] for labels, value in blind.items() if value} == {"dns", "store"}
    assert len(blind) == 8
    assert series(snapshot, metrics.PROBER_STORE_ERRORS) == {("fra-1", "read"): 1, ("fra-1", "write"): 0}
    assert series(snapshot, metrics.PROBER_MISFIRES) == {}


class CountingStore(MemoryStore):
    """Counts how often all its series were read."""

    reads = 0
    is_gone = False

    async def samples(self) -> Sequence[Sample]:
        self.reads += 1
        await FakeClock().sleep(0)  # lets the others in
        if self.is_gone:
            raise StoreError("store: gone")
        return await super().samples()


def test_scrapes_within_five_seconds__cost_one_reading_of_the_store_however_many_come_at_once() -> None:
    clock = FakeClock(NOW)

    async def main() -> None:
        store = CountingStore(prober="fra-1")
        one = snapshots(store, clock)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one.current()) for _ in range(20)]
        assert len({id(task.result()) for task in tasks}) == 1
        clock.advance(4.9)
        await one.current()
        assert store.reads == 1

        clock.advance(0.2)
        assert (await one.current()).at == NOW + timedelta(seconds=5.1)
        assert store.reads == 2

    asyncio.run(main())


def test_store_that_is_back__is_shown_again_after_the_blind_snapshot() -> None:
    clock = FakeClock(NOW)

    async def main() -> list[bool]:
        store = CountingStore(prober="fra-1")
        one = snapshots(store, clock)
        seen = []
        for is_gone in (False, True, False):
            store.is_gone = is_gone
            clock.advance(6)
            seen.append((await one.current()).is_whole)
        return seen

    assert asyncio.run(main()) == [True, False, True]


def test_scrape_that_is_cancelled__leaves_the_next_one_to_read() -> None:
    async def main() -> bool:
        store = CountingStore(prober="fra-1")
        one = snapshots(store)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(one.current())
            await FakeClock().sleep(0)
            task.cancel()
        assert task.cancelled()
        return (await one.current()).is_whole

    assert asyncio.run(main())


def test_no_canary_yet__shows_what_is_configured() -> None:
    snapshot = taken(nothing)

    assert series(snapshot, metrics.PATH_IN_FLIGHT) == {(MAIL,): 0, (FORM,): 0}
    assert series(snapshot, metrics.PLACE_INFO).keys() == {
        ("desk", "ticketing", "post", "www.example.com"),
        ("support", "mailbox", "post", "example.com"),
    }
    assert series(snapshot, metrics.PLACE_READING) == {}
