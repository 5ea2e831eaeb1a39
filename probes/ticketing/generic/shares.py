"""Our share of each window of requests, kept by all processes together: calls are taken before they are made."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from canary.call_share import GUARD, Answered, Grant, Unused, Want
from probes.contracts import Blind, Budget, Clock, Uncounted
from probes.ticketing.generic.budgets import ASSUMED_SECONDS, Budgets, BudgetSettings, Window, spent
from probes.ticketing.shared_calls import SharedCalls

Counted = Mapping[str, datetime]
"""Windows by name in which a call is counted, and when the stretch began that it is of."""
_MOST_AHEAD: Final = 20
"""How many calls are taken at once: as many as the last look made, and this many at most."""


@dataclass(slots=True)
class _Shared:
    """One window of which we keep a share, and what we have of it.

    Attributes:
        tells_end: answers tell when it begins anew, so that of one that has just begun one call is taken at a time.
        is_heard: an answer, or the configuration, has told this process of it, and not the store alone.
        made: calls that were made before it was known, and are not counted yet.
        calls: taken and not made yet, out of ``grant``.
        answered: made, and told by their answers how long they count; that is said with the next call.
    """

    name: str
    limit: int
    share: float
    window: Window | None = None
    tells_end: bool = False
    is_heard: bool = True
    resets_at: datetime | None = None
    made: int = 0
    calls: int = 0
    grant: Grant | None = None
    answered: tuple[Answered, ...] = ()

    @property
    def length_seconds(self) -> float:
        """How long it is, where nobody says when it ends."""
        if self.window is None:
            return ASSUMED_SECONDS
        if self.window.at_most is not None:
            return self.window.seconds
        return self.window.lasts_seconds or ASSUMED_SECONDS

    def ends_at(self, now: datetime) -> datetime | None:
        """When it begins anew, as far as that is known."""
        if self.window is not None and self.window.is_day:
            midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight + timedelta(days=1)
        if self.window is not None and (self.window.lasts_seconds is not None or self.window.at_most):
            return None
        return self.resets_at if self.resets_at is not None and self.resets_at > now else None

    def is_told(self, now: datetime) -> bool:
        """Whether calls are counted in a stretch whose end is the vendor's word."""
        return self.grant is not None and self.grant.is_told and now < self.grant.until_at

    def outlasts(self, ends_at: datetime, now: datetime) -> bool:
        """Whether calls of the stretch may be made when the window has ended, so that it can't be said to end with it."""
        until_at = self.grant.until_at if self.grant is not None else now
        return not self.is_told(now) and max(now, until_at) >= ends_at - GUARD

    def has(self, now: datetime) -> bool:
        """Whether a call of it can be made."""
        return self.calls > 0 and self.grant is not None and now < self.grant.until_at

    def taken(self, now: datetime) -> int:
        """What all processes have taken, as far as we know; what we hold is not used."""
        if self.grant is None or now >= self.grant.over_at:
            return 0
        return self.grant.taken - self.calls

    def want(self, calls: int, now: datetime) -> Want:
        """Ask for calls; whatever is held is given back, also if that is never heard: it is not made any more."""
        unused = None
        if self.calls and self.grant is not None and self.grant.began_at is not None:
            unused = Unused(self.grant.began_at, self.calls)
        answered, self.calls, self.answered = self.answered, 0, ()
        return Want(
            name=self.name,
            limit=self.limit,
            share=self.share,
            calls=calls,
            made=self.made,
            ends_at=self.ends_at(now),
            length_seconds=self.length_seconds,
            unused=unused,
            answered=answered,
        )


