"""Of one slot at most one canary is ever recorded, in whatever order it is claimed, taken over, recorded and missed."""

import asyncio
import shutil
from collections import defaultdict
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from canary.canary import Canary
from canary.signature import CanaryId
from canary.slot import MissedCause, MissedSlot, Slot
from runners.contracts import Store
from runners.slot_contracts import SlotConflict
from runners.store import open_store
from tests.contracts.store_cases import MAIL, after, make_canary
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore

HOLDERS = ("host-a", "host-b", "host-c")
LEASE_SECONDS = 30


@dataclass(frozen=True)
class Step:
    """What one process does with one slot; ``seconds``: after noon, by its own clock, which may be any."""

    verb: str
    holder: str
    slot: int
    seconds: int


STEPS = st.lists(
    st.builds(
        Step,
        verb=st.sampled_from(["claim", "take", "record", "again", "miss"]),
        holder=st.sampled_from(HOLDERS),
        slot=st.integers(0, 1),
        seconds=st.integers(0, 200),
    ),
    min_size=20,
    max_size=40,
)


class Processes:
    """Processes that launch whatever they were ever told is theirs, however long ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._believed: dict[tuple[str, int], list[Canary]] = {}
        self._numbers = 0
        self.sent: dict[int, set[CanaryId]] = defaultdict(set)
        self.claimed: set[int] = set()
        self.missed: set[int] = set()

    async def do(self, step: Step) -> object:
        slot, mine = Slot(MAIL, after(step.slot)), (step.holder, step.slot)
        match step.verb:
            case "claim":
                self.claimed.add(step.slot)
                is_ours = await self._store.claim(slot, holder=step.holder, at=after(step.seconds))
            case "take":
                before = after(step.seconds - LEASE_SECONDS)
                is_ours = await self._store.take_slot(
                    slot, holder=step.holder, claimed_before=before, at=after(step.seconds)
                )
            case "miss":
                one = MissedSlot(slot, MissedCause.STOPPED)
                if step.slot not in self.claimed:
                    return None
                if await self._store.note_missed([one], at=after(step.seconds)):
                    self.missed.add(step.slot)
                return len(await self._store.missed(MAIL, since=slot.at))
            case _:
                return await self._record(step, slot)
        if is_ours:
            self._believed.setdefault(mine, [])
        return is_ours

    async def _record(self, step: Step, slot: Slot) -> bool:
        """Record a canary that is new, or again one of which no answer came."""
        tried = self._believed.get((step.holder, step.slot))
        if tried is None:
            return False
        if step.verb == "record" or not tried:
            self._numbers += 1
            tried.append(replace(make_canary(self._numbers), slot_at=slot.at))
        canary = tried[-1]
        try:
            await self._store.record(canary, holder=step.holder, lease_until=after(step.seconds + 30))
        except SlotConflict:
            return False
        self.sent[step.slot].add(canary.id)
        return True


def test_any_order_of_claims_take_overs_records_and_misses__a_slot_has_one_canary_or_is_missed(
    tmp_path: Path,
) -> None:
    """Of whoever believes a slot to be its own, one may send; what is kept as missed is never sent; both stores agree."""
    template, path = tmp_path / "template.db", tmp_path / "intake.db"

    async def create() -> None:
        async with open_store(f"sqlite:///{template}", clock=FakeClock()) as store:
            assert list(await store.samples()) == []

    async def play(steps: list[Step]) -> None:
        async with AsyncExitStack() as stack:
            opening = open_store(f"sqlite:///{path}", clock=FakeClock())
            both = [Processes(MemoryStore()), Processes(await stack.enter_async_context(opening))]
            for step in steps:
                first, second = [await one.do(step) for one in both]
                assert first == second, step
        for one in both:
            assert max((len(ids) for ids in one.sent.values()), default=0) <= 1
            assert {slot for slot, ids in one.sent.items() if ids} & one.missed == set()

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(STEPS)
    def law(steps: list[Step]) -> None:
        shutil.copy(template, path)
        asyncio.run(play(steps))

    asyncio.run(create())
    law()
