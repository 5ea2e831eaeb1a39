"""A ticket that is there but not intact leaves the deadline unmet, and the look says so."""

from canary.hop import Hop
from canary.observation import Depth, Outcome
from canary.reason import Reason
from canary.verdict import Verdict, judge
from tests.contracts.ticketing_contract import BODY
from tests.fakes.world import email_path
from tests.unit.canary.facts import launched
from tests.unit.probes.ticketing.scene import Scene, told

NO_INTACT_ONE = (Hop.TICKET_CONTENT, Outcome.UNKNOWN, Reason.NOT_SEEN)


def test_damaged_ticket__is_reported_and_the_look_was_in_vain_all_the_same() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40])

    seen = scene.look(canary)

    assert told(seen) == [
        (Hop.TICKET_CREATED, Outcome.OK, None),
        (Hop.TICKET_CONTENT, Outcome.FAILED, Reason.BODY_TRUNCATED),
        NO_INTACT_ONE,
    ]


def test_damaged_ticket_beside_an_intact_one__the_look_was_not_in_vain() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40])
    scene.ticket(canary)

    assert NO_INTACT_ONE not in told(scene.look(canary))


def test_damaged_ticket__at_the_deadline__is_breached_and_blames_the_content() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40])
    scene.clock.advance((canary.deadline_at - canary.launched_at).total_seconds())
    path = email_path(deadline_seconds=(canary.deadline_at - canary.launched_at).total_seconds())

    judgement = judge(path, canary, [*launched(), *scene.look(canary)], scene.clock.now())

    assert judgement.verdict is Verdict.BREACHED
    assert judgement.stop is not None
    assert (judgement.stop.hop, judgement.stop.reason) == (Hop.TICKET_CONTENT, Reason.BODY_TRUNCATED)


def test_ticket_that_is_still_being_written__is_called_damaged_only_if_the_next_look_finds_it_so() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, body=BODY[:40])

    at_once = told(scene.look(canary, depth=Depth.POLL))
    scene.clock.advance(2.0)
    later = told(scene.look(canary, depth=Depth.POLL))

    assert at_once == [(Hop.TICKET_CREATED, Outcome.OK, None), NO_INTACT_ONE]
    assert (Hop.TICKET_CONTENT, Outcome.FAILED, Reason.BODY_TRUNCATED) in later
