"""The odd desk behind the adapter, on a clock that jumps."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from canary.canary import Canary
from canary.observation import Depth
from probes.contracts import Blind, Disposal, DisposalAction, Disposed, Look
from probes.masking import Masker
from probes.ticketing.generic.adapter import Generic
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.odd_desk import CONFIGURATION, KEY, OddDesk
from tests.generic_desks import configured, opened

T = TypeVar("T")
CLOSE = Disposal(DisposalAction.CLOSE, "synthetic")
DELETE = Disposal(DisposalAction.DELETE, "synthetic")


class Scene:
    """One system, one configuration, one adapter that lives as long as the work."""

    def __init__(self, folder: Path, *, configuration: str = CONFIGURATION, key: str = KEY) -> None:
        self.clock = FakeClock()
        self.desk = OddDesk(self.clock)
        self.masker = Masker()
        self._config = configured(folder, configuration, {"ODD_KEY": key})

    def canary(self) -> Canary:
        return new_canary(self.clock.now())

    def run(self, work: Callable[[Generic], Awaitable[T]]) -> T:
        async def main() -> T:
            async with opened(
                self._config, clock=self.clock, masker=self.masker, transport=Answering(self.desk.handle)
            ) as system:
                return await work(system)

        return run_jumping(self.clock, main())

    def find(self, *canaries: Canary, depth: Depth = Depth.DEADLINE) -> Look:
        return self.run(lambda system: system.find(canaries, depth))

    def blind(self, *canaries: Canary, depth: Depth = Depth.DEADLINE) -> Blind:
        try:
            look = self.find(*canaries, depth=depth)
        except Blind as error:
            return error
        raise AssertionError(f"not blind: {look}")

    def disposed(self, how: Disposal, *canaries: Canary) -> list[Disposed]:
        async def work(system: Generic) -> list[Disposed]:
            look = await system.find(canaries, Depth.DEADLINE)
            return list(await system.dispose(look.tickets, how))

        return self.run(work)
