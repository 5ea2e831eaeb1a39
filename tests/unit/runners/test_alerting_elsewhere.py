"""Two replicas of different configurations on one store: what the one can't know is not ended by it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from canary.alert import Alert, AlertKind, AlertTransition
from canary.path import Path
from canary.review import Reminding
from canary.slot import Slot
from canary.verdict import Verdict
from runners.housekeeping import Housekeeping
from runners.progress import Silent
from tests.contracts.store_cases import judged, make_canary, recorded, settlement
from tests.fakes.clock import START, FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, prober_of
from tests.unit.runners.test_alerting import Scene, first_of, form_path, mail_path

OPENED, CHANGED, REMINDER, RESOLVED = AlertTransition
MAIL, FORM = mail_path(make_canary().path), form_path()


@dataclass
class Replicas:
    """One that has all the paths and sinks, and another that lacks a path, or a sink."""

    scene: Scene
    sinks_of_second: frozenset[str] = frozenset({"pager", "chat"})
    is_other_alive: bool = True

    async def _others_run(self) -> bool:
        return self.is_other_alive

    def first(self) -> list[Alert]:
        self.scene.paths, self.scene.sinks = (MAIL, FORM), frozenset({"pager", "chat"})
        return self._reviewed()

    def second(self, *paths: Path) -> list[Alert]:
        self.scene.paths, self.scene.sinks = paths or (FORM,), self.sinks_of_second
        return self._reviewed()

    def _reviewed(self) -> list[Alert]:
        asyncio.run(self.scene.alerting().review(self._others_run))
        return self.scene.heard()


def not_probed() -> Replicas:
    """The first one has just told that a path is not probed."""
    scene = Scene(paths=(MAIL, FORM))
    canary = replace(make_canary(), launched_at=START)
    asyncio.run(recorded(scene.store, canary))
    asyncio.run(scene.store.settle(settlement(judged(canary, Verdict.CONFIRMED, at=5))))
    scene.clock.advance(3 * 3600)
    found = Replicas(scene)
    assert [one.concern.kind for one in found.first()] == [AlertKind.NOT_PROBED]
    return found


def sink_down() -> Replicas:
    """The first one has just told that a sink, which it alone has, takes nothing."""
    scene = Scene(paths=(MAIL,), sinks=frozenset({"pager", "chat"}))
    scene.opened(MAIL)
    waits = first_of(scene, "chat")
    asyncio.run(scene.store.alert_deferred(waits, next_at=START + timedelta(minutes=11), error="503"))
    asyncio.run(scene.store.alert_delivered(first_of(scene, "pager"), at=scene.clock.now()))
    scene.clock.advance(301)
    found = Replicas(scene, frozenset({"pager"}))
    assert AlertKind.DELIVERY in {one.concern.kind for one in found.first()}
    return found


@pytest.mark.parametrize("begin", [not_probed, sink_down])
@pytest.mark.parametrize(
    "paths", [(FORM,), (FORM, replace(MAIL, is_enabled=False))], ids=["gone", "disabled"]
)
def test_path_or_sink_that_one_replica_has_not__is_not_ended_by_it_while_another_runs(
    begin: Callable[[], Replicas], paths: tuple[Path, ...]
) -> None:
    both = begin()
    heard: list[Alert] = []
    for _ in range(20):
        heard += both.second(*paths)
        heard += both.first()
        both.scene.clock.advance(15)

    assert [one.transition for one in heard] == []


@pytest.mark.parametrize("begin", [not_probed, sink_down])
def test_path_or_sink_that_is_gone__is_ended_by_whoever_runs_alone(begin: Callable[[], Replicas]) -> None:
    both = begin()
    both.is_other_alive = False

    assert {one.transition for one in both.second()} == {RESOLVED}


def test_disabled_path_that_nobody_else_probes__ends_without_a_word_of_recovery() -> None:
    both = not_probed()
    both.is_other_alive = False

    (ended,) = both.second(FORM, replace(MAIL, is_enabled=False))

    assert ended.ending is not None
    assert ended.ending.is_retired


@pytest.mark.parametrize("begin", [not_probed, sink_down])
def test_path_or_sink_that_no_replica_has_any_more__ends_once_nobody_reminded_of_it(
    begin: Callable[[], Replicas],
) -> None:
    both = begin()
    both.second()

    both.scene.clock.advance((Reminding().ticket + timedelta(hours=2)).total_seconds())

    assert RESOLVED in {one.transition for one in both.second()}


@pytest.mark.parametrize(("holder", "are_others"), [("host-a", False), ("host-b", True)])
def test_replica__knows_of_another_by_the_slots_that_it_claims(holder: str, *, are_others: bool) -> None:
    store, clock = MemoryStore(), FakeClock()
    prober = prober_of(World(clock), MAIL)
    alerting = Scene(store=store).alerting()
    asyncio.run(store.claim(Slot(MAIL.name, clock.now()), holder="host-a", at=clock.now()))
    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder=holder)

    assert asyncio.run(house.others_run()) is are_others
