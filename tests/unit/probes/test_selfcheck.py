"""Ours or theirs: the strict controls."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import dns.resolver
import pytest

from canary.reason import Reason, Side
from probes.selfcheck import Control, ControlProtocol, Question, Selfcheck, parse_control
from tests.fakes.clock import START, FakeClock

HOST = "127.0.0.1"


@dataclass
class Memory:
    worked: dict[str, datetime] = field(default_factory=dict)
    notes: list[tuple[str, bool]] = field(default_factory=list)
    excused: datetime | None = None

    async def note(self, control: str, at: datetime, worked: bool) -> None:
        self.notes.append((control, worked))
        if worked:
            self.worked[control] = at

    async def worked_at(self, control: str) -> datetime | None:
        return self.worked.get(control)

    async def note_excuse(self, control: str, at: datetime) -> None:
        assert (control, False) in self.notes
        self.excused = at

    async def excused_at(self) -> datetime | None:
        return self.excused


@dataclass
class Outside:
    at: datetime | None = None
    by_name: bool | None = None

    def answered_at(self, *, other_than: str, by_name: bool = False) -> datetime | None:
        assert other_than
        self.by_name = by_name
        return self.at


class Deaf:
    async def ask(self, name: str, kind: str) -> Sequence[str]:  # noqa: ARG002 -- hears nothing
        raise dns.resolver.NoNameservers


class Scene(Selfcheck):
    """The rules alone: which controls work is data here; the tries on sockets are in the real tier."""

    works = False

    async def _answers(self, control: Control) -> bool:  # noqa: ARG002 -- the same for all
        return self.works


QUESTIONS = {
    "25": (ControlProtocol.SMTP, 25, "smtp:mx.example.net"),
    "443": (ControlProtocol.HTTPS, 443, "https://www.example.com"),
    "dns": (ControlProtocol.DNS, 53, "dns:example.org"),
}
FAULTS = {
    ("25", "refusing"): Reason.REFUSED,
    ("443", "refusing"): Reason.REFUSED,
    ("dns", "refusing"): Reason.DNS_UNANSWERED,
    ("25", "silent"): Reason.CONNECT_TIMEOUT,
    ("443", "silent"): Reason.CONNECT_TIMEOUT,
    ("dns", "silent"): Reason.DNS_UNANSWERED,
}


def ruling(
    what: str,
    reason: Reason,
    *,
    controls: Sequence[str],
    worked_hours_ago: float | None,
    works: bool,
    heard: bool,
) -> tuple[Side, str]:
    protocol, port, _ = QUESTIONS[what]
    memory, clock = Memory(), FakeClock()
    if worked_hours_ago is not None:
        memory.worked = {
            str(parse_control(one)): START - timedelta(hours=worked_hours_ago) for one in controls
        }
    scene = Scene(
        [parse_control(one) for one in controls],
        history=memory,
        outside=Outside(START - timedelta(seconds=30) if heard else None),
        resolver=Deaf(),
        clock=clock,
    )
    scene.works = works

    async def again() -> bool:
        return True

    found = asyncio.run(scene.decide(Question(protocol, port, f"target:{port}", again), reason))
    return found.side, found.explanation


@pytest.mark.parametrize("what", ["25", "443", "dns"])
@pytest.mark.parametrize("target", ["refusing", "silent"])
@pytest.mark.parametrize(
    ("control", "refused", "silent"),
    [
        ("none", Side.TARGET, Side.EITHER),
        ("never worked", Side.TARGET, Side.EITHER),
        ("worked two days ago", Side.TARGET, Side.EITHER),
        ("works", Side.TARGET, Side.TARGET),
        ("fails with the target", Side.PROBER, Side.PROBER),
    ],
)
def test_failure__by_what_its_control_says__is_theirs_ours_or_undecided(
    what: str, target: str, control: str, refused: Side, silent: Side
) -> None:
    reason = FAULTS[what, target]
    hours = {"fails with the target": 3.0, "works": 3.0, "worked two days ago": 48.0}.get(control)

    side, _ = ruling(
        what,
        reason,
        controls=[] if control == "none" else [QUESTIONS[what][2]],
        worked_hours_ago=hours,
        works=control == "works",
        heard=False,
    )

    assert side is (refused if reason is Reason.REFUSED else silent)


@pytest.mark.parametrize("what", ["25", "443", "dns"])
def test_silent_target__without_verdict_of_a_control__is_theirs_if_others_answer_us(what: str) -> None:
    side, why = ruling(
        what, FAULTS[what, "silent"], controls=[], worked_hours_ago=None, works=False, heard=True
    )

    assert side is Side.TARGET
    assert "another place answers us" in why


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.CONNECT_TIMEOUT])
@pytest.mark.parametrize(
    ("minutes_later", "side"), [(1, Side.EITHER), (10, Side.EITHER), (14, Side.EITHER), (20, Side.TARGET)]
)
def test_own_network_was_at_fault__a_failure_in_the_next_slot_is_nobodys_and_in_the_one_after_theirs(
    reason: Reason, minutes_later: int, side: Side
) -> None:
    memory, clock = Memory(), FakeClock()
    memory.worked = {"smtp:mx.example.net": START - timedelta(hours=1)}
    scene = Scene(
        [parse_control("smtp:mx.example.net")],
        history=memory,
        outside=Outside(),
        resolver=Deaf(),
        clock=clock,
        interval_seconds=600.0,
    )
    question = Question(ControlProtocol.SMTP, 25, "target:25")
    assert asyncio.run(scene.decide(question, reason)).side is Side.PROBER
    scene.works = True
    clock.advance(60.0 * minutes_later)

    ruled = asyncio.run(scene.decide(question, reason))

    assert ruled.side is side
    assert ("one slot of grace" in ruled.explanation) == (side is Side.EITHER)


def test_port_25_closed_on_our_side__while_https_is_fine__is_ours() -> None:
    side, why = ruling(
        "25",
        Reason.CONNECT_TIMEOUT,
        controls=["smtp:mx.example.net", "https://www.example.com"],
        worked_hours_ago=1,
        works=False,
        heard=True,
    )

    assert side is Side.PROBER
    assert "smtp:mx.example.net" in why


@pytest.mark.parametrize(
    "other", ["https://www.example.com", "dns:example.org", "smtp:mx.example.net", "smtp:mx.example.net:465"]
)
def test_submission_that_is_refused__with_a_failing_control_of_another_kind__is_not_excused(
    other: str,
) -> None:
    memory = Memory({str(parse_control(other)): START - timedelta(hours=1)})
    scene = Scene(
        [parse_control(other)], history=memory, outside=Outside(), resolver=Deaf(), clock=FakeClock()
    )

    found = asyncio.run(
        scene.decide(Question(ControlProtocol.SMTP, 587, "smtp.acme.example:587"), Reason.REFUSED)
    )

    assert found.side is Side.TARGET
    assert memory.notes == []


def test_control_that_is_the_target_itself__decides_nothing() -> None:
    memory = Memory({"smtp:mx.acme.example": START})
    scene = Scene(
        [parse_control("smtp:mx.acme.example")],
        history=memory,
        outside=Outside(),
        resolver=Deaf(),
        clock=FakeClock(),
    )

    found = asyncio.run(
        scene.decide(Question(ControlProtocol.SMTP, 25, "mx.acme.example:25"), Reason.REFUSED)
    )

    assert found.side is Side.TARGET


def test_second_try_that_gets_through__leaves_it_undecided() -> None:
    scene = Scene([], history=Memory(), outside=Outside(START), resolver=Deaf(), clock=FakeClock())

    async def again() -> bool:
        return False

    found = asyncio.run(
        scene.decide(Question(ControlProtocol.SMTP, 25, "mx:25", again), Reason.CONNECT_TIMEOUT)
    )

    assert found.side is Side.EITHER


def test_rehearsal__keeps_what_each_control_came_to_and_leaves_fresh_ones_alone() -> None:
    memory = Memory({"dns:example.org": START - timedelta(minutes=10)})
    controls = [parse_control("dns:example.org"), parse_control("smtp:mx.example.net")]
    scene = Scene(controls, history=memory, outside=Outside(), resolver=Deaf(), clock=FakeClock())
    scene.works = True

    checks = asyncio.run(scene.rehearse(older_than_seconds=3600))

    assert [check.place for check in checks] == ["smtp:mx.example.net"]
    assert memory.notes == [("smtp:mx.example.net", True)]


@pytest.mark.parametrize(
    "text", ["mx.example.net", "smtp:", "dns:a:53", "http://a", "smtp:a:0", "smtp:a:70000"]
)
def test_what_is_no_control__is_refused_with_what_would_be(text: str) -> None:
    with pytest.raises(ValueError, match="Write https://host"):
        parse_control(text)


@pytest.mark.parametrize(
    "text", ["https://www.example.com", "https://a.example:8443", "dns:example.org", "smtp:a", "smtp:a:587"]
)
def test_control__as_configured__prints_as_it_was_written(text: str) -> None:
    assert str(parse_control(text)) == text
