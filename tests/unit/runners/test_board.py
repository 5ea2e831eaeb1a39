"""The board: which canaries are still to be seen where."""

from dataclasses import replace
from datetime import timedelta

from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Verdict, judge
from runners.board import Board
from runners.contracts import Record
from tests.fakes.clock import FakeClock
from tests.fakes.world import World, email_path, prober_of
from tests.unit.canary import facts
from tests.unit.canary.facts import NOON, at, canary

PATH = email_path()


def board_with_a_ticket(outcome: Outcome) -> Board:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    board.put(Record(canary(PATH), None, launch_ended=True, is_clean=False))
    reason = Reason.BODY_TRUNCATED if outcome is Outcome.FAILED else None
    for hop, how in ((Hop.TICKET_CREATED, Outcome.OK), (Hop.TICKET_CONTENT, outcome)):
        board.noticed(Observation(canary(PATH).id, hop, how, Evidence.OBSERVED, NOON, NOON, reason=reason))
    return board


def test_intact_ticket__is_looked_for_no_more() -> None:
    board = board_with_a_ticket(Outcome.OK)

    assert board.wanted_at("desk", NOON) == ([], [])


def test_damaged_ticket__is_looked_for_until_the_deadline_look() -> None:
    board = board_with_a_ticket(Outcome.FAILED)

    assert board.wanted_at("desk", NOON) == ([canary(PATH)], [])
    assert board.wanted_at("desk", NOON + timedelta(seconds=60)) == ([], [canary(PATH)])


def test_hop_on_the_way_that_went_well__wants_no_judging_before_the_deadline() -> None:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    board.put(Record(canary(PATH), None, launch_ended=False, is_clean=False))
    board.noticed(facts.passed(Hop.SMTP_ACCEPT, 1))
    board.noticed(facts.passed(Hop.MAILBOX_ARRIVAL, 2))

    assert board.take_touched() == []


def test_hop_on_the_way_that_went_well_after_the_deadline__wants_judging() -> None:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    board.put(Record(canary(PATH), None, launch_ended=False, is_clean=False))
    board.noticed(facts.passed(Hop.MAILBOX_ARRIVAL, 61))

    assert [one.canary for one in board.take_touched()] == [canary(PATH)]


def test_hop_on_the_way_of_a_breached_canary__wants_judging_for_it_may_sharpen_the_blame() -> None:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    breached = judge(PATH, canary(PATH), [], at(facts.FOREVER))
    board.put(Record(canary(PATH), replace(breached, verdict=Verdict.BREACHED), True, is_clean=False))
    board.noticed(facts.passed(Hop.MAILBOX_ARRIVAL, 2))

    assert [one.canary for one in board.take_touched()] == [canary(PATH)]


def test_touched_canary__is_taken_once_and_only_if_it_is_there() -> None:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    board.put(Record(canary(PATH), None, launch_ended=True, is_clean=False))
    board.touch([canary(PATH).id, CanaryId("nobody")])

    assert [one.canary for one in board.take_touched()] == [canary(PATH)]
    assert board.take_touched() == []
