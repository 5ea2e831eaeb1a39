"""The verbs of the store that are about calls of ticketing systems, each one transaction."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from canary.call_share import Grant, Stretch, Want
from canary.hush import Hush
from runners.store import calls
from runners.store.connecting import Database


class SqlCalls:
    """Satisfies `runners.call_contracts.CallStore`; a part of `SqlStore`."""

    _database: Database

    async def stretches(self, account: str) -> Sequence[Stretch]:
        """What was taken of each window of an account."""
        return await self._database.read(partial(calls.of_account, account=account))

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        """Take calls of an account's windows; one grant a want, in their order."""
        work = partial(calls.take_calls, account=account, wants=tuple(wants), now=now)
        return await self._database.write(work)

    async def hush(self, account: str) -> Hush | None:
        """When the systems of an account last asked to be left alone."""
        return await self._database.read(partial(calls.hush_of, account=account))

    async def keep_hush(self, account: str, hush: Hush) -> None:
        """Keep that one asked for it."""
        await self._database.write(partial(calls.keep_hush, account=account, hush=hush))
