"""Looks that go on where the last one was left off: what they find, what they cost, and of whom they may say absence."""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import CanaryId, find_tokens
from probes.contracts import Look, TicketingSystem
from probes.ticketing.look_span import was_read
from runners.config.build_ticketing_http import GenericConfig
from tests.contracts.ticketing_bench import new_canary
from tests.fakes.answers import Answering
from tests.fakes.busy_desk import WAYS, BusyDesk, configuration
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.generic_desks import configured, opened

HOUR = timedelta(hours=1)
SIZE, PAGES, A_SECOND = 500, 10, 50


@cache
def config_of(way: str, size: int, pages: int) -> GenericConfig:
    with TemporaryDirectory() as folder:
        return configured(Path(folder), configuration(way, size=size, pages=pages))


class Tenant:
    """A busy desk, and processes that look into it one after the other, with one store."""

    def __init__(self, way: str, *, size: int, pages: int, a_second: float, window: timedelta) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.desk = BusyDesk(self.clock, since=START - window - HOUR, a_second=a_second)
        self._config = config_of(way, size, pages)
        self._system: TicketingSystem | None = None

    def canary(self, launched_at: datetime) -> Canary:
        return new_canary(launched_at)

    def plant(self, canary: Canary, at: datetime) -> None:
        """Its ticket, of a gateway that rewrote the sender."""
        self.desk.plant(f"Fwd: {canary.token}", "gateway@acme.test", at)

    async def life(self, work: Callable[[TicketingSystem], Awaitable[None]]) -> None:
        """What one process does from its start to its end; it leaves nothing but what the store has."""
        transport = Answering(self.desk.handle)
        async with opened(self._config, clock=self.clock, transport=transport, walks=self.store) as system:
            await work(system)


def ids_in(look: Look, canaries: list[Canary]) -> set[CanaryId]:
    words = {word for ticket in look.tickets for word in find_tokens(ticket.subject or "")}
    return {one.id for one in canaries if one.token in words}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_fifty_strangers_a_second__each_of_ours_is_found_by_bounded_looks(way: str) -> None:
    window = timedelta(minutes=12)  # the benchmarks have one of hours
    tenant = Tenant(way, size=SIZE, pages=PAGES, a_second=A_SECOND, window=window)
    launched_at = START - window + timedelta(minutes=5)  # a look begins five minutes earlier
    ours = [tenant.canary(launched_at) for _ in range(4)]
    for index, one in enumerate(ours[:3]):
        tenant.plant(one, launched_at + index * (window - timedelta(minutes=6)) / 2)
    pages = (
        PAGES // 2 if way in {"time", "number"} else PAGES
    )  # numbered pages are read twice: a deletion moves them
    most_looks = 1 + math.ceil(window.total_seconds() * A_SECOND / (SIZE * (pages - 1) - 3 * A_SECOND))
    found: set[CanaryId] = set()
    complete: list[Look] = []
    looks: list[int] = []

    async def look(system: TicketingSystem) -> None:
        for _ in range(3):  # then the process is restarted
            before = tenant.desk.calls
            seen = await system.find(ours, Depth.DEADLINE)
            looks.append(tenant.desk.calls - before)
            found.update(ids_in(seen, ours))
            if seen.is_complete:
                complete.append(seen)
                return
            await tenant.clock.sleep(1)

    async def main() -> None:
        while not complete and len(looks) <= most_looks:
            await tenant.life(look)

    run_jumping(tenant.clock, main())

    assert found == {one.id for one in ours[:3]}
    assert max(looks) <= PAGES
    assert len(looks) <= most_looks
    walk = complete[0].walk
    assert walk is not None
    assert walk.began_at == START
    assert walk.covers == {one.id for one in ours}


def test_walk_that_is_over__the_next_look_reads_only_what_came_since() -> None:
    tenant = Tenant("time", size=SIZE, pages=PAGES, a_second=A_SECOND, window=HOUR / 12)
    lost = tenant.canary(START - HOUR / 12)
    calls: list[int] = []

    async def look(system: TicketingSystem) -> None:
        is_over = False
        while True:
            before = tenant.desk.calls
            seen = await system.find([lost], Depth.DEADLINE)
            calls.append(tenant.desk.calls - before)
            if is_over:
                return
            is_over = seen.is_complete
            await tenant.clock.sleep(1)

    run_jumping(tenant.clock, tenant.life(look))

    assert len(calls) == 17  # 30,000 tickets in pages read twice, then those of a minute
    assert calls[-1] <= 9


def test_canary_that_another_look_did_not_ask_for__is_not_covered_by_its_walk() -> None:
    tenant = Tenant("time", size=100, pages=2, a_second=1, window=HOUR / 6)
    first, second = tenant.canary(START - HOUR / 6), tenant.canary(START - HOUR / 6)
    covered: list[frozenset[CanaryId]] = []

    async def look(system: TicketingSystem) -> None:
        await system.find([first], Depth.DEADLINE)
        while len(covered) < 2:
            seen = await system.find([first, second], Depth.DEADLINE)
            if seen.is_complete and seen.walk is not None:
                covered.append(seen.walk.covers)

    run_jumping(tenant.clock, tenant.life(look))

    assert covered == [frozenset({first.id}), frozenset({first.id, second.id})]


