"""Remove what canaries left: close tickets, remove mails, write the audit, count what is left over."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from canary.canary import Canary
from canary.hop import LAUNCH_HOPS, SUBMITTING_HOPS
from canary.signature import CanaryId
from canary.verdict import Verdict
from probes.contracts import ABOVE_CAP, Clock, RemovalState, Removed
from runners.contracts import (
    BEGUN,
    AuditEntry,
    Leftover,
    Record,
    RemovalKind,
    Store,
    StoreError,
    TriedRemoval,
)
from runners.place_faults import Doing
from runners.prober import Prober
from runners.progress import Progress
from runners.telemetry.logs import ids_of

_log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(hours=1)
PLACE_SECONDS = 60.0
AT_ONCE = 25
"""So many canaries are cleaned in one call: when it takes too long, what it did of no more than these is unknown."""
DISPOSALS_PER_HOUR = 600
"""Removals an hour at a place, unless it is configured (``cleanup_cap``): far above any schedule, far below a disaster."""
MOST_LEFTOVERS = 20
"""A path with more than this many launches nothing until they are gone."""


class Cleaner:
    """Cleans canaries that have their last word, in every place where they may have left something."""

    def __init__(
        self,
        prober: Prober,
        store: Store,
        *,
        clock: Clock,
        progress: Progress,
        observer: str,
        removed: Callable[[AuditEntry], object] = lambda _: None,
    ) -> None:
        """Keep the parts; ``removed`` hears of each thing that is gone by a try of ours, once it is in the audit."""
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress
        self._observer = observer
        self._removed = removed

    def is_due(self, record: Record) -> bool:
        """Whether a canary may be cleaned: removing a breached one's mail early would destroy the proof of `late`."""
        if record.is_clean or not record.launch_ended:
            return False
        if record.verdict is Verdict.BREACHED:
            return self._clock.now() >= record.canary.horizon_at
        return record.verdict is not Verdict.PENDING

    async def clean(self, records: Sequence[Record], *, at_once: bool = False) -> frozenset[CanaryId]:
        """Clean all that are due, one call a place, side by side; returns those of which nothing is left.

        Repeatable: what is gone already counts as removed. An inconclusive canary stays on the list until its
        horizon, because its ticket may still come.

        Args:
            records: the candidates.
            at_once: also try again what failed a moment ago.

        Raises:
            StoreError: the audit could not be written. Where it could not be begun nothing was removed; every place
                was left to end what it had begun.
        """
        due = [record for record in records if self.is_due(record)]
        never_left = frozenset(record.canary.id for record in due if _never_left(record))
        due = [record for record in due if record.canary.id not in never_left]
        waiting = await self._store.leftovers()
        now = self._clock.now()
        left = {one.canary_id for one in waiting if one.next_at > now and not at_once}
        wanted = [record.canary for record in due if record.canary.id not in left]
        places = [name for name, place in self._prober.places.items() if place.may_write]
        async with asyncio.TaskGroup() as group:
            cleaning = [
                group.create_task(self._clean_or_fail(name, canaries, waiting))
                for name in places
                if (canaries := [one for one in wanted if name in self._prober.places_of(one)])
            ]
        for task in cleaning:
            if isinstance(found := task.result(), StoreError):
                raise found
            left |= found
        finished = never_left | frozenset(
            record.canary.id
            for record in due
            if record.canary.id not in left
            and not (record.verdict is Verdict.INCONCLUSIVE and now < record.canary.horizon_at)
        )
        await self._store.finish_clean(*finished, at=now)
        return finished

    async def _clean_or_fail(
        self, name: str, canaries: Sequence[Canary], waiting: Sequence[Leftover]
    ) -> set[CanaryId] | StoreError:
        """One place; its error is returned, so that it tears no removal that another place has begun."""
        left: set[CanaryId] = set()
        above = 0
        try:
            for start in range(0, len(canaries), AT_ONCE):
                some_left, some_above = await self._clean_some(
                    name, canaries[start : start + AT_ONCE], waiting
                )
                left |= some_left
                above += some_above
        except StoreError as error:
            return error
        if above:
            self._progress.note(
                f"{name}: {above} removals wait: the cap of {self._cap(name)} an hour is reached; each is tried"
                f" again within {LONGEST_RETRY.total_seconds() / 60:.0f} min, by a run or `intake-prober sweep`"
            )
        return left

    async def _clean_some(
        self, name: str, canaries: Sequence[Canary], waiting: Sequence[Leftover]
    ) -> tuple[set[CanaryId], int]:
        """Remove from one place; returns the canaries of which something is, or may be, left, and how many wait."""
        kind = self._prober.places[name].leaves
        allowed = await self._removals_left(name)
        begun, held = canaries[:allowed], canaries[allowed:]
        removed = [Removed(one, kind, name, "", RemovalState.FAILED, ABOVE_CAP) for one in held]
        if begun:
            await self._store.note_begun(*(self._line(one, kind, name) for one in begun))
            removed += await self._remove(name, kind, begun, allowed)
        here = {(one.canary_id, one.what): one for one in waiting if one.place == name}
        removed = [one for one in removed if one.what or one.state is not RemovalState.ABSENT]
        removed += self._gone_meanwhile(begun, kind, name, here, removed)
        tried = [(one, self._tried(one, here.get((one.canary.id, one.what)))) for one in removed]
        await self._store.note_removed(*(end for _, end in tried))
        for one, end in tried:
            self._tell(one, end)
            if end.next_at is None:
                self._removed(end.entry)
        left = {one.canary.id for one, end in tried if end.next_at is not None}
        return left, sum(one.detail == ABOVE_CAP for one in removed)

    def _gone_meanwhile(
        self,
        canaries: Sequence[Canary],
        kind: RemovalKind,
        place: str,
        waiting: Mapping[tuple[CanaryId, str], Leftover],
        removed: Sequence[Removed],
    ) -> list[Removed]:
        """What waited for its removal, of canaries of which this try found nothing: it is not there any more."""
        found = {one.canary.id for one in removed}
        by_id = {one.id: one for one in canaries if one.id not in found}
        return [
            Removed(by_id[canary_id], kind, place, what, RemovalState.ABSENT, "not there any more")
            for canary_id, what in waiting
            if canary_id in by_id
        ]

    async def _remove(
        self, name: str, kind: RemovalKind, canaries: Sequence[Canary], at_most: int
    ) -> Sequence[Removed]:
        try:
            async with self._clock.timeout(PLACE_SECONDS):
                removed = await self._prober.places[name].watcher.remove(canaries, at_most=at_most)
        except StoreError:
            raise
        except TimeoutError:
            self._progress.note(f"{name}: cleaning took more than {PLACE_SECONDS:.0f} s; it is tried again")
            return [
                Removed(one, kind, name, "", RemovalState.FAILED, "no answer in time") for one in canaries
            ]
        except Exception as error:  # noqa: BLE001 -- as a look's: a fault of ours at one place must not end the clean-up of others
            at = self._clock.monotonic()
            detail = self._prober.faults.note(name, Doing.CLEANING, error, self._prober.masker, at=at)
            return [Removed(one, kind, name, "", RemovalState.FAILED, detail) for one in canaries]
        self._prober.faults.well(name, Doing.CLEANING)
        return removed

    async def _removals_left(self, name: str) -> int:
        """How many things may be removed at a place now: a fault must not empty a queue."""
        done = await self._store.disposals_since(name, self._clock.now() - timedelta(hours=1))
        return max(0, self._cap(name) - done)

    def _cap(self, name: str) -> int:
        return self._prober.disposals_per_hour.get(name, DISPOSALS_PER_HOUR)

    def _line(self, canary: Canary, kind: RemovalKind, place: str) -> AuditEntry:
        """What the audit says before anything is removed: killed in between, it still tells who was there."""
        return AuditEntry(
            at=self._clock.now(),
            prober=self._observer,
            canary_id=canary.id,
            kind=kind,
            place=place,
            what="",
            action="remove",
            outcome=BEGUN,
            detail="",
        )

    def _tried(self, removed: Removed, before: Leftover | None) -> TriedRemoval:
        now = self._clock.now()
        is_gone = removed.state in {RemovalState.DONE, RemovalState.ABSENT}
        attempts = before.attempts if before is not None else 0
        wait = min(LONGEST_RETRY, FIRST_RETRY * 2 ** min(attempts, 12))
        entry = AuditEntry(
            at=now,
            prober=self._observer,
            canary_id=removed.canary.id,
            kind=RemovalKind(removed.kind),
            place=removed.place,
            what=removed.what,
            action="remove",
            outcome=removed.state,
            detail=self._prober.masker.detail(removed.detail),
        )
        return TriedRemoval(entry, next_at=None if is_gone else now + wait)

    def _tell(self, removed: Removed, tried: TriedRemoval) -> None:
        extra = {
            **ids_of(removed.canary),
            "place": removed.place,
            "outcome": removed.state.value,
            "detail": tried.entry.detail or None,
        }
        if tried.next_at is None:
            _log.info("removed", extra=extra)
        elif removed.detail != ABOVE_CAP:
            _log.warning("removal_failed", extra=extra)
        if tried.next_at is None or removed.detail == ABOVE_CAP:
            return
        wait = tried.next_at - tried.entry.at
        self._progress.note(
            f"{removed.place}: {removed.kind} {removed.what or 'of ' + removed.canary.id} is not removed yet"
            f" ({removed.detail or removed.state}); tried again in {wait.total_seconds():.0f} s"
        )


def _never_left(record: Record) -> bool:
    """Whether the launch ended at a hop before the one that hands over, so that nothing of it can be anywhere.

    The blamed hop is never one that a later success proves; where the answer to the mail was lost, it is that hop.
    """
    stop = record.judgement.stop if record.judgement is not None else None
    return stop is not None and stop.hop in LAUNCH_HOPS - SUBMITTING_HOPS
