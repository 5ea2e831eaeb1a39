"""The verbs of the store that are about real tickets, each one transaction."""

from functools import partial

from canary.traffic import History, Watched
from runners.store import traffic
from runners.store.connecting import Database


class SqlTraffic:
    """Satisfies `runners.traffic_contracts.TrafficStore`; a part of `SqlStore`."""

    _database: Database

    async def note_traffic(self, place: str, watched: Watched) -> None:
        """Add what a stretch shows that nobody has counted yet."""
        await self._database.write(partial(traffic.note, place=place, watched=watched))

    async def traffic(self, place: str) -> History | None:
        """All that is kept of a system; None: it was never watched."""
        return await self._database.read(partial(traffic.history, place=place))
