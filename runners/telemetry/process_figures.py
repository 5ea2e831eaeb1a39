"""This process's own figures: what no store knows, or what is to be seen while there is none."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from canary.instrument_metrics import BLIND_CAUSES, LAG_BOUNDS
from canary.instruments import by_name, metrics
from probes.program import program_version
from probes.request_outcome import RequestOutcome
from runners.contracts import Sample
from runners.telemetry.families import Points

STORE_BLIND: Final = "store"
"""The cause of blindness that is shown while the store can't be read."""


class StoreErrorKind(StrEnum):
    """What the store refused."""

    READ = "read"
    WRITE = "write"


class ExportKind(StrEnum):
    """What could not be sent."""

    TRACES = "traces"
    METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class Build:
    """What runs: the program's version, its revision (empty where none is known), and Python's version."""

    version: str
    revision: str
    python: str


def this_build(revision: str = "") -> Build:
    """What this process runs, by its installed metadata."""
    import platform

    return Build(program_version(), revision, platform.python_version())


class ProcessFigures:
    """Counted since this process began; a restart is an ordinary reset of a counter.

    Those of a one-shot run would begin at 0 with every run: there the store keeps them (`take`), and shows them, too.
    It reads no clock and locks nothing: one event loop writes it, and reads it between two awaits.
    """

    def __init__(
        self,
        prober: str,
        *,
        build: Build | None = None,
        systems: Iterable[str] = (),
        began_at: datetime | None = None,
    ) -> None:
        """Begin every known series at 0.

        Args:
            prober: the value of the label of that name.
            build: what runs; None: the installation is asked when it is first shown.
            systems: the names of the ticketing systems that are asked.
            began_at: when its counters began at 0.
        """
        self.prober = prober
        self._began_at = began_at
        self._build = build
        self._heartbeat_at: datetime | None = None
        self._lag_counts = [0] * (len(LAG_BOUNDS) + 1)
        self._lag_seconds = 0.0
        self._lag_least: float | None = None
        self._lag_greatest: float | None = None
        self._blind = dict.fromkeys(BLIND_CAUSES, False)
        self._watchers: dict[str, bool] = {}
        self._store_errors = dict.fromkeys(StoreErrorKind, 0)
        self._export_errors = dict.fromkeys(ExportKind, 0)
        self._requests = {(system, outcome): 0 for system in systems for outcome in RequestOutcome}
        self._taken: dict[tuple[str, frozenset[tuple[str, str]]], Sample] = {}

    def beat(self, at: datetime) -> None:
        """A whole loop ended: what was due was launched, and the store was written."""
        self._heartbeat_at = at

    def note_lag(self, seconds: float) -> None:
        """A canary was launched so long after its slot; before it (a stepped clock) counts as 0."""
        seconds = max(0.0, seconds)
        self._lag_counts[bisect_left(LAG_BOUNDS, seconds)] += 1
        self._lag_seconds += seconds
        self._lag_least = seconds if self._lag_least is None else min(self._lag_least, seconds)
        self._lag_greatest = seconds if self._lag_greatest is None else max(self._lag_greatest, seconds)

    def blind(self, cause: str, *, is_blind: bool) -> None:
        """This prober can't see for one of `BLIND_CAUSES`, or can again.

        Raises:
            ValueError: the catalogue has no such cause.
        """
        if cause not in self._blind:
            raise ValueError(f"no cause of blindness is called {cause!r}")
        self._blind[cause] = is_blind

    def watcher(self, place: str, *, is_up: bool) -> None:
        """A watcher can see its place, or can't; one that was never told of has no series."""
        self._watchers[place] = is_up

    def store_error(self, kind: StoreErrorKind) -> None:
        """The store could not be read, or written."""
        self._store_errors[kind] += 1

    def export_error(self, kind: ExportKind) -> None:
        """Telemetry could not be sent."""
        self._export_errors[kind] += 1

    def api_request(self, place: str, outcome: RequestOutcome) -> None:
        """A ticketing system was asked."""
        self._requests[place, outcome] = self._requests.get((place, outcome), 0) + 1

    def series(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """The labels of every counter and histogram that is known, by the instrument's name: what `take` may give."""
        found: dict[str, list[Mapping[str, str]]] = {}
        for one in self._samples():
            found.setdefault(one.name, []).append(one.labels)
        return found

    def take(self) -> Sequence[Sample]:
        """What was counted and measured since it was last taken; empty where nothing was. What is shown stays."""
        taken = [self._since_taken(one) for one in self._samples()]
        found = [one for one in taken if one.value or any(one.counts)]
        self._taken = {_key(one): one for one in self._samples()}
        return found

    def give_back(self, taken: Sequence[Sample]) -> None:
        """What was taken could not be kept: it is to be taken again."""
        for one in taken:
            self._taken[_key(one)] = _less(self._taken[_key(one)], one)

    def _since_taken(self, one: Sample) -> Sample:
        before = self._taken.get(_key(one))
        return one if before is None else _less(one, before)

    def _samples(self) -> Iterator[Sample]:
        mine = {"prober": self.prober}
        yield Sample(
            metrics.PROBER_SCHEDULER_LAG.name,
            mine,
            self._lag_seconds,
            tuple(self._lag_counts),
            least=self._lag_least,
            greatest=self._lag_greatest,
        )
        for store_kind, number in self._store_errors.items():
            yield Sample(metrics.PROBER_STORE_ERRORS.name, {**mine, "kind": store_kind}, float(number))
        for export_kind, number in self._export_errors.items():
            yield Sample(metrics.PROBER_EXPORT_ERRORS.name, {**mine, "kind": export_kind}, float(number))
        for (place, outcome), number in sorted(self._requests.items()):
            labels = {**mine, "place": place, "outcome": outcome}
            yield Sample(metrics.TICKET_API_REQUESTS.name, labels, float(number))

    def add_to(self, points: Points, *, store_is_readable: bool = True, counts: bool = True) -> None:
        """Add all of them; without a store, the blindness that this is shows besides.

        Args:
            points: where to.
            store_is_readable: False: no series of the store will be there.
            counts: False: gauges alone, since the store keeps the counters and histograms of this process.
        """
        mine = {"prober": self.prober}
        for cause, is_blind in self._blind.items():
            is_so = is_blind or (cause == STORE_BLIND and not store_is_readable)
            points.add(metrics.PROBER_BLIND, float(is_so), {**mine, "cause": cause})
        points.add_time(metrics.PROBER_HEARTBEAT, self._heartbeat_at, mine)
        for place, is_up in sorted(self._watchers.items()):
            points.add(metrics.PROBER_WATCHER_UP, float(is_up), {**mine, "place": place})
        for one in self._samples() if counts else ():
            points.add_sample(by_name(one.name), replace(one, created_at=self._began_at))
        self._build = self._build or this_build()
        build = {"version": self._build.version, "revision": self._build.revision}
        points.add(metrics.BUILD_INFO, 1.0, {**mine, **build, "python": self._build.python})


def _key(one: Sample) -> tuple[str, frozenset[tuple[str, str]]]:
    return one.name, frozenset(one.labels.items())


def _less(one: Sample, before: Sample) -> Sample:
    """What a series grew by; its least and greatest are of all of it, which changes no least and no greatest."""
    counts = tuple(now - then for now, then in zip(one.counts, before.counts, strict=True))
    return replace(one, value=one.value - before.value, counts=counts)
