"""Whether a ticket bears the mark of the vendor's rule, as the watcher reports it."""

from dataclasses import replace

import pytest

from canary.hop import Hop
from canary.quarantine import Mark
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import BODY, KEY, PATH, SENDER
from tests.unit.probes.ticketing.scene import Scene


def reported(
    mark: Mark | None,
    *,
    tags: frozenset[str] = frozenset(),
    shows_tags: bool = True,
    requester: str = SENDER,
    cause: str | None = None,
) -> bool | None:
    """What is said of a ticket at its first sight."""
    scene = Scene()
    settings = TicketWatcherSettings(
        recognise=SignedPaths([KEY], [PATH]).recognise,
        expectation=lambda _: Expectation(target="support@acme.test"),
        disposal=None,
        mark=mark,
    )
    scene.watcher = TicketWatcher(scene.desk, settings, clock=scene.clock, masker=Masker())
    canary = scene.canary()
    number = scene.desk.open_ticket(f"{canary.subject_prefix} hello", BODY, requester, tags=tags, cause=cause)
    before = scene.desk.tickets[number]
    scene.desk.tickets[number] = replace(before, shows_tags=shows_tags)
    seen = scene.look(canary)
    (ticket,) = [one.ticket for one in seen if one.hop is Hop.TICKET_CREATED and one.ticket is not None]
    return ticket.is_quarantined


def test_system_without_a_rule__says_nothing() -> None:
    assert reported(None) is None


def test_tags_that_were_not_shown__say_nothing() -> None:
    assert reported(Mark("synthetic"), shows_tags=False) is None


@pytest.mark.parametrize("requester", ["stranger@elsewhere.test", ""])
def test_ticket_that_may_be_a_strangers_with_our_token__says_nothing(requester: str) -> None:
    assert reported(Mark("synthetic"), requester=requester) is None


def test_what_is_held_aside__says_nothing() -> None:
    assert reported(Mark("synthetic"), cause="spam") is None


def test_requester_that_was_rewritten_to_the_desks_own_address__is_a_miss_where_the_rule_did_not_match() -> (
    None
):
    assert reported(Mark("synthetic"), requester="support@acme.test") is False


@pytest.mark.parametrize("is_tagged", [True, False])
def test_ticket_of_ours__bears_the_tag_or_not(*, is_tagged: bool) -> None:
    assert reported(Mark("synthetic"), tags=frozenset({"synthetic"} if is_tagged else ())) is is_tagged
