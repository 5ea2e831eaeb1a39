"""The verbs of the store that are about sending traces, each one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from canary.signature import CanaryId
from runners.export_contracts import ExportState, PartKey, TracePart, TraceRows
from runners.store import exports
from runners.store.connecting import Database


class SqlExports:
    """Satisfies `runners.export_contracts.ExportStore`; a part of `SqlStore`."""

    _database: Database

    async def claim_traces(
        self, now: datetime, *, holder: str, lease_until: datetime, limit: int
    ) -> Sequence[TracePart]:
        """Take parts that are due for a while, the newest first."""
        if not await self._database.read(partial(exports.is_any_due, now=now)):
            return ()
        work = partial(exports.claim, now=now, holder=holder, lease_until=lease_until, limit=limit)
        return await self._database.write(work)

    async def trace_rows(self, canary_ids: Sequence[CanaryId]) -> Mapping[CanaryId, TraceRows]:
        """What the traces of these canaries are made of."""
        return await self._database.read(partial(exports.rows_of, canary_ids=canary_ids))

    async def freeze_traces(self, bodies: Mapping[PartKey, str]) -> Mapping[PartKey, str]:
        """Keep parts as they were made; outlives a loss of power, for what is sent next must be sent again like that."""
        if not bodies:
            return {}
        return await self._database.write(partial(exports.freeze, bodies=bodies), is_durable=True)

    async def trace_sent(self, *keys: PartKey) -> None:
        """Parts were taken: they are forgotten."""
        await self._database.write(partial(exports.sent, keys=keys))

    async def trace_deferred(
        self,
        key: PartKey,
        *,
        at: datetime,
        next_at: datetime,
        error: str,
        is_attempt: bool = True,
        prober: str | None = None,
    ) -> None:
        """A part is to be tried again then."""
        work = partial(
            exports.deferred,
            key=key,
            at=at,
            next_at=next_at,
            error=error,
            is_attempt=is_attempt,
            prober=prober,
        )
        await self._database.write(work)

    async def trace_given_up(
        self, key: PartKey, *, at: datetime, error: str, prober: str | None = None
    ) -> None:
        """A part will never be taken."""
        await self._database.write(partial(exports.given_up, key=key, at=at, error=error, prober=prober))

    async def release_traces(self, keys: Sequence[PartKey], *, holder: str) -> None:
        """Give back parts that this holder took and did not send."""
        if keys:
            await self._database.write(partial(exports.release, keys=keys, holder=holder))

    async def exports(self) -> ExportState:
        """What waits, and what is dead."""
        return await self._database.read(exports.state)
