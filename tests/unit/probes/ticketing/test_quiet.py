"""A system that asked to be left alone is, by whichever process comes next."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest

from canary.canary import Canary
from canary.hush import Hush
from canary.observation import Depth
from canary.reason import Reason
from probes.contracts import (
    Blind,
    CheckState,
    Disposal,
    DisposalAction,
    Glance,
    Look,
    RemovalState,
    Uncounted,
)
from probes.masking import Masker
from probes.ticketing.budget import Spent
from probes.ticketing.quiet import LeftAlone, Quiet
from probes.ticketing.shared_calls import OwnCalls
from probes.ticketing.watcher import TicketWatcher
from tests.fakes.desk import FakeDesk
from tests.unit.probes.ticketing.scene import Scene


class Wish(OwnCalls):
    """A store that can be taken away."""

    is_down = False

    async def hush(self, account: str) -> Hush | None:
        if self.is_down:
            raise Uncounted("the store can't be read", retry_after_seconds=5.0)
        return await super().hush(account)

    async def keep_hush(self, account: str, hush: Hush) -> None:
        if self.is_down:
            raise Uncounted("the store can't be read", retry_after_seconds=5.0)
        await super().keep_hush(account, hush)


class Desk(FakeDesk):
    """Counts looks."""

    finds = 0

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        self.finds += 1
        return await super().find(canaries, depth)

    async def glance(self, since: datetime) -> Sequence[Glance]:
        del since
        return ()

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        return self.open_ticket(subject, body, requester)


class Desks:
    """Processes that look into one desk, with one store."""

    def __init__(self) -> None:
        self.scene = Scene()
        self.desk = self.scene.desk = Desk(self.scene.clock)
        self.store = Wish()
        self.canary = self.scene.canary()
        self.scene.ticket(self.canary)

    def process(self) -> Quiet:
        return Quiet(self.desk, self.store, account="desk.acme.test", clock=self.scene.clock)

    def throttles(self, seconds: float | None, kind: type[Blind] = Blind) -> None:
        self.desk.raises = kind("desk: we are throttled", status=429, retry_after_seconds=seconds)

    def find(self, process: Quiet) -> int:
        return len(asyncio.run(process.find([self.canary], Depth.POLL)).tickets)

    def refused(self, process: Quiet) -> Blind:
        with pytest.raises(Blind) as caught:
            self.find(process)
        return caught.value


def test_wait_that_a_desk_asked_for__is_kept_by_the_next_process_until_it_is_over() -> None:
    desks = Desks()
    desks.throttles(1800)
    desks.refused(desks.process())
    desks.desk.raises = None
    desks.scene.clock.advance(600)
    before = desks.desk.finds

    error = desks.refused(desks.process())

    assert desks.desk.finds == before
    assert isinstance(error, LeftAlone)
    assert (error.status, error.retry_after_seconds) == (429, 1200)
    assert "asked at 12:00 to be left alone until 12:30 UTC" in str(error)
    desks.scene.clock.advance(1200)
    assert desks.find(desks.process()) == 1


def test_system_that_fails_and_asks_for_a_pause__is_told_as_failing_by_every_process_until_it_is_over() -> (
    None
):
    desks = Desks()
    desks.desk.raises = Blind("desk: it answered 503", status=503, retry_after_seconds=1800)
    scene = desks.scene
    for _ in range(2):  # the one that asked, and the next process
        watcher = TicketWatcher(desks.process(), scene.watcher._settings, clock=scene.clock, masker=Masker())
        for _ in range(2):
            scene.run(watcher.look([desks.canary], Depth.DEADLINE, scene.report))
            scene.clock.advance(5)

    assert desks.desk.finds == 1
    assert [one.reason for one in scene.seen] == [Reason.TICKET_API_UNREADABLE] * 4
    assert [one.look.status for one in scene.seen if one.look is not None] == [503] * 4
    assert all("Probe less often" not in one.detail for one in scene.seen)


def test_answer_that_a_rule_calls_a_failure__is_kept_with_the_status_that_came() -> None:
    desks = Desks()
    error = Blind("desk: it answered 200: closed for maintenance", status=503, retry_after_seconds=1800)
    error.answered = 200
    desks.desk.raises = error
    scene = desks.scene
    for _ in range(2):
        watcher = TicketWatcher(desks.process(), scene.watcher._settings, clock=scene.clock, masker=Masker())
        for _ in range(2):
            scene.run(watcher.look([desks.canary], Depth.DEADLINE, scene.report))

    looks = [one.look for one in scene.seen if one.look is not None]
    assert [(one.status, one.answered) for one in looks] == [(503, 200)] * 4


def test_wait_of_a_day__is_an_hour_at_most() -> None:
    desks = Desks()
    desks.throttles(86400)
    desks.refused(desks.process())
    desks.desk.raises = None
    desks.scene.clock.advance(3600)

    assert desks.find(desks.process()) == 1


def test_replica_that_looks_at_the_same_time__heeds_what_the_other_was_asked() -> None:
    desks = Desks()
    first, second = desks.process(), desks.process()
    assert desks.find(second) == 1
    desks.throttles(1800)
    desks.refused(first)
    desks.desk.raises = None
    desks.scene.clock.advance(6)

    assert isinstance(desks.refused(second), LeftAlone)


@pytest.mark.parametrize("kind", [Spent, Uncounted])
def test_our_own_restraint__is_no_wish_of_the_system(kind: type[Blind]) -> None:
    desks = Desks()
    desks.throttles(60, kind)
    desks.refused(desks.process())
    desks.desk.raises = None

    assert desks.find(desks.process()) == 1


def test_store_that_cannot_be_read__keeps_nobody_away_who_was_not_asked() -> None:
    desks = Desks()
    desks.store.is_down = True
    first = desks.process()
    desks.throttles(1800)
    desks.refused(first)
    desks.desk.raises = None

    assert isinstance(desks.refused(first), LeftAlone)
    assert desks.find(desks.process()) == 1


def test_check_clean_up_and_try__say_when_it_asked_and_until_when() -> None:
    desks = Desks()
    asyncio.run(desks.store.keep_hush("desk.acme.test", Hush.asked(desks.scene.clock.now(), 1800)))
    process = desks.process()
    ticket = asyncio.run(desks.desk.find([desks.canary], Depth.POLL)).tickets[0]

    (check,) = asyncio.run(process.check())
    (glance,) = asyncio.run(process.glance(desks.scene.clock.now()))
    (disposed,) = asyncio.run(process.dispose([ticket], Disposal(DisposalAction.CLOSE, "synthetic")))

    assert (check.state, check.name) == (CheckState.FAIL, "ticket.search")
    assert disposed.state is RemovalState.FAILED
    for text in (check.finding, disposed.detail, glance.fault):
        assert "asked at 12:00 to be left alone until 12:30 UTC" in text


def test_watcher_of_the_next_process__tells_it_of_each_canary_and_sweeps_nothing() -> None:
    desks = Desks()
    asyncio.run(desks.store.keep_hush("desk.acme.test", Hush.asked(desks.scene.clock.now(), 1800)))
    desks.scene.clock.advance(60)
    scene = desks.scene
    watcher = TicketWatcher(desks.process(), scene.watcher._settings, clock=scene.clock, masker=Masker())

    for _ in range(2):
        scene.run(watcher.look([desks.canary], Depth.POLL, scene.report))

    assert {one.reason for one in scene.seen} == {Reason.RATE_LIMITED}
    assert all("asked at 12:00 to be left alone until 12:30" in one.detail for one in scene.seen)
    with pytest.raises(LeftAlone):
        scene.run(watcher.orphans())
