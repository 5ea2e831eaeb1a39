"""A process that stood still with a message in its hands sends it only while it is still its own."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

import pytest

from canary.alert import AlertTransition
from runners.alert_contracts import Outgoing
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.sink import FakeSink
from tests.unit.runners.alerts.test_delivery import delivery, message, written

OPENED, CHANGED, _, RESOLVED = AlertTransition


class _OwnClock(FakeClock):
    """The clock of one machine, which sleeps while the others' time passes: its monotonic one stands still then."""

    def __init__(self, world: FakeClock) -> None:
        super().__init__()
        self.world, self.slept = world, 0.0

    def now(self) -> datetime:
        return self.world.now()

    def monotonic(self) -> float:
        return self.world.monotonic() - self.slept

    async def sleep(self, seconds: float) -> None:
        await self.world.sleep(seconds)

    def timeout(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return self.world.timeout(seconds)


class _Freezing(MemoryStore):
    """A store of which process a gets its first message, and then stands still."""

    def __init__(self, clock: _OwnClock, seconds: float, *, is_suspended: bool) -> None:
        super().__init__()
        self.clock, self.seconds, self.is_suspended = clock, seconds, is_suspended
        self.froze = 0

    async def claim_alerts(
        self, now: datetime, *, sinks: Sequence[str], holder: str, lease_until: datetime, limit: int
    ) -> Sequence[Outgoing]:
        taken = await super().claim_alerts(
            now, sinks=sinks, holder=holder, lease_until=lease_until, limit=limit
        )
        if taken and holder == "a" and not self.froze:
            self.froze += 1
            await self.clock.sleep(self.seconds)
            if self.is_suspended:
                self.clock.slept += self.seconds
        return taken


def heard(seconds: float, *, is_suspended: bool, others: bool = True) -> list[AlertTransition]:
    """What a receiver heard of one story while a stood still for so long."""
    clock = FakeClock()
    own = _OwnClock(clock)
    store = _Freezing(own, seconds, is_suspended=is_suspended)
    pager = FakeSink("pager")

    async def main() -> None:
        await written(store, message(1))
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(delivery(store, own, pager, holder="a").run())]
            await clock.sleep(1)
            if others:
                running.append(group.create_task(delivery(store, clock, pager, holder="b").run()))
            await clock.sleep(40)
            await written(store, message(2), message(3))
            await clock.sleep(100)
            for one in running:
                one.cancel()

    run_jumping(clock, main())
    assert store.froze == 1
    return [one.transition for one in pager.taken]


@pytest.mark.parametrize("is_suspended", [False, True], ids=["stopped", "machine suspended"])
def test_process_that_stood_still_after_it_took_a_message__opens_nothing_again_that_is_over(
    *, is_suspended: bool
) -> None:
    assert heard(60, is_suspended=is_suspended) == [OPENED, CHANGED, RESOLVED]


@pytest.mark.parametrize("is_suspended", [False, True], ids=["stopped", "machine suspended"])
def test_message_that_nobody_took_meanwhile__is_sent_when_it_wakes(*, is_suspended: bool) -> None:
    assert heard(60, is_suspended=is_suspended, others=False) == [OPENED, CHANGED, RESOLVED]


def test_refusal_that_comes_after_another_took_the_message__does_not_take_it_from_it() -> None:
    clock = FakeClock()
    store = MemoryStore()

    async def late(sink: FakeSink) -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(delivery(store, clock, sink, holder="a").run())
            await clock.sleep(1)
            taken = await store.claim_alerts(
                clock.now().replace(hour=23),
                sinks=["pager"],
                holder="b",
                lease_until=clock.now().replace(hour=23),
                limit=1,
            )
            assert len(taken) == 1
            await clock.sleep(25)
            running.cancel()

    async def main() -> None:
        await written(store, message(1))
        await late(FakeSink("pager", hangs=True))

    run_jumping(clock, main())

    state = asyncio.run(store.outbox())["pager"]
    assert (state.pending, state.last_error) == (1, None)
