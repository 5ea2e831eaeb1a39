"""Killed at every await of a canary's life: the next run settles and cleans what was left, and sends no second one."""

import queue
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runners.launch import LEASE
from tests.chaos.children import wait_until_past
from tests.chaos.points import AWAITS, Point, point_of
from tests.chaos.points import main as points_main
from tests.processes import run
from tests.real.intake import Intake, left_of, new_intake, tell_until_clean
from tests.sandbox import Sandbox, start_sandbox

AT_ONCE = 5
PATH = {"paths": {"support-email": {"every": "7d", "deadline": "6s", "horizon": "300s"}}}
MOST = {"store.append": 12, "http.call": 2, "smtp.answer.read_response": 4}
"""How many occurrences of an await are struck; of the others the first."""
UNREACHED = {
    "store.abandoned", "store.find", "store.renew", "store.store_progress", "store.transitions",
    "store.incidents", "store.path_facts", "store.samples", "store.audit", "store.disposals_since",
    "store.note_control", "store.control_worked_at", "store.known", "store.latest_gauges", "store.missed",
    "store.note_missed", "store.last_slot_at", "store.claimed_in_vain", "store.note_excuse", "store.excused_at",
    "store.observations", "store.canaries", "store.launched_since", "store.progress",
    # the daemon's and the readers'
    "store.hold", "store.others_claimed", "store.give_up_alerts", "store.let_go", "store.take_slot", "store.renew_alert", "store.pause_sink", "store.page_openings", "store.try_again", "store.records", "store.groups", "store.incident", "store.open_incidents",
    # of a desk that has older tickets than the canary's
    "store.note_traffic",
    # of a system that is known by configuration alone, and has more tickets than one look reads, or a share of whose calls is kept
    "store.walks", "store.keep_walk", "store.drop_walks", "store.stretches", "store.take_calls", "store.keep_hush",
    # of a run that pushes its figures
    "store.add_figures", "store.take_turn", "store.end_turn",
    "store.days", "store.points", "store.ends", "store.pasts", "store.glances", "store.pulses",
}  # fmt: skip
"""Verbs that a healthy canary's life need not reach."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What was there after the kill, and after the run that followed."""

    was_killed: bool
    canaries: list[dict[str, object]]
    tickets: Counter[str]
    left: list[str]


def child(intake: Intake, action: str, file: Path, *arguments: str) -> int:
    """Run with the points in place; returns the exit status, negative for a signal."""
    words = [action, str(file), "--", *intake.words(*arguments)]
    return run(points_main, words, seconds=120).status


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kill")


@pytest.fixture(scope="module")
def sandboxes(home: Path) -> Iterator[list[Sandbox]]:
    with ExitStack() as stack:
        yield [stack.enter_context(start_sandbox(home / f"sandbox-{number}")) for number in range(AT_ONCE)]


@pytest.fixture(scope="module")
def points(home: Path, sandboxes: list[Sandbox]) -> list[Point]:
    """Every point that a healthy canary passes, as far as it is struck."""
    intake, file = new_intake(home / "dry", sandboxes[0].endpoints, PATH), home / "points"
    assert child(intake, "list", file, "--json", "run", "--due") == 0
    found = [point_of(line) for line in file.read_text().splitlines()]
    some = [one for one in found if one.occurrence <= MOST.get(one.name, 1)]
    # Killed before the store is asked is killed after whatever came before; what is sent or removed is struck on both.
    return [one for one in some if one.side == "after" or not one.name.startswith("store.")]


