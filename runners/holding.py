"""Holding: which outstanding canaries this process watches. It keeps its own, and takes over those of who is gone."""

from collections.abc import Callable
from datetime import timedelta

from canary.signature import CanaryId
from canary.slot import Slot
from probes.contracts import Clock, Report
from runners.board import Board
from runners.contracts import Store
from runners.launch import LEASE, Launcher
from runners.leases import Held
from runners.prober import Prober
from runners.progress import Progress

HOLD = timedelta(seconds=30)
"""So long a watch is believed: whoever does not renew it is gone, frozen, or cut off from the store."""
ROUND_SECONDS = 5.0


class Holding:
    """Renews the watches of this process, and puts on the board what it took over; a round every `ROUND_SECONDS`."""

    def __init__(
        self,
        prober: Prober,
        store: Store,
        board: Board,
        *,
        launcher: Launcher,
        report: Report,
        clock: Clock,
        progress: Progress,
        holder: str,
        forget: Callable[[frozenset[CanaryId]], None],
        resume: Callable[[Slot], None],
    ) -> None:
        """Keep the parts; ``forget`` hears of what is watched here no longer, ``resume`` of slots claimed in vain."""
        self._prober = prober
        self._store = store
        self._board = board
        self._launcher = launcher
        self._report = report
        self._clock = clock
        self._progress = progress
        self._holder = holder
        self._forget = forget
        self._resume = resume

    async def round(self) -> None:
        """Take over, renew, and drop what is another's or over.

        Raises:
            StoreError: the store can't be read or written: by the next round our watches may be another's.
        """
        now = self._clock.now()
        held = await self._store.hold(now, holder=self._holder, lease_until=now + HOLD)
        fresh = [one.canary_id for one in held if self._is_news(one)]
        if fresh:
            self._board.take_over(await self._store.records(fresh))
        ours = {one.canary_id for one in held}
        self._forget(self._board.drop([one for one in self._board.canaries() if one not in ours]))
        for canary in await self._launcher.take_over(self._report, is_ours=self._board.is_under_way):
            self._progress.note(
                f"{canary.path}: the launch of canary {canary.id} was left unfinished; it is judged now"
            )
        await self._look_for_slots()

    async def _look_for_slots(self) -> None:
        """Have slots launched whose claimer is gone, as long as none that is newer is due: there is no catching up.

        Those that are not the latest any more are kept as missed by whoever comes for the one that is.
        """
        now = self._clock.now()
        for slot in await self._store.claimed_in_vain(None, before=now - LEASE):
            latest = self._prober.schedules.get(slot.path)
            if latest is not None and latest(now) == slot:
                self._resume(slot)

    def _is_news(self, held: Held) -> bool:
        """Whether the board does not have it, or has it otherwise."""
        record = self._board.get(held.canary_id)
        return record is None or (record.verdict, record.launch_ended) != (held.verdict, held.launch_ended)

    async def let_go(self) -> None:
        """Give all watches up, so that another process need not wait for their end."""
        await self._store.let_go(holder=self._holder, at=self._clock.now())
