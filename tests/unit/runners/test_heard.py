"""What looks brought along is kept: when real tickets came becomes a gauge, and an incident's tickets at risk."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from canary.blame import Stop
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId
from canary.traffic import HOUR, Watched, Way
from probes.ticketing.listening import Listening
from runners.at_risk import MOST_INCIDENTS, histories_of, risk_words, tickets_at_risk
from runners.contracts import StoreError
from runners.heard import keep_what_was_heard
from runners.prober import Place, Prober
from tests.fakes.clock import START, FakeClock
from tests.fakes.desk import FakeDesk
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import FakeDeskWatcher, World, email_path, prober_of

WEEKS = timedelta(weeks=4)


def steady(*, quiet: timedelta = timedelta(0)) -> Watched:
    """Four weeks with a ticket every ten minutes, then none."""
    begin = START - WEEKS
    count = int((WEEKS - quiet) / (HOUR / 6))
    return Watched(
        begin, START, 0.0, {Way.EMAIL: tuple(begin + HOUR / 6 * number for number in range(count))}
    )


class Ear(Listening):
    """What a look that went four weeks back would have told."""

    def __init__(self, *several: Watched) -> None:
        super().__init__(FakeDesk(FakeClock()), FakeClock())
        self._heard.extend(several)


def prober(ear: Listening | None) -> Prober:
    world = World(FakeClock())
    place = Place(FakeDeskWatcher(world), Hop.TICKET_CONTENT, listening=ear)
    return replace(prober_of(world), places={"desk": place})


def kept(ear: Listening | None, store: MemoryStore) -> list[Gauge]:
    async def main() -> list[Gauge]:
        return list(await keep_what_was_heard(prober(ear), store))

    return asyncio.run(main())


def test_real_tickets_that_stopped__are_a_warning_in_the_store() -> None:
    store = MemoryStore()

    (gauge,) = kept(Ear(steady(quiet=4 * HOUR)), store)

    assert (gauge.place, gauge.name, gauge.resource) == ("desk", GaugeName.INTAKE_TRAFFIC, Resource.EMAIL)
    assert gauge.state is GaugeState.WARN
    assert asyncio.run(store.latest_gauges()) == [gauge]


def test_real_tickets_that_come__are_well() -> None:
    (gauge,) = kept(Ear(steady()), MemoryStore())

    assert gauge.state is GaugeState.OK


def test_system_that_shows_nothing_of_strangers__has_no_such_gauge() -> None:
    assert kept(Ear(), MemoryStore()) == []
    assert kept(None, MemoryStore()) == []


def test_what_was_kept__is_not_heard_again() -> None:
    ear = Ear(steady())

    kept(ear, MemoryStore())

    assert ear.heard() == ()


class FullStore(MemoryStore):
    async def note_traffic(self, place: str, watched: Watched) -> None:
        raise StoreError(f"the disk is full: {place}, {watched.until}")


def test_what_could_not_be_kept__is_kept_the_next_time() -> None:
    ear = Ear(steady())

    with pytest.raises(StoreError):
        kept(ear, FullStore())

    assert len(ear.heard()) == 1


# tickets at risk
def path(name: str = "support-email", ticketing: str | None = "desk") -> Path:
    return replace(email_path(), name=PathName(name), ticketing=ticketing)


def incident(*, kind: IncidentKind = IncidentKind.TARGET, is_open: bool = True, number: int = 0) -> Incident:
    return Incident(
        id=IncidentId(f"incident-{number}"),
        path=path().name,
        kind=kind,
        first_canary=CanaryId("c4n4ry"),
        onset_at=START - HOUR,
        opened_at=START,
        stop=Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET),
        impact_from=START - 2 * HOUR,
        failures=2,
        impact_until=None if is_open else START - HOUR,
        resolved_at=None if is_open else START,
    )


def at_risk(*several: Incident, paths: tuple[Path, ...] = (path(),)) -> dict[IncidentId, float]:
    async def main() -> dict[IncidentId, float]:
        store = MemoryStore()
        await store.note_traffic("desk", steady(quiet=2 * HOUR))
        return await tickets_at_risk(store, several, {one.name: one for one in paths}, START)

    return asyncio.run(main())


def test_open_incident__counts_what_would_usually_have_come_until_now() -> None:
    assert at_risk(incident()) == {"incident-0": 12.0}


def test_incident_that_is_over__counts_to_the_end_of_its_impact_window() -> None:
    assert at_risk(incident(is_open=False)) == {"incident-0": 6.0}


def test_incident_of_which_it_is_not_known__is_left_out() -> None:
    assert at_risk(incident(kind=IncidentKind.BLIND)) == {}
    assert at_risk(incident(), paths=()) == {}
    assert at_risk(incident(), paths=(path(ticketing="rt"),)) == {}
    assert at_risk(incident(), paths=(path(ticketing=None),)) == {}


def test_very_many_incidents__only_the_newest_are_reckoned() -> None:
    found = at_risk(*(incident(number=one) for one in range(MOST_INCIDENTS + 5)))

    assert sorted(found) == sorted(f"incident-{one}" for one in range(MOST_INCIDENTS))


def test_histories__are_those_of_systems_that_were_watched() -> None:
    async def main() -> list[str]:
        store = MemoryStore()
        await store.note_traffic("desk", steady())
        return list(await histories_of(store, {"desk", "rt"}))

    assert asyncio.run(main()) == ["desk"]


def test_tickets_at_risk__in_words_of_an_incident() -> None:
    assert risk_words(incident(), 12.0) == "about 12 tickets would usually have come since"
    assert risk_words(incident(is_open=False), 6.0) == "about 6 tickets would usually have come in that time"
    assert risk_words(incident(), None) == "how many tickets are at risk is not known"
    assert risk_words(incident(kind=IncidentKind.BLIND), None) == ""
