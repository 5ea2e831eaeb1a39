"""Tickets at risk: how many real ones would usually have come in an incident's impact window."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from canary.incident import Incident, IncidentId, IncidentKind
from canary.path import Path, PathName
from canary.traffic import History
from canary.usual import all_at_risk, at_risk_words
from runners.traffic_contracts import TrafficStore

MOST_INCIDENTS: Final = 20
"""Of so many, the newest, it is told: reckoning what was usual takes a hundredth of a second for each."""


async def histories_of(store: TrafficStore, places: Collection[str]) -> dict[str, History]:
    """What is kept of ticketing systems; one that was never watched is left out.

    Raises:
        StoreError: the store can't be read.
    """
    found = {place: await store.traffic(place) for place in sorted(places)}
    return {place: one for place, one in found.items() if one is not None}


async def tickets_at_risk(
    store: TrafficStore, incidents: Sequence[Incident], paths: Mapping[PathName, Path], now: datetime
) -> dict[IncidentId, float]:
    """How many tickets are at risk by each incident of the target; one of which it is not known is left out.

    Raises:
        StoreError: the store can't be read.
    """
    told = [
        one for one in incidents[:MOST_INCIDENTS] if one.kind is IncidentKind.TARGET and one.path in paths
    ]
    places = {place for one in told if (place := paths[one.path].ticketing) is not None}
    histories = await histories_of(store, places)
    found: dict[IncidentId, float] = {}
    for one in told if histories else ():
        begin, end = one.impact_from or one.onset_at, one.failed_until or one.resolved_at or now
        tickets = all_at_risk([paths[one.path]], histories, begin, end)
        if tickets is not None:
            found[one.id] = round(tickets, 1)
    return found


def risk_words(incident: Incident, tickets: float | None) -> str:
    """How many tickets are at risk by an incident, in one line; empty of one of the prober."""
    if incident.kind is not IncidentKind.TARGET:
        return ""
    if tickets is None:
        return "how many tickets are at risk is not known"
    return at_risk_words(tickets, is_over=not incident.is_open or incident.works_from is not None)
