"""A remote's clock less ours, from stamps of a whole second: a range that narrows with each answer."""

from datetime import datetime, timedelta
from typing import Final

_RESOLUTION: Final = timedelta(seconds=1)
_USELESS_SECONDS: Final = 10.0
_FIRST_YEAR: Final = 1971
_LAST_YEAR: Final = 2200


def is_of_this_age(stamp: datetime) -> bool:
    """Whether a remote's stamp may be true, so that time can be added to it: no date is often the calendar's last one."""
    return _FIRST_YEAR <= stamp.year <= _LAST_YEAR


class Skew:
    """What a remote's stamps have told of its clock.

    A stamp D is written within a call that lasts from ``began`` to ``ended``, and its second runs to D + 1 s (an
    HTTP date has no finer unit: RFC 9110 section 5.6.7): the remote's clock less ours is between D - ended and
    D + 1 s - began. Several calls share one truth, so their ranges are cut; where they contradict each other, a
    clock was set in between, and the latest call counts alone.
    """

    def __init__(self) -> None:
        self._low: float | None = None
        self._high: float | None = None

    def note(self, remote_at: datetime | None, *, began_at: datetime, ended_at: datetime) -> None:
        """Take one stamp into account; None is no stamp, and one of another age is none either."""
        if remote_at is None or not is_of_this_age(remote_at) or ended_at < began_at:
            return
        low = (remote_at - ended_at).total_seconds()
        high = (remote_at + _RESOLUTION - began_at).total_seconds()
        if self._low is None or self._high is None or low > self._high or high < self._low:
            self._low, self._high = low, high
            return
        self._low, self._high = max(low, self._low), min(high, self._high)

    @property
    def seconds(self) -> float | None:
        """The best estimate; None where nothing, or nothing useful, is known."""
        if self._low is None or self._high is None or self._high - self._low > _USELESS_SECONDS:
            return None
        return (self._low + self._high) / 2

    @property
    def error_seconds(self) -> float | None:
        """How far the truth may be from the estimate, either way."""
        if self._low is None or self._high is None:
            return None
        return (self._high - self._low) / 2
