"""A connection for those who read a mailbox now and then: one for all who are there at the same time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from probes.contracts import Clock
from probes.mailbox.session import Session
from probes.mailbox.settings import MailboxSettings
from probes.tls import Contexts


class Visits:
    """Opened by whoever comes first, closed when the last has left.

    So each reading begins with a login of its own, as the quota needs (an open session of some servers keeps the old
    limit), and two gauges of a mailbox that are read side by side cost one login. Work is urgent there: what one of
    them was refused says nothing about the other, so it tries for itself.
    """

    def __init__(self, settings: MailboxSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._contexts = Contexts()
        self._session: Session | None = None
        self._visitors = 0

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """The session, for as long as the scope lasts. Cancellable."""
        if self._session is None:
            self._session = Session(
                self._settings.server, self._settings.limits, clock=self._clock, contexts=self._contexts
            )
        session = self._session
        self._visitors += 1
        try:
            yield session
        finally:
            self._visitors -= 1
            if self._visitors == 0:
                self._session = None
                await session.aclose()
