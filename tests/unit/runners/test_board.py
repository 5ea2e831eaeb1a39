"""The board: which canaries are still to be seen where."""

from datetime import timedelta

from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.reason import Reason
from runners.board import Board
from runners.contracts import Record
from tests.fakes.clock import FakeClock
from tests.fakes.world import World, email_path, prober_of
from tests.unit.canary.facts import NOON, canary

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
