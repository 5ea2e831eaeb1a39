"""Silences: while one is in force alerts are held back. Canaries go on, and incidents open as ever."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType

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


def are_silenced(names: Collection[str], silences: Sequence[Silence], now: datetime) -> bool:
    """Whether each of the names is silenced now; what has no name never is."""
    silenced = {one.about for one in silences if one.is_in_force(now)}
    return bool(names) and all(name in silenced for name in names)
