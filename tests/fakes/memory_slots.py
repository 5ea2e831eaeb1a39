"""The part of the memory store that is about slots."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from canary.canary import Canary
from canary.instruments import Instrument, metrics
from canary.path import PathName
from canary.slot import MissedCause, MissedSlot, Slot
from runners.slot_contracts import SlotConflict

_MISSED = "missed"


class MemorySlots:
    """Mixed into `MemoryStore`."""

    _prober: str
    _slots: dict[Slot, tuple[datetime, str]]
    _came_of: dict[Slot, str]
    _missed: dict[Slot, MissedCause]

    def _count(self, instrument: Instrument, labels: Mapping[str, str], value: float = 1.0) -> None:
        raise NotImplementedError

    async def claim(self, slot: Slot, *, holder: str, at: datetime) -> bool:
        is_new = slot not in self._slots
        is_ours = is_new or (self._slots[slot][1] == holder and slot not in self._came_of)
        if is_ours:
            self._slots[slot] = (at, holder)
        return is_ours

    async def take_slot(self, slot: Slot, *, holder: str, claimed_before: datetime, at: datetime) -> bool:
        if slot not in await self.claimed_in_vain(slot.path, before=claimed_before):
            return False
        self._slots[slot] = (at, holder)
        return True

    async def last_slot_at(self, path: PathName) -> datetime | None:
        return max((one.at for one in (*self._slots, *self._missed) if one.path == path), default=None)

    async def claimed_in_vain(self, path: PathName | None, *, before: datetime) -> Sequence[Slot]:
        found = (
            one
            for one, (claimed_at, _) in self._slots.items()
            if path in {None, one.path} and claimed_at < before and one not in self._came_of
        )
        return sorted(found, key=lambda one: (one.at, one.path))

    async def note_missed(self, missed: Sequence[MissedSlot], *, at: datetime) -> int:
        del at
        for one in missed:
            if one.slot in self._slots:
                self._came_of.setdefault(one.slot, _MISSED)
        new = [
            one
            for one in missed
            if one.slot not in self._missed and self._came_of.get(one.slot, _MISSED) == _MISSED
        ]
        for one in new:
            self._missed[one.slot] = one.cause
            self._count(metrics.PROBER_MISFIRES, {"path": one.slot.path, "prober": self._prober})
        return len(new)

    def _launched(self, canary: Canary, holder: str) -> None:
        slot = Slot(canary.path, canary.slot_at) if canary.slot_at is not None else None
        if slot is None or slot not in self._slots:
            return
        if self._slots[slot][1] != holder or self._came_of.get(slot, canary.id) != canary.id:
            raise SlotConflict(f"the slot of {slot.path} at {slot.at} is not {holder}'s any more")
        self._came_of[slot] = canary.id

    def _forget_slots(self, before: datetime) -> None:
        self._slots = {one: claimed for one, claimed in self._slots.items() if one.at >= before}
        self._came_of = {one: what for one, what in self._came_of.items() if one in self._slots}
        self._missed = {one: cause for one, cause in self._missed.items() if one.at >= before}