@pytest.fixture(scope="module")
def struck(home: Path, sandboxes: list[Sandbox], points: list[Point]) -> Mapping[Point, Aftermath]:
    """Each point struck by a run of its own; when its lease has run out, another run; then the end of each."""
    free: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
    for sandbox in sandboxes:
        free.put(sandbox)
    places: dict[Point, tuple[Intake, Sandbox]] = {}
    ended_at: dict[Point, datetime] = {}

    def strike(point: Point, number: int) -> bool:
        sandbox = free.get()
        try:
            intake = new_intake(home / f"{number:03}", sandbox.endpoints, PATH)
            places[point] = (intake, sandbox)
            return child(intake, f"kill:{point}", home / "struck", "--json", "run", "--due") == -9
        finally:
            ended_at[point] = datetime.now(UTC)
            free.put(sandbox)

    def follow(point: Point, number: int) -> None:
        age = (datetime.now(UTC) - ended_at[point]).total_seconds()
        wait_until_past(max(0.0, LEASE.total_seconds() - age))
        # Every other time somebody sweeps; else the next scheduled run does it all.
        places[point][0].tell(*(["sweep"] if number % 2 else ["run", "--due"]))

    def look(point: Point, *, was_killed: bool) -> Aftermath:
        intake, sandbox = places[point]
        tell_until_clean(intake)
        canaries = intake.tell("canaries").said["canaries"]
        tokens = [str(one["id"]) for one in canaries]
        titles = [str(one["title"]) for one in sandbox.tickets()]
        tickets = Counter({token: sum(token in title for title in titles) for token in tokens})
        return Aftermath(was_killed, canaries, tickets, left_of(sandbox, tokens))

    with ThreadPoolExecutor(AT_ONCE) as pool:
        killed = {point: pool.submit(strike, point, number) for number, point in enumerate(points)}
        done = {point: one.result() for point, one in killed.items()}
        for following in [pool.submit(follow, point, number) for number, point in enumerate(points)]:
            following.result()
        looking = {point: pool.submit(look, point, was_killed=done[point]) for point in points}
        return {point: one.result() for point, one in looking.items()}


def test_list_of_points__has_every_await_of_a_healthy_life(points: list[Point]) -> None:
    expected = {f"{place}.{name}" for place, (_, names) in AWAITS.items() for name in names}

    assert expected - {one.name for one in points} <= UNREACHED


def test_killed_at_any_point__the_run_was_really_killed_there(struck: Mapping[Point, Aftermath]) -> None:
    assert [str(point) for point, one in struck.items() if not one.was_killed] == []


def test_killed_at_any_point__one_slot_never_makes_two_canaries(struck: Mapping[Point, Aftermath]) -> None:
    assert {str(point): len(one.canaries) for point, one in struck.items() if len(one.canaries) > 1} == {}


def test_killed_at_any_point__no_canary_makes_two_mails(struck: Mapping[Point, Aftermath]) -> None:
    twice = {
        str(point): one.tickets for point, one in struck.items() if any(n > 1 for n in one.tickets.values())
    }

    assert twice == {}


def test_killed_at_any_point__the_target_is_never_blamed(struck: Mapping[Point, Aftermath]) -> None:
    verdicts = {
        str(point): (canary["verdict"], canary["blame"], canary["reason"])
        for point, one in struck.items()
        for canary in one.canaries
        if canary["verdict"] not in {"confirmed", "inconclusive"}
    }

    assert verdicts == {}


def test_killed_at_any_point__a_ticket_that_came_in_time_confirms(struck: Mapping[Point, Aftermath]) -> None:
    unseen = {
        str(point): (canary["verdict"], canary["reason"])
        for point, one in struck.items()
        for canary in one.canaries
        if one.tickets[str(canary["id"])] and canary["verdict"] != "confirmed"
    }

    assert unseen == {}


def test_killed_before_anything_left__is_told_as_our_own_stop(struck: Mapping[Point, Aftermath]) -> None:
    reasons = {
        canary["reason"]
        for one in struck.values()
        for canary in one.canaries
        if canary["verdict"] == "inconclusive"
    }

    assert reasons == {"prober_stopped"}


def test_killed_at_any_point__nothing_is_left_behind(struck: Mapping[Point, Aftermath]) -> None:
    assert {str(point): one.left for point, one in struck.items() if one.left} == {}


def test_every_ticket__is_of_a_canary_that_some_store_knows(
    struck: Mapping[Point, Aftermath], sandboxes: list[Sandbox]
) -> None:
    known = {str(canary["id"]) for one in struck.values() for canary in one.canaries}
    titles = [str(one["title"]) for sandbox in sandboxes for one in sandbox.tickets()]
    dry = 1

    assert sum(not any(one in title for one in known) for title in titles) == dry
