"""Watch every outstanding canary in its places, and settle what is seen: a loop a place, and one that judges."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.reason import Reason
from canary.signature import CanaryId
from canary.verdict import Judgement, Verdict
from probes.contracts import Clock, Report
from runners.board import Board
from runners.contracts import Record, Store, StoreError
from runners.gauging import Gauging, explanations
from runners.place_faults import Doing
from runners.prober import Place, Prober
from runners.progress import Progress
from runners.race import first
from runners.settle import Settler

LOOK_SECONDS = 30.0
"""One look at one place, at most; then it counts as blind."""
STEP = timedelta(seconds=2)
"""Our wall clock may depart this far from the monotonic one before it counts as stepped."""
SUSPECT_SECONDS = 60.0
"""However silent a place is, it is looked at so often while something is outstanding: IDLE can die without a word."""
_FRESH_SECONDS = 60.0
_SLOWER = 0.05
_LONGEST_PAUSE_SECONDS = 10.0
"""A canary of a minute is looked for each second; from then on the pause grows by a second for each 20 s of its age."""
_GLANCE_SECONDS = 0.05
_DUE_AGAIN_SECONDS = 5.0
"""After a look past the deadline that settled nothing, because it could not read all, the next comes so soon."""
_STORE_RETRY_SECONDS = 1.0
_STORE_PATIENCE_SECONDS = 10.0
"""A store that fails for so long will not be there in time: then nothing can be recorded, and the watch ends."""


class Watch:
    """Looks, reports and settles until it is cancelled. Facts go to the store; this keeps nothing of its own."""

    def __init__(
        self,
        prober: Prober,
        store: Store,
        board: Board,
        *,
        settler: Settler,
        gauging: Gauging,
        report: Report,
        clock: Clock,
        progress: Progress,
        settled: Callable[[Verdict, Record], None],
    ) -> None:
        self._prober = prober
        self._store = store
        self._board = board
        self._settler = settler
        self._gauging = gauging
        self._report = report
        self._clock = clock
        self._progress = progress
        self._settled = settled
        self._explained: set[CanaryId] = set()
        self._explaining: set[CanaryId] = set()
        self._is_judging = False
        self._store_failed_at: float | None = None
        self._origin = (clock.now(), clock.monotonic())

    async def run(self) -> None:
        """Watch all places side by side and judge what they see, for ever; cancel it to stop."""
        async with asyncio.TaskGroup() as group:
            for name in self._prober.places:
                group.create_task(self._watch(name))
            group.create_task(self._judge(group))

    async def look_once(self, canaries: Sequence[Canary]) -> None:
        """One wide look for the given canaries in all their places: what earlier runs left, late ones, lost ones."""
        async with asyncio.TaskGroup() as group:
            for name in self._prober.places:
                here = [one for one in canaries if name in self._prober.places_of(one)]
                if here:
                    group.create_task(self._look(name, here, Depth.DEADLINE))

    def forget(self, canary_ids: Collection[CanaryId]) -> None:
        """Remember nothing more of canaries that are over."""
        self._explained -= set(canary_ids)

    async def all_judged(self) -> None:
        """Return when nothing that was noticed waits for its judgement; `run` must be under way."""
        while self._is_judging or self._explaining or self._board.wants_judging:
            await self._clock.sleep(_GLANCE_SECONDS)

    async def _watch(self, name: str) -> None:
        place = self._prober.places[name]
        while True:
            version, hints, now = self._board.version, self._board.hints, self._clock.now()
            waiting, due = self._board.wanted_at(name, now)
            if not waiting and not due:
                await first(*self._changes(place, version, hints), self._until_next_deadline(now))
                continue
            if not due and (pause := self._board.pause_at(name, now)):
                await first(self._board.hinted_since(hints), self._clock.sleep(pause.total_seconds()))
                continue
            try:
                is_made = await self._look(name, [*waiting, *due], Depth.DEADLINE if due else Depth.POLL)
            except StoreError as error:
                await self._bear(error)
                continue
            self._store_failed_at = None
            if not is_made:
                await self._clock.sleep(_DUE_AGAIN_SECONDS)
                continue
            # What was handed over meanwhile was not asked for, and without it there may never be news.
            changes = self._changes(place, version, hints)
            await first(
                self._news(place, waiting, now),
                *changes,
                self._until_next_deadline(now),
                self._suspect(is_due=bool(due)),
            )

    async def _news(self, place: Place, waiting: Sequence[Canary], now: datetime) -> None:
        """Return when another look may pay; where nothing tells of a ticket, the later the older the youngest is."""
        if place.holds_tickets and waiting:
            age_seconds = min((now - one.launched_at).total_seconds() for one in waiting)
            await self._clock.sleep(
                min(_LONGEST_PAUSE_SECONDS, max(0.0, age_seconds - _FRESH_SECONDS) * _SLOWER)
            )
        try:
            await place.watcher.news()
        except Exception as error:  # noqa: BLE001 -- as in `_look`; until the next look, which comes by itself, there is no news
            at = self._clock.monotonic()
            self._prober.faults.note(place.watcher.place, Doing.NEWS, error, self._prober.masker, at=at)
            await asyncio.Event().wait()
        self._prober.faults.well(place.watcher.place, Doing.NEWS)

    async def _suspect(self, *, is_due: bool) -> None:
        """Return when a watcher was silent for so long that it may have died: then a look is made, news or not.

        A system has no news of a ticket that is there and damaged; a canary that is due still waits for a whole look.
        """
        await self._clock.sleep(_DUE_AGAIN_SECONDS if is_due else SUSPECT_SECONDS)

    def _changes(self, place: Place, version: int, hints: int) -> list[Coroutine[Any, Any, None]]:
        """What makes another look worth while at once: each returns when it has happened."""
        changes = [self._board.changed_since(version)]
        if place.holds_tickets:
            changes.append(self._board.hinted_since(hints))
        return changes

    async def _look(self, name: str, canaries: Sequence[Canary], depth: Depth) -> bool:
        """One look at a place; False: it ended in a fault of ours, and the place counts as blind, as without an answer."""
        place = self._prober.places[name]
        began_at = self._clock.now()
        fault: str | None = None
        try:
            async with self._clock.timeout(LOOK_SECONDS):
                await place.watcher.look(canaries, depth, self._report)
        except StoreError:
            raise
        except TimeoutError:
            is_blind = True
        except Exception as error:  # noqa: BLE001 -- a fault of ours at one place must not end the watch of all others
            is_blind, at = True, self._clock.monotonic()
            fault = self._prober.faults.note(name, Doing.LOOK, error, self._prober.masker, at=at)
        else:
            is_blind = False
            self._prober.faults.well(name, Doing.LOOK)
        if is_blind:
            ended_at = self._clock.now()
            await self._report(
                *_blind(
                    canaries, name, place.hop, depth=depth, began_at=began_at, ended_at=ended_at, fault=fault
                )
            )
        await self._note_clock_step(canaries)
        return fault is None

    async def _until_next_deadline(self, since: datetime) -> None:
        """Return at the first deadline after that time, at once where it has passed meanwhile."""
        next_at = self._board.next_deadline(since)
        if next_at is None:
            await asyncio.Event().wait()
        else:
            await self._clock.sleep(max(0.0, (next_at - self._clock.now()).total_seconds()))

    async def _judge(self, group: asyncio.TaskGroup) -> None:
        """Judge whatever was noticed, and each second what time alone settles: the deadline, the horizon."""
        while True:
            await first(self._board.touched(), self._clock.sleep(1.0))
            now = self._clock.now()
            self._board.touch(
                record.canary.id
                for record in self._board.records()
                if record.verdict is Verdict.PENDING and now >= record.canary.deadline_at
            )
            if not self._board.wants_judging:
                continue  # the store was not asked, so it is not known whether it works again
            self._is_judging = True
            try:
                await self._judge_touched(group)
            except StoreError as error:
                await self._bear(error)
            else:
                self._store_failed_at = None
            finally:
                self._is_judging = False

    async def _judge_touched(self, group: asyncio.TaskGroup) -> None:
        """Settle what can be settled at once; whatever wants explaining first gets a task for it, a mailbox each.

        Raises:
            StoreError: not all could be judged; those that were not are judged the next time.
        """
        touched = [one for one in self._board.take_touched() if one.canary.id not in self._explaining]
        left = {one.canary.id for one in touched}
        if not touched:
            return
        try:
            judged, trouble = await self._previews(touched)
            unexplained = [record for record, preview in judged if self._wants_explaining(record, preview)]
            for mailbox, records in self._by_mailbox(unexplained).items():
                canaries = [one.canary for one in records]
                self._explaining |= {one.id for one in canaries}
                group.create_task(self._explain(mailbox, canaries))
            left -= self._explaining
            ripe = [one for one in judged if one[0].canary.id in left]
            settled, not_settled = await self._settler.settle(*ripe)
            for before, after in settled:
                left.discard(before.canary.id)
                if after != before:
                    self._board.update(after)
                    self._settled(before.verdict, after)
            if trouble := trouble or not_settled:
                raise trouble
        finally:
            self._board.touch(left)

    async def _previews(
        self, records: Sequence[Record]
    ) -> tuple[Sequence[tuple[Record, Judgement]], StoreError | None]:
        """What would be judged of each now; one whose rows can't be read hinders no other, and is the error returned."""
        try:
            return list(zip(records, await self._settler.preview(*records), strict=True)), None
        except StoreError as error:
            trouble = error
        judged: list[tuple[Record, Judgement]] = []
        for record in records if len(records) > 1 else ():
            try:
                [preview] = await self._settler.preview(record)
            except StoreError as error:
                trouble = error
            else:
                judged.append((record, preview))
        return judged, trouble

    async def _bear(self, error: StoreError) -> None:
        """Wait a moment for the store to come back.

        Raises:
            StoreError: it has been gone for too long.
        """
        now = self._clock.monotonic()
        if self._store_failed_at is None:
            self._store_failed_at = now
            self._progress.note(f"{error} Trying again.")
        if now - self._store_failed_at >= _STORE_PATIENCE_SECONDS:
            raise error
        await self._clock.sleep(_STORE_RETRY_SECONDS)

    def _wants_explaining(self, record: Record, preview: Judgement) -> bool:
        """Whether it would be given its bad verdict now, and its mailbox was not yet asked what it says of itself."""
        path = self._prober.paths.get(record.canary.path)
        return (
            record.verdict is Verdict.PENDING
            and preview.verdict not in {Verdict.PENDING, Verdict.CONFIRMED}
            and path is not None
            and path.mailbox is not None
            and record.canary.id not in self._explained
        )

    def _by_mailbox(self, records: Sequence[Record]) -> Mapping[str, Sequence[Record]]:
        found: dict[str, list[Record]] = {}
        for record in records:
            mailbox = self._prober.paths[record.canary.path].mailbox
            if mailbox is not None:
                found.setdefault(mailbox, []).append(record)
        return found

    async def _explain(self, mailbox: str, canaries: Sequence[Canary]) -> None:
        """Before canaries are given their bad verdict: look into the mailbox once more, and read its gauges.

        Then they are judged, explained or not; beside it, the places are looked at as ever.
        """
        ids = {one.id for one in canaries}
        try:
            if mailbox in self._prober.places:
                await self._look(mailbox, canaries, Depth.DEADLINE)
            gauged = [one for one in self._prober.gauges if one.reader.place == mailbox]
            gauges = await self._gauging.read(gauged)
            now = self._clock.now()
            await self._report(*(one for canary in canaries for one in explanations(canary, gauges, now=now)))
            self._explained |= ids
        except StoreError as error:
            await self._bear(error)
        finally:
            self._explained &= set(self._board.canaries())
            self._explaining -= ids
            self._board.touch(ids)

    async def _note_clock_step(self, canaries: Sequence[Canary]) -> None:
        """Whoever notices the step reports it for all that are out, wherever each is looked for."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        wall, steady = self._origin
        if abs((now - wall) - timedelta(seconds=monotonic - steady)) <= STEP:
            self._origin = (now, monotonic)  # small steps of a year are no step
            return
        self._progress.note(
            "the clock of this machine was stepped: canaries that are out can only be confirmed"
        )
        pending = [one.canary for one in self._board.records() if one.verdict is Verdict.PENDING]
        await self._report(
            *(
                Observation(
                    canary_id=canary.id,
                    hop=Hop.TICKET_CREATED,
                    outcome=Outcome.UNKNOWN,
                    evidence=Evidence.OBSERVED,
                    began_at=now,
                    ended_at=now,
                    reason=Reason.CLOCK_STEPPED,
                    detail="the wall clock departed from the monotonic one by more than 2 s",
                    place="clock",
                )
                for canary in {one.id: one for one in (*canaries, *pending)}.values()
            )
        )
        self._origin = (now, monotonic)


def _blind(
    canaries: Sequence[Canary],
    place: str,
    hop: Hop,
    *,
    depth: Depth,
    began_at: datetime,
    ended_at: datetime,
    fault: str | None = None,
) -> Sequence[Observation]:
    """That a place could not be looked at: by a fault of ours, else for want of an answer."""
    unreadable = Reason.TICKET_API_UNREADABLE if hop is Hop.TICKET_CONTENT else Reason.MAILBOX_UNREADABLE
    return [
        Observation(
            canary_id=canary.id,
            hop=Hop.TICKET_CREATED if hop is Hop.TICKET_CONTENT else hop,
            outcome=Outcome.UNKNOWN,
            evidence=Evidence.OBSERVED,
            began_at=began_at,
            ended_at=ended_at,
            reason=Reason.UNEXPECTED if fault is not None else unreadable,
            detail=fault or f"a look took longer than {LOOK_SECONDS:.0f} s",
            place=place,
            look=LookFacts(depth=depth, is_complete=False, is_blind=True),
        )
        for canary in canaries
    ]
