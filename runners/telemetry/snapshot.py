"""The snapshot of all figures: read from the store, reused for a moment, this process's own beside it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from canary.instruments import Source, by_name, metrics
from canary.path import Path
from canary.silence import Silence
from probes.contracts import Clock
from runners.alert_contracts import OutboxState
from runners.contracts import Sample, Store, StoreError
from runners.telemetry.families import Points, Snapshot
from runners.telemetry.process_figures import ProcessFigures, StoreErrorKind
from runners.telemetry.snapshot_paths import CLOSED_SHOWN, PathsRead, add_paths
from runners.telemetry.snapshot_places import Forecasting, add_places, fresh

REUSED_SECONDS = 5.0
"""Many scrapers cost one reading of the store in this time."""
READ_SECONDS = 8.0
"""A store that takes longer counts as unreadable: Prometheus gives up after ten, and would see nothing at all."""
MOST_INCIDENTS = 1000
"""More that ended within a day are not shown; the open ones always are."""

Window = Callable[[datetime], Silence | None]
"""A maintenance window: the silence that it makes at a time, or None."""


class Snapshots:
    """Makes snapshots; one for a whole process, however many ask."""

    def __init__(
        self,
        store: Store,
        figures: ProcessFigures,
        *,
        paths: Sequence[Path],
        clock: Clock,
        sinks: Sequence[str] = (),
        windows: Sequence[Window] = (),
        keeps_figures: bool = False,
    ) -> None:
        """Ask nothing yet.

        Args:
            store: what everything but this process's own figures is read from.
            figures: this process's own.
            paths: all that are configured, not only those of one run: the figures are the same from every replica.
            clock: for how long a snapshot is reused, and how old a reading is.
            sinks: those that are configured; each has an outbox, be it empty, and no other one is shown.
            windows: the maintenance windows, beside the silences that the store keeps.
            keeps_figures: whether the store keeps what this process counts, as for one-shot runs; it is shown from there.
        """
        self._store = store
        self._figures = figures
        self._paths = tuple(paths)
        self._clock = clock
        self._sinks = tuple(sinks)
        self._windows = tuple(windows)
        self._keeps_figures = keeps_figures
        self._forecasting = Forecasting()
        self._one_at_a_time = asyncio.Lock()
        self._latest: Snapshot | None = None
        self._good_until = 0.0

    async def current(self) -> Snapshot:
        """A snapshot that is no older than `REUSED_SECONDS`; whoever asks meanwhile waits for the same one.

        Never raises for the store: without it, the snapshot has this process's own figures alone and says that it is
        blind. Can be cancelled, and repeated.
        """
        async with self._one_at_a_time:
            if self._latest is None or self._clock.monotonic() >= self._good_until:
                self._latest = await self._taken()
                self._good_until = self._clock.monotonic() + REUSED_SECONDS
            return self._latest

    async def fresh(self) -> Snapshot:
        """A snapshot that was begun after this was called; else as `current`."""
        async with self._one_at_a_time:
            self._latest = await self._taken()
            self._good_until = self._clock.monotonic() + REUSED_SECONDS
            return self._latest

    async def _taken(self) -> Snapshot:
        points = Points()
        try:
            async with self._clock.timeout(READ_SECONDS):
                await self._read(points)
        except (StoreError, TimeoutError):
            self._figures.store_error(StoreErrorKind.READ)
            own = Points()
            self._figures.add_to(own, store_is_readable=False, counts=not self._keeps_figures)
            return Snapshot(self._clock.now(), own.families(), is_whole=False)
        return Snapshot(self._clock.now(), points.families(), is_whole=True)

    async def _read(self, points: Points) -> None:
        now = self._clock.now()
        shown = [path.name for path in self._paths if path.is_enabled]
        samples = await self._store.samples()
        read = PathsRead(
            pulses=await self._store.pulses(shown, now=now),
            incidents=await self._store.incidents(path=None, since=now - CLOSED_SHOWN, limit=MOST_INCIDENTS),
            leftovers=await self._store.leftovers(),
            quarantines=await self._store.quarantines(shown),
        )
        gauges = fresh(await self._store.latest_gauges(now=now), self._paths, now=now)
        trends = await self._forecasting.trends(self._store, gauges)
        silenced = await self._silenced(now)
        outbox = await self._store.outbox(dead_since=now)
        # This process's own first: of a series that is also kept in the store, it has the newer figure.
        self._figures.add_to(points, counts=not self._keeps_figures)
        add_samples(points, samples, self._paths, prober=self._figures.prober)
        add_paths(points, self._paths, read, silenced=silenced, now=now)
        add_places(points, self._paths, gauges, trends)
        _add_outbox(points, self._sinks, outbox)

    async def _silenced(self, now: datetime) -> set[str]:
        """What is silenced now, by somebody or by a maintenance window: the names of paths and places."""
        made = [window(now) for window in self._windows]
        silences = [*await self._store.silences(now), *(one for one in made if one is not None)]
        return {one.about for one in silences if one.is_in_force(now)}


def add_samples(points: Points, samples: Sequence[Sample], paths: Sequence[Path], *, prober: str) -> None:
    """Add the counters and histograms that the store keeps.

    Left out are series of another version of this program, and those of paths that are none any more. A process's own
    figure is summed over processes, so of those that the store keeps only this prober's are shown: every replica
    shows its own.
    """
    names = {path.name for path in paths}
    for sample in samples:
        try:
            instrument = by_name(sample.name)
        except ValueError:
            continue
        labels = sample.labels
        is_of_this_version = set(labels) == set(instrument.labels)
        is_of_a_path = "path" not in labels or labels["path"] in names
        is_ours = instrument.source is Source.STORE or labels.get("prober") == prober
        if is_of_this_version and is_of_a_path and is_ours:
            points.add_sample(instrument, sample)


def _add_outbox(points: Points, sinks: Sequence[str], outbox: Mapping[str, OutboxState]) -> None:
    # Of a sink that was removed nobody need be told that something waits for it; a replica that has it shows it.
    for sink in sorted(sinks):
        state = outbox.get(sink, OutboxState())
        points.add(metrics.PROBER_OUTBOX_PENDING, float(state.pending), {"sink": sink})
        points.add_time(metrics.PROBER_OUTBOX_OLDEST, state.oldest_at, {"sink": sink})
