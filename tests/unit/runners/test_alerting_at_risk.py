"""An alert says how many real tickets would usually have come since, as far as that is known."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.alert import AlertTransition
from canary.gauge import GaugeState
from canary.path import PathName
from canary.traffic import HOUR, Watched, Way
from tests.fakes.clock import START
from tests.unit.runners.test_alerting import Scene, mail_path

WEEKS = timedelta(weeks=4)
A_TICKET_EVERY = HOUR / 6


def scene() -> Scene:
    """Four weeks with a ticket every ten minutes at the desk."""
    found = Scene(paths=(mail_path(),))
    begin = START - WEEKS
    times = tuple(begin + A_TICKET_EVERY * number for number in range(int(WEEKS / A_TICKET_EVERY)))
    asyncio.run(found.store.note_traffic("desk", Watched(begin, START, 0.0, {Way.EMAIL: times})))
    return found


def risks(one: Scene) -> list[float | None]:
    return [alert.at_risk for alert in one.heard() if alert.sink == "pager"]


def test_incident_that_opens__tells_what_would_have_come_since_its_onset() -> None:
    found = scene()

    found.opened(mail_path())

    assert risks(found) == [pytest.approx(2.0)]


def test_incident_that_ends__tells_it_of_the_whole_impact_window() -> None:
    found = scene()
    incident = found.opened(mail_path())
    found.heard()
    found.clock.advance(3600)

    found.resolved(incident)

    (last,) = [one for one in found.heard() if one.sink == "pager"]
    assert last.transition is AlertTransition.RESOLVED
    assert last.at_risk == pytest.approx(8.0)


def test_incident_of_a_system_that_shows_no_strangers__does_not_tell_it() -> None:
    elsewhere = replace(mail_path(), ticketing="rt")
    found = Scene(paths=(elsewhere,))

    found.opened(elsewhere)

    assert risks(found) == [None]


def test_path_that_is_not_configured_here__does_not_tell_it() -> None:
    found = scene()
    incident = found.opened(mail_path())
    found.heard()
    found.paths = (mail_path("another"),)

    found.resolved(replace(incident, path=PathName(incident.path)))

    assert risks(found) == [None]


def test_gauge__has_no_tickets_at_risk() -> None:
    found = scene()

    found.read(GaugeState.PAGE)
    found.review()

    assert risks(found) == [None]
