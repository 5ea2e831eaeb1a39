"""The verbs of the store that are about quarantine, each one transaction."""

from collections.abc import Mapping, Sequence
from functools import partial

from canary.path import PathName
from canary.quarantine import Quarantine
from runners.store import quarantines
from runners.store.connecting import Database


class SqlQuarantines:
    """Satisfies `runners.quarantine_contracts.QuarantineStore`; a part of `SqlStore`."""

    _database: Database

    async def quarantines(self, paths: Sequence[PathName]) -> Mapping[PathName, Quarantine]:
        """How well the rule works for each of these paths."""
        return await self._database.read(partial(quarantines.quarantines, paths=paths))
