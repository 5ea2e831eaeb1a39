"""Windows of requests, by answers in any shape or by the configuration's own word; a share of them is never taken."""

import re
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from probes.contracts import Blind, Budget, Clock
from probes.http_wire import Answer
from probes.rate_limits import RateLimits
from probes.ticketing.generic.conversions import resets_at, whole_of
from probes.ticketing.generic.picking import Pick, Seen

_GROUPS: Final = ("remaining", "limit", "used", "reset")


@dataclass(frozen=True, slots=True)
class Window:
    """How answers tell of one window.

    Attributes:
        picks: ``remaining``, ``limit``, ``used``, ``reset``; what is not told is left out.
        whole: a text that holds several of them, and the expression that takes it apart by groups of these names.
        at_most, seconds: instead: so many requests in so much time, counted here.
    """

    name: str
    picks: Mapping[str, Pick]
    whole: Pick | None = None
    parts: re.Pattern[str] | None = None
    at_most: int | None = None
    seconds: float = 60.0


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


class Budgets:
    """What the answers so far have told of each window, and what we have asked in those that are counted here."""

    def __init__(self, settings: BudgetSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._told: dict[str, Budget] = {}
        self._usual = RateLimits()
        self._own: dict[str, int] = {}
        self._before: dict[str, int | None] = {}
        self._asked: dict[str, deque[float]] = {
            one.name: deque() for one in settings.windows if one.at_most is not None
        }

    def note(self, answer: Answer) -> None:
        """Take an answer into account; what is not of its shape tells nothing."""
        now = self._clock.now()
        self._usual.note(answer.headers, now=now)
        for one in self._usual.windows(now=now):
            self._count(one.name, self._before.get(one.name), one.left)
            self._before[one.name] = one.left
        seen = Seen(
            None, None, {name.lower(): value for name, value in answer.headers.items()}, answer.status
        )
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
        for one in self.windows():
            if one.left is None or one.resets_at is None or one.resets_at <= now:
                continue
            limit, own = one.limit or 0, self._own.get(one.name, 0)
            is_own = self._settings.own_share < 1 and own + 1 > self._settings.own_share * limit
            if is_own or one.left - 1 < self._settings.reserve_share * limit:
                wait = (one.resets_at - now).total_seconds()
                rule = (
                    f"{own} of them were ours, of which {self._settings.own_share:.0%} may be"
                    if is_own
                    else f"{self._settings.reserve_share:.0%} are kept for others"
                )
                raise Blind(
                    f"{system}: of the window {one.name} {one.left} of {one.limit} requests are left, and {rule}: no"
                    f" request before it begins anew in {wait:.0f} s. Ask for a higher limit, or probe less often.",
                    status=429,
                    retry_after_seconds=wait,
                )
        for name in (*self._told, *self._before):
            self._own[name] = self._own.get(name, 0) + 1
        for stamps in self._asked.values():
            stamps.append(self._clock.monotonic())

    def windows(self) -> Sequence[Budget]:
        """All windows that are known and not over; costs no call."""
        now = self._clock.now()
        told = list(self._told.values()) or list(self._usual.windows(now=now))
        kept = [one for one in told if one.resets_at is None or one.resets_at > now]
        return (
            *kept,
            *(self._counted(one, now) for one in self._settings.windows if one.at_most is not None),
        )

    def untold(self) -> list[str]:
        """Keys of the windows that no answer has told of yet, though the configuration says that answers do."""
        found = []
        for one in self._settings.windows:
            picks = [*([one.whole] if one.whole is not None else []), *one.picks.values()]
            if picks and one.name not in self._told:
                found.append(picks[0].key.rpartition(".")[0])
        return found

    def _count(self, name: str, before: int | None, left: int | None) -> None:
        if name not in self._own or (left is not None and before is not None and left > before):
            self._own[name] = 1  # it began anew, with the request that this answers

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
            match = window.parts.search(text) if isinstance(text, str) else None
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
        self._count(window.name, before.left if before is not None else None, left)
        limit = limit if limit is not None or before is None else before.limit
        reset = resets_at(found.get("reset"), now, window.name)
        self._told[window.name] = Budget(window.name, left, limit, reset)
