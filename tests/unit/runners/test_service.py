"""The service around the daemon: it reads the configuration anew, keeps the old one when it must, and ends in order."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from runners.notices import Notices
from runners.service import Refused, Service, Wishes
from runners.systemd import Notify
from tests.fakes.clock import FakeClock, run_jumping


@dataclass
class Pretended:
    """As a daemon looks from outside."""

    name: str
    log: list[str]
    is_stuck: bool = False
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def holder(self) -> str:
        return self.name

    def stop(self) -> None:
        self.stopping.set()

    async def run(self) -> None:
        self.log.append(f"{self.name} runs")
        await self.stopping.wait()
        self.log.append(f"{self.name} ended")


@dataclass
class Scene:
    clock: FakeClock = field(default_factory=FakeClock)
    notices: Notices = field(default_factory=Notices)
    log: list[str] = field(default_factory=list)
    next: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    heard: list[str] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    fault: Exception | None = None

    def service(self) -> Service[str]:
        @asynccontextmanager
        async def wire(config: str) -> AsyncIterator[Any]:
            yield Pretended(config, self.log)
            self.log.append(f"{config} closed")

        def read() -> str:
            if self.fault is not None:
                raise self.fault
            if self.next is None:
                raise Refused("intake.yaml:3: paths: this is not YAML. Correct it.", self.mistakes)
            return self.next

        return Service(
            read=read,
            wire=wire,
            clock=self.clock,
            notices=self.notices,
            notify=Notify({}),
            say=self.heard.append,
            happened=lambda event, _: self.log.append(event),
            entered=lambda *_: None,
        )


def test_stop__ends_the_daemon_in_good_order() -> None:
    s = Scene()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes))
            await s.clock.sleep(1)
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    assert s.log == ["one runs", "daemon_stopping", "one ended", "one closed"]
    assert s.heard == []


def test_new_configuration__takes_over_when_the_old_daemon_has_ended() -> None:
    s = Scene(next="two")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes))
            await s.clock.sleep(1)
            s.wishes.reload.set()
            await s.clock.sleep(1)
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    assert s.log == [
        "one runs",
        "configuration_reloaded",
        "one ended",
        "one closed",
        "two runs",
        "daemon_stopping",
        "two ended",
        "two closed",
    ]


def test_bad_configuration__is_refused_and_the_old_one_goes_on_with_the_reason_told() -> None:
    s = Scene()
    said: list[str] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes))
            await s.clock.sleep(1)
            s.wishes.reload.set()
            await s.clock.sleep(1)
            said.extend(s.notices.all())
            s.next = "two"
            s.wishes.reload.set()
            await s.clock.sleep(1)
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    assert said == [
        "the new configuration was refused, the old one goes on: intake.yaml:3: paths: this is not YAML. Correct it."
    ]
    assert s.notices.all() == []
    assert s.log[0] == "one runs"
    assert "two runs" in s.log


def test_mistakes_of_a_refused_configuration__are_a_list_in_the_notice_and_one_line_in_the_log() -> None:
    s = Scene()
    said: list[str] = []
    s.mistakes = [f"intake.yaml:{line}:3: paths: it is wrong. Mend\n it." for line in range(1, 24)]

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes))
            await s.clock.sleep(1)
            s.wishes.reload.set()
            await s.clock.sleep(1)
            said.extend(s.notices.all())
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    first, *points = said[0].splitlines()
    assert first == "the new configuration was refused, the old one goes on:"
    assert points[0] == "intake.yaml:1:3: paths: it is wrong. Mend it."
    assert points[20:] == ["and 3 more: `intake-prober check` lists them"]
    assert s.heard[0].startswith("the new configuration was refused, the old one goes on: intake.yaml:3:")
    assert "\n" not in s.heard[0]


def test_page__ends_with_the_service() -> None:
    s = Scene()

    async def page() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            s.log.append("page closed")

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes, page))
            await s.clock.sleep(1)
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    assert s.log[-1] == "page closed"


@pytest.mark.parametrize(
    "fault",
    [ssl.SSLError("hunter2"), UnicodeEncodeError("utf-8", "hunter2", 0, 1, "no"), RecursionError("hunter2")],
)
def test_fault_of_ours_while_a_new_configuration_is_read__refuses_it_and_the_old_one_goes_on(
    fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    s = Scene(fault=fault)
    said: list[str] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(s.service().run("one", s.wishes))
            await s.clock.sleep(1)
            s.wishes.reload.set()
            await s.clock.sleep(1)
            said.extend(s.notices.all())
            assert s.log == ["one runs"]
            s.fault, s.next = None, "two"
            s.wishes.reload.set()
            await s.clock.sleep(1)
            s.wishes.stop.set()

    run_jumping(s.clock, main())

    (told,) = said
    assert type(fault).__name__ in told
    assert "the old one goes on" in told
    assert not any("hunter2" in one for one in (told, *s.heard))
    assert [one.exc_info is not None for one in caplog.records if one.getMessage() == "reload_failed"] == [
        True
    ]
    assert "two runs" in s.log
    assert s.notices.all() == []
