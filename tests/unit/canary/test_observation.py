"""Observations: what makes two of them the same fact, and what a look in vain is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.hop import Hop
from canary.observation import Depth, Observation, Stage
from canary.reason import Reason, Side
from tests.unit.canary import strategies
from tests.unit.canary.facts import (
    arrived,
    at,
    blind,
    bounce,
    failed,
    look,
    passed,
    poll,
    ticket,
    vain,
)

DEADLINE_AT, HORIZON_AT = at(600), at(86400)


def key(one: Observation) -> str:
    return one.key(DEADLINE_AT, HORIZON_AT)


@pytest.mark.parametrize(
    ("began", "lag", "expected"),
    [
        (599.9, 0, Stage.WAITING),
        (600, 0, Stage.DEADLINE),
        (659, 60, Stage.WAITING),
        (660, 60, Stage.DEADLINE),
        (86400, 0, Stage.HORIZON),
        (86400, 60, Stage.DEADLINE),
    ],
)
def test_look__belongs_to_the_stage_that_had_begun_when_its_view_caught_up(
    began: float, lag: float, expected: Stage
) -> None:
    assert vain(Hop.TICKET_CREATED, began, lag=lag).stage(DEADLINE_AT, HORIZON_AT) is expected


def test_looks_in_vain_while_waiting__are_one_row_a_place_and_kind() -> None:
    assert key(poll(Hop.TICKET_CREATED, 10)) == key(vain(Hop.TICKET_CREATED, 20))
    assert key(poll(Hop.TICKET_CREATED, 10)) != key(blind(Hop.TICKET_CREATED, 20))
    assert key(poll(Hop.TICKET_CREATED, 10)) != key(poll(Hop.MAILBOX_ARRIVAL, 10))


def test_deadline_look__is_a_row_of_its_own() -> None:
    rows = {
        key(poll(Hop.TICKET_CREATED, 599)),
        key(poll(Hop.TICKET_CREATED, 600)),
        key(vain(Hop.TICKET_CREATED, 600)),
        key(vain(Hop.TICKET_CREATED, 600, complete=False)),
        key(vain(Hop.TICKET_CREATED, 86400)),
    }

    assert len(rows) == 5


def test_same_ticket_seen_again__is_the_same_fact() -> None:
    assert [key(one) for one in ticket(12)] == [key(one) for one in ticket(40)]
    assert key(ticket(12, number=1)[0]) != key(ticket(12, number=2)[0])


def test_tries_and_reasons__are_facts_of_their_own() -> None:
    tries = [
        failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED, attempt=1),
        failed(Hop.SMTP_ACCEPT, 5, Reason.DEFERRED, attempt=2),
        failed(Hop.SMTP_ACCEPT, 5, Reason.MAILBOX_FULL, attempt=2),
        passed(Hop.SMTP_ACCEPT, 5, attempt=2),
    ]

    assert len({key(one) for one in tries}) == 4


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED), Side.TARGET),
        (failed(Hop.SMTP_ACCEPT, 5, Reason.REJECTED, side=Side.PROBER), Side.PROBER),
        (failed(Hop.SMTP_CONNECT, 5, Reason.CONNECT_TIMEOUT), Side.EITHER),
        (passed(Hop.SMTP_ACCEPT, 5), None),
    ],
)
def test_side__is_what_was_decided_at_the_moment_and_else_the_reasons(
    one: Observation, expected: Side | None
) -> None:
    assert one.cause_side is expected


@pytest.mark.parametrize("depth", list(Depth))
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("is_blind", [True, False])
def test_look__can_say_absence_only_if_it_was_complete_and_could_see(
    depth: Depth, *, complete: bool, is_blind: bool
) -> None:
    one = look(Hop.TICKET_CREATED, 600, depth=depth, complete=complete, is_blind=is_blind)

    assert one.look is not None
    assert one.look.can_say_absence is (complete and not is_blind)


def test_bounce_and_arrival__are_no_looks_in_vain() -> None:
    assert not bounce(30).is_look_in_vain
    assert not arrived(8).is_look_in_vain
    assert not ticket(12)[0].is_look_in_vain
    assert vain(Hop.TICKET_CREATED, 600).is_look_in_vain


@given(strategies.observations, st.data())
def test_order__depends_on_the_facts_alone(observations: list[Observation], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(observations))

    assert sorted(shuffled, key=lambda one: one.order) == sorted(observations, key=lambda one: one.order)
