"""What the store keeps of quarantine: of each canary, whether its ticket bore the rule's mark when first seen."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from canary.hop import Hop
from canary.observation import Observation
from canary.path import PathName
from canary.quarantine import Quarantine, Sight


class QuarantineStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about quarantine. Raises `StoreError` from any of them.

    The sights themselves are kept by `append`, in the transaction of the ticket's own observation: one a canary, by
    whoever saw it first.
    """

    async def quarantines(self, paths: Sequence[PathName]) -> Mapping[PathName, Quarantine]:
        """How well the rule works for each of these paths; of one that nothing is known of, nothing."""
        ...


def sight_of(seen: Observation) -> Sight | None:
    """What an observation says of the rule; None where it says nothing."""
    if seen.hop is not Hop.TICKET_CREATED or seen.ticket is None or seen.ticket.is_quarantined is None:
        return None
    return Sight(seen.canary_id, seen.ended_at, seen.ticket.is_quarantined)
