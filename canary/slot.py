"""Slots: the moments at which a path's canary is due, so that replicas that never talk agree on them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from canary.path import PathName

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled launch of one path. Whoever inserts (path, at) first launches it."""

    path: PathName
    at: datetime


def phase(path: PathName, interval: timedelta) -> timedelta:
    """A path's fixed offset within its interval, so that a hundred paths don't fire at once."""
    share = int.from_bytes(sha256(path.encode()).digest()[:6], "big") / float(1 << 48)
    return timedelta(seconds=int(interval.total_seconds() * share))


def jitter(slot: Slot, longest: timedelta) -> timedelta:
    """How long after its slot a canary is launched: 0 to ``longest``, the same for everybody who asks."""
    text = f"{slot.path} {slot.at.astimezone(UTC).isoformat()}"
    share = int.from_bytes(sha256(text.encode()).digest()[:6], "big") / float(1 << 48)
    return longest * share


def due_slot(path: PathName, interval: timedelta, now: datetime) -> Slot:
    """The latest slot of a path launched every ``interval`` that is not after ``now``.

    Raises:
        ValueError: the interval is not positive.
    """
    if interval <= timedelta(0):
        raise ValueError("an interval must be positive")
    offset = phase(path, interval)
    count = (now - _EPOCH - offset) // interval
    return Slot(path, _EPOCH + offset + count * interval)
