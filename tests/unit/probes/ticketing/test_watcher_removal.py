"""What the watcher removes, and what it never touches."""

from dataclasses import replace

import pytest

from probes.contracts import Blind, RemovalState
from probes.servers import SecretUnavailable
from tests.contracts.ticketing_contract import SENDER, STRANGER, TAG, new_canary
from tests.unit.probes.ticketing.scene import FORWARDER, Scene


def test_remove__closes_ours_and_the_listed_forwarders_and_nothing_else() -> None:
    scene = Scene()
    canary = scene.canary()
    ours = scene.ticket(canary)
    forwarded = scene.ticket(canary, requester=FORWARDER)
    others = [
        scene.ticket(canary, requester=STRANGER),
        scene.ticket(canary, requester="support@acme.test"),
        scene.ticket(canary, requester="srs0=x=y=probe.test=canary@fwd.test"),
        scene.desk.open_ticket("only tagged", "x", SENDER, tags=frozenset({TAG})),
    ]
    before = [scene.desk.tickets[one] for one in others]

    removed = scene.run(scene.watcher.remove([canary], at_most=600))

    assert [(one.what, one.state) for one in removed] == [
        (ours, RemovalState.DONE),
        (forwarded, RemovalState.DONE),
        (others[1], RemovalState.FAILED),
        (others[2], RemovalState.FAILED),
    ], "a rewritten requester's is told as left over; a stranger's is no concern of ours"
    assert [scene.desk.tickets[one] for one in others] == before


def test_remove__twice__finds_it_gone() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary)

    scene.run(scene.watcher.remove([canary], at_most=600))
    removed = scene.run(scene.watcher.remove([canary], at_most=600))

    assert [one.state for one in removed] == [RemovalState.ABSENT]
    assert scene.desk.disposals == ["1"]


def test_remove__more_tickets_than_allowed__leaves_the_rest_and_says_which() -> None:
    scene = Scene()
    canary = scene.canary()
    tickets = [scene.ticket(canary) for _ in range(3)]

    removed = scene.run(scene.watcher.remove([canary], at_most=2))

    assert [(one.what, one.state) for one in removed] == [
        (tickets[0], RemovalState.DONE),
        (tickets[1], RemovalState.DONE),
        (tickets[2], RemovalState.FAILED),
    ]
    assert scene.desk.disposals == tickets[:2]


def test_remove__a_ticket_that_is_held_aside__too() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.ticket(canary, cause="spam")

    removed = scene.run(scene.watcher.remove([canary], at_most=600))

    assert [one.state for one in removed] == [RemovalState.DONE]


def test_remove__promised_only__is_accepted_until_a_later_look_shows_it_closed() -> None:
    scene = Scene()
    canary = scene.canary()
    scene.desk.accepts_only = True
    scene.ticket(canary)

    first = scene.run(scene.watcher.remove([canary], at_most=600))
    scene.desk.work_off()
    second = scene.run(scene.watcher.remove([canary], at_most=600))

    assert [one.state for one in first] == [RemovalState.ACCEPTED]
    assert [one.state for one in second] == [RemovalState.ABSENT]


def test_remove__a_refused_ticket__is_failed_and_the_others_are_done() -> None:
    scene = Scene()
    first, second = scene.canary(), scene.canary()
    scene.desk.refuses.add(scene.ticket(first))
    scene.ticket(second)

    removed = scene.run(scene.watcher.remove([first, second], at_most=600))

    assert {one.canary.id: one.state for one in removed} == {
        first.id: RemovalState.FAILED,
        second.id: RemovalState.DONE,
    }


@pytest.mark.parametrize(
    "raised", [Blind("down", status=500), SecretUnavailable("not set")], ids=["down", "secret"]
)
def test_remove__unreadable__is_failed_for_each_canary(raised: Exception) -> None:
    scene = Scene()
    canaries = [scene.canary(), scene.canary()]
    scene.desk.raises = raised

    removed = scene.run(scene.watcher.remove(canaries, at_most=600))

    assert [(one.canary, one.what, one.state) for one in removed] == [
        (one, "", RemovalState.FAILED) for one in canaries
    ]


def test_remove__not_read_whole__does_not_say_that_nothing_is_left() -> None:
    scene = Scene()
    found, hidden = scene.canary(), scene.canary()
    scene.ticket(found)
    scene.desk.is_complete = False

    removed = scene.run(scene.watcher.remove([found, hidden], at_most=600))

    assert {one.canary.id: one.state for one in removed} == {
        found.id: RemovalState.DONE,
        hidden.id: RemovalState.FAILED,
    }


def test_cleanup_none__neither_looks_nor_writes() -> None:
    scene = Scene(disposal=None)
    canary = scene.canary()
    scene.ticket(canary)

    removed = scene.run(scene.watcher.remove([canary], at_most=600))
    found, _ = scene.run(scene.watcher.orphans())
    disposed = scene.run(scene.watcher.remove_orphans(found))

    assert list(removed) == []
    assert len(found) == 1
    assert list(disposed) == []
    assert scene.desk.disposals == []


def test_orphans__are_ours_by_token_and_requester_and_open() -> None:
    scene = Scene()
    lost, stolen = scene.canary(), scene.canary()
    forged = new_canary(scene.clock.now(), key=b"somebody else's signing key")
    number = scene.ticket(lost)
    for one, requester in ((stolen, STRANGER), (forged, SENDER)):
        scene.ticket(one, requester=requester)

    found, _ = scene.run(scene.watcher.orphans())
    disposed = scene.run(scene.watcher.remove_orphans(found))

    assert [(one.canary_id, one.ticket.ref.id) for one in found] == [(lost.id, number)]
    assert [one.state for one in disposed] == [RemovalState.DONE]
    assert scene.desk.disposals == [number]


def test_orphans__altered_between_looking_and_removing__are_verified_once_more() -> None:
    scene = Scene()
    scene.ticket(scene.canary())
    (found,), _ = scene.run(scene.watcher.orphans())

    forged = replace(found, ticket=replace(found.ticket, requester=STRANGER))
    disposed = scene.run(scene.watcher.remove_orphans([forged]))

    assert list(disposed) == []
