"""Real tickets on the page: how many are at risk by an incident, and whether customers fell silent."""

import asyncio
from datetime import timedelta

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.traffic import HOUR, Watched, Way
from tests.fakes.page_scene import MAIL, NOW
from tests.unit.runners.web.asked import Asker, asker
from tests.unit.runners.web.test_pages import words

WEEKS = timedelta(weeks=4)


def watched() -> Asker:
    """A page whose store has seen four weeks with a ticket every two minutes."""
    page = asker()
    begin, every = NOW - WEEKS, HOUR / 30
    times = tuple(begin + every * number for number in range(int(WEEKS / every)))
    asyncio.run(page.scene.store.note_traffic("desk", Watched(begin, NOW, 0.0, {Way.EMAIL: times})))
    return page


def test_incident__tells_how_many_tickets_are_at_risk_and_so_does_its_json() -> None:
    page = watched()
    address = f"/incidents/{page.incident(MAIL)}"

    said = words(page.ask(address).text)
    (answer,) = page.ask(f"{address}.json").json()["incidents"]

    assert "tickets would usually have come since." in said
    assert f"About {answer['tickets_at_risk']:.0f} tickets" in said


def test_incident__without_history__tells_that_it_is_not_known() -> None:
    page = asker()

    said = words(page.ask(f"/incidents/{page.incident(MAIL)}").text)

    assert "How many tickets are at risk is not known." in said


def test_overview__shows_customers_who_fell_silent() -> None:
    page = asker()
    silent = Gauge(
        "desk", GaugeName.INTAKE_TRAFFIC, 12.0, "{gap}", 9.0, NOW, GaugeState.WARN, Resource.EMAIL,
        detail="none for 24 min; at least about 12 would usually have come",
    )  # fmt: skip
    asyncio.run(page.scene.store.add_gauges([silent]))

    said = words(page.ask("/").text)

    assert "desk intake.traffic" in said
    assert "none for 24 min" in said
