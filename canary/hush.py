"""A system's wish to be left alone, which outlives the process that heard it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

LONGEST: Final = timedelta(hours=1)
"""The longest that it is honoured without asking again."""
_APART: Final = timedelta(minutes=1)
"""So far the clocks of two replicas may be apart: a wish as long as may be is not over for the one that is behind."""
_TOO_MANY: Final = 429


@dataclass(frozen=True, slots=True)
class Hush:
    """When a system asked to be left alone, and until when; aware UTC.

    Attributes:
        status: the HTTP status of the kind of answer that asked; None: of no known one.
        answered: the one that came, where that is another.
    """

    asked_at: datetime
    until_at: datetime
    status: int | None = _TOO_MANY
    answered: int | None = None

    @classmethod
    def asked(
        cls, at: datetime, seconds: float, status: int | None = _TOO_MANY, answered: int | None = None
    ) -> "Hush":
        """A wish of so many seconds, as far as it is honoured."""
        return cls(at, at + min(timedelta(seconds=max(0.0, min(seconds, 1e9))), LONGEST), status, answered)

    def is_over(self, now: datetime) -> bool:
        """Whether it may be asked again; also where the clock that wrote it was far ahead of ours."""
        return now >= self.until_at or self.until_at - now > LONGEST + _APART

    def later(self, other: "Hush | None", now: datetime) -> "Hush":
        """Of two wishes the one that lasts longer."""
        return self if other is None or other.is_over(now) or other.until_at <= self.until_at else other

    def words(self, place: str, now: datetime) -> str:
        """What is said of it, for whoever looks."""
        left = (self.until_at - now).total_seconds()
        return (
            f"{place} asked at {self.asked_at:%H:%M} to be left alone until {self.until_at:%H:%M} UTC: nothing is asked of it"
            f" for another {left:.0f} s, by any process on this store."
            + (" Probe less often, or ask for a higher limit." if self.status == _TOO_MANY else "")
        )
