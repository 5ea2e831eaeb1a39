"""Canaries that agents would meet, on the page and in its JSON."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from canary.hop import Hop
from canary.observation import Evidence, Observation, Outcome
from canary.ticket import Ticket, TicketId, TicketRef
from runners.contracts import CanaryQuery
from tests.fakes.page_scene import MAIL, NOW
from tests.unit.runners.web.asked import Asker, asker
from tests.unit.runners.web.test_pages import words

SAID = "first seen without the mark of the quarantine rule"


def missed() -> Asker:
    """A page whose newest canary of the e-mail path was not kept from agents."""
    page = asker()

    async def note() -> None:
        store = page.scene.store
        (record,) = await store.canaries(CanaryQuery(path=MAIL, limit=1))
        at = NOW - timedelta(seconds=5)
        ticket = Ticket(TicketRef("desk", TicketId("4711")), is_quarantined=False)
        seen = Observation(
            record.canary.id, Hop.TICKET_CREATED, Outcome.OK, Evidence.OBSERVED, at, at, place="desk"
        )
        await store.append(replace(seen, ticket=ticket))

    asyncio.run(note())
    return page


def test_page__says_nothing_of_quarantine_where_no_ticket_missed_it() -> None:
    assert SAID not in words(asker().ask("/").text)


def test_page__says_it_of_the_path_at_a_glance_and_on_its_own_page() -> None:
    page = missed()

    assert SAID in words(page.ask("/").text)
    assert SAID in words(page.ask(f"/paths/{MAIL}").text)
