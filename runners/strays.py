"""Strays: tickets of ours of which this store knows nothing more, found by their verified token and removed."""

from collections.abc import Sequence
from datetime import timedelta

from probes.contracts import Blind, Clock, Disposed, RemovalState
from probes.servers import SecretUnavailable
from probes.ticketing.watcher import Orphan, TicketWatcher
from runners.clean import DISPOSALS_PER_HOUR
from runners.contracts import AuditEntry, RemovalKind, Store
from runners.prober import Prober
from runners.progress import Progress

MARGIN = timedelta(minutes=1)
RETRY = timedelta(hours=1)


class Strays:
    """What `sweep` finds with an empty store, and tickets that came after their canary was cleaned."""

    def __init__(self, prober: Prober, store: Store, *, clock: Clock, progress: Progress) -> None:
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress

    async def remove(self) -> None:
        """Look through each ticketing system once; every removal is a line of the audit.

        A canary younger than the longest deadline may be another prober's that is still out: it is left alone.

        Raises:
            StoreError: the audit could not be written.
        """
        deadlines = [path.slo.deadline_seconds for path in self._prober.paths.values()]
        before = self._clock.now() - timedelta(seconds=max(deadlines, default=0.0)) - MARGIN
        for name, place in self._prober.places.items():
            if place.strays is None or not place.may_write:
                continue
            try:
                found = await place.strays.orphans(launched_before=before)
            except (Blind, SecretUnavailable) as error:
                self._progress.note(f"{name}: could not be searched for strays: {error}")
                continue
            await self._remove(name, place.strays, found)

    async def _remove(self, name: str, watcher: TicketWatcher, found: Sequence[Orphan]) -> None:
        outstanding = {record.canary.id for record in await self._store.outstanding(self._clock.now())}
        strays = [one for one in found if one.canary_id not in outstanding]
        if not strays:
            return
        cap = self._prober.disposals_per_hour.get(name, DISPOSALS_PER_HOUR)
        done = await self._store.disposals_since(name, self._clock.now() - timedelta(hours=1))
        waiting = len(strays) - max(0, cap - done)
        strays = strays[: max(0, cap - done)]
        more = f"; {waiting} wait: cap {cap} an hour" if waiting > 0 else ""
        self._progress.note(f"{name}: {len(strays)} strays of ours are removed{more}")
        owners = {one.ticket.ref.id: one for one in strays}
        for disposed in await watcher.remove_orphans(strays):
            await self._note(name, owners[disposed.ref.id], disposed)

    async def _note(self, name: str, stray: Orphan, disposed: Disposed) -> None:
        now = self._clock.now()
        is_gone = disposed.state in {RemovalState.DONE, RemovalState.ABSENT}
        await self._store.note_removed(
            AuditEntry(
                at=now,
                prober=self._prober.name,
                canary_id=stray.canary_id,
                kind=RemovalKind.TICKET,
                place=name,
                what=disposed.ref.id,
                action="remove stray",
                outcome=disposed.state,
                detail=self._prober.masker.detail(disposed.detail),
            ),
            next_at=None if is_gone else now + RETRY,
        )
