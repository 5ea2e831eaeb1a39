"""Which canaries a run launches: the slots that are due, the senders that take turns, and what holds a launch back."""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice

from canary.ahead import MOST_AHEAD
from canary.path import Path, PathName, is_bisect
from canary.quarantine import quarantine_words
from canary.signature import CanaryId
from canary.slot import MissedCause, MissedSlot, Slot, most_outstanding, slots_between
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.clean import MOST_LEFTOVERS
from runners.contracts import CanaryQuery, Store, StoreError
from runners.launch import LEASE, Order
from runners.prober import Prober
from runners.progress import Progress

_log = logging.getLogger(__name__)
_HOUR = timedelta(hours=1)
_KEPT = timedelta(days=90)
_MOST_MISSED = 5000
"""So many of a pause are kept, the newest: a path that was away for months needs no row a minute of it."""


class Orders:
    """Says what to launch; whatever holds a scheduled launch back is kept as a missed slot."""

    def __init__(
        self, prober: Prober, store: Store, *, clock: Clock, progress: Progress, holder: str
    ) -> None:
        """Keep the parts; ``holder``: this process, as no other one is called."""
        self._prober = prober
        self._store = store
        self._clock = clock
        self._progress = progress
        self._holder = holder
        self._claims: dict[PathName, datetime] = {}

    async def orders(self, paths: Sequence[PathName], *, only_due: bool) -> list[Order]:
        """One order a path that may be launched now.

        Args:
            paths: only these; empty: all. One that is not enabled launches nothing.
            only_due: only where a slot is due that nobody has claimed; it is claimed here.

        Raises:
            StoreError: the store could not be asked, or a slot not be claimed.
        """
        wanted = [self._prober.paths[name] for name in paths] or list(self._prober.paths.values())
        left = Counter(one.path for one in await self._store.leftovers())
        orders: list[Order] = []
        for path in wanted:
            if not path.is_enabled or is_bisect(path.name):
                continue
            order = await (self._due(path, left, orders) if only_due else self._by_hand(path, left, orders))
            if order is not None:
                orders.append(order)
        return orders

    async def _by_hand(
        self, path: Path, left: Mapping[PathName, int], ordered: Sequence[Order]
    ) -> Order | None:
        if self._has_too_many_leftovers(path, left):
            return None
        sender, _ = await self._sender(path, ordered)
        # By hand both this and the cap only warn; and it is by hand that a path whose rule was mended is begun again.
        await self._is_out_of_quarantine(path)
        return Order(path, sender)

    async def _due(self, path: Path, left: Mapping[PathName, int], ordered: Sequence[Order]) -> Order | None:
        latest = self._prober.schedules.get(path.name)
        slot = latest(self._clock.now()) if latest is not None else None
        if slot is None:
            return None
        before = self._clock.now() - LEASE
        in_vain = await self._store.claimed_in_vain(path.name, before=before)
        await self._note_missed_before(slot, in_vain)
        # All that is asked is asked before the claim: a store that fails between would cost the slot.
        sender, is_within_cap = await self._sender(path, ordered)
        held_by = await self._held_by(path, left, is_within_cap=is_within_cap)
        claimed_before = before if slot in in_vain else None
        if not await self._claim(slot, claimed_before):
            return None
        if held_by is not None:
            await self._note_missed([MissedSlot(slot, held_by)])
            return None
        if claimed_before is not None:
            self._tell_of_take_over(slot)
        return Order(path, sender, slot.at, is_taken_over=claimed_before is not None)

    async def keep(self, slots: Iterable[Slot]) -> None:
        """Renew the claims of slots that wait for their turn in this process, so that nobody takes them over.

        Raises:
            StoreError: the store would not; whoever takes one over launches it, and this process does not.
        """
        for slot in sorted(slots, key=lambda one: (one.at, one.path)):
            await self._store.claim(slot, holder=self._holder, at=self._clock.now())

    async def _claim(self, slot: Slot, claimed_before: datetime | None) -> bool:
        """Claim a slot, once in this process; again only where the store failed, for the answer may have been lost.

        One that was claimed in vain (before ``claimed_before``) is taken over, whoever claimed it.
        """
        if claimed_before is None and self._claims.get(slot.path) == slot.at:
            return False
        self._claims[slot.path] = slot.at
        now = self._clock.now()
        try:
            if claimed_before is None:
                return await self._store.claim(slot, holder=self._holder, at=now)
            return await self._store.take_slot(
                slot, holder=self._holder, claimed_before=claimed_before, at=now
            )
        except StoreError:
            if self._claims.get(slot.path) == slot.at:
                del self._claims[slot.path]
            raise

    async def _held_by(
        self, path: Path, left: Mapping[PathName, int], *, is_within_cap: bool
    ) -> MissedCause | None:
        """What holds a launch back; None: nothing does."""
        if self._has_too_many_leftovers(path, left):
            return MissedCause.LEFTOVERS
        if await self._is_out_of_quarantine(path):
            return MissedCause.QUARANTINE
        if await self._has_too_many_outstanding(path):
            return MissedCause.OUTSTANDING
        return None if is_within_cap else MissedCause.CAP

    def _tell_of_take_over(self, slot: Slot) -> None:
        _log.warning(
            "slot_taken_over", extra={"path": slot.path, "detail": f"slot {slot.at:%Y-%m-%dT%H:%M:%SZ}"}
        )
        self._progress.note(
            f"{slot.path}: whoever claimed the slot of {slot.at:%Y-%m-%d %H:%M} UTC did not launch it; it is launched now"
        )

    async def _note_missed_before(self, slot: Slot, in_vain: Sequence[Slot]) -> None:
        """Keep what nobody launched since the last slot that is known of: unprobed is not good."""
        latest = self._prober.schedules[slot.path]
        now = self._clock.now()
        missed = [MissedSlot(one, MissedCause.STOPPED) for one in in_vain if one != slot]
        last_at = await self._store.last_slot_at(slot.path)
        if last_at is not None:
            since = max(last_at, now - _KEPT)
            between = slots_between(latest, after=since, before=slot.at)
            missed += [MissedSlot(one, MissedCause.NOT_RUNNING) for one in islice(between, _MOST_MISSED)]
        await self._note_missed(missed)

    async def _note_missed(self, missed: Sequence[MissedSlot]) -> None:
        if not missed or not await self._store.note_missed(missed, at=self._clock.now()):
            return
        oldest = min(one.slot.at for one in missed)
        causes = ", ".join(sorted({one.cause for one in missed}))
        slots = "1 slot was" if len(missed) == 1 else f"{len(missed)} slots were"
        extra = {
            "path": missed[0].slot.path,
            "cause": causes,
            "value": len(missed),
            "detail": f"since {oldest:%Y-%m-%dT%H:%M:%SZ}",
        }
        _log.warning("slot_missed", extra=extra)
        self._progress.note(
            f"{missed[0].slot.path}: {slots} missed since {oldest:%Y-%m-%d %H:%M} UTC ({causes});"
            " nothing is known of the path for that time"
        )

    def _has_too_many_leftovers(self, path: Path, left: Mapping[PathName, int]) -> bool:
        leftovers = left.get(path.name, 0)
        if leftovers <= MOST_LEFTOVERS:
            return False
        self._progress.note(
            f"{path.name}: nothing is launched while {leftovers} leftovers wait for removal;"
            " see `intake-prober audit`"
        )
        return True

    async def _is_out_of_quarantine(self, path: Path) -> bool:
        """Whether agents would meet the next ticket, too; what was first seen without the mark is told before that."""
        found = (await self._store.quarantines([path.name]))[path.name]
        words = quarantine_words(found, path.quarantine_misses)
        if words:
            self._progress.note(
                f"{path.name}: {words}; set the rule up: `intake-prober render quarantine {path.ticketing}`"
            )
        return found.stops(path.quarantine_misses)

    async def _has_too_many_outstanding(self, path: Path) -> bool:
        most = most_outstanding(path.slo.deadline_seconds, path.usual_seconds)
        pending = await self._store.canaries(
            CanaryQuery(path=path.name, verdict=Verdict.PENDING, limit=most, before=self._by_now())
        )
        if len(pending) < most:
            return False
        self._progress.note(
            f"{path.name}: nothing is launched while {most} canaries have no verdict; see `intake-prober canaries`"
        )
        return True

    async def _sender(self, path: Path, ordered: Sequence[Order]) -> tuple[str, bool]:
        """Whose turn it is, by what the store knows of the last launch, and whether the cap lets that sender launch.

        A sender at its cap is passed over: the turn would stay with it, for nothing is launched that would move it on.
        """
        in_turn = await self._in_turn(path)
        for sender in in_turn:
            if await self._is_within_cap(path, sender, ordered):
                return sender, True
        return in_turn[0], False

    async def _in_turn(self, path: Path) -> Sequence[str]:
        senders = list(self._prober.senders[path.name])
        if len(senders) == 1:
            return senders
        last = await self._store.canaries(CanaryQuery(path=path.name, limit=1, before=self._by_now()))
        if not last or last[0].canary.sender not in senders:
            return senders
        first = senders.index(last[0].canary.sender) + 1
        return senders[first:] + senders[:first]

    def _by_now(self) -> tuple[datetime, CanaryId]:
        """Only what was launched by now: a canary of before the clock was set back would count for as long as it was."""
        return self._clock.now() + MOST_AHEAD, CanaryId("")

    async def _is_within_cap(self, path: Path, sender: str, ordered: Sequence[Order]) -> bool:
        """Loop guards of vendors count a sender's mails over all paths into one system; those just ordered count."""
        cap = self._prober.cap_per_hour.get(path.ticketing or "")
        if cap is None:
            return True
        same = [one.name for one in self._prober.paths.values() if one.ticketing == path.ticketing]
        sent = await self._store.launched_since(self._clock.now() - _HOUR, sender=sender, paths=same)
        sent += sum(1 for one in ordered if one.sender == sender and one.path.name in same)
        if sent < cap:
            return True
        self._progress.note(
            f"{path.name}: {sender} has sent {sent} canaries to {path.ticketing} in an hour, cap {cap}"
        )
        return False
