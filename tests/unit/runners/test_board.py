"""The board: which canaries are still to be seen where."""

from dataclasses import replace
from datetime import timedelta

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.path import Proof
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Verdict, judge
from runners.board import FIRST_LOOK, Board
from runners.contracts import Record
from runners.prober import Place
from tests.fakes.clock import FakeClock
from tests.fakes.world import FakeDeskWatcher, World, email_path, prober_of
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


def launched_board(*others: Canary) -> Board:
    world = World(FakeClock(NOON))
    prober = prober_of(world, replace(PATH, mailbox="support"))
    mailbox = Place(FakeDeskWatcher(world), Hop.MAILBOX_ARRIVAL)
    board = Board(replace(prober, places={**prober.places, "support": mailbox}))
    for one in (canary(PATH), *others):
        board.put(Record(one, None, launch_ended=False, is_clean=False), is_launching=True)
    return board


def test_request_that_is_still_being_sent__is_no_ticket_yet_but_its_mail_may_arrive() -> None:
    board = launched_board()

    assert board.wanted_at("desk", NOON) == ([], [])
    assert board.wanted_at("support", NOON) == ([canary(PATH)], [])

    board.handed_over(canary(PATH).id, NOON, is_stored=True)

    assert board.wanted_at("desk", NOON) == ([canary(PATH)], [])


def test_request_that_was_accepted__may_be_a_ticket_before_its_launch_has_ended() -> None:
    board = launched_board()

    board.noticed(facts.passed(Hop.SMTP_ACCEPT, 1))

    assert board.wanted_at("desk", at(1)) == ([canary(PATH)], [])
    assert board.pause_at("desk", at(1)) == FIRST_LOOK

    board.handed_over(canary(PATH).id, at(9), is_stored=True)

    assert board.pause_at("desk", at(9)) == timedelta(0)


def test_request_that_was_refused__is_no_ticket_before_its_launch_has_ended() -> None:
    board = launched_board()

    board.noticed(facts.failed(Hop.SMTP_ACCEPT, 1, Reason.RECIPIENT_UNKNOWN))

    assert board.wanted_at("desk", at(1)) == ([], [])


def test_request_that_is_still_being_sent_at_its_deadline__is_looked_for_all_the_same() -> None:
    board = launched_board()

    assert board.wanted_at("desk", NOON + timedelta(seconds=60)) == ([], [canary(PATH)])


def test_ticket__is_first_looked_for_a_while_after_its_request_was_handed_over() -> None:
    board = launched_board()
    board.handed_over(canary(PATH).id, NOON, is_stored=True)

    assert board.pause_at("desk", NOON + timedelta(seconds=0.25)) == timedelta(seconds=0.75)
    assert board.pause_at("desk", NOON + FIRST_LOOK) == timedelta(0)
    assert board.pause_at("support", NOON) == timedelta(0)


def test_ticket__is_looked_for_at_once_when_every_request_was_answered() -> None:
    other = replace(canary(PATH), id=CanaryId("other"))
    board = launched_board(other)
    hints = board.hints
    for one in (canary(PATH), other):
        board.handed_over(one.id, NOON, is_stored=True)

    board.noticed(facts.passed(Hop.REPLY_RECEIVED, 0.1))
    assert board.pause_at("desk", NOON + timedelta(seconds=0.1)) == timedelta(seconds=0.9)

    board.noticed(replace(facts.passed(Hop.REPLY_RECEIVED, 0.2), canary_id=other.id))
    assert board.pause_at("desk", NOON + timedelta(seconds=0.2)) == timedelta(0)
    assert board.hints == hints + 4


def test_tickets_of_several__are_looked_for_when_the_first_of_them_has_waited_long_enough() -> None:
    late = replace(canary(PATH), id=CanaryId("late"))
    slow = replace(canary(PATH), id=CanaryId("slow"))
    board = launched_board(late, slow)
    board.handed_over(canary(PATH).id, NOON, is_stored=True)
    board.handed_over(late.id, NOON + timedelta(seconds=0.9), is_stored=True)

    assert board.pause_at("desk", NOON + timedelta(seconds=0.9)) == timedelta(seconds=0.1)
    assert board.wanted_at("desk", NOON + FIRST_LOOK) == ([canary(PATH), late], [])


def test_clock_that_is_set_back_after_the_hand_over__delays_no_look() -> None:
    board = launched_board()
    board.handed_over(canary(PATH).id, NOON, is_stored=True)

    assert board.pause_at("desk", NOON - timedelta(hours=1)) == timedelta(0)
    assert board.pause_at("desk", NOON - timedelta(microseconds=1)) == timedelta(0)


def test_ticket_of_an_earlier_run__is_looked_for_at_once() -> None:
    board = Board(prober_of(World(FakeClock(NOON)), PATH))
    board.put(Record(canary(PATH), None, launch_ended=True, is_clean=False))

    assert board.pause_at("desk", NOON) == timedelta(0)


def test_end_of_a_launch_that_went_well__wants_no_judging() -> None:
    board = launched_board()
    board.noticed(facts.passed(Hop.SMTP_ACCEPT, 1))
    board.handed_over(canary(PATH).id, NOON, is_stored=True)

    assert board.take_touched() == []


def test_end_of_a_launch_that_failed__wants_judging_once_more_for_its_verdict_had_to_wait() -> None:
    board = launched_board()
    board.noticed(facts.failed(Hop.SMTP_ACCEPT, 1, Reason.RECIPIENT_UNKNOWN))
    assert [one.canary for one in board.take_touched()] == [canary(PATH)]

    board.handed_over(canary(PATH).id, NOON, is_stored=True)

    assert [one.canary for one in board.take_touched()] == [canary(PATH)]


def test_answer_before_its_ticket__wants_judging_only_where_it_is_the_proof() -> None:
    for path, wanted in ((PATH, []), (replace(PATH, proof=Proof.REPLY), [canary(PATH)])):
        board = Board(prober_of(World(FakeClock(NOON)), path))
        board.put(Record(canary(PATH), None, launch_ended=True, is_clean=False))
        board.noticed(facts.passed(Hop.REPLY_RECEIVED, 2))

        assert [one.canary for one in board.take_touched()] == wanted


def test_answer_after_its_ticket__wants_judging() -> None:
    board = board_with_a_ticket(Outcome.OK)
    board.take_touched()
    board.noticed(facts.passed(Hop.REPLY_RECEIVED, 2))

    assert [one.canary for one in board.take_touched()] == [canary(PATH)]
