"""One ticket opened, found and closed: whatever fails or interrupts it, nothing is left without being named."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket, TicketId, TicketRef
from probes.contracts import (
    Blind,
    Budget,
    Check,
    Disposal,
    DisposalAction,
    Disposed,
    Glance,
    Look,
    RemovalState,
    View,
)
from runners.config.config import TicketingConfig
from runners.config.document_places import Cleanup
from runners.progress import Silent
from runners.site import open_site
from runners.ticketing_rights import NotTriable, RightsTrial, Step, path_for
from runners.ticketing_trial import recognising_of
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.config.examples import FULL, changed, read


class Desk:
    """A system whose every act can fail or hang.

    Attributes:
        tickets: what it has, by id.
        shows_after: how many looks see nothing.
        narrow_shows: whether narrow looks see anything at all.
        hangs: the act at which it never answers.
    """

    name = "desk"

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.tickets: dict[str, Ticket] = {}
        self.disposals: list[tuple[str, Disposal]] = []
        self.looks = 0
        self.shows_after = 0
        self.narrow_shows = True
        self.hangs: set[str] = set()
        self.errors: dict[str, Exception] = {}
        self.state = RemovalState.DONE
        self.leaves_open: bool | None = True
        self.requester: str | None = None
        self.told_id = True
        self.reached = asyncio.Event()

    async def _act(self, name: str) -> None:
        if name in self.hangs:
            self.hangs.discard(name)
            self.reached.set()
            await asyncio.Event().wait()
        if name in self.errors:
            raise self.errors[name]

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        if "create" not in self.errors or not self.told_id:
            ref = TicketRef("desk", TicketId("77"))
            self.tickets["77"] = Ticket(
                ref,
                subject=subject,
                body=body,
                requester=self.requester or requester,
                remote_created_at=self.clock.now(),
            )
        await self._act("create")
        return "77"

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        self.looks += 1
        await self._act("find")
        is_shown = self.looks > self.shows_after and (self.narrow_shows or depth is Depth.DEADLINE)
        tickets = tuple(self.tickets.values()) if is_shown and canaries else ()
        return Look(tickets, View.STRONG, 0.0, is_complete=True, since=self.clock.now())

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        await self._act("dispose")
        for one in tickets:
            self.disposals.append((one.ref.id, how))
            if self.state is RemovalState.DONE and one.ref.id in self.tickets:
                closed = replace(self.tickets[one.ref.id], is_open=False, tags=frozenset({how.tag}))
                self.tickets[one.ref.id] = closed
        return [Disposed(one.ref, self.state, "may not be changed", self.leaves_open) for one in tickets]

    async def glance(self, since: datetime) -> Sequence[Glance]:
        del since
        return ()

    def budget(self) -> Sequence[Budget]:
        return ()

    async def check(self) -> Sequence[Check]:
        return ()

    @property
    def is_open(self) -> bool:
        return any(one.is_open for one in self.tickets.values())


class Scene:
    def __init__(self, folder: Path, text: str = FULL) -> None:
        self.clock = FakeClock()
        self.config = read(folder, text)
        self.desk = Desk(self.clock)
        self.told: list[Step] = []

    @property
    def system(self) -> TicketingConfig:
        return self.config.ticketing["desk"]

    async def trial(self) -> tuple[RightsTrial, tuple[Step, ...]]:
        site = await open_site(self.config, clock=self.clock, tell=Silent())
        trial = RightsTrial(
            site,
            self.desk,
            recognising_of(site, {"canary@probe.example"}),
            clock=self.clock,
            tell=self.told.append,
        )
        path = path_for(self.config, self.system)
        return trial, await trial.run(
            path, self.system, randomness=lambda count: b"a" * count, lag_seconds=0.0
        )

    def run(self) -> dict[str, Step]:
        _, steps = run_jumping(self.clock, self.trial())
        assert list(steps) == self.told
        return {one.name: one for one in steps}

    def interrupted(self, *, again: bool = False) -> dict[str, Step]:
        """Cancelled while the desk hangs, and once more while it closes."""

        async def main() -> None:
            async with asyncio.TaskGroup() as group:
                work = group.create_task(self.trial())
                await self.desk.reached.wait()
                if again:
                    self.desk.reached.clear()
                    self.desk.hangs.add("dispose")
                work.cancel()
                if again:
                    await self.desk.reached.wait()
                    work.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await work

        run_jumping(self.clock, main())
        return {one.name: one for one in self.told}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def states(steps: dict[str, Step]) -> dict[str, str]:
    return {name: one.state.value for name, one in steps.items()}


@pytest.mark.parametrize(
    ("status", "state"), [(403, "fail"), (404, "fail"), (422, "fail"), (401, "blind"), (429, "blind")]
)
def test_refused_opening__ends_the_trial_with_nothing_to_close(scene: Scene, status: int, state: str) -> None:
    scene.desk.errors["create"] = Blind(f"desk answered {status}", status=status)

    steps = scene.run()

    assert states(steps) == {"create": state}
    assert str(status) in steps["create"].finding
    assert scene.desk.looks == 0


@pytest.mark.parametrize("status", [None, 500, 503])
def test_opening_whose_answer_was_lost__is_looked_for_and_closed(scene: Scene, status: int | None) -> None:
    scene.desk.errors["create"] = Blind("no answer", status=status)
    scene.desk.told_id = False
    scene.desk.shows_after = 2

    steps = scene.run()

    assert states(steps) == {"create": "blind", "close": "ok"}
    assert steps["close"].ticket_id == "77"
    assert not scene.desk.is_open


def test_opening_that_came_to_nothing__says_that_it_is_not_known(scene: Scene) -> None:
    scene.desk.errors["create"] = Blind("no answer")

    steps = scene.run()

    assert states(steps) == {"create": "blind", "close": "blind"}
    assert "sweep" in steps["close"].remedy
    assert scene.desk.disposals == []


@pytest.mark.parametrize(
    "error",
    [
        Blind("desk: ticketing.desk.sight[0]: not one ticket is shown. Let one stay: try desk --create."),
        Blind("desk answered 403: lacks a permission", status=403),
    ],
)
def test_opening_of_which_nothing_can_be_seen__is_not_called_open(scene: Scene, error: Blind) -> None:
    scene.desk.errors["create"] = Blind("desk: ticketing.desk.create.id: answered 204 without content")
    scene.desk.errors["find"] = error

    step = scene.run()["close"]

    assert step.state == "blind"
    assert step.finding == f"whether a ticket was made is not known: {str(error).partition('. ')[0]}"
    assert "open" not in step.finding
    assert "--create" not in step.finding + step.remedy
    assert "by hand" not in step.remedy


def test_opening_that_is_looked_for_in_vain_too_long__is_not_called_open(scene: Scene) -> None:
    scene.desk.errors["create"] = Blind("no answer")
    scene.desk.hangs.add("find")

    step = scene.run()["close"]

    assert (step.state, "open" in step.finding) == ("blind", False)


def test_system_that_can_not_open__is_told_before_anything_is_sent(scene: Scene) -> None:
    scene.desk.errors["create"] = LookupError("the configuration of desk does not say how: add create")

    with pytest.raises(NotTriable, match="add create"):
        scene.run()

    assert scene.told == []


def test_ticket_that_is_never_shown__is_closed_by_its_id(scene: Scene) -> None:
    scene.desk.shows_after = 10_000

    steps = scene.run()

    assert states(steps) == {"create": "ok", "find": "fail", "close": "ok"}
    assert steps["find"].remedy.startswith("Look at the filter by time of the looks (`since`")
    assert [number for number, _ in scene.desk.disposals] == ["77"]


def test_look_that_is_refused__does_not_keep_it_from_closing(scene: Scene) -> None:
    scene.desk.errors["find"] = Blind("desk answered 403: lacks a permission", status=403)

    assert states(scene.run()) == {"create": "ok", "find": "fail", "close": "ok"}
    assert not scene.desk.is_open


def test_ticket_that_only_wide_looks_show__is_a_warning(scene: Scene) -> None:
    scene.desk.narrow_shows = False

    steps = scene.run()

    assert states(steps) == {"create": "ok", "find": "warn", "close": "ok"}
    assert "when: poll" in steps["find"].remedy


def test_requester_that_is_not_ours__is_a_warning_without_the_address(scene: Scene) -> None:
    scene.desk.requester = "somebody@else.test"

    steps = scene.run()

    assert steps["find"].state == "warn"
    assert "somebody" not in repr(scene.told)


def test_ticket_that_can_not_be_closed__is_named_with_the_reason(scene: Scene) -> None:
    scene.desk.state = RemovalState.FAILED

    step = scene.run()["close"]

    assert (step.state, step.ticket_id) == ("fail", "77")
    assert "ticket 77 is still open: may not be changed" in step.finding
    assert "Close it by hand" in step.remedy


@pytest.mark.parametrize(
    ("is_open", "finding", "remedy"),
    [
        (False, "ticket 77: may not be changed", "Nothing is left to be closed"),
        (None, "ticket 77 may still be open: may not be changed", "Look at it"),
    ],
)
def test_ticket_that_is_closed_or_may_be__is_not_called_open(
    scene: Scene, is_open: bool | None, finding: str, remedy: str
) -> None:
    scene.desk.state = RemovalState.FAILED
    scene.desk.leaves_open = is_open

    step = scene.run()["close"]

    assert (step.state, step.finding) == ("fail", finding)
    assert step.remedy.startswith(remedy)


def test_closing_that_is_not_answered__is_given_up_and_named(scene: Scene) -> None:
    scene.desk.hangs.add("dispose")

    step = scene.run()["close"]

    assert (step.state, step.seconds) == ("blind", 90.0)
    assert "77" in step.finding


def test_closing_that_is_only_promised__is_seen_in_a_later_look(scene: Scene) -> None:
    scene.desk.state = RemovalState.ACCEPTED

    async def closed_later() -> None:
        async with asyncio.TaskGroup() as group:
            work = group.create_task(scene.trial())
            await scene.clock.sleep(5)
            scene.desk.tickets["77"] = replace(scene.desk.tickets["77"], is_open=False)
            await work

    run_jumping(scene.clock, closed_later())

    assert scene.told[-1].state == "ok"


def test_promise_that_is_not_kept__is_a_warning_that_names_the_ticket(scene: Scene) -> None:
    scene.desk.state = RemovalState.ACCEPTED

    step = scene.run()["close"]

    assert step.state == "warn"
    assert "77" in step.remedy


def test_all_is_well__opens_finds_tags_and_closes(scene: Scene) -> None:
    scene.desk.shows_after = 2

    steps = scene.run()

    assert states(steps) == {"create": "ok", "find": "ok", "close": "ok"}
    assert "the third" in steps["find"].finding
    assert scene.desk.disposals == [("77", Disposal(DisposalAction.CLOSE, "synthetic"))]
    subject = scene.desk.tickets["77"].subject or ""
    assert subject.startswith("intakecanary k")
    assert scene.desk.tickets["77"].requester == "canary@probe.example"


@pytest.mark.parametrize("act", ["create", "find", "dispose"])
def test_interruption__closes_what_was_opened_whenever_it_comes(scene: Scene, act: str) -> None:
    scene.desk.hangs.add(act)

    steps = scene.interrupted()

    assert steps["close"].state == "ok"
    assert not scene.desk.is_open


def test_interruption_while_it_closes__closes_all_the_same(scene: Scene) -> None:
    scene.desk.hangs.add("find")

    steps = scene.interrupted(again=True)

    assert steps["close"].state == "ok"
    assert not scene.desk.is_open


def test_interruption_of_what_can_not_be_closed__says_the_id(scene: Scene) -> None:
    scene.desk.hangs.add("find")
    scene.desk.errors["dispose"] = Blind("desk answered 503", status=503)

    step = scene.interrupted()["close"]

    assert (step.state, step.ticket_id) == ("blind", "77")


def test_cleanup_none__opens_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, changed("tag: synthetic,", "tag: synthetic, cleanup: none,"))
    assert scene.system.cleanup is Cleanup.NONE

    with pytest.raises(NotTriable, match="cleanup: close"):
        path_for(scene.config, scene.system)
