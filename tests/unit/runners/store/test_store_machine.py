"""The store in SQLite beside a few dicts: whatever order the verbs come in, both know the same."""

import asyncio
import shutil
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from canary.canary import Canary
from canary.incident import Progress
from canary.observation import Outcome
from canary.signature import CanaryId
from canary.slot import Slot
from canary.verdict import Verdict
from runners.contracts import SettlementConflict, Store, TriedRemoval
from runners.store import open_store
from tests.contracts.store_cases import (
    MAIL,
    after,
    figure,
    judged,
    looked,
    make_canary,
    recorded,
    removal,
    seen_at,
    settlement,
)
from tests.fakes.clock import FakeClock

CANARIES = st.integers(0, 3).map(make_canary)
FORWARD = {
    Verdict.PENDING: set(Verdict),
    Verdict.BREACHED: {Verdict.BREACHED, Verdict.LATE, Verdict.LOST},
}


@dataclass
class Expected:
    """What the store should know of one canary."""

    launch_ended: bool = False
    verdict: Verdict = Verdict.PENDING
    is_clean: bool = False
    attempts: set[int] = field(default_factory=set)
    was_looked_for: bool = False


class StoreMachine(RuleBasedStateMachine):
    """One store, opened again now and then."""

    template: Path
    stack: AsyncExitStack | None = None
    store: Store

    @initialize()
    def start(self) -> None:
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name) / "intake.db"
        shutil.copy(self.template, self.path)
        self.runner = asyncio.Runner()
        self.canaries: dict[CanaryId, Expected] = {}
        self.left: dict[tuple[CanaryId, str], bool] = {}
        self.claimed: dict[int, str] = {}
        self.version = 0
        self.lines = 0
        self.reopen()

    @rule()
    def reopen(self) -> None:
        if self.stack is not None:
            self.runner.run(self.stack.aclose())
        self.stack = AsyncExitStack()
        opening = self.stack.enter_async_context(open_store(f"sqlite:///{self.path}", clock=FakeClock()))
        self.store = self.runner.run(opening)

    def teardown(self) -> None:
        if self.stack is not None:
            self.runner.run(self.stack.aclose())
            self.runner.close()
            self.directory.cleanup()

    @rule(canary=CANARIES)
    def record(self, canary: Canary) -> None:
        self.runner.run(recorded(self.store, canary))
        self.canaries.setdefault(canary.id, Expected())

    @precondition(lambda self: self.canaries)
    @rule(data=st.data(), attempt=st.integers(1, 3))
    def append(self, data: st.DataObject, attempt: int) -> None:
        canary, known = self._one(data)
        [is_new] = self.runner.run(
            self.store.append(seen_at(canary, attempt=attempt, outcome=Outcome.FAILED))
        )
        assert is_new == (attempt not in known.attempts)
        known.attempts.add(attempt)

    @precondition(lambda self: self.canaries)
    @rule(data=st.data(), seconds=st.integers(1, 500))
    def look(self, data: st.DataObject, seconds: int) -> None:
        canary, known = self._one(data)
        [is_new] = self.runner.run(self.store.append(looked(canary, seconds)))
        assert is_new != known.was_looked_for
        known.was_looked_for = True

    @precondition(lambda self: self.canaries)
    @rule(data=st.data())
    def launch_ended(self, data: st.DataObject) -> None:
        canary, known = self._one(data)
        self.runner.run(self.store.launch_ended(canary.id))
        known.launch_ended = True

    @rule(number=st.integers(0, 5), holder=st.sampled_from(["host-a", "host-b"]))
    def claim(self, number: int, holder: str) -> None:
        slot = Slot(MAIL, after(number))
        is_ours = self.runner.run(self.store.claim(slot, holder=holder, at=after(number)))
        assert is_ours == (self.claimed.setdefault(number, holder) == holder)

    @precondition(lambda self: self.canaries)
    @rule(
        data=st.data(),
        expected=st.sampled_from(Verdict),
        verdict=st.sampled_from(Verdict),
        behind=st.integers(0, 1),
        grows=st.booleans(),
    )
    def settle(
        self, data: st.DataObject, expected: Verdict, verdict: Verdict, behind: int, *, grows: bool
    ) -> None:
        canary, known = self._one(data)
        version = max(0, self.version - behind)
        work = settlement(
            judged(canary, verdict),
            expected=expected,
            progress=Progress(confirmed_at=after(self.version)) if grows else None,
            version=version,
        )
        is_transition = verdict is not known.verdict
        is_allowed = expected is known.verdict and verdict in FORWARD.get(known.verdict, {known.verdict})
        is_current = version == self.version or not (is_transition or grows)
        try:
            self.runner.run(self.store.settle(work))
        except SettlementConflict:
            assert not (is_allowed and is_current)
            return
        assert is_allowed
        assert is_current
        if grows:
            self.version += 1
        elif is_transition and self.version == 0:
            self.version = 1
        known.verdict = verdict

    @precondition(lambda self: self.canaries)
    @rule(data=st.data(), what=st.sampled_from(["17", "18"]), is_gone=st.booleans())
    def note_removed(self, data: st.DataObject, what: str, *, is_gone: bool) -> None:
        canary, known = self._one(data)
        self.lines += 1
        entry = removal(canary.id, what=what, outcome="done" if is_gone else "failed", at=100 + self.lines)
        self.runner.run(self.store.note_removed(TriedRemoval(entry, next_at=None if is_gone else after(999))))
        self.left[canary.id, what] = not is_gone
        known.is_clean = known.is_clean and is_gone

    @precondition(lambda self: self.canaries)
    @rule(data=st.data())
    def finish_clean(self, data: st.DataObject) -> None:
        canary, known = self._one(data)
        self.runner.run(self.store.finish_clean(canary.id, at=after(80)))
        known.is_clean = True
        self.left.update({key: False for key in self.left if key[0] == canary.id})

    @invariant()
    def both_know_the_same(self) -> None:
        if self.stack is not None:
            self.runner.run(self._compare())

    async def _compare(self) -> None:
        found = {
            one.canary.id: one for canary_id in self.canaries for one in await self.store.find(canary_id)
        }
        assert {
            key: (one.launch_ended, one.verdict, one.is_clean, one.canary.id) for key, one in found.items()
        } == {key: (one.launch_ended, one.verdict, one.is_clean, key) for key, one in self.canaries.items()}
        for canary_id, known in self.canaries.items():
            seen = await self.store.observations(canary_id)
            assert {one.attempt for one in seen if one.look is None} == known.attempts
            assert any(one.look is not None for one in seen) == known.was_looked_for
        left = {(one.canary_id, one.what) for one in await self.store.leftovers()}
        assert left == {key for key, is_there in self.left.items() if is_there}
        assert len(await self.store.audit(since=None, limit=999)) == self.lines
        assert (await self.store.progress(MAIL))[1] == self.version
        launched = await figure(self.store, "intake.canary.launched", path=MAIL, channel="email")
        assert (launched or 0) == len(self.canaries)
        hop = {"path": MAIL, "hop": "dns", "outcome": "failed"}
        counted = await figure(self.store, "intake.hop.duration", **hop)
        assert (counted or 0) == sum(len(one.attempts) for one in self.canaries.values())
        eligible = await figure(self.store, "intake.slo.eligible", path=MAIL)
        neither = {Verdict.PENDING, Verdict.INCONCLUSIVE}
        assert (eligible or 0) == sum(1 for one in self.canaries.values() if one.verdict not in neither)

    def _one(self, data: st.DataObject) -> tuple[Canary, Expected]:
        canary = data.draw(CANARIES.filter(lambda one: one.id in self.canaries))
        return canary, self.canaries[canary.id]


def test_store_beside_dicts__know_the_same_after_any_verbs(tmp_path: Path) -> None:
    StoreMachine.template = tmp_path / "template.db"

    async def create() -> None:
        async with open_store(f"sqlite:///{StoreMachine.template}", clock=FakeClock()) as store:
            assert list(await store.samples()) == []

    asyncio.run(create())
    machine = StoreMachine.TestCase
    machine.settings = settings(
        max_examples=20,
        stateful_step_count=25,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine("runTest").debug()
