"""What a one-shot run counts itself, and its pushes: by the ways that are configured, and never before its work began."""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from canary.canary import Canary
from canary.observation import Observation
from canary.path import is_bisect
from probes.contracts import Clock
from runners.blindness import own_blindness
from runners.contracts import Store, StoreError
from runners.prober import Prober
from runners.telemetry.process_figures import StoreErrorKind

if TYPE_CHECKING:
    from runners.telemetry.pushing import Pushing


class RunFigures:
    """Safe to cancel at any moment; nothing here ends a run or changes what it comes to."""

    def __init__(self, prober: Prober, store: Store, *, clock: Clock, holder: str) -> None:
        self._prober = prober
        self._figures = prober.figures
        self._store = store
        self._clock = clock
        self._holder = holder
        self._began = asyncio.Event()
        self._pushing: Pushing | None = None
        self._is_troubled = False

    def begun(self) -> None:
        """The first byte left, or none will: from now on telemetry is in nobody's way."""
        self._began.set()

    def launched(self, canary: Canary, slot_at: datetime | None) -> None:
        """A canary was recorded for a slot; None: by hand."""
        if slot_at is not None:
            self._figures.note_lag((canary.launched_at - slot_at).total_seconds())

    def noticed(self, observation: Observation) -> None:
        """Something was seen of a canary."""
        self.begun()
        if observation.look is not None and observation.place in self._prober.places:
            self._figures.watcher(observation.place, is_up=not observation.look.is_blind)

    def troubled(self) -> None:
        """The store would not do something."""
        self._is_troubled = True
        self._figures.store_error(StoreErrorKind.WRITE)

    async def run(self) -> None:
        """Push now and then, for as long as the run waits."""
        if self._prober.routes is None:
            return
        await self._began.wait()
        await self._pusher().run()

    async def last(self) -> None:
        """Push at the end, bounded."""
        if self._prober.routes is not None:
            await self._pusher().last()

    def _pusher(self) -> "Pushing":
        if self._pushing is None:
            from runners.telemetry.pushing import Pushing
            from runners.telemetry.snapshot import Snapshots

            prober = self._prober
            snapshots = Snapshots(
                self._store,
                self._figures,
                paths=[one for name, one in prober.paths.items() if not is_bisect(name)],
                clock=self._clock,
                sinks=list(prober.sinks),
                windows=prober.alerts.windows,
                keeps_figures=True,
            )
            self._pushing = Pushing(
                prober.routes() if prober.routes is not None else (),
                snapshots,
                self._figures,
                self._store,
                clock=self._clock,
                holder=self._holder,
                mask=prober.masker.mask,
                keeps_figures=True,
                before=self._look_at_ourselves,
            )
        return self._pushing

    async def _look_at_ourselves(self) -> None:
        """Whether we can see, and that we live: what was due was launched, and the store was written."""
        try:
            async with self._clock.timeout(_LOOK_SECONDS):
                blind = await own_blindness(self._store, self._prober.name)
        except (StoreError, TimeoutError):
            return  # the snapshot will say it
        for cause, is_blind in blind.items():
            self._figures.blind(cause, is_blind=is_blind)
        if not self._is_troubled:
            self._figures.beat(self._clock.now())


_LOOK_SECONDS = 5.0
"""How long the store may take to say which incidents are open."""
