"""A path whose tickets are not kept from agents launches nothing more; what can't be said stops nothing."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.path import PathName
from canary.slot import MissedCause
from runners.oneshot import OneShot, RunOptions
from runners.progress import Silent
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, email_path, prober_of

PATH = PathName("support-email")
INTERVAL = 600.0


class Scene(Silent):
    """Runs by schedule and by hand, and what they noted."""

    def __init__(self, most: int | None) -> None:
        self.clock = FakeClock()
        self.slot_at = self.clock.now()
        self.world = World(self.clock, is_quarantined=False)
        self.store = MemoryStore()
        self.prober = prober_of(self.world, replace(email_path(), quarantine_misses=most))
        self.texts: list[str] = []

    def note(self, text: str) -> None:
        self.texts.append(text)

    def run(self, *, is_by_hand: bool = False) -> bool:
        """One run at the next slot; whether it sent a canary."""
        self.slot_at += timedelta(seconds=INTERVAL)
        self.clock.advance((self.slot_at - self.clock.now()).total_seconds())
        self.texts.clear()
        before = len(self.world.sent)
        shot = OneShot(self.prober, self.store, clock=self.clock, progress=self)
        run_jumping(self.clock, shot.run(RunOptions(only_due=not is_by_hand)))
        return len(self.world.sent) > before

    def missed(self) -> Sequence[MissedCause]:
        async def asked() -> Sequence[MissedCause]:
            since = self.clock.now() - timedelta(days=1)
            return [one.cause for one in await self.store.missed(PATH, since=since)]

        return [one for one in run_jumping(self.clock, asked()) if one is not MissedCause.NOT_RUNNING]


def test_three_misses_in_a_row__stop_the_schedule__with_a_cause_of_their_own() -> None:
    scene = Scene(most=3)

    assert [scene.run() for _ in range(5)] == [True, True, True, False, False]

    assert scene.missed() == [MissedCause.QUARANTINE] * 2
    assert "render quarantine desk" in scene.texts[0]
    assert "until a canary of `run PATH` bears it" in scene.texts[0]


def test_misses__are_told_before_they_stop() -> None:
    scene = Scene(most=3)
    scene.run()

    assert scene.run()
    assert [text for text in scene.texts if "nothing more is launched at 3" in text]


def test_path_that_requires_nothing__is_told_and_goes_on() -> None:
    scene = Scene(most=None)

    assert [scene.run() for _ in range(5)] == [True] * 5
    assert "4 tickets were first seen without the mark" in scene.texts[0]
    assert scene.missed() == []


def test_mark_that_can_not_be_read__stops_nothing_and_is_not_told() -> None:
    scene = Scene(most=3)
    scene.world.is_quarantined = None

    assert [scene.run() for _ in range(5)] == [True] * 5
    assert scene.texts == []


def test_hit_between__begins_the_count_anew() -> None:
    scene = Scene(most=3)
    for is_quarantined in (False, False, True, False, False):
        scene.world.is_quarantined = is_quarantined
        assert scene.run()

    assert scene.run()
    assert scene.missed() == []


def test_stopped_path__launched_by_hand__goes_on_when_that_canary_bears_the_mark_and_not_before() -> None:
    scene = Scene(most=3)
    for _ in range(4):
        scene.run()

    assert scene.run(is_by_hand=True)
    assert not scene.run()

    scene.world.is_quarantined = True
    assert scene.run(is_by_hand=True)
    assert scene.run()
    assert [text for text in scene.texts if "quarantine" in text] == []


def test_miss__is_logged_once_a_canary(caplog: pytest.LogCaptureFixture) -> None:
    scene = Scene(most=None)
    scene.world.ticket_after_seconds = 30.0

    with caplog.at_level(logging.WARNING):
        scene.run()

    (line,) = [one for one in caplog.records if one.message == "quarantine_missed"]
    assert line.__dict__["place"] == "desk"
    assert line.__dict__["canary_id"] in scene.world.sent
