"""Hears what looks that are made anyway show of tickets that are not ours: counts and times, no call more."""

from collections import deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket
from canary.traffic import Strangers, Watched
from probes.contracts import Budget, Check, Clock, Disposal, Disposed, Look, TicketingSystem

SETTLING_SECONDS: Final = 5.0
"""A ticket that is younger than this may be on its way into the table: the next look counts it."""
SAME_SKEW_SECONDS: Final = 5.0
"""Two skews that differ by less are the same clock: a stamp is of a whole second, a call takes some."""
MOST_AHEAD_SECONDS: Final = 60.0
"""However far a system's clock is said to be ahead, no stretch reaches further beyond our now: what is once counted as
watched is not watched again, and one wrong ``Date`` would deafen us for as long as it is wrong."""
MOST_STRETCHES: Final = 16
MOST_TICKETS: Final = 50_000
"""More are not kept between two times that they are asked for; then the older stretch is let go, which is a gap."""


class Listening:
    """A `TicketingSystem` that passes everything on to another, and remembers when strangers' tickets came."""

    def __init__(self, system: TicketingSystem, clock: Clock) -> None:
        self._system = system
        self._clock = clock
        self._heard: deque[Watched] = deque(maxlen=MOST_STRETCHES)
        self._skew_seconds: float | None = None
        self._doubted: float | None = None

    @property
    def name(self) -> str:
        """The system's name in the configuration."""
        return self._system.name

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        """The system's own look; see `TicketingSystem.find`."""
        began_at = self._clock.now()
        look = await self._system.find(canaries, depth)
        if look.strangers is not None and look.skew_seconds is not None and self._heeds(look.skew_seconds):
            skew = timedelta(seconds=min(look.skew_seconds, MOST_AHEAD_SECONDS))
            until = began_at + skew - timedelta(seconds=SETTLING_SECONDS + look.lag_seconds)
            self._hear(look.strangers, until=until, skew_seconds=look.skew_seconds)
        return look

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        """The system's own disposal."""
        return await self._system.dispose(tickets, how)

    def budget(self) -> Sequence[Budget]:
        """The system's own budget."""
        return self._system.budget()

    async def check(self) -> Sequence[Check]:
        """The system's own checks."""
        return await self._system.check()

    def heard(self) -> tuple[Watched, ...]:
        """What was heard since it was last forgotten, oldest look first."""
        return tuple(self._heard)

    def forget(self, kept: Sequence[Watched]) -> None:
        """Forget what has been kept elsewhere; what was heard meanwhile stays."""
        self._heard = deque(
            (one for one in self._heard if not any(one is each for each in kept)), maxlen=MOST_STRETCHES
        )

    def _heeds(self, skew_seconds: float) -> bool:
        """Whether a skew is believed: a great one, or a great change of it, must be seen twice."""
        believed = self._skew_seconds if self._skew_seconds is not None else 0.0
        near = any(
            one is not None and abs(skew_seconds - one) <= SAME_SKEW_SECONDS
            for one in (believed, self._doubted)
        )
        if near:
            self._skew_seconds, self._doubted = skew_seconds, None
        else:
            self._doubted = skew_seconds
        return near

    def _hear(self, strangers: Strangers, *, until: datetime, skew_seconds: float) -> None:
        """One stretch more; where it goes on from the last one, the two become one, and no ticket is kept twice."""
        if strangers.since >= until:
            return
        watched = Watched(strangers.since, until, skew_seconds, strangers.created)
        joined = self._heard[-1].joined(watched) if self._heard else None
        if joined is not None and sum(map(len, joined.created.values())) <= MOST_TICKETS:
            self._heard[-1] = joined
        else:
            self._heard.append(watched)
