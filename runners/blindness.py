"""For which causes this prober can't see, by what its open incidents say: the words of `canary.instruments`."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from canary.incident import Incident, IncidentKind
from canary.reason import Reason
from runners.contracts import Store

CAUSES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.NETWORK_UNAVAILABLE: "network",
        Reason.NO_ROUTE: "network",
        Reason.DNS_UNANSWERED: "dns",
        Reason.CREDENTIALS_REJECTED: "credentials",
        Reason.CLOCK_STEPPED: "clock",
        Reason.BROWSER_MISSING: "browser",
        Reason.BROWSER_CRASHED: "browser",
        Reason.BROWSER_UNRESPONSIVE: "browser",
        Reason.TICKET_API_UNREADABLE: "ticket_api",
        Reason.RATE_LIMITED: "ticket_api",
    }
)
"""The cause by the reason of an incident of blindness; a reason that says nothing of a cause has none."""


async def own_blindness(store: Store, prober: str) -> Mapping[str, bool]:
    """Each cause that incidents can tell of, and whether an open one does that this prober's own canary began.

    Another prober on the same store may well be blind where we see. An incident whose canary is kept no more counts.

    Raises:
        StoreError: the store can't be read.
    """
    incidents = [one for one in await store.open_incidents() if one.kind is IncidentKind.BLIND]
    began = {one.first_canary: await store.find(one.first_canary) for one in incidents}
    ours = [
        one for one in incidents if all(record.canary.prober == prober for record in began[one.first_canary])
    ]
    return causes_of(ours)


def causes_of(incidents: Iterable[Incident]) -> Mapping[str, bool]:
    """Each cause that incidents can tell of, and whether an open one does."""
    blind = {
        CAUSES.get(one.stop.reason) for one in incidents if one.is_open and one.kind is IncidentKind.BLIND
    }
    return {cause: cause in blind for cause in CAUSES.values()}