class Shares:
    """The windows of one account of which we keep a share. Calls may be made side by side."""

    def __init__(self, settings: BudgetSettings, budgets: Budgets, calls: SharedCalls, clock: Clock) -> None:
        self._settings = settings
        self._budgets = budgets
        self._calls = calls
        self._clock = clock
        self._declared = {one.name: one for one in settings.windows}
        self._windows: dict[str, _Shared] = {}
        for one in settings.windows:
            limit = one.at_most if one.at_most is not None else one.limit
            if limit is not None:
                self._hear(one.name, limit, is_left_told=one.tells_left)
        self._has_begun = False
        self._has_heard = False
        self._lock = asyncio.Lock()
        self._depth = self._asked = 0
        self._ahead = 1

    async def admit(self, system: str) -> Counted:
        """Have a call that is about to be made counted in each window; returns of which stretch of each, for `heard`.

        Raises:
            Blind: our share of a window is used up; says until when.
            Uncounted: what all processes took is not known: the store can't be read.
        """
        async with self._lock:
            await self._begin()
            now = self._clock.now()
            wanted = [one for one in self._windows.values() if not one.has(now)]
            if wanted:
                await self._take([(one, self._chunk(one, now)) for one in wanted], now)
            for one in self._windows.values():
                if not one.has(now):
                    raise self._used_up(system, one, now)
            for one in self._windows.values():
                one.calls -= 1
            self._asked += 1
            return {
                one.name: one.grant.began_at
                for one in self._windows.values()
                if one.grant is not None and one.grant.began_at is not None
            }

    async def heard(self, counted: Counted) -> None:
        """Take into account what the last answer has told, of a call that was counted in these windows.

        A window that was not known counts the call now; of one whose end was not known, it is said to all. Where that end
        is too near for the stretch, as it is in windows of a second, the call itself counts to it, and no longer.
        """
        told, ends = self._budgets.told(), self._budgets.ends()  # before another call's answer is the last
        async with self._lock:  # what a call that is being admitted meanwhile knows of must not change
            for each in told:
                if each.limit is not None:
                    self._hear(each.name, each.limit, is_left_told=each.left is not None, told=each)
            self._has_heard = True
            for name in [name for name, one in self._windows.items() if not one.is_heard]:
                del self._windows[name]  # no answer tells of it any more
            now = self._clock.now()
            late = []
            for one in self._windows.values():
                began_at = counted.get(one.name)
                if began_at is None:
                    one.made += 1
                    late.append((one, 0))
                elif one.tells_end and one.name in ends and one.outlasts(ends[one.name], now):
                    one.answered += (Answered(began_at, ends[one.name]),)
                elif one.made or (one.tells_end and not one.is_told(now) and one.ends_at(now) is not None):
                    late.append((one, 0))
            with suppress(Uncounted):  # it is counted with the next call, of which there is none before that
                if late:
                    await self._take(late, now)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """What is asked within is one look, or one removal; what was taken ahead is given back at its end."""
        if self._depth == 0:
            self._asked = 0
        self._depth += 1
        try:
            yield
        except asyncio.CancelledError:
            self._depth -= 1
            raise
        except BaseException:
            self._depth -= 1
            await self.rest()
            raise
        self._depth -= 1
        await self.rest()

    async def rest(self) -> None:
        """Give back what will not be asked now; what can't be given back counts until it expires."""
        if self._depth:
            return
        self._ahead = max(1, self._asked)
        async with self._lock:
            held = [(one, 0) for one in self._windows.values() if one.calls or one.answered]
            with suppress(Uncounted):
                if held:
                    await self._take(held, self._clock.now())

    def seen(self, told: Sequence[Budget]) -> tuple[Budget, ...]:
        """The windows that answers tell of, with what we may use of them, and those that are counted here."""
        now = self._clock.now()
        found = []
        for one in told:
            shared = self._windows.get(one.name)
            usable = None if shared is None else self._most(shared) - shared.taken(now)
            found.append(one if usable is None else replace(one, usable=max(0, usable)))
        names = {one.name for one in told if one.left is not None}
        counted = [one for one in self._windows.values() if one.name not in names and one.is_heard]
        lacking = {one.name for one in counted}
        return (
            *(one for one in found if one.name not in lacking),
            *(self._counted(one, now) for one in counted),
        )

    def states(self) -> list[str]:
        """What `check` says of each window of which a share is kept."""
        now = self._clock.now()
        return [
            f"{one.name}: of {one.limit} requests all processes on this store may make {self._most(one)} together"
            f" ({one.share:.0%}), and have made {one.taken(now)}"
            for one in self._windows.values()
        ]

    @staticmethod
    def _most(one: _Shared) -> int:
        return Want(one.name, one.limit, one.share).most

    def _counted(self, one: _Shared, now: datetime) -> Budget:
        taken = one.taken(now)
        ends_at = one.ends_at(now)
        if ends_at is None:
            is_running = one.grant is not None and taken and one.grant.free_at > now
            ends_at = (
                one.grant.free_at
                if one.grant is not None and is_running
                else now + timedelta(seconds=one.length_seconds)
            )
        left, usable = max(0, one.limit - taken), max(0, self._most(one) - taken)
        return Budget(one.name, left, one.limit, ends_at, usable)

    def _hear(self, name: str, limit: int, *, is_left_told: bool, told: Budget | None = None) -> None:
        """A window has so many requests. What is left of it for others is kept by what is left, where that is told."""
        share = self._settings.share_of(limit, is_left_told=is_left_told)
        window = self._declared.get(name)
        one = self._windows.get(name)
        if one is None:
            if share >= 1 and is_left_told:
                return
            one = self._windows[name] = _Shared(name, limit, share, window)
            one.tells_end = window is not None and window.tells_end
        one.limit, one.share, one.is_heard = limit, share, True
        if told is not None and told.resets_at is not None:
            is_ours = window is not None and (window.is_day or window.lasts_seconds is not None)
            one.resets_at, one.tells_end = told.resets_at, not is_ours

    async def _begin(self) -> None:
        """What other processes know of the windows, before the first answer tells this one."""
        if self._has_begun:
            return
        if self._settings.own_share < 1:
            for one in await self._calls.stretches(self._settings.account):
                if one.name in self._windows or self._has_heard:
                    continue
                window = self._declared.get(one.name)
                self._windows[one.name] = _Shared(
                    one.name, one.limit, self._settings.own_share, window, tells_end=True, is_heard=False
                )
        self._has_begun = True

    def _chunk(self, one: _Shared, now: datetime) -> int:
        if one.tells_end and one.ends_at(now) is None:
            return 1
        return min(_MOST_AHEAD, max(1, self._ahead - self._asked, self._asked // 2))

    async def _take(self, wanted: Sequence[tuple[_Shared, int]], now: datetime) -> None:
        wants = [one.want(calls, now) for one, calls in wanted]
        grants = await self._calls.take_calls(self._settings.account, wants, now=now)
        for (one, _), want, grant in zip(wanted, wants, grants, strict=True):
            one.made -= want.made
            one.calls, one.grant = grant.calls, grant

    def _used_up(self, system: str, one: _Shared, now: datetime) -> Blind:
        grant = one.grant
        wait = (grant.free_at - now).total_seconds() if grant is not None else one.length_seconds
        why = f"{one.taken(now)} of them were ours, of all processes together, of which {self._most(one)} may be ({one.share:.0%})"
        left = max(0, one.limit - one.taken(now))
        told = next((told for told in self._budgets.told() if told.name == one.name), None)
        if told is not None and told.left is not None:
            left = told.left
        return spent(system, Budget(one.name, left, one.limit, None), why, max(0.0, wait))
