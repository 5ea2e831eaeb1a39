"""Whose a blindness is where a rule of the configuration says what an answer means."""

from dataclasses import replace

from canary.alert import Party, party
from canary.hop import Hop
from tests.unit.canary.facts import arrived, blind, launched, path, verdict_at


def test_answer_that_a_rule_calls_broken__is_the_vendors_and_known_by_the_status_that_came() -> None:
    blind_looks = [
        replace(one, look=replace(one.look, status=500, answered=200))
        for one in (blind(Hop.TICKET_CREATED, 600), blind(Hop.TICKET_CREATED, 630))
        if one.look is not None
    ]

    judgement = verdict_at(631, path(), launched(), arrived(8), blind_looks)

    assert judgement.stop is not None
    assert judgement.stop.answered == 200
    assert party(judgement.stop, path().route) is Party.TICKETING_API
    assert "5xx" not in Party.TICKETING_API.value
