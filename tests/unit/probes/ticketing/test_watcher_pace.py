"""When the watcher looks, and when it does not."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Outcome
from canary.reason import Reason
from probes.contracts import Blind, Budget, RemovalState, Uncounted
from probes.ticketing.budget import Spent
from tests.contracts.ticketing_contract import new_canary
from tests.unit.probes.ticketing.scene import Scene, told


async def looking(scene: Scene, canaries: Sequence[Canary], seconds: float) -> None:
    """What the runner does: look, wait for news, look again."""
    ends = scene.clock.monotonic() + seconds
    while scene.clock.monotonic() < ends:
        await scene.watcher.look(canaries, Depth.POLL, scene.report)
        try:
            async with scene.clock.timeout(max(0.0, ends - scene.clock.monotonic()) + 0.001):
                await scene.watcher.news()
        except TimeoutError:
            return


@pytest.mark.parametrize("count", [1, 10, 200])
def test_fresh_canaries__however_many__cost_one_look_a_second(count: int) -> None:
    scene = Scene()
    scene.desk.look_seconds = 0.2
    canaries = [scene.canary() for _ in range(count)]

    scene.run(looking(scene, canaries, 60))

    began = [at for _, at, _ in scene.desk.looks]
    assert {after - before for before, after in itertools.pairwise(began)} == {timedelta(seconds=1)}
    assert {number for _, _, number in scene.desk.looks} == {count}


def test_looks_called_at_the_same_time__keep_a_second_between_their_begins() -> None:
    scene = Scene()
    canary = scene.canary()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(scene.watcher.look([canary], Depth.POLL, scene.report))

    scene.run(main())

    began = [at for _, at, _ in scene.desk.looks]
    assert [(after - before).total_seconds() for before, after in itertools.pairwise(began)] == [1.0] * 4


def test_old_canary__is_looked_for_less_and_less_often() -> None:
    scene = Scene()
    old = new_canary(scene.clock.now() - timedelta(hours=1))

    scene.run(looking(scene, [old], 300))

    assert 9 <= len(scene.desk.looks) <= 11


def test_old_canary_beside_a_fresh_one__does_not_slow_it() -> None:
    scene = Scene()
    old, fresh = new_canary(scene.clock.now() - timedelta(hours=1)), scene.canary()

    scene.run(looking(scene, [old, fresh], 30))

    assert len(scene.desk.looks) >= 29


def never_returns(scene: Scene, wait: Callable[[], Awaitable[None]]) -> bool:
    async def main() -> bool:
        try:
            async with scene.clock.timeout(86400):
                await wait()
        except TimeoutError:
            return True
        return False

    return scene.run(main())


def test_nothing_outstanding__is_no_news() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)
    scene.look(canary)

    assert never_returns(scene, scene.watcher.news)


def test_throttled_system__is_not_asked_again_before_its_time_and_each_look_is_told_as_blind() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.raises = Blind("desk: slow down", status=429, retry_after_seconds=20)

    scene.look(canary)
    scene.desk.raises = None
    during = told(scene.look(canary))
    removed = scene.run(scene.watcher.remove([canary], at_most=600))
    scene.run(scene.watcher.news())
    after = told(scene.look(canary))

    assert during == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.RATE_LIMITED)]
    assert [one.state for one in removed] == [RemovalState.FAILED]
    assert after == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, Reason.NOT_SEEN)]
    assert [at - scene.desk.looks[0][1] for _, at, _ in scene.desk.looks] == [
        timedelta(0),
        timedelta(seconds=20),
    ]


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        (Blind("desk: down", status=503, retry_after_seconds=20), Reason.TICKET_API_UNREADABLE),
        (Blind("desk: who?", status=403, retry_after_seconds=20), Reason.CREDENTIALS_REJECTED),
        (Spent("desk: nothing is left", status=429, retry_after_seconds=20), Reason.RATE_LIMITED),
        (Uncounted("our store is gone", retry_after_seconds=20), Reason.STORE_UNAVAILABLE),
    ],
    ids=["503", "403", "spent", "uncounted"],
)
def test_system_that_is_left_alone__is_unread_for_the_reason_that_asked_for_it(
    refusal: Blind, reason: Reason
) -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.raises = refusal
    scene.look(canary)
    scene.desk.raises = None

    seen = scene.look(canary)

    assert len(scene.desk.looks) == 1
    assert told(seen) == [(Hop.TICKET_CREATED, Outcome.UNKNOWN, reason)]
    assert [one.look.status for one in seen if one.look is not None] == [refusal.status]


def test_failing_system__is_asked_less_often_but_often_enough_to_settle() -> None:
    scene = Scene()
    scene.desk.raises = Blind("desk: down", status=500)

    scene.run(looking(scene, [scene.canary()], 60))

    assert 5 <= len(scene.desk.looks) <= 10


def test_scarce_budget__slows_the_looks_and_keeps_a_reserve() -> None:
    scene = Scene()
    scene.desk.budgets = (
        Budget("account", left=30, limit=50, resets_at=scene.clock.now() + timedelta(seconds=60)),
    )
    scene.look(scene.canary())
    began = scene.clock.monotonic()

    scene.run(scene.watcher.news())

    assert scene.clock.monotonic() - began == pytest.approx(3.0)


def test_another_callers_look_for_an_old_canary__does_not_slow_the_fresh_one() -> None:
    scene = Scene()
    old, fresh = new_canary(scene.clock.now() - timedelta(hours=1)), scene.canary()
    scene.look(fresh)
    scene.look(old)
    began = scene.clock.monotonic()

    scene.run(scene.watcher.news())

    assert scene.clock.monotonic() - began == pytest.approx(1.0)


def test_canary_past_its_horizon__is_looked_for_as_long_as_it_is_asked_for() -> None:
    scene = Scene()
    breached = new_canary(scene.clock.now() - timedelta(hours=25))
    scene.desk.raises = Blind("desk: down", status=500)

    scene.run(looking(scene, [breached], 300))

    assert len(scene.desk.looks) >= 4


def test_canary_past_its_horizon_that_nobody_asks_for_any_more__is_no_reason_to_look() -> None:
    scene = Scene()
    dropped, found = new_canary(scene.clock.now() - timedelta(hours=25)), scene.canary()
    scene.look(dropped)
    scene.ticket(found)
    scene.look(found)

    assert never_returns(scene, scene.watcher.news)
