"""Launch a canary: record it, then send it, then mark the launch ended."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from canary.canary import Canary, Token, new_canary
from canary.hop import LAUNCH_HOPS, SUBMITTING_HOPS, Hop, full_route
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path
from canary.reason import Reason
from canary.signature import RANDOM_BYTES, CanaryId, mint_id, mint_token
from probes.contracts import Clock, Report
from runners.contracts import Store, StoreError
from runners.gathering import Gathering
from runners.lease import LeasedReport
from runners.prober import Prober
from runners.slot_contracts import SlotConflict
from runners.telemetry.logs import ids_of, log_context

LEASE = timedelta(seconds=30)
"""How long a launch belongs to its process; renewed three times in that time, so that a dead one is noticed."""
HAND_OVER_SECONDS = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Order:
    """One canary to launch: down which path, as whom, and for which slot (None: beside the schedule).

    ``is_taken_over``: the slot was claimed before, by a process that is gone.
    """

    path: Path
    sender: str
    slot_at: datetime | None = None
    is_taken_over: bool = False


class Launcher:
    """Launches canaries; safe to cancel at any moment: whoever comes next takes an unfinished launch over."""

    def __init__(
        self, prober: Prober, store: Store, *, clock: Clock, holder: str, randomness: Callable[[int], bytes]
    ) -> None:
        self._prober = prober
        self._store = store
        self._clock = clock
        self._holder = holder
        self._randomness = randomness
        self._record: Gathering[Canary, None] = Gathering(self._record_together)
        self._end: Gathering[CanaryId, None] = Gathering(self._end_together)

    def mint(self, order: Order) -> Canary:
        """Mint the canary of an order; nobody knows of it before it is recorded."""
        canary_id = mint_id(self._clock.now(), self._randomness(RANDOM_BYTES))
        return new_canary(
            order.path,
            canary_id=canary_id,
            token=Token(mint_token(canary_id, order.path.name, self._prober.keys[0])),
            marker=self._prober.marker,
            sender=order.sender,
            prober=self._prober.name,
            slot_at=order.slot_at,
            by_hand=order.slot_at is None,
        )

    async def record(self, canary: Canary) -> None:
        """Store a canary, under a lease of this process, before its first byte leaves; repeatable.

        Raises:
            StoreError: it is not known to be recorded; nothing was sent. Try again with the same canary: where only
                the answer was lost, the store has it already.
            SlotConflict: its slot is another's by now: the canary is dropped, and must not be sent.
        """
        try:
            await self._record([canary])
        except SlotConflict:
            _log.warning("launch_dropped", extra=ids_of(canary))
            raise

    async def send(self, canary: Canary, report: Report) -> None:
        """Send a recorded canary down its path and mark the launch ended.

        One of the three places that catch every exception: a fault of ours ends one canary, `unexpected`.
        Cancelled, or without a store, the launch stays open and its lease is given up: `prober_stopped`.
        """
        with log_context(**ids_of(canary)):
            await self._send(canary, report)

    async def _send(self, canary: Canary, report: Report) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                keeper = group.create_task(self._keep_lease(canary))
                leased = LeasedReport(
                    canary, report, self._store, clock=self._clock, lease_seconds=LEASE.total_seconds()
                )
                failure = await self._probe(canary, leased)
                keeper.cancel()
            if failure is None:
                await self._end([canary.id])
                _log.debug("launch_ended")
        except asyncio.CancelledError:
            await self._give_up_lease(canary)
            raise
        if failure is not None:
            await self._give_up_lease(canary)
            raise failure

    async def take_over(
        self, report: Report, *, is_ours: Callable[[CanaryId], bool] = lambda _: False
    ) -> list[Canary]:
        """Report `prober_stopped` for every launch whose process is gone; returns those canaries.

        Those for which ``is_ours`` holds are passed over: the store was away, and this process still launches them.

        A launch reports each hop before it begins the next, so only the first hop without an observation can
        have been under way; before a submitting hop nothing can have left, and the canary is ended at once.
        """
        now = self._clock.now()
        taken = []
        for canary in await self._store.abandoned(now):
            if is_ours(canary.id):
                continue
            seen = {one.hop for one in await self._store.observations(canary.id)}
            path = self._prober.paths.get(canary.path)
            hops = [hop for hop in (path.route if path else full_route(canary.channel)) if hop in LAUNCH_HOPS]
            under_way = next((hop for hop in hops if hop not in seen), hops[-1])
            await report(
                Observation(
                    canary_id=canary.id,
                    hop=under_way,
                    outcome=Outcome.UNKNOWN,
                    evidence=Evidence.INFERRED,
                    began_at=now,
                    ended_at=now,
                    reason=Reason.PROBER_STOPPED,
                    detail=f"the prober stopped during {under_way}; its launch has no end",
                    rules_out_ticket=not _may_have_left(under_way, hops),
                )
            )
            await self._store.launch_ended(canary.id)
            _log.warning("launch_taken_over", extra={**ids_of(canary, under_way), "hop": under_way.value})
            taken.append(canary)
        return taken

    async def _record_together(self, canaries: Sequence[Canary]) -> Sequence[None]:
        """One flush of the disk for all who launch at this moment."""
        lease_until = self._clock.now() + LEASE
        await self._store.record(*canaries, holder=self._holder, lease_until=lease_until)
        return [None] * len(canaries)

    async def _end_together(self, canary_ids: Sequence[CanaryId]) -> Sequence[None]:
        await self._store.launch_ended(*canary_ids)
        return [None] * len(canary_ids)

    async def _probe(self, canary: Canary, report: Report) -> StoreError | None:
        try:
            await self._prober.probes[canary.path].launch(canary, report)
        except StoreError as error:
            return error
        except Exception:  # noqa: BLE001 -- one of the three places that may: a fault of ours ends one canary, not the run
            _log.exception("launch_failed")
            await self._report_unexpected(canary, report)
        return None

    async def _keep_lease(self, canary: Canary) -> None:
        while True:
            await self._clock.sleep(LEASE.total_seconds() / 3)
            try:
                await self._store.renew(
                    [canary.id], holder=self._holder, lease_until=self._clock.now() + LEASE
                )
            except StoreError:
                _log.warning("lease_not_renewed")

    async def _give_up_lease(self, canary: Canary) -> None:
        try:
            async with self._clock.timeout(HAND_OVER_SECONDS):
                await self._store.renew([canary.id], holder=self._holder, lease_until=self._clock.now())
        except (StoreError, TimeoutError):
            _log.warning("lease_not_given_up")

    async def _report_unexpected(self, canary: Canary, report: Report) -> None:
        now = self._clock.now()
        seen = {one.hop for one in await self._store.observations(canary.id)}
        hops = [hop for hop in self._prober.paths[canary.path].route if hop in LAUNCH_HOPS]
        under_way = next((hop for hop in hops if hop not in seen), hops[-1])
        await report(
            Observation(
                canary_id=canary.id,
                hop=under_way,
                outcome=Outcome.UNKNOWN,
                evidence=Evidence.OBSERVED,
                began_at=now,
                ended_at=now,
                reason=Reason.UNEXPECTED,
                detail="a fault of the prober; its log has the traceback",
                rules_out_ticket=not _may_have_left(under_way, hops),
            )
        )


def _may_have_left(under_way: Hop, hops: list[Hop]) -> bool:
    """Whether a request may have left although only the hops before ``under_way`` are known."""
    submitting = [index for index, hop in enumerate(hops) if hop in SUBMITTING_HOPS]
    return not submitting or hops.index(under_way) >= submitting[0]