def test_quiet_system__keeps_no_walk() -> None:
    tenant = Tenant("time", size=100, pages=PAGES, a_second=0.01, window=HOUR)
    one = tenant.canary(START - HOUR / 2)
    looks: list[Look] = []

    async def look(system: TicketingSystem) -> None:
        looks.append(await system.find([one], Depth.DEADLINE))

    run_jumping(tenant.clock, tenant.life(look))

    assert looks[0].is_complete
    assert looks[0].walk is None
    assert tenant.store._walks == {}


def test_ticket_that_a_walk_has_met__is_met_again_by_whoever_removes_it() -> None:
    tenant = Tenant("time", size=100, pages=3, a_second=1, window=HOUR / 4)
    ours = tenant.canary(START - HOUR / 4)
    tenant.plant(ours, START - HOUR / 5)
    passes: list[set[CanaryId]] = []

    async def look(system: TicketingSystem) -> None:
        for _ in range(2):
            found: set[CanaryId] = set()
            while True:
                seen = await system.find([ours], Depth.DEADLINE)
                found |= ids_in(seen, [ours])
                # who removes it must not take the end of a walk that has left it behind for its absence
                assert ids_in(seen, [ours]) or not was_read(seen, ours)
                if seen.is_complete:
                    break
            passes.append(found)

    run_jumping(tenant.clock, tenant.life(look))

    assert passes == [{ours.id}, {ours.id}]


class Story:
    """What may happen to a tenant, and what each look says of it."""

    def __init__(self, tenant: Tenant, events: list[tuple[str, int]]) -> None:
        self.tenant = tenant
        self.ours = [tenant.canary(START - timedelta(seconds=60 * number)) for number in range(3)]
        self.there: dict[CanaryId, datetime] = {}
        self.seen: set[CanaryId] = set()
        self._left = list(events)

    async def play(self) -> None:
        while self._left:
            await self.tenant.life(self._until_restart)
        await self.tenant.life(self._to_the_end)

    async def _until_restart(self, system: TicketingSystem) -> None:
        while self._left:
            event, number = self._left.pop(0)
            if event == "restart":
                return
            if event == "look":
                await self._look(system, self.ours[number % 3 :])
            await self._outside(event, number)

    async def _outside(self, event: str, number: int) -> None:
        clock = self.tenant.clock
        absent = [one for one in self.ours if one.id not in self.there]
        if event == "wait":
            await clock.sleep(number)
        elif event == "long wait":
            await clock.sleep(20 * number)
        elif event == "launch":
            self.ours.append(self.tenant.canary(clock.now()))
        elif event == "arrive" and absent:
            one = absent[number % len(absent)]
            self.there[one.id] = clock.now()
            self.tenant.plant(one, clock.now())

    async def _to_the_end(self, system: TicketingSystem) -> None:
        everybody = {one.id for one in self.ours}
        await self.tenant.clock.sleep(1)
        last_at = self.tenant.clock.now()
        for _ in range(100):
            look = await self._look(system, self.ours)
            walk = look.walk
            is_last = walk is None or (walk.covers == everybody and walk.began_at >= last_at)
            if look.is_complete and is_last:
                return
        raise AssertionError("it never comes to an end")

    async def _look(self, system: TicketingSystem, asked: list[Canary]) -> Look:
        look = await system.find(asked, Depth.DEADLINE)
        self.seen |= ids_in(look, asked)
        if look.is_complete:
            began_at = look.walk.began_at if look.walk is not None else self.tenant.clock.now()
            covered = {one.id for one in asked} if look.walk is None else look.walk.covers
            was_there = {one for one in covered if one in self.there and self.there[one] < began_at}
            assert was_there <= self.seen, "called missing, and it was there"
        return look


EVENT = st.sampled_from(["look", "look", "look", "wait", "long wait", "restart", "launch", "arrive"])


@settings(max_examples=10, deadline=None)
@given(
    way=st.sampled_from(sorted(WAYS)),
    size=st.integers(3, 8),
    pages=st.integers(1, 4),
    events=st.lists(st.tuples(EVENT, st.integers(0, 7)), min_size=5, max_size=20),
)
def test_whatever_happens__none_is_called_missing_that_was_there_and_at_last_each_is_seen(
    way: str, size: int, pages: int, events: list[tuple[str, int]]
) -> None:
    tenant = Tenant(way, size=size, pages=pages, a_second=1 / 16, window=timedelta(minutes=4))
    story = Story(tenant, events)

    run_jumping(tenant.clock, story.play())

    assert story.seen == set(story.there)
