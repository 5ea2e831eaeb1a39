"""How long tickets took, as columns: by the buckets of the metric, with an axis in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from canary.quantity import duration
from runners.history import Day
from runners.web.drawing import line, picture, rect

_EDGES: Final = 4
"""So many edges of columns are named at most, the first among them; more would not fit a phone."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """The columns that are shown: from bucket ``first`` on, a little more than what was measured and the deadline.

    Attributes:
        counts: of each column.
        at: the bucket that holds the deadline.
    """

    first: int
    counts: tuple[int, ...]
    at: int


def _columns(days: Sequence[Day], bounds: Sequence[float], deadline_seconds: float) -> _Columns:
    counts = _added(days, bounds)
    filled = [index for index, count in enumerate(counts) if count]
    at = sum(1 for bound in bounds if bound < deadline_seconds)
    first = max(0, min(filled[0] if filled else 0, at) - 1)
    return _Columns(first, tuple(counts[first : max([*filled, at]) + 1]), at)


@dataclass(frozen=True, slots=True)
class Axis:
    """The words below the columns.

    Attributes:
        edges: what is said of edges of columns, and how many columns there are from that edge to the next one named.
        tallest: how many canaries the tallest column is.
    """

    edges: tuple[tuple[str, int], ...]
    tallest: int


def axis(days: Sequence[Day], bounds: Sequence[float], *, deadline_seconds: float) -> Axis:
    """What the axis below a distribution says: after how long each of some columns begins."""
    columns = _columns(days, bounds, deadline_seconds)
    many = len(columns.counts)
    step = -(-many // _EDGES)
    edges = []
    for index in range(0, many, step):
        bucket = columns.first + index
        words = _short(bounds[bucket - 1]) if bucket else "0 s"
        edges.append((words, min(step, many - index)))
    return Axis(tuple(edges), max(columns.counts))


def _short(seconds: float) -> str:
    """A bound of a bucket, without the tenths that it does not have."""
    return duration(seconds).replace(".0 s", " s")


def distribution(
    key: str, days: Sequence[Day], bounds: Sequence[float], *, deadline_seconds: float, name: str
) -> str:
    """How many canaries took how long, by the buckets of the metric, with the deadline marked."""
    columns = _columns(days, bounds, deadline_seconds)
    first, shown, at = columns.first, columns.counts, columns.at
    most = max(shown)
    wide = 400 / max(1, len(shown))
    parts = [line(0, 99.5, 400, 99.5, "axis")]
    for index, count in enumerate(shown):
        bucket = first + index
        low = bounds[bucket - 1] if bucket else 0.0
        upto = (
            f"{_short(low) if bucket else '0 s'} to {_short(bounds[bucket])}"
            if bucket < len(bounds)
            else f"over {_short(low)}"
        )
        tall = 90 * count / most if most else 0.0
        kind = "fill ok" if bucket <= at else "fill warn"
        drawn = max(1.5, tall) if count else 0.0
        parts.append(
            rect(index * wide + 1, 99 - drawn, wide - 2, drawn, kind, tip=f"{upto}: {_canaries(count)}")
        )
    low = bounds[at - 1] if at else 0.0
    high = bounds[at] if at < len(bounds) else max(deadline_seconds, low * 2, 1.0)
    within = (deadline_seconds - low) / (high - low) if high > low else 1.0
    x = (at - first + min(1.0, max(0.0, within))) * wide
    parts.append(line(x, 0, x, 99, "deadline"))
    about = spread_words(days, bounds, deadline_seconds=deadline_seconds)
    return picture(key, (400, 100), (f"{name}: how long the ticket took", about), parts, "distribution")


def _added(days: Sequence[Day], bounds: Sequence[float]) -> list[int]:
    counts = [0] * (len(bounds) + 1)
    for day in days:
        for index, count in enumerate(day.counts[: len(counts)]):
            counts[index] += count
    return counts


def spread_words(days: Sequence[Day], bounds: Sequence[float], *, deadline_seconds: float) -> str:
    """What a distribution says."""
    counts = _added(days, bounds)
    if not sum(counts):
        return "No canary has a ticket yet."
    half, most = (quantile(counts, bounds, share) for share in (0.5, 0.95))
    return (
        f"{_canaries(sum(counts))} with a ticket: half {_within(half, bounds)}, 95 of 100"
        f" {_within(most, bounds)}; the deadline is {duration(deadline_seconds)}."
    )


def _within(seconds: float | None, bounds: Sequence[float]) -> str:
    return f"within {duration(seconds)}" if seconds is not None else f"in more than {_short(bounds[-1])}"


def quantile(counts: Sequence[int], bounds: Sequence[float], share: float) -> float | None:
    """The bound below which that share of what was measured lies; None where nothing was, or it is above all."""
    total, seen = sum(counts), 0
    if not total:
        return None
    for index, count in enumerate(counts):
        seen += count
        if seen >= share * total:
            return bounds[index] if index < len(bounds) else None
    return None


def _canaries(count: int) -> str:
    return "1 canary" if count == 1 else f"{count} canaries"
