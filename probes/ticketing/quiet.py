"""Leaves a system alone for as long as it asked for, whichever process it asked: the wish is kept in the store."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from canary.canary import Canary
from canary.hush import Hush
from canary.observation import Depth
from canary.ticket import Ticket, TicketState
from probes.contracts import (
    Blind,
    Budget,
    Check,
    CheckState,
    Clock,
    Disposal,
    Disposed,
    Glance,
    Look,
    RemovalState,
    Triable,
    Uncounted,
    View,
)
from probes.ticketing.budget import Spent
from probes.ticketing.shared_calls import SharedCalls

_READ_AGAIN_SECONDS: Final = 5.0
"""So often it is read whether another process was asked meanwhile."""


class LeftAlone(Blind):
    """Nothing was asked of a system, as it wants to be left alone for a while; with the status that asked for it."""

    def __init__(self, place: str, hush: Hush, now: datetime) -> None:
        left = (hush.until_at - now).total_seconds()
        super().__init__(hush.words(place, now), status=hush.status, retry_after_seconds=left)
        self.answered = hush.answered or hush.status
        self.hush = hush


class Quiet:
    """A `Triable` that passes everything on to another one, unless that wants to be left alone.

    A store that can't be read keeps nobody away: what this process was asked itself it knows all the same.
    """

    def __init__(self, system: Triable, shared: SharedCalls, *, account: str, clock: Clock) -> None:
        self._system = system
        self._shared = shared
        self._account = account
        self._clock = clock
        self._hush: Hush | None = None
        self._read_at: float | None = None

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        return self._system.name

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """The system's own look; see `TicketingSystem.find`."""
        await self._heed()
        try:
            look = await self._system.find(canaries, depth)
        except Blind as error:
            await self._note(error)
            raise
        await self._note(look.blinded_by)
        return look

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """The system's own disposal."""
        try:
            await self._heed()
        except Blind as error:
            return tuple(Disposed(one.ref, RemovalState.FAILED, str(error)) for one in tickets)
        return await self._system.dispose(tickets, how)

    def budget(self) -> Sequence[Budget]:
        """The system's own budget."""
        return self._system.budget()

    async def check(self) -> Sequence[Check]:
        """The system's own checks; or that it is not asked now."""
        try:
            await self._heed()
        except Blind as error:
            remedy = "Nothing is wrong with the configuration as far as this tells: check again then."
            return [Check(self.name, "ticket.search", CheckState.FAIL, str(error), remedy)]
        return await self._system.check()

    async def glance(self, since: datetime) -> Sequence[Glance]:
        """The system's own glance; or that it is not asked now."""
        try:
            await self._heed()
        except Blind as error:
            fault = str(error)
            bare = Glance(
                "", TicketState.TICKET, View.STRONG, 0.0, is_whole=False, fault=fault, is_unreadable=True
            )
            return [bare]
        return await self._system.glance(since)

    async def create(self, *, subject: str, body: str, requester: str) -> str:
        """Make a ticket; see `Triable.create`."""
        await self._heed()
        return await self._system.create(subject=subject, body=body, requester=requester)

    async def _heed(self) -> None:
        """Make sure that it may be asked.

        Raises:
            LeftAlone: it wants to be; says since when, and until when.
        """
        read_at, at = self._read_at, self._clock.monotonic()
        if read_at is None or at - read_at >= _READ_AGAIN_SECONDS:
            self._read_at = at
            with suppress(Uncounted):
                kept = await self._shared.hush(self._account)
                self._hush = kept.later(self._hush, self._clock.now()) if kept is not None else self._hush
        now = self._clock.now()
        if self._hush is not None and not self._hush.is_over(now):
            raise LeftAlone(self.name, self._hush, now)

    async def _note(self, error: Exception | None) -> None:
        if not isinstance(error, Blind) or not error.retry_after_seconds or _is_ours(error):
            return
        wait = error.retry_after_seconds
        self._hush = Hush.asked(self._clock.now(), wait, error.status, error.answered)
        with suppress(Uncounted):
            await self._shared.keep_hush(self._account, self._hush)


def _is_ours(error: Blind) -> bool:
    """Whether it is our own restraint, also where another blindness was made of it."""
    return isinstance(error, Spent | Uncounted) or isinstance(error.__cause__, Spent | Uncounted)
