"""Strays: tickets of ours of which this store knows nothing more, found by their verified token and removed."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from canary.quantity import duration
from canary.trial import TRIAL
from probes.contracts import Blind, Clock, Disposed, RemovalState
from probes.servers import SecretUnavailable
from probes.ticketing.watcher import Orphan, TicketWatcher
from runners.clean import DISPOSALS_PER_HOUR
from runners.contracts import BEGUN, AuditEntry, RemovalKind, Store, StoreError, TriedRemoval
from runners.place_faults import Doing
from runners.prober import Prober
from runners.progress import Progress

MARGIN = timedelta(minutes=1)
RETRY = timedelta(hours=1)


class Strays:
    """What `sweep` finds with an empty store, and tickets that came after their canary was cleaned."""

    def __init__(
        self,
        prober: Prober,
        store: Store,
        *,
        clock: Clock,
        progress: Progress,
        removed: Callable[[AuditEntry], object] = lambda _: None,
    ) -> None:
        """Keep the parts; ``removed`` hears of each stray that is gone, once it is in the audit."""
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress
        self._removed = removed

    async def remove(self) -> None:
        """Look through each ticketing system once; every removal is a line of the audit.

        A canary younger than the longest deadline may be another prober's that is still out: it is left alone. So is
        a ticket of `ticketing try --create` for five minutes: its trial may still go on.

        Raises:
            StoreError: the audit could not be written.
        """
        for name, place in self._prober.places.items():
            if place.tickets is None or not place.may_write:
                continue
            try:
                found, is_complete = await place.tickets.orphans()
            except (Blind, SecretUnavailable) as error:
                self._progress.note(f"{name}: could not be searched for strays: {error}")
                continue
            except StoreError:
                raise
            except Exception as error:  # noqa: BLE001 -- as a look's: a fault of ours at one place must not end the search of others
                at = self._clock.monotonic()
                fault = self._prober.faults.note(name, Doing.STRAYS, error, self._prober.masker, at=at)
                self._progress.note(f"{name}: could not be searched for strays: {fault}")
                continue
            self._prober.faults.well(name, Doing.STRAYS)
            await self._remove(name, place.tickets, await self._old(name, found))
            if not is_complete:
                self._progress.note(
                    f"{name}: not all tickets could be searched for strays. Run `intake-prober sweep` again."
                )

    async def _old(self, name: str, found: Sequence[Orphan]) -> list[Orphan]:
        """Those of which our store knows nothing and that are old enough; of younger ones it is said that they stay."""
        now = self._clock.now()
        outstanding = {record.canary.id for record in await self._store.outstanding(now)}
        unknown = [one for one in found if one.canary_id not in outstanding]
        young = [one for one in unknown if now - one.launched_at <= self._age_of_a_stray(one)]
        if young:
            wait = max(self._age_of_a_stray(one) - (now - one.launched_at) for one in young)
            what = "1 ticket of ours is" if len(young) == 1 else f"{len(young)} tickets of ours are"
            self._progress.note(
                f"{name}: {what} so young that another prober may still be at it: left alone."
                f" Run `intake-prober sweep` again in {duration(wait.total_seconds() + 1)}."
            )
        return [one for one in unknown if one not in young]

    def _age_of_a_stray(self, orphan: Orphan) -> timedelta:
        if orphan.is_trial:
            return TRIAL
        deadlines = [path.slo.deadline_seconds for path in self._prober.paths.values()]
        return timedelta(seconds=max(deadlines, default=0.0)) + MARGIN

    async def _remove(self, name: str, watcher: TicketWatcher, strays: Sequence[Orphan]) -> None:
        if not strays:
            return
        cap = self._prober.disposals_per_hour.get(name, DISPOSALS_PER_HOUR)
        done = await self._store.disposals_since(name, self._clock.now() - timedelta(hours=1))
        now, later = strays[: max(0, cap - done)], strays[max(0, cap - done) :]
        if now:
            things = "stray" if len(now) == 1 else "strays"
            self._progress.note(f"{name}: removing {len(now)} {things} of ours")
            await self._store.note_begun(*(self._line(name, one, one.ticket.ref.id, BEGUN) for one in now))
            owners = {one.ticket.ref.id: one for one in now}
            disposed = await self._disposed(name, watcher, now)
            tried = [self._tried(name, owners[one.ref.id], one) for one in disposed]
            await self._store.note_removed(*tried)
            for each in tried:
                if each.next_at is None:
                    self._removed(each.entry)
        if later:
            self._progress.note(
                f"{name}: {len(later)} strays of ours wait: the cap of {cap} removals an hour is reached."
                " Run `intake-prober sweep` again in an hour."
            )

    async def _disposed(
        self, name: str, watcher: TicketWatcher, strays: Sequence[Orphan]
    ) -> Sequence[Disposed]:
        try:
            disposed = await watcher.remove_orphans(strays)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 -- as above; what was begun is ended in the audit
            at = self._clock.monotonic()
            fault = self._prober.faults.note(name, Doing.CLEANING, error, self._prober.masker, at=at)
            return [Disposed(one.ticket.ref, RemovalState.FAILED, fault) for one in strays]
        self._prober.faults.well(name, Doing.CLEANING)
        return disposed

    def _tried(self, name: str, stray: Orphan, disposed: Disposed) -> TriedRemoval:
        is_gone = disposed.state in {RemovalState.DONE, RemovalState.ABSENT}
        line = self._line(name, stray, disposed.ref.id, disposed.state, disposed.detail)
        return TriedRemoval(line, next_at=None if is_gone else self._clock.now() + RETRY)

    def _line(self, name: str, stray: Orphan, what: str, outcome: str, detail: str = "") -> AuditEntry:
        return AuditEntry(
            at=self._clock.now(),
            prober=self._prober.name,
            canary_id=stray.canary_id,
            kind=RemovalKind.TICKET,
            place=name,
            what=what,
            action="remove stray",
            outcome=outcome,
            detail=self._prober.masker.detail(detail),
        )
