"""A desk whose list is now long, now short, and processes that look into it one after the other, with one store."""

from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from canary.canary import Canary
from canary.observation import Depth
from canary.walk import Walk
from probes.contracts import Look, TicketingSystem
from runners.config.build_ticketing_http import GenericConfig
from tests.contracts.ticketing_bench import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.paged_desk import PagedDesk
from tests.generic_desks import configured, opened

Work = Callable[[TicketingSystem], Awaitable[None]]


@cache
def config_of(text: str) -> GenericConfig:
    with TemporaryDirectory() as folder:
        return configured(Path(folder), text)


class Bench:
    """A desk, and processes that look into it one after the other, with one store."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.clock.advance(83.5)  # times that are all of a whole hour may be coarse
        self.desk = PagedDesk(self.clock)
        self.store = MemoryStore()

    def run(self, text: str, work: Work) -> None:
        async def life() -> None:
            transport = Answering(self.desk.handle)
            config = config_of(text)
            async with opened(config, clock=self.clock, transport=transport, walks=self.store) as system:
                await work(system)

        run_jumping(self.clock, life())

    def canary(self) -> Canary:
        return new_canary(self.clock.now())

    def tickets(self, count: int) -> None:
        for _ in range(count):
            self.desk.add()

    def kept(self) -> list[Walk]:
        return [*self.store._walks.values()]


def shown(look: Look, canary: Canary) -> bool:
    return any(canary.token in (one.subject or "") for one in look.tickets)


async def finished(system: TicketingSystem, canaries: list[Canary], most: int = 20) -> list[Look]:
    """Looks up to one that is complete."""
    looks: list[Look] = []
    while not looks or not looks[-1].is_complete:
        assert len(looks) < most, "it never comes to an end"
        looks.append(await system.find(canaries, Depth.DEADLINE))
    return looks
