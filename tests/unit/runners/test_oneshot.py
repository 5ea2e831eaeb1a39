"""A one-shot run over a pretend intake: what it launches, waits for, settles, cleans, and how it exits."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.alert import AlertKind
from canary.hop import Hop
from canary.observation import Observation
from canary.reason import Reason
from canary.verdict import Verdict
from probes.contracts import ABOVE_CAP, RemovalState, Removed
from runners.alerts.contracts import Undelivered
from runners.contracts import BEGUN, RemovalKind, StoreError
from runners.launch import Launcher, Order
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.prober import GaugedPlace
from runners.progress import Silent
from runners.situation import AlertRules
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.sink import FakeSink
from tests.fakes.world import SENDER, World, email_path, prober_of
from tests.unit.runners.test_gauging import Reader

Run = Callable[..., RunResult]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> World:
    return World(clock)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def run(clock: FakeClock, world: World, store: MemoryStore) -> Run:
    def go(options: RunOptions | None = None, *paths: str, deadline_seconds: float = 60.0) -> RunResult:
        known = [
            email_path(name, deadline_seconds=deadline_seconds) for name in (paths or ("support-email",))
        ]
        shot = OneShot(prober_of(world, *known), store, clock=clock, progress=Silent())
        return run_jumping(clock, shot.run(options or RunOptions()))

    return go


def stop_of(result: RunResult) -> tuple[Hop, Reason]:
    judgement = result.records[0].judgement
    assert judgement is not None
    assert judgement.stop is not None
    return judgement.stop.hop, judgement.stop.reason


def test_ticket_in_time__run__confirms_and_cleans_and_exits_0(run: Run, world: World) -> None:
    result = run()

    assert [record.verdict for record in result.records] == [Verdict.CONFIRMED]
    assert world.removed == [result.records[0].canary.id]
    assert result.exit_code == 0


def test_no_ticket__run__breaches_at_the_deadline_and_blames_ticket_created(run: Run, world: World) -> None:
    world.ticket_after_seconds = None

    result = run()

    assert [record.verdict for record in result.records] == [Verdict.BREACHED]
    assert stop_of(result) == (Hop.TICKET_CREATED, Reason.NOT_SEEN)
    assert world.removed == []
    assert result.exit_code == 1


def test_blind_desk__run__is_inconclusive_and_never_blames_the_target(run: Run, world: World) -> None:
    world.desk_is_blind = True

    result = run()

    assert [record.verdict for record in result.records] == [Verdict.INCONCLUSIVE]
    assert stop_of(result) == (Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE)
    assert result.exit_code == 3


def test_breached_earlier__next_run_sees_the_ticket__is_late_and_clean(
    run: Run, world: World, clock: FakeClock
) -> None:
    world.ticket_after_seconds = 90.0
    first = run()
    clock.advance(120)

    second = run(RunOptions(launches=False))

    assert [record.verdict for record in first.records] == [Verdict.BREACHED]
    assert [record.verdict for record in second.records] == [Verdict.LATE]
    assert world.removed == [first.records[0].canary.id]
    assert second.exit_code == 0


def test_breached_and_never_seen__sweep_after_the_horizon__is_lost(
    run: Run, world: World, clock: FakeClock
) -> None:
    world.ticket_after_seconds = None
    run()
    clock.advance(3700)

    result = run(RunOptions(launches=False))

    assert [record.verdict for record in result.records] == [Verdict.LOST]


def test_two_breaches__third_run_confirmed_twice__opens_and_resolves_one_incident(
    run: Run, world: World, clock: FakeClock, store: MemoryStore
) -> None:
    run()
    world.ticket_after_seconds = None
    run()
    run()
    world.ticket_after_seconds = 1.0
    run()
    run()

    incidents = run_jumping(clock, store.incidents(path=None, since=None, limit=10))

    assert len(incidents) == 1
    assert incidents[0].resolved_at is not None
    assert incidents[0].impact_from is not None
    assert incidents[0].impact_until is not None
    assert incidents[0].impact_from < incidents[0].onset_at < incidents[0].impact_until


def test_two_tickets__run__confirms_with_the_flaw_duplicate_and_removes_both(
    run: Run, world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.tickets_each = 2

    result = run()

    judgement = result.records[0].judgement
    assert judgement is not None
    assert [(flaw.hop, flaw.reason) for flaw in judgement.flaws] == [(Hop.TICKET_CONTENT, Reason.DUPLICATE)]
    audit = run_jumping(clock, store.audit(since=None, limit=10))
    assert len({entry.what for entry in audit if entry.outcome == RemovalState.DONE}) == 2


def test_removal_fails__run__leaves_it_to_the_next_and_says_so(
    run: Run, world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.removal = RemovalState.FAILED
    first = run()
    assert len(run_jumping(clock, store.leftovers())) == 1

    world.removal = RemovalState.DONE
    clock.advance(3600)
    second = run(RunOptions(launches=False))

    assert run_jumping(clock, store.leftovers()) == []
    assert [(one.place, one.attempts) for one in first.leftovers] == [("desk", 1)]
    assert (first.exit_code, second.exit_code, second.leftovers) == (0, 0, ())


def test_more_than_20_leftovers__run__launches_nothing(run: Run, world: World) -> None:
    world.removal = RemovalState.FAILED
    for _ in range(21):
        run()
    launched = len(world.sent)

    run()

    assert launched == 21
    assert len(world.sent) == 21


def test_due_slot__two_runs__launch_one_canary(run: Run, world: World) -> None:
    run(RunOptions(only_due=True))
    run(RunOptions(only_due=True))

    assert len(world.sent) == 1


def test_probe_has_a_bug__run__is_inconclusive_unexpected_and_goes_on(run: Run, world: World) -> None:
    world.launch_error = RuntimeError("a bug")

    result = run(RunOptions(), "one", "two")

    assert [record.verdict for record in result.records] == [Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE]
    assert stop_of(result)[1] is Reason.UNEXPECTED
    assert result.exit_code == 3


def test_store_fails_before_the_send__run__sends_nothing_and_exits_3(
    run: Run, world: World, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise StoreError("intake.db: the disk is full. Free some space.")

    monkeypatch.setattr(store, "record", refuse)

    result = run()

    assert world.sent == {}
    assert result.problem == "intake.db: the disk is full. Free some space."
    assert result.exit_code == 3


def test_unfinished_launch_of_a_dead_process__next_run__is_prober_stopped(
    run: Run, world: World, clock: FakeClock
) -> None:
    class Killed(BaseException):
        pass

    world.launch_error = Killed()
    with pytest.raises(BaseExceptionGroup):
        run()
    world.launch_error = None
    clock.advance(60)

    result = run(RunOptions(launches=False))

    assert [record.verdict for record in result.records] == [Verdict.INCONCLUSIVE]
    assert stop_of(result) == (Hop.SMTP_CONNECT, Reason.PROBER_STOPPED)


def test_unfinished_launch_of_another_process__whose_ticket_came__is_confirmed_without_its_end(
    run: Run, world: World, clock: FakeClock, store: MemoryStore
) -> None:
    """Its process may be dead, and its lease still hold: nobody would judge it before its deadline."""
    path = email_path("support-email", deadline_seconds=600.0)
    launcher = Launcher(
        prober_of(world, path), store, clock=clock, holder="another", randomness=secrets.token_bytes
    )
    canary = launcher.mint(Order(path, SENDER))
    run_jumping(clock, launcher.record(canary))
    world.sent[canary.id] = canary
    clock.advance(10)

    run(deadline_seconds=600.0)

    (found,) = run_jumping(clock, store.find(canary.id))
    assert found.verdict is Verdict.CONFIRMED


def test_clock_stepped_while_out__run__is_inconclusive(run: Run, world: World, clock: FakeClock) -> None:
    world.ticket_after_seconds = None
    clock.call_at(10, lambda: clock.step(5))

    result = run()

    assert stop_of(result)[1] is Reason.CLOCK_STEPPED
    assert result.exit_code == 3


def test_many_canaries_outstanding__watch__looks_once_for_all_of_them(run: Run, world: World) -> None:
    result = run(RunOptions(), *[f"path-{n}" for n in range(20)])

    assert len(result.records) == 20
    assert max(count for _, count in world.looks) == 20
    assert len(world.looks) < 15


def test_detached__run__returns_before_the_verdict__and_the_next_settles(run: Run, clock: FakeClock) -> None:
    first = run(RunOptions(detach=True))
    clock.advance(70)
    second = run(RunOptions(launches=False))

    assert [record.verdict for record in first.records] == [Verdict.PENDING]
    assert [record.verdict for record in second.records] == [Verdict.CONFIRMED]
    assert first.exit_code == 0
    assert second.exit_code == 0


def test_disabled_path__run_without_names__launches_nothing(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    path = replace(email_path(), is_enabled=False)
    shot = OneShot(prober_of(world, path), store, clock=clock, progress=Silent())

    result = run_jumping(clock, shot.run(RunOptions()))

    assert world.sent == {}
    assert result.records == ()


def test_launch_still_under_way_at_the_deadline__is_not_taken_for_stopped(run: Run, world: World) -> None:
    world.launch_seconds = 90.0
    world.ticket_after_seconds = None

    result = run(deadline_seconds=60.0)

    assert stop_of(result) == (Hop.TICKET_CREATED, Reason.NOT_SEEN)


def test_refusal_that_is_looked_at_while_the_launch_goes_on__is_breached_when_that_has_ended(
    run: Run, world: World, clock: FakeClock
) -> None:
    world.refusal, world.quit_seconds = Reason.RECIPIENT_UNKNOWN, 5.0
    began_at = clock.now()

    result = run(deadline_seconds=600.0)

    assert stop_of(result) == (Hop.SMTP_ACCEPT, Reason.RECIPIENT_UNKNOWN)
    assert clock.now() - began_at < timedelta(seconds=60), "the deadline was waited for"


def test_ticket_that_is_quicker_than_the_end_of_its_launch__is_confirmed_with_what_that_has_to_say(
    run: Run, world: World
) -> None:
    world.quit_seconds, world.last_words = 20.0, Reason.CONFIRMATION_MISSING

    result = run(deadline_seconds=600.0)

    judgement = result.records[0].judgement
    assert judgement is not None
    assert (judgement.verdict, [one.reason for one in judgement.flaws]) == (
        Verdict.CONFIRMED,
        [Reason.CONFIRMATION_MISSING],
    )


def test_sweep_until_the_horizon__waits_for_what_an_earlier_run_left(run: Run, world: World) -> None:
    world.ticket_after_seconds = 200.0
    run(deadline_seconds=60.0)

    result = run(RunOptions(launches=False, until_horizon=True))

    assert [one.verdict for one in result.records] == [Verdict.LATE]


def test_removal_that_failed__a_sweep_tries_it_again_at_once_and_a_run_does_not(
    run: Run, world: World
) -> None:
    world.removal = RemovalState.FAILED
    [first] = run().records
    world.removal = RemovalState.DONE

    run()
    assert world.removed.count(first.canary.id) == 1
    run(RunOptions(launches=False))

    assert world.removed.count(first.canary.id) == 2


def test_sweep_until_the_horizon__of_a_lost_one__ends_at_the_horizon(
    run: Run, world: World, clock: FakeClock
) -> None:
    world.ticket_after_seconds = None
    [first] = run(deadline_seconds=60.0).records

    result = run(RunOptions(launches=False, until_horizon=True))

    assert [one.verdict for one in result.records] == [Verdict.LOST]
    assert clock.now() - first.canary.horizon_at < timedelta(seconds=5)


def test_store_that_fails_within_the_launch__run__ends_and_exits_3(
    run: Run, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = store.append
    told: list[Observation] = []

    async def fail_from_the_third(*observations: Observation) -> Sequence[bool]:
        told.extend(observations)
        if len(told) > 2:
            raise StoreError("intake.db: the disk is full. Free some space.")
        return await append(*observations)

    monkeypatch.setattr(store, "append", fail_from_the_third)

    result = run()

    assert result.exit_code == 3
    assert "the disk is full" in (result.problem or "")
    assert [one.verdict for one in result.records] == [Verdict.PENDING]


def test_cap_on_removals__leaves_the_rest_to_the_next_hour_as_leftovers(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    paths = [email_path(f"path-{number}") for number in range(4)]
    prober = replace(prober_of(world, *paths), disposals_per_hour={"desk": 3})

    run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))
    assert len(world.removed) == 3
    run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions(launches=False)))
    assert len(world.removed) == 3
    left = run_jumping(clock, store.leftovers())
    assert [(one.place, one.kind, one.detail) for one in left] == [("desk", RemovalKind.TICKET, ABOVE_CAP)]
    clock.advance(3700)
    run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions(launches=False)))

    assert len(world.removed) == 4
    assert run_jumping(clock, store.leftovers()) == []


def test_canary_that_multiplied__cap_on_removals__counts_its_tickets(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.tickets_each = 5
    prober = replace(prober_of(world), disposals_per_hour={"desk": 3})

    run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))

    lines = run_jumping(clock, store.audit(since=None, limit=99))
    assert [one.outcome for one in lines].count(RemovalState.DONE) == 3
    assert len(run_jumping(clock, store.leftovers())) == 2


def test_process_killed_while_it_removes__audit_has_what_it_began(
    world: World, store: MemoryStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    prober = prober_of(world)

    async def dies(*_: object, **__: object) -> Sequence[Removed]:
        raise StoreError("killed here")

    monkeypatch.setattr(prober.places["desk"].watcher, "remove", dies)
    result = run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))

    (line,) = run_jumping(clock, store.audit(since=None, limit=9))
    assert (line.canary_id, line.place, line.outcome) == (result.records[0].canary.id, "desk", BEGUN)


def test_gauge_that_answers_slowly__is_waited_for_before_the_breach_is_given_its_reason(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.ticket_after_seconds = None
    path = replace(email_path(), mailbox="support")
    full = GaugedPlace(Reader(clock, value=1000.0, seconds=5.0))
    prober = replace(prober_of(world, path), gauges=(full,))

    result = run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))

    assert stop_of(result) == (Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL)


class Everyone:
    """Routes all to both sinks."""

    def sinks_for(self, *_: object) -> tuple[str, ...]:
        return ("pager", "chat")


def test_alert_that_its_sink_refuses_for_good__is_told_to_the_other_sink_by_the_same_run_once(
    world: World, store: MemoryStore, clock: FakeClock
) -> None:
    world.ticket_after_seconds = None
    pager = FakeSink("pager", lambda _: Undelivered("400 bad key", permanent=True))
    chat = FakeSink("chat")
    sinks = {"pager": pager, "chat": chat}
    rules = AlertRules("test", Everyone(), sinks=frozenset(sinks))
    prober = replace(prober_of(world), alerts=rules, sinks=sinks)

    for _ in range(2):
        run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))

    kinds = [one.concern.kind for one in chat.taken]
    assert kinds == [AlertKind.INCIDENT, AlertKind.DELIVERY]
    assert chat.taken[1].concern.place == "pager"
    run_jumping(clock, OneShot(prober, store, clock=clock, progress=Silent()).run(RunOptions()))
    assert [one.concern.kind for one in chat.taken].count(AlertKind.DELIVERY) == 1
