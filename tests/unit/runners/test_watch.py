"""The watchers: no look is missed, whatever else they wait for."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.blame import Stop
from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, LookFacts, Observation, Outcome
from canary.path import Path
from canary.reason import Reason, Side
from canary.verdict import Verdict
from probes.contracts import Report
from runners.contracts import Record
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.prober import Place, Prober
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeDeskWatcher, FakeProbe, World, email_path, prober_of


class PacedDesk(FakeDeskWatcher):
    """As a real system's pace has it: no news while all that was asked for is there."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._world = world
        self._is_missed = False

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        await super().look(canaries, depth, report)
        self._is_missed = any(not self._tickets(one) for one in canaries)

    async def news(self) -> None:
        if not self._is_missed:
            await asyncio.Event().wait()
        await super().news()


class SlowDesk(PacedDesk):
    """Takes long to answer, and has no news after that."""

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        await self._world.clock.sleep(3.0)
        await super().look(canaries, depth, report)

    async def news(self) -> None:
        await self._world.clock.sleep(600.0)


class BusyDesk(PacedDesk):
    """Shows a damaged ticket; its first look past the deadline can't read all, the next ones can."""

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        is_whole = (Depth.DEADLINE, len(canaries)) in self._world.looks

        async def damaged(*seen: Observation) -> None:
            facts = LookFacts(depth, is_complete=is_whole or depth is Depth.POLL)
            for one in seen:
                if one.hop is not Hop.TICKET_CONTENT:
                    await report(replace(one, look=facts))
                    continue
                failed = replace(one, outcome=Outcome.FAILED, reason=Reason.BODY_TRUNCATED, look=facts)
                unmet = replace(one, outcome=Outcome.UNKNOWN, reason=Reason.NOT_SEEN, ticket=None, look=facts)
                await report(failed, unmet)

        await super().look(canaries, depth, damaged)


class OddDesk(FakeDeskWatcher):
    """Meets an answer that nobody thought of, in its looks or, where it is said, in its news."""

    def __init__(self, world: World, place: str, *, is_odd_in_news: bool = False) -> None:
        super().__init__(world, place)
        self._is_odd_in_news = is_odd_in_news

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        if self._is_odd_in_news:
            await super().look(canaries, depth, report)
            return
        self._world.looks.append((depth, len(canaries)))
        raise KeyError("number")

    async def news(self) -> None:
        if self._is_odd_in_news:
            raise KeyError("number")


def prober_with(world: World, *paths: Path) -> Prober:
    return replace(prober_of(world, *paths), places={"desk": Place(PacedDesk(world), Hop.TICKET_CONTENT)})


def run(prober: Prober, clock: FakeClock) -> RunResult:
    shot = OneShot(prober, MemoryStore(), clock=clock, progress=Silent())
    return run_jumping(clock, shot.run(RunOptions()))


def run_beside(odd: OddDesk, world: World) -> dict[str, Record]:
    """Two paths, one of which ends in an odd desk."""
    paths = (email_path("well"), replace(email_path("odd"), ticketing="odd"))
    prober = prober_of(world, *paths)
    places = {**prober.places, "odd": Place(odd, Hop.TICKET_CONTENT)}
    return {one.canary.path: one for one in run(replace(prober, places=places), world.clock).records}


def seconds_of(result: RunResult) -> dict[str, float]:
    judgements = {one.canary.path: one.judgement for one in result.records}
    assert all(one is not None and one.verdict is Verdict.CONFIRMED for one in judgements.values())
    return {path: one.seconds or 0 for path, one in judgements.items() if one is not None}


def test_request_handed_over_after_all_other_tickets_were_seen__is_looked_for_a_second_later() -> None:
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=1.0)
    quick, slow = email_path("quick", deadline_seconds=300.0), email_path("slow", deadline_seconds=300.0)
    slowly = replace(world, launch_seconds=12.0)
    prober = prober_with(world, quick, slow)

    result = run(replace(prober, probes={**prober.probes, slow.name: FakeProbe(slowly)}), clock)

    assert slowly.sent is world.sent
    assert seconds_of(result) == {"quick": 1.5, "slow": 13.0}


def test_launch_that_takes_long_to_end__delays_no_look_for_its_ticket() -> None:
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=2.0, quit_seconds=40.0)

    result = run(prober_with(world, email_path(deadline_seconds=60.0)), clock)

    assert seconds_of(result)["support-email"] < 3.0


def test_deadline_that_passes_during_a_look__has_its_own_look_next() -> None:
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=None, launch_seconds=0.1)
    prober = prober_of(world, email_path(deadline_seconds=3.0))

    [record] = run(
        replace(prober, places={"desk": Place(SlowDesk(world), Hop.TICKET_CONTENT)}), clock
    ).records

    assert world.looks == [(Depth.POLL, 1), (Depth.DEADLINE, 1)]
    assert record.verdict is Verdict.BREACHED
    assert record.judgement is not None
    assert record.judgement.settled_at == record.canary.launched_at + timedelta(seconds=7.1)


def test_damaged_ticket_and_a_deadline_look_that_could_not_read_all__is_looked_for_again_in_seconds() -> None:
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=0.5, launch_seconds=0.1)
    prober = prober_of(world, email_path(deadline_seconds=10.0))

    [record] = run(
        replace(prober, places={"desk": Place(BusyDesk(world), Hop.TICKET_CONTENT)}), clock
    ).records

    assert record.verdict is Verdict.BREACHED
    judgement = record.judgement
    assert judgement is not None
    assert judgement.stop is not None
    assert judgement.settled_at is not None
    assert judgement.stop.reason is Reason.BODY_TRUNCATED
    assert judgement.settled_at <= record.canary.launched_at + timedelta(seconds=16)


def test_clock_that_is_set_back_after_the_hand_over__and_the_ticket_is_seen_all_the_same() -> None:
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=-7200.0, launch_seconds=0.1)
    clock.call_at(0.3, lambda: clock.step(-3600.0))
    began = clock.monotonic()

    result = run(prober_with(world, email_path(deadline_seconds=300.0)), clock)

    assert [one.verdict for one in result.records] == [Verdict.CONFIRMED]
    assert timedelta(seconds=clock.monotonic() - began) < timedelta(seconds=5)


def test_fault_of_ours_at_one_place__blinds_it_is_logged_and_hides_nothing_of_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world, elsewhere = World(FakeClock()), World(FakeClock())

    records = run_beside(OddDesk(elsewhere, "odd"), world)

    assert records["well"].verdict is Verdict.CONFIRMED
    assert records["odd"].verdict is Verdict.INCONCLUSIVE
    judgement = records["odd"].judgement
    assert judgement is not None
    assert judgement.stop == Stop(Hop.TICKET_CREATED, Reason.UNEXPECTED, Side.PROBER)
    failed = [one for one in caplog.records if one.getMessage() == "look_failed"]
    assert [one.__dict__["place"] for one in failed] == ["odd"], "once, however often it is met"
    assert "KeyError in" in failed[0].__dict__["detail"]
    assert "number" not in failed[0].__dict__["detail"], "it may be an answer's"
    assert 12 <= len(elsewhere.looks) <= 60


def test_fault_of_ours_in_the_news_of_one_place__ends_no_watch_and_delays_its_looks_by_a_minute_at_most() -> (
    None
):
    clock = FakeClock()
    world = World(clock, ticket_after_seconds=2.0)

    records = run_beside(OddDesk(world, "odd", is_odd_in_news=True), world)

    assert {one.verdict for one in records.values()} == {Verdict.CONFIRMED}
