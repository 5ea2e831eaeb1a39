"""Read what waits in a mailbox to be fetched (gauge `mailbox.backlog`): how many messages, and since when."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from canary.gauge import Gauge, GaugeName, GaugeState
from probes.contracts import Clock
from probes.mailbox.connection import Connection
from probes.mailbox.failure import MailboxUnreadable
from probes.mailbox.settings import BacklogSettings, MailboxSettings
from probes.mailbox.visits import Visits
from probes.masking import Masker

OLDEST: Final = 100
"""So many messages with the lowest UIDs are asked for their arrival. UIDs rise in the order of arrival, but for mails
that were moved or copied into the folder later."""


class MailboxBacklogReader:
    """Satisfies `probes.contracts.GaugeReader`. It changes no flag: EXAMINE, SEARCH and arrivals alone.

    Args:
        settings: the mailbox.
        backlog: where and how what waits is searched.
        clock: the only source of time.
        masker: what no detail may show.
        visits: the connection that it shares with who reads the same mailbox at that time; None: its own.
    """

    def __init__(
        self,
        settings: MailboxSettings,
        backlog: BacklogSettings,
        *,
        clock: Clock,
        masker: Masker,
        visits: Visits | None = None,
    ) -> None:
        self._settings = settings
        self._backlog = backlog
        self._clock = clock
        self._masker = masker
        self._visits = visits or Visits(settings, clock=clock)

    @property
    def place(self) -> str:
        """The mailbox's name in the configuration."""
        return self._settings.place

    @property
    def name(self) -> GaugeName:
        """What it reads."""
        return GaugeName.MAILBOX_BACKLOG

    async def read(self) -> Sequence[Gauge]:
        """Count now; a mailbox that can't be read, or a search that it refuses, is a gauge in state ``unknown``."""
        read_at = self._clock.now()
        try:
            async with self._visits.session() as session:
                count, oldest_at = await session.run(
                    self._count, doing=f"search {self._backlog.criteria}", is_urgent=True
                )
        except MailboxUnreadable as error:
            detail = self._masker.detail(str(error))
            return [self._gauge(None, None, read_at, state=GaugeState.UNKNOWN, detail=detail)]
        return [self._gauge(count, oldest_at, read_at, state=GaugeState.OK, detail="")]

    def _count(self, connection: Connection) -> tuple[int, datetime | None]:
        connection.examine(self._backlog.folder)
        uids = connection.search(self._backlog.criteria)
        arrivals = connection.arrivals(uids[:OLDEST])
        return len(uids), min(arrivals, default=None)

    def _gauge(
        self,
        count: int | None,
        oldest_at: datetime | None,
        read_at: datetime,
        *,
        state: GaugeState,
        detail: str,
    ) -> Gauge:
        return Gauge(
            place=self.place,
            name=GaugeName.MAILBOX_BACKLOG,
            value=count,
            unit="{message}",
            limit=None,
            read_at=read_at,
            state=state,
            detail=detail,
            oldest_at=oldest_at,
        )
