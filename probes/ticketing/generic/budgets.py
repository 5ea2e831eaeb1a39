"""Windows of requests, by answers in any shape or by the configuration's own word; a share of them is never taken."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from probes.contracts import Blind, Budget, Clock
from probes.http_wire import Answer
from probes.rate_limits import RateLimits
from probes.ticketing.generic.conversions import resets_at, whole_of
from probes.ticketing.generic.picking import Pick, Seen

_ASSUMED_SECONDS: Final = 60.0
"""How long a window lasts that neither answers nor the configuration tell of: one request a minute finds out."""
_LONGEST_TEXT: Final = 1000
_GROUPS: Final = ("remaining", "limit", "used", "reset")


@dataclass(frozen=True, slots=True)
class Window:
    """How answers tell of one window.

    Attributes:
        picks: ``remaining``, ``limit``, ``used``, ``reset``; what is not told is left out.
        whole: a text that holds several of them, and the expression that takes it apart by groups of these names.
        at_most, seconds: instead: so many requests in so much time, counted here.
        lasts_seconds: how long it is, where no answer tells when it begins anew; None: it is not declared.
        is_day: instead: it begins anew at midnight, in UTC.
    """

    name: str
    picks: Mapping[str, Pick]
    whole: Pick | None = None
    parts: re.Pattern[str] | None = None
    at_most: int | None = None
    seconds: float = 60.0
    lasts_seconds: float | None = None
    is_day: bool = False


@dataclass(frozen=True, slots=True)
class BudgetSettings:
    """What is taken of the windows.

    Attributes:
        reserve_share: this share of every window is left to others: at it, requests wait for the reset.
        own_share: this prober takes no more than this share of a window, whatever else is left of it.
    """

    windows: tuple[Window, ...] = ()
    reserve_share: float = 0.2
    own_share: float = 1.0


@dataclass(slots=True)
class _Stretch:
    """What we have asked within one stretch of a window; it ends when it was first said to, however often it refills."""

    own: int = 1  # the request whose answer has told of it
    ends_at: datetime | None = None


class Budgets:
    """What the answers so far have told of each window, and what we have asked in those that are counted here."""

    def __init__(self, settings: BudgetSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._told: dict[str, Budget] = {}
        self._told_at: dict[str, datetime] = {}
        self._usual = RateLimits()
        self._own: dict[str, _Stretch] = {}
        self._known = {one.name: one for one in settings.windows}
        self._asked: dict[str, deque[float]] = {
            one.name: deque() for one in settings.windows if one.at_most is not None
        }
        self._read = {
            pick.header.lower()
            for one in settings.windows
            for pick in (*one.picks.values(), one.whole)
            if pick is not None and pick.header is not None
        }

    def note(self, answer: Answer) -> None:
        """Take an answer into account; what is not of its shape tells nothing."""
        now = self._clock.now()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        # what the configuration reads itself is not told twice
        self._usual.note({name: one for name, one in headers.items() if name not in self._read}, now=now)
        for one in self._usual.windows(now=now):
            if one.name not in self._told and any(name.startswith(f"{one.name}-") for name in headers):
                self._count(one, now)
        seen = Seen(None, None, headers, answer.status)
        for window in self._settings.windows:
            if window.at_most is None:
                try:
                    self._take(window, seen, now)
                except Blind:
                    continue  # a header of another shape is no reason to be blind

    def admit(self, system: str) -> None:
        """Count a request that is about to be made.

        Raises:
            Blind: it would take of what is left to others; says until when.
        """
        now = self._clock.now()
        for stretch in self._own.values():
            if stretch.ends_at is not None and stretch.ends_at <= now:
                stretch.own, stretch.ends_at = 0, None
        for one in self.windows():
            self._admit_to(one, system, now)
        for stretch in self._own.values():
            stretch.own += 1
        for stamps in self._asked.values():
            stamps.append(self._clock.monotonic())

    def _admit_to(self, one: Budget, system: str, now: datetime) -> None:
        own, own_ends_at = self._ours(one)
        ends_at = one.resets_at or self._assumed_end(one.name)
        share = self._settings.own_share
        if one.limit is not None and share < 1 and own + 1 > share * one.limit and own_ends_at is not None:
            why = f"{own} of them were ours, of which {share:.0%} may be"
            raise _spent(system, one, why, (own_ends_at - now).total_seconds())
        if one.left is None or ends_at <= now:
            return
        if one.left - 1 < self._settings.reserve_share * (one.limit or 0):
            why = f"{self._settings.reserve_share:.0%} are kept for others"
            raise _spent(system, one, why, (ends_at - now).total_seconds())

    def _ours(self, one: Budget) -> tuple[int, datetime | None]:
        """How many of a window's requests were ours, and until when they count."""
        if one.name in self._asked:
            return (one.limit or 0) - (one.left or 0), one.resets_at
        stretch = self._own.get(one.name)
        return (stretch.own, stretch.ends_at) if stretch is not None else (0, None)

    def windows(self) -> Sequence[Budget]:
        """All windows that are known and not over; costs no call."""
        now = self._clock.now()
        usual = [one for one in self._usual.windows(now=now) if one.name not in self._known]
        told = [*self._told.values(), *usual]
        kept = [one for one in told if one.resets_at is None or one.resets_at > now]
        return (
            *kept,
            *(self._counted(one, now) for one in self._settings.windows if one.at_most is not None),
        )

    def _count(self, told: Budget, now: datetime) -> None:
        """Begin a stretch where none is; one that is goes on to its end, though what is left has risen."""
        self._told_at[told.name] = now
        stretch = self._own.setdefault(told.name, _Stretch())
        if stretch.ends_at is None or stretch.ends_at <= now:
            stretch.own = 1 if stretch.ends_at is not None else max(1, stretch.own)
            window = self._known.get(told.name)
            declared = window is not None and (window.is_day or window.lasts_seconds is not None)
            reset = None if declared else told.resets_at
            stretch.ends_at = reset if reset is not None and reset > now else self._assumed_end(told.name)

    def _assumed_end(self, name: str) -> datetime:
        """When a window that does not tell it begins anew for sure: as long after the answer as it lasts."""
        at = self._told_at.get(name) or self._clock.now()
        window = self._known.get(name)
        if window is not None and window.is_day:
            midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(days=1)
        lasts = window.lasts_seconds if window is not None else None
        return at + timedelta(seconds=lasts if lasts is not None else _ASSUMED_SECONDS)

    def untold(self) -> list[str]:
        """Keys of the windows that no answer has told of yet, though the configuration says that answers do."""
        found = []
        for one in self._settings.windows:
            picks = [*([one.whole] if one.whole is not None else []), *one.picks.values()]
            if picks and one.name not in self._told:
                found.append(picks[0].key.rpartition(".")[0])
        return found

    def _counted(self, window: Window, now: datetime) -> Budget:
        stamps, at = self._asked[window.name], self._clock.monotonic()
        while stamps and stamps[0] <= at - window.seconds:
            stamps.popleft()
        limit = window.at_most or 0
        first = stamps[0] + window.seconds - at if stamps else window.seconds
        return Budget(window.name, max(0, limit - len(stamps)), limit, now + timedelta(seconds=first))

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
        if left is None and used is not None and limit is not None:
            left = max(0, limit - used)
        if left is None and limit is None:
            return
        before = self._told.get(window.name)
        limit = limit if limit is not None or before is None else before.limit
        reset = resets_at(found.get("reset"), now, window.name)
        told = Budget(window.name, left, limit, reset)
        self._told[window.name] = told
        self._count(told, now)


def _spent(system: str, one: Budget, why: str, wait: float) -> Blind:
    left = f"{one.left if one.left is not None else 'an unknown number'}"
    told = (
        f"{left} of {one.limit} requests are left, and {why}"
        if one.limit is not None
        else (f"{left} requests are left, and how many it has in all is not told")
    )
    return Blind(
        f"{system}: of the window {one.name} {told}: no request before it begins anew in {wait:.0f} s."
        " Ask for a higher limit, or probe less often.",
        status=429,
        retry_after_seconds=wait,
    )
