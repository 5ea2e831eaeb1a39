"""A launch that is interrupted can be taken over at once, whatever it was waiting for."""

import asyncio

from canary.canary import Canary
from canary.observation import Observation
from canary.signature import CanaryId
from runners.launch import Launcher, Order
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import SENDER, World, email_path, prober_of


class SlowStore(MemoryStore):
    """Takes long to note the end of a launch."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    async def launch_ended(self, *canary_ids: CanaryId) -> None:
        await self._clock.sleep(10.0)
        await super().launch_ended(*canary_ids)


async def nowhere(*observations: Observation) -> None:
    del observations


def test_launch_interrupted_while_it_waits_to_be_ended__gives_up_its_lease() -> None:
    clock = FakeClock()
    store = SlowStore(clock)
    path = email_path()
    number = iter(range(1, 9))
    launcher = Launcher(
        prober_of(World(clock), path),
        store,
        clock=clock,
        holder="host-a",
        randomness=lambda size: next(number).to_bytes(size, "big"),
    )

    async def main() -> tuple[Canary, list[Canary]]:
        first, second = [launcher.mint(Order(path, SENDER)) for _ in range(2)]
        for one in (first, second):
            await launcher.record(one)
        async with asyncio.TaskGroup() as group:
            group.create_task(launcher.send(first, nowhere))
            waiting = group.create_task(launcher.send(second, nowhere))
            await clock.sleep(1.0)
            waiting.cancel()
        return second, list(await store.abandoned(clock.now()))

    second, abandoned = run_jumping(clock, main())

    assert abandoned == [second]
