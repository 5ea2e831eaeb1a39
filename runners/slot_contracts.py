"""What the store keeps of slots: who claimed one, what came of it, and which were missed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from canary.path import PathName
from canary.slot import MissedSlot, Slot


class SlotConflict(Exception):
    """The slot of a canary that was to be recorded is not its holder's any more: the canary must not be sent."""


class SlotStore(Protocol):
    """The verbs of `runners.contracts.Store` that are about slots. Raises `StoreError` from any of them.

    Of one slot at most one canary is ever recorded, whoever claims it, takes it over and wakes up late: what came of a
    claim stands in the slot's row, and no two can write it.
    """

    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        """Insert (path, slot time); True for exactly one holder.

        Asked again by it, True until a canary of the slot is recorded or it is kept as missed: an answer that was
        lost is had again. That renews the claim.
        """
        ...

    async def take_slot(self, slot: Slot, *, holder: str, claimed_before: datetime, at: datetime) -> bool:
        """Take over a slot whose claim is older than that time and of which nothing came; True for one who asks.

        From then on it is this holder's, claimed ``at``; whoever had it can't record its canary any more.
        """
        ...

    async def last_slot_at(self, path: PathName) -> datetime | None:
        """The newest slot of a path that was claimed or is known to be missed; None: there was none yet."""
        ...

    async def claimed_in_vain(self, path: PathName | None, *, before: datetime) -> Sequence[Slot]:
        """Slots claimed before that time of which nothing came, oldest first; ``path``: None for all.

        Nothing came of one that has no canary and is not known to be missed.
        """
        ...

    async def note_missed(self, missed: Sequence[MissedSlot], *, at: datetime) -> int:
        """Keep slots as missed (repeatable) and count those that were not known; returns how many.

        A slot whose claim led to a canary is passed over. One that is kept as missed gets none: its claim is void.
        """
        ...

    async def missed(self, path: PathName, *, since: datetime) -> Sequence[MissedSlot]:
        """A path's missed slots, oldest first."""
        ...
