"""Slots: the moments at which a path's canary is due, so that replicas that never talk agree on them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from math import ceil

from canary.path import Path, PathName

_MOMENT = timedelta(microseconds=1)
_LEAST_OUTSTANDING = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Slot:
    """One scheduled launch of one path. Whoever inserts (path, at) first launches it."""

    path: PathName
    at: datetime


class MissedCause(StrEnum):
    """Why a slot's canary was not launched: the path was unprobed, which is not the same as good."""

    NOT_RUNNING = "not_running"
    """Nobody claimed it: the machine was off, the schedule paused, or the run before took too long."""
    STOPPED = "stopped"
    """Whoever claimed it ended before a canary was recorded, and nobody took it over before the next one was due."""
    LEFTOVERS = "leftovers"
    """Too many of the path's tickets and mails wait for their removal."""
    CAP = "cap"
    """The sender has sent as much as the ticketing system's loop guard allows."""
    OUTSTANDING = "outstanding"
    """So many of the path's canaries have no verdict that one more would only pile up."""
    QUARANTINE = "quarantine"
    """The path's tickets are not kept from agents: its canaries were first seen without the mark of the rule."""


@dataclass(frozen=True, slots=True)
class MissedSlot:
    """A slot of which no canary was launched, and why."""

    slot: Slot
    cause: MissedCause


def phase(path: PathName, interval: timedelta) -> timedelta:
    """A path's fixed offset within its interval, so that a hundred paths don't fire at once."""
    share = int.from_bytes(sha256(path.encode()).digest()[:6], "big") / float(1 << 48)
    return timedelta(seconds=int(interval.total_seconds() * share))


def jitter(slot: Slot, longest: timedelta) -> timedelta:
    """How long after its slot a canary is launched: 0 to ``longest``, the same for everybody who asks."""
    text = f"{slot.path} {slot.at.astimezone(UTC).isoformat()}"
    share = int.from_bytes(sha256(text.encode()).digest()[:6], "big") / float(1 << 48)
    return longest * share


def most_outstanding(deadline_seconds: float, usual_seconds: float | None) -> int:
    """How many canaries of a path may be without a verdict: those of one deadline, and some that settle late.

    Args:
        deadline_seconds: of the path's promise.
        usual_seconds: the longest time between two launches while the schedule runs; None: launched by hand only.
    """
    if usual_seconds is None:
        return _LEAST_OUTSTANDING
    return max(_LEAST_OUTSTANDING, 2 + ceil(deadline_seconds / usual_seconds))


def slots_took(path: Path, count: int, now: datetime) -> timedelta | None:
    """How far back the last ``count`` slots of a path reach; None: it has no schedule, or not so many.

    A schedule that rests over a weekend is not late on Sunday; counted by its longest gap, it would be late by a week.
    """
    if path.interval_seconds is None:
        return None
    if path.moments is None:
        return count * timedelta(seconds=path.interval_seconds)
    at = now + _MOMENT
    for _ in range(count):
        latest = path.moments.latest(at - _MOMENT)
        if latest is None:
            return None
        at = latest
    return now - at


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


def slots_between(
    latest: Callable[[datetime], Slot | None], *, after: datetime, before: datetime
) -> Iterator[Slot]:
    """The slots after ``after`` and before ``before``, the newest first.

    Args:
        latest: the newest slot of a path that is due at a time, or None.
        after: a slot at this very time is left out.
        before: likewise.
    """
    slot = latest(before - _MOMENT)
    while slot is not None and slot.at > after:
        if slot.at < before:
            yield slot
        slot = latest(slot.at - _MOMENT)
