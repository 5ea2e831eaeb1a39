"""Look back: breached canaries are looked for until they are late or lost, ever more seldom, and once at the horizon."""

from collections.abc import Collection
from datetime import datetime, timedelta

from canary.signature import CanaryId
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.board import Board
from runners.contracts import Record
from runners.watch import Watch

ROUND_SECONDS = 10.0
SOONEST = timedelta(minutes=1)
LATEST = timedelta(minutes=30)
SHARE = 0.1
"""The next look comes after this share of the time since the deadline, within `SOONEST` and `LATEST`."""


class Lookback:
    """Makes the wide looks for breached canaries."""

    def __init__(self, board: Board, watch: Watch, *, clock: Clock) -> None:
        self._board = board
        self._watch = watch
        self._clock = clock
        self._next_at: dict[CanaryId, datetime] = {}

    async def run(self) -> None:
        """Look for whoever is due, for ever; cancel it to stop."""
        while True:
            await self._clock.sleep(ROUND_SECONDS)
            now = self._clock.now()
            due = [one.canary for one in self._board.records() if self._is_due(one, now)]
            if due:
                await self._watch.look_once(due)
            for one in due:
                if self._board.get(one.id) is None:
                    continue  # it was another's, or over, while we looked
                self._next_at[one.id] = _next_look(one.deadline_at, one.horizon_at, now)

    def forget(self, canary_ids: Collection[CanaryId]) -> None:
        """Remember nothing more of canaries that are over."""
        for one in canary_ids:
            self._next_at.pop(one, None)

    def _is_due(self, record: Record, now: datetime) -> bool:
        if record.verdict is not Verdict.BREACHED:
            return False
        canary = record.canary
        first = _next_look(canary.deadline_at, canary.horizon_at, canary.deadline_at)
        return now >= self._next_at.get(canary.id, first)


def _next_look(deadline_at: datetime, horizon_at: datetime, now: datetime) -> datetime:
    """When to look again; the look at the horizon is the last one that says anything, and is never passed over."""
    pause = min(LATEST, max(SOONEST, (now - deadline_at) * SHARE))
    if now < horizon_at < now + pause:
        return horizon_at
    return now + pause
