"""Rows that were read further and bear no token that was sought: remembered, so that each costs its requests about once."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

SETTLED: Final = timedelta(minutes=3)
"""So old, a ticket is whole: what it bears then, it keeps. Many systems write a ticket first, and its text later."""
MOST: Final = 20_000
"""Far more rows than stand in a window; the one not met for longest is forgotten first."""


@dataclass(slots=True)
class _Reading:
    first_at: datetime
    read_at: datetime
    is_settled: bool
    tokens: frozenset[str]


class KnownStrangers:
    """Which rows were read, and are a stranger's or another canary's: of those their tokens are kept."""

    def __init__(self) -> None:
        self._readings: OrderedDict[str, _Reading] = OrderedDict()

    def tokens_of(self, mark: str, *, since: datetime) -> frozenset[str] | None:
        """The tokens of a row that was read for good, or has been read since then; None: it was not."""
        found = self._readings.get(mark)
        if found is None:
            return None
        self._readings.move_to_end(mark)
        return found.tokens if found.is_settled or found.read_at >= since else None

    def was_read(self, mark: str, sought: frozenset[str]) -> bool:
        """Whether a row was ever read, and is none of those: others go first."""
        found = self._readings.get(mark)
        return found is not None and found.tokens.isdisjoint(sought)

    def note(
        self,
        mark: str,
        *,
        born_at: datetime | None,
        read_at: datetime,
        tokens: frozenset[str] = frozenset(),
    ) -> None:
        """A row was read and bears no token that was sought.

        Args:
            mark: the row as it is.
            born_at: when its ticket was made, by our clock; None: not known, or its text is still empty.
            read_at: when it was asked for.
            tokens: that it bears, for whoever seeks them.
        """
        found = self._readings.get(mark)
        first_at = found.first_at if found is not None else read_at
        born = first_at if born_at is None else min(first_at, born_at)
        self._readings[mark] = _Reading(first_at, read_at, read_at - born >= SETTLED, tokens)
        self._readings.move_to_end(mark)
        if len(self._readings) > MOST:
            self._readings.popitem(last=False)
