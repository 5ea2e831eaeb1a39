"""Moments that name no zone: whether the configured one is right, as far as that is proven.

Read in a wrong zone, a ticket of this minute seems hours old: a look would take its page for the end of what is wanted,
and call missing whom a later page shows. Nothing is made in the future, so a row that was made a moment ago by its own
words proves the zone. Until one is met, each row may be younger than it says by as much as two zones are apart.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from probes.contracts import Clock
from probes.ticketing.generic.calling import Calls
from probes.ticketing.generic.settings import LookSettings
from probes.ticketing.generic.tickets import Values, created_of

APART: Final = timedelta(hours=26)
"""From UTC-12 to UTC+14, the farthest two zones (tz database)."""
_MOMENT: Final = timedelta(minutes=10)
"""Zones differ by quarters of an hour: so young by its words, a row is not of another one."""
_SLACK: Final = timedelta(seconds=60)
_PROVEN_FOR: Final = timedelta(hours=1)
"""A zone may be right in winter alone, so it is proven anew."""


class Zones:
    """What is proven of the zones in which one system's moments are read."""

    def __init__(self, calls: Calls, *, clock: Clock) -> None:
        self._calls = calls
        self._clock = clock
        self._proven_at: dict[tuple[str, ...], datetime] = {}

    def note(self, look: LookSettings, rows: Sequence[Values]) -> None:
        """Take note of what rows prove."""
        now = self._clock.now()
        theirs = now + timedelta(seconds=self._calls.skew.seconds or 0.0)
        made = (one for one in map(created_of, rows) if one is not None)
        if any(-_SLACK <= theirs - one <= _MOMENT for one in made):
            self._proven_at[_zoned(look)] = now

    def doubt(self, look: LookSettings) -> timedelta:
        """How much later than it says a row may have been made, since its zone may be another."""
        picks = _zoned(look)
        proven_at = self._proven_at.get(picks)
        is_sure = proven_at is not None and self._clock.now() - proven_at <= _PROVEN_FOR
        return APART if picks and not is_sure else timedelta()


def _zoned(look: LookSettings) -> tuple[str, ...]:
    """Keys of the picks that tell when a ticket was made, and may tell it without a zone."""
    maps = [look.ticket, *(one.ticket for one in look.reads)]
    picks = [one.picks["created_at"] for one in maps if "created_at" in one.picks]
    return tuple(one.key for one in picks if one.time is not None and one.time.zone is not None)
