"""What the store keeps of real tickets: counts and times, by ticketing system."""

from typing import Protocol

from canary.traffic import History, Watched


class TrafficStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about real tickets. Raises `StoreError` from any of them."""

    async def note_traffic(self, place: str, watched: Watched) -> None:
        """Add what a stretch shows that nobody has counted yet (repeatable): two who saw the same count it once.

        Hours are kept for `canary.traffic.KEPT`; older ones go when the store forgets.
        """
        ...

    async def traffic(self, place: str) -> History | None:
        """All that is kept of a ticketing system; None: it was never watched."""
        ...
