"""Judge outstanding canaries; store judgement, incidents and outbox rows in one transaction."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from canary.canary import Canary
from canary.hop import OPTIONAL_HOPS, full_route
from canary.incident import Change, Progress, Settled, step
from canary.learnt import sharpen
from canary.path import Path, Slo, is_bisect
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict, advance, judge
from probes.contracts import Clock
from runners.alerting import Alerting
from runners.contracts import Record, Settlement, SettlementConflict, Store, StoreError
from runners.prober import Prober
from runners.progress import Progress as Listener

_TRIES = 8
_PATIENCE_SECONDS = 2.0
"""A store that takes longer to fail is locked or gone: there is no use in asking it once a canary."""


class Settler:
    """Judges by what the store has, so that any process settles what any other saw."""

    def __init__(
        self,
        prober: Prober,
        store: Store,
        *,
        clock: Clock,
        listener: Listener,
        settled_by: str,
        is_under_way: Callable[[CanaryId], bool],
        alerting: Alerting,
    ) -> None:
        """Keep the parts; `is_under_way` says whether this very process is still launching a canary."""
        self._prober = prober
        self._store = store
        self._clock = clock
        self._listener = listener
        self._settled_by = settled_by
        self._is_under_way = is_under_way
        self._alerting = alerting

    async def preview(self, *records: Record) -> Sequence[Judgement]:
        """What would be judged now of each; stores nothing."""
        seen = await self._store.observations_of([one.canary.id for one in records])
        now = self._clock.now()
        return [
            advance(
                one.judgement,
                judge(path_of(self._prober, one.canary), one.canary, seen[one.canary.id], now),
            )
            for one in records
        ]

    async def settle(
        self, *judged: tuple[Record, Judgement]
    ) -> tuple[Sequence[tuple[Record, Record]], StoreError | None]:
        """Store what `preview` has just said of canaries, together; of each, as it was read and as it then stands.

        Repeatable; when another process settles at the same time, one of the two wins and both return it.

        Returns:
            those of which it is known how they stand, and why it is not known of the others, if there are any.
        """
        settled = [(record, record) for record, fresh in judged if not _differs(record.judgement, fresh)]
        # As they settled: the fold of incidents is defined over that order, and a batch comes in none.
        changed = sorted(
            ((record, fresh) for record, fresh in judged if _differs(record.judgement, fresh)),
            key=lambda one: (one[1].settled_at or one[0].canary.launched_at, one[0].canary.id),
        )
        began = self._clock.monotonic()
        if len(changed) > 1 and all(self._is_ripe(record, fresh) for record, fresh in changed):
            # Where it fails, each by itself: a conflict or a torn row of one is no other's.
            with contextlib.suppress(SettlementConflict, StoreError):
                return [*settled, *await self._settle_together(changed)], None
        trouble: StoreError | None = None
        for record, judgement in changed:
            try:
                settled.append((record, await self._settle_one(record, judgement)))
            except StoreError as error:
                trouble = error
                if self._clock.monotonic() - began > _PATIENCE_SECONDS:
                    break
        return settled, trouble

    async def _settle_together(
        self, judged: Sequence[tuple[Record, Judgement]]
    ) -> Sequence[tuple[Record, Record]]:
        at = self._clock.now()
        remembered = dict(await self._store.progress_of([record.canary.path for record, _ in judged]))
        settlements = []
        for record, judgement in judged:
            settlement = self._settlement(record, judgement, *remembered[record.canary.path], at)
            settlements.append(settlement)
            if settlement.progress is not None or settlement.progress_version == 0:
                progress = settlement.progress or Progress()
                remembered[record.canary.path] = progress, settlement.progress_version + 1
        settlements = await self._with_alerts(settlements)
        await self._store.settle(*settlements)
        return [
            (record, self._told(replace(record, judgement=judgement), record.verdict, settlement.changes))
            for (record, judgement), settlement in zip(judged, settlements, strict=True)
        ]

    async def _settle_one(self, record: Record, judgement: Judgement | None) -> Record:
        for _ in range(_TRIES):
            if judgement is None:
                [judgement] = await self.preview(record)
            if not _differs(record.judgement, judgement):
                return record
            if not self._is_ripe(record, judgement):
                # What its launch comes to is not told yet: whoever judges now takes it for stopped, or, where the
                # ticket is quicker than the confirmation, misses what its last hops have to say.
                record, judgement = await self._again(record), None
                if not record.launch_ended:
                    return record
                continue
            remembered = await self._store.progress_of([record.canary.path])
            settlement = self._settlement(
                record, judgement, *remembered[record.canary.path], self._clock.now()
            )
            [settlement] = await self._with_alerts([settlement])
            try:
                await self._store.settle(settlement)
            except SettlementConflict:
                record, judgement = await self._again(record), None
                continue
            return self._told(replace(record, judgement=judgement), record.verdict, settlement.changes)
        raise StoreError(
            f"store: other probers changed canary {record.canary.id} {_TRIES} times while it was judged."
        )

    def _settlement(
        self, record: Record, judgement: Judgement, progress: Progress, version: int, at: datetime
    ) -> Settlement:
        grown, changes = self._incidents(record, judgement, progress)
        return Settlement(
            judgement=judgement,
            expected=record.verdict,
            replaces=record.judgement,
            progress=grown if grown != progress else None,
            progress_version=version,
            changes=changes,
            settled_by=self._settled_by,
            at=at,
        )

    async def _with_alerts(self, settlements: Sequence[Settlement]) -> list[Settlement]:
        """The same, with what people are to be told of the incidents that change; they are stored together."""
        if not any(one.changes for one in settlements):
            return list(settlements)
        situation = await self._alerting.situation()
        return [replace(one, alerts=situation.take(one.changes)) for one in settlements]

    def _incidents(
        self, record: Record, judgement: Judgement, progress: Progress
    ) -> tuple[Progress, tuple[Change, ...]]:
        path = path_of(self._prober, record.canary)
        if is_bisect(path.name):
            return progress, ()  # it says where another path's incident is
        if not path.is_enabled:
            return progress, ()  # its incidents are retired; what still settles opens no new one
        if record.verdict is Verdict.PENDING and judgement.verdict is not Verdict.PENDING:
            if judgement.settled_at is None:
                return progress, ()
            settled = Settled(
                canary_id=judgement.canary_id,
                launched_at=record.canary.launched_at,
                settled_at=judgement.settled_at,
                verdict=judgement.verdict,
                stop=judgement.stop,
                sender=record.canary.sender,
            )
            return step(path.name, path.incidents, progress, settled)
        if judgement.verdict.is_breach and judgement.stop is not None:
            return sharpen(progress, judgement.canary_id, judgement.stop)
        return progress, ()

    def _is_ripe(self, record: Record, judgement: Judgement) -> bool:
        """Whether it may be settled.

        Only confirmed does not wait for a launch of which this process can't know whether it will ever end.
        """
        if record.launch_ended:
            return True
        return judgement.verdict is Verdict.CONFIRMED and not self._is_under_way(record.canary.id)

    async def _again(self, record: Record) -> Record:
        found = await self._store.find(record.canary.id)
        return found[0] if found else record

    def _told(self, record: Record, before: Verdict, changes: tuple[Change, ...]) -> Record:
        if record.judgement is not None and record.verdict is not before:
            self._listener.judged(record.canary, record.judgement)
        for change in changes:
            self._listener.changed(change)
        return record


def path_of(prober: Prober, canary: Canary) -> Path:
    """A canary's path as configured; where it is gone from the configuration, one rebuilt from the canary."""
    configured = prober.paths.get(canary.path)
    if configured is not None:
        return configured
    deadline = (canary.deadline_at - canary.launched_at).total_seconds()
    horizon = (canary.horizon_at - canary.launched_at).total_seconds()
    return Path(
        name=canary.path,
        channel=canary.channel,
        route=tuple(hop for hop in full_route(canary.channel) if hop not in OPTIONAL_HOPS),
        slo=Slo(deadline_seconds=deadline, horizon_seconds=horizon),
        is_enabled=False,
    )


def _differs(stored: Judgement | None, fresh: Judgement) -> bool:
    """Whether anything that is kept has changed; what the hops look like while pending is not."""
    if fresh.verdict is Verdict.PENDING:
        return False
    if stored is None:
        return True
    return (stored.verdict, stored.stop, stored.flaws) != (fresh.verdict, fresh.stop, fresh.flaws)
