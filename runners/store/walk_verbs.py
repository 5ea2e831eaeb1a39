"""The verbs of the store that are about walks, each one transaction."""

from collections.abc import Sequence
from functools import partial

from canary.walk import Walk
from runners.store.connecting import Database
from runners.store.walks import drop, keep, of_look


class SqlWalks:
    """Satisfies `runners.walk_contracts.WalkStore`; a part of `SqlStore`."""

    _database: Database

    async def walks(self, place: str, look: str) -> Sequence[Walk]:
        """The walks of one look of a system, oldest first."""
        return await self._database.read(partial(of_look, place=place, look=look))

    async def keep_walk(self, walk: Walk) -> None:
        """Keep a walk in place of what was kept of it."""
        await self._database.write(partial(keep, walk=walk))

    async def drop_walks(self, walks: Sequence[Walk]) -> None:
        """Forget walks that nobody needs any more."""
        if walks:
            await self._database.write(partial(drop, dropped=walks))
