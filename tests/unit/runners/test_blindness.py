"""For which causes a prober says that it can't see: by its own canaries' incidents, and not by another's."""

import asyncio
from dataclasses import replace

import pytest

from canary.blame import Stop
from canary.hop import Hop
from canary.incident import Change, Incident, IncidentId, IncidentKind, Progress, Transition
from canary.reason import Reason, Side
from runners.blindness import own_blindness
from tests.contracts.store_cases import MAIL, NOON, make_canary, recorded
from tests.fakes.memory_store import MemoryStore


def blind_by(prober: str, *, is_kept: bool = True) -> MemoryStore:
    store = MemoryStore(prober=prober)
    canary = replace(make_canary(), prober=prober)
    incident = Incident(
        id=IncidentId(f"blind-{canary.id}"),
        path=MAIL,
        kind=IncidentKind.BLIND,
        first_canary=canary.id,
        onset_at=NOON,
        opened_at=NOON,
        stop=Stop(Hop.TICKET_CREATED, Reason.CREDENTIALS_REJECTED, Side.PROBER),
        impact_from=None,
        failures=2,
    )

    async def fill() -> None:
        if is_kept:
            await recorded(store, canary)
        change = Change(incident, Transition.OPENED)
        await store.store_progress(MAIL, Progress(blindness=incident), version=0, changes=[change], at=NOON)

    asyncio.run(fill())
    return store


@pytest.mark.parametrize(("prober", "is_blind"), [("fra-1", True), ("ber-2", False)])
def test_prober__is_blind_where_its_own_canaries_were(prober: str, is_blind: bool) -> None:
    causes = asyncio.run(own_blindness(blind_by("fra-1"), prober))

    assert causes["credentials"] is is_blind
    assert not any(blind for cause, blind in causes.items() if cause != "credentials")


def test_incident_whose_canary_is_kept_no_more__counts() -> None:
    assert asyncio.run(own_blindness(blind_by("fra-1", is_kept=False), "ber-2"))["credentials"] is True
