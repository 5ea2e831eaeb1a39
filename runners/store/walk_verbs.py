"""The verbs of the store that are about walks, each one transaction."""

from collections.abc import Sequence
from functools import partial

from canary.walk import Walk
from runners.store import walks
from runners.store.connecting import Database


class SqlWalks:
    """Satisfies `runners.walk_contracts.WalkStore`; a part of `SqlStore`."""

    _database: Database

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        """The walks of one look of a system, oldest first."""
        return await self._database.read(partial(walks.of_look, place=place, look=look))

    async def keep_walk(self, walk: Walk) -> None:
        """Keep a walk in place of what was kept of it."""
        await self._database.write(partial(walks.keep, walk=walk))
