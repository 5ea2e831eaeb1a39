"""A snapshot of all figures as families of series, whatever they are rendered to afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from canary.instruments import METRICS, Instrument
from runners.contracts import Exemplar, Sample


@dataclass(frozen=True, slots=True)
class Buckets:
    """What a histogram holds.

    Attributes:
        counts: how many fell into each bucket, the one above all bounds last; not cumulative.
        total: the sum of what was measured, in the instrument's unit.
        least, greatest: what was measured so far; None: nothing was, or it isn't known.
        exemplars: the newest of each bucket that has one, by the bucket's index.
    """

    counts: tuple[int, ...]
    total: float = 0.0
    least: float | None = None
    greatest: float | None = None
    exemplars: Mapping[int, Exemplar] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Point:
    """One series.

    Attributes:
        labels: the values of the instrument's labels, in their order.
        began_at: when a counter or histogram was born at 0, where that is known.
    """

    labels: tuple[str, ...]
    value: float | Buckets
    began_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """One metric with all its series."""

    instrument: Instrument
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All figures at one time.

    Attributes:
        families: in the order of the catalogue, each with one series at least.
        is_whole: whether the store could be read; else only this process's own figures are here.
    """

    at: datetime
    families: tuple[Family, ...]
    is_whole: bool


class Points:
    """Gathers series; no series is ever there twice."""

    def __init__(self) -> None:
        self._of: dict[str, dict[tuple[str, ...], Point]] = {}

    def add(
        self,
        instrument: Instrument,
        value: float | Buckets,
        labels: Mapping[str, str],
        *,
        began_at: datetime | None = None,
    ) -> None:
        """Add a series. One that is there already stays as it is: whoever comes first knows better.

        Raises:
            ValueError: these are not the labels that the catalogue gives the instrument.
        """
        if set(labels) != set(instrument.labels):
            raise ValueError(f"{instrument.name} has the labels {instrument.labels}, not {tuple(labels)}")
        values = tuple(str(labels[name]) for name in instrument.labels)
        self._of.setdefault(instrument.name, {}).setdefault(values, Point(values, value, began_at))

    def add_time(self, instrument: Instrument, at: datetime | None, labels: Mapping[str, str]) -> None:
        """Add a time in seconds since 1970; none where there is none."""
        if at is not None:
            self.add(instrument, at.timestamp(), labels)

    def add_sample(self, instrument: Instrument, sample: Sample) -> None:
        """Add a series as the store keeps it."""
        value = buckets_of(instrument, sample) if instrument.bounds else sample.value
        self.add(instrument, value, sample.labels, began_at=sample.created_at)

    def families(self) -> tuple[Family, ...]:
        """All that was added, in the order of the catalogue."""
        return tuple(
            Family(one, tuple(self._of[one.name].values())) for one in METRICS if one.name in self._of
        )


def buckets_of(instrument: Instrument, sample: Sample) -> Buckets:
    """A stored histogram with a count for each bucket that the catalogue has.

    The store keeps no buckets that nothing fell into, and may keep more of them than this version has bounds: what
    lies above all bounds is counted in the last.
    """
    last = len(instrument.bounds)
    counts = [*sample.counts[:last], sum(sample.counts[last:])]
    return Buckets(
        counts=(*counts[:-1], *(0,) * (last + 1 - len(counts)), counts[-1]),
        total=sample.value,
        least=sample.least,
        greatest=sample.greatest,
        exemplars={min(index, last): one for index, one in sorted(sample.exemplars.items())},
    )
