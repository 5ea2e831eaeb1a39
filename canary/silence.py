"""Silences: while one is in force alerts are held back. Canaries go on, and incidents open as ever."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType, Protocol

SilenceId = NewType("SilenceId", str)


@dataclass(frozen=True, slots=True)
class Silence:
    """A time in which nobody wants to hear of a path or a place; also one occurrence of a maintenance window.

    Attributes:
        about: the path, or the mailbox, domain or ticketing system, by its name in the configuration.
        begins_at: from then on, included; ``ends_at``: until then, excluded.
        why: the reason, by whoever silenced it; ``who``: their name.
    """

    id: SilenceId
    about: str
    begins_at: datetime
    ends_at: datetime
    why: str
    who: str
    created_at: datetime

    def is_in_force(self, now: datetime) -> bool:
        """Whether it holds alerts back at that time."""
        return self.begins_at <= now < self.ends_at


class Window(Protocol):
    """A maintenance window: a silence that comes again and again."""

    def __call__(self, now: datetime, /) -> Silence | None:
        """The silence that it makes at that time; None between its occurrences."""
        ...

    def coming(self, now: datetime, until: datetime) -> Sequence[Silence]:
        """Those that begin after ``now`` and before ``until``, the first one first; at most a handful."""
        ...


def with_windows(
    silences: Sequence[Silence], windows: Sequence[Window], now: datetime, *, ahead: timedelta
) -> list[Silence]:
    """The silences, and those that maintenance windows make now and until then: what is in force first."""
    made = [one for window in windows if (one := window(now)) is not None]
    to_come = [one for window in windows for one in window.coming(now, now + ahead)]
    return sorted(
        [*silences, *made, *to_come],
        key=lambda one: (
            not one.is_in_force(now),
            one.ends_at if one.is_in_force(now) else one.begins_at,
            one.about,
            one.id,
        ),
    )


def are_silenced(names: Collection[str], silences: Sequence[Silence], now: datetime) -> bool:
    """Whether each of the names is silenced now; what has no name never is."""
    silenced = {one.about for one in silences if one.is_in_force(now)}
    return bool(names) and all(name in silenced for name in names)
