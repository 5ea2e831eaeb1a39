"""What the store keeps of ticketing systems: of looks that take several, where each goes on; real tickets; and calls."""

from collections.abc import Sequence
from typing import Protocol

from canary.walk import Walk
from runners.call_contracts import CallStore
from runners.traffic_contracts import TrafficStore


class WalkStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about walks; satisfies `probes.ticketing.walks.Walks`.

    Walks that nobody has gone on with for `canary.walk.KEPT` go when the store forgets. Raises `StoreError` from any verb.
    """

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        """Those of one look of a ticketing system, oldest first."""
        ...

    async def keep_walk(self, walk: Walk) -> None:
        """Keep a walk in place of what was kept of it (repeatable). Of several, the last word stands: each is true."""
        ...

    async def drop_walks(self, walks: Sequence[Walk]) -> None:
        """Forget walks that nobody needs any more, whatever is kept of them (repeatable)."""
        ...


class SystemStore(CallStore, TrafficStore, WalkStore, Protocol):
    """The verbs that are about ticketing systems."""
