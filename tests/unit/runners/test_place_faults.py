"""A fault of ours at one place: told once, without what an answer said, and no end of what others do."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.verdict import Verdict
from probes.contracts import Disposed, Removed
from probes.masking import Masker, Secret
from probes.ticketing.watcher import Orphan
from runners.oneshot import OneShot, RunOptions
from runners.place_faults import LOOKS_APART_SECONDS, Doing, PlaceFaults
from runners.prober import Place
from runners.strays import Strays
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeDeskWatcher, World, email_path, prober_of
from tests.unit.runners.test_strays import Found, Heard, orphan

SUBJECT = "My divorce"


class OddRemoval(FakeDeskWatcher):
    """Meets an answer that nobody thought of when it removes."""

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        raise KeyError(SUBJECT, canaries, at_most)


class OddStrays(Found):
    """Meets one when it searches, or when it removes what it found."""

    def __init__(self, *orphaned: Orphan, is_odd_at: Doing) -> None:
        super().__init__(*orphaned)
        self._is_odd_at = is_odd_at

    async def orphans(self) -> tuple[Sequence[Orphan], bool]:
        if self._is_odd_at is Doing.STRAYS:
            raise KeyError(SUBJECT)
        return await super().orphans()

    async def remove_orphans(self, orphans: Sequence[Orphan]) -> Sequence[Disposed]:
        raise KeyError(SUBJECT, orphans)


def raised(error: Exception) -> Exception:
    try:
        raise error
    except type(error) as caught:
        return caught


def test_clean_up_that_ends_in_a_fault_of_ours__ends_no_run_and_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = FakeClock()
    world, store = World(clock, ticket_after_seconds=1.0), MemoryStore()
    prober = prober_of(world, email_path())
    prober = replace(prober, places={"desk": Place(OddRemoval(world), Hop.TICKET_CONTENT)})

    async def main() -> tuple[list[Verdict], Sequence[object]]:
        result = await OneShot(prober, store, clock=clock, progress=Heard()).run(RunOptions())
        return [one.verdict for one in result.records], await store.leftovers()

    verdicts, leftovers = run_jumping(clock, main())

    assert verdicts == [Verdict.CONFIRMED]
    assert len(leftovers) == 1
    assert prober.faults.problems(clock.monotonic()) == [
        "desk: its clean-up ended in a fault of the prober: KeyError"
    ]
    assert SUBJECT not in caplog.text


@pytest.mark.parametrize("is_odd_at", [Doing.STRAYS, Doing.CLEANING])
def test_sweep_that_meets_a_fault_of_ours_at_one_place__goes_on_at_the_next(is_odd_at: Doing) -> None:
    clock = FakeClock()
    prober = prober_of(World(clock), email_path())
    old = orphan(clock.now(), 1)
    clock.advance(3600 * 24)
    odd, well = OddStrays(old, is_odd_at=is_odd_at), Found(old)
    place = replace(prober.places["desk"], may_write=True)
    places = {"odd": replace(place, tickets=odd), "well": replace(place, tickets=well)}
    prober = replace(prober, places=places)

    run_jumping(clock, Strays(prober, MemoryStore(), clock=clock, progress=Heard()).remove())

    assert well.removed == [old.canary_id]
    assert [one.partition(":")[0] for one in prober.faults.problems(clock.monotonic())] == ["odd"]


def test_fault__is_logged_once_a_kind_and_line__and_is_a_problem_until_it_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults, masker = PlaceFaults(), Masker()
    masker.register(Secret("hunter2secret"))

    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            faults.note("desk", Doing.LOOK, raised(KeyError(SUBJECT)), masker, at=0.0)
        faults.note("desk", Doing.LOOK, raised(RuntimeError("hunter2secret is odd")), masker, at=0.0)

    told = [one.__dict__["detail"] for one in caplog.records]
    assert len(told) == 2
    assert "KeyError" in told[0]
    assert SUBJECT not in told[0]
    assert "RuntimeError" in told[1]
    assert "hunter2secret" not in told[1]
    assert len(faults.problems(1.0)) == 1
    faults.well("desk", Doing.CLEANING)
    assert faults.problems(1.0)
    faults.well("desk", Doing.LOOK)
    assert not faults.problems(1.0)


@pytest.mark.parametrize("doing", [Doing.LOOK, Doing.NEWS])
def test_fault_of_a_look__is_a_problem_no_longer_than_looks_may_be_apart(doing: Doing) -> None:
    faults, masker = PlaceFaults(), Masker()
    faults.note("desk", doing, raised(KeyError(SUBJECT)), masker, at=100.0)

    assert faults.problems(100.0 + LOOKS_APART_SECONDS)
    faults.note("desk", doing, raised(KeyError(SUBJECT)), masker, at=200.0)
    assert faults.problems(200.0 + LOOKS_APART_SECONDS)
    assert not faults.problems(201.0 + LOOKS_APART_SECONDS)


@pytest.mark.parametrize("doing", [Doing.CLEANING, Doing.STRAYS])
def test_fault_of_what_is_tried_again_by_itself__is_a_problem_until_it_is_done(doing: Doing) -> None:
    faults = PlaceFaults()
    faults.note("desk", doing, raised(KeyError(SUBJECT)), Masker(), at=100.0)

    assert faults.problems(100.0 + 24 * LOOKS_APART_SECONDS)
