"""Windows of requests, by answers in any shape; at what is reserved for others nothing is asked. Our share: `shares`."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from probes.contracts import Blind, Budget, Clock
from probes.http_wire import Answer
from probes.rate_limits import RateLimits
from probes.ticketing.budget import Spent
from probes.ticketing.generic.conversions import resets_at, whole_of
from probes.ticketing.generic.picking import Pick, Seen

ASSUMED_SECONDS: Final = 60.0
"""How long a window lasts that neither answers nor the configuration tell of: one request a minute finds out."""
_LONGEST_TEXT: Final = 1000
_GROUPS: Final = ("remaining", "limit", "used", "reset")


@dataclass(frozen=True, slots=True)
class Window:
    """How answers tell of one window.

    Attributes:
        picks: ``remaining``, ``limit``, ``used``, ``reset``; what is not told is left out.
        whole: a text that holds several of them, and the expression that takes it apart by groups of these names.
        limit: how many it has, where no answer tells.
        at_most, seconds: instead: so many requests in so much time, counted here.
        lasts_seconds: how long it is, where no answer tells when it begins anew; None: it is not declared.
        is_day: instead: it begins anew at midnight, in UTC.
    """

    name: str
    picks: Mapping[str, Pick]
    whole: Pick | None = None
    parts: re.Pattern[str] | None = None
    limit: int | None = None
    at_most: int | None = None
    seconds: float = 60.0
    lasts_seconds: float | None = None
    is_day: bool = False

    @property
    def tells_left(self) -> bool:
        """Whether answers tell how much is left."""
        return self._tells("remaining") or self._tells("used")

    @property
    def tells_end(self) -> bool:
        """Whether answers tell when it begins anew, and that is heeded."""
        return self.lasts_seconds is None and not self.is_day and self._tells("reset")

    @property
    def length_seconds(self) -> float:
        """How long it is, as far as the configuration says."""
        if self.is_day:
            return 86400.0
        if self.at_most is not None:
            return self.seconds
        return self.lasts_seconds or ASSUMED_SECONDS

    def _tells(self, part: str) -> bool:
        return part in self.picks or (self.parts is not None and part in self.parts.groupindex)


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """What is taken of the windows.

    Attributes:
        reserve_share: this share of every window is left to others: at it, requests wait for the reset.
        own_share: all processes together take no more than this share of a window, whatever else is left of it.
        account: whose windows they are: what is asked of one account is counted together.
    """

    windows: tuple[Window, ...] = ()
    reserve_share: float = 0.2
    own_share: float = 1.0
    account: str = ""

    def kept_of(self, limit: int) -> int:
        """How many requests of a window are left to others: whole ones, or of a window of a few none would be ours."""
        return math.floor(self.reserve_share * limit)

    def share_of(self, limit: int, *, is_left_told: bool) -> float:
        """What all processes together may take of a window. Where answers tell what is left, the reserve is kept by that."""
        if is_left_told or limit < 1:
            return self.own_share
        return min(self.own_share, 1 - self.kept_of(limit) / limit)


class Budgets:
    """What the answers so far have told of each window."""

    def __init__(self, settings: BudgetSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._told: dict[str, Budget] = {}
        self._told_at: dict[str, datetime] = {}
        self._latest: set[str] = set()
        self._usual = RateLimits()
        self._known = {one.name: one for one in settings.windows}
        self._read = {
            pick.header.lower()
            for one in settings.windows
            for pick in (*one.picks.values(), one.whole)
            if pick is not None and pick.header is not None
        }

    def note(self, answer: Answer) -> None:
        """Take an answer into account; what is not of its shape tells nothing."""
        now = self._clock.now()
        self._latest.clear()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        # what the configuration reads itself is not told twice
        self._usual.note({name: one for name, one in headers.items() if name not in self._read}, now=now)
        for one in self._usual.windows(now=now):
            if one.name not in self._told and any(name.startswith(f"{one.name}-") for name in headers):
                self._told_at[one.name] = now
                self._latest.add(one.name)
        seen = Seen(None, None, headers, answer.status)
        for window in self._settings.windows:
            if window.at_most is None:
                try:
                    self._take(window, seen, now)
                except Blind:
                    continue  # a header of another shape is no reason to be blind

    def admit(self, system: str) -> None:
        """Look whether a request that is about to be made may be.

        Raises:
            Blind: it would take of what is left to others; says until when.
        """
        now = self._clock.now()
        for one in self.windows():
            ends_at = one.resets_at or self._assumed_end(one.name)
            if one.left is None or ends_at <= now:
                continue
            if one.left - 1 < self._settings.kept_of(one.limit or 0):
                why = f"{self._settings.reserve_share:.0%} are kept for others"
                raise spent(system, one, why, (ends_at - now).total_seconds())

    def windows(self) -> Sequence[Budget]:
        """All windows that answers told of and that are not over; costs no call."""
        now = self._clock.now()
        return tuple(one for one in self.told() if one.resets_at is None or one.resets_at > now)

    def told(self) -> Sequence[Budget]:
        """All windows that answers ever told of, as they did last; of those that have the usual names, while they last."""
        usual = self._usual.windows(now=self._clock.now())
        return (*self._told.values(), *(one for one in usual if one.name not in self._known))

    def ends(self) -> Mapping[str, datetime]:
        """When the windows end that the last answer itself told the end of."""
        return {
            one.name: one.resets_at
            for one in self.told()
            if one.name in self._latest and one.resets_at is not None
        }

    def _assumed_end(self, name: str) -> datetime:
        """When a window that does not tell it begins anew for sure: as long after the answer as it lasts."""
        at = self._told_at.get(name) or self._clock.now()
        window = self._known.get(name)
        if window is not None and window.is_day:
            midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(days=1)
        lasts = window.lasts_seconds if window is not None else None
        return at + timedelta(seconds=lasts if lasts is not None else ASSUMED_SECONDS)

    def untold(self) -> list[str]:
        """Keys of the windows that no answer has told of yet, though the configuration says that answers do."""
        found = []
        for one in self._settings.windows:
            picks = [*([one.whole] if one.whole is not None else []), *one.picks.values()]
            if picks and one.name not in self._told:
                found.append(picks[0].key.rpartition(".")[0])
        return found

    def _take(self, window: Window, seen: Seen, now: datetime) -> None:
        found: dict[str, object] = {name: pick.found(seen) for name, pick in window.picks.items()}
        if window.whole is not None and window.parts is not None:
            text = window.whole.found(seen)
            match = window.parts.search(text[:_LONGEST_TEXT]) if isinstance(text, str) else None
            if match is not None:
                found.update({name: match[name] for name in _GROUPS if name in window.parts.groupindex})
        left, limit, used = (
            whole_of(found.get(name), window.name) for name in ("remaining", "limit", "used")
        )
        reset = resets_at(found.get("reset"), now, window.name)
        if left is None and used is None and limit is None and (reset is None or window.limit is None):
            return
        before = self._told.get(window.name)
        if limit is None:
            limit = before.limit if before is not None else window.limit
        if left is None and used is not None and limit is not None:
            left = max(0, limit - used)
        self._told[window.name] = Budget(window.name, left, limit, reset)
        self._told_at[window.name] = now
        self._latest.add(window.name)


def spent(system: str, one: Budget, why: str, wait: float) -> Blind:
    """Of a window nothing more is ours, for so many seconds."""
    left = f"{one.left if one.left is not None else 'an unknown number'}"
    told = (
        f"{left} of {one.limit} requests are left, and {why}"
        if one.limit is not None
        else (f"{left} requests are left, and how many it has in all is not told")
    )
    return Spent(
        f"{system}: of the window {one.name} {told}: no request before it begins anew in {wait:.0f} s."
        " Ask for a higher limit, or probe less often.",
        status=429,
        retry_after_seconds=wait,
    )
