"""The verbs of the store that are about alerts, each one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from functools import partial

from canary.alert import Subject
from canary.review import Standing
from canary.silence import Silence, SilenceId
from runners.alert_contracts import AlertStep, Opening, OutboxState, Outgoing, RefusedEnd
from runners.store import openings, outbox, silences, standings
from runners.store.connecting import Database


class SqlAlerts:
    """Satisfies `runners.alert_contracts.AlertStore`; a part of `SqlStore`."""

    _database: Database

    async def standings(self) -> Mapping[Subject, tuple[Standing | None, int]]:
        """What was told of each subject, and its version."""
        return await self._database.read(standings.standings)

    async def store_alerts(self, *steps: AlertStep, at: datetime) -> None:
        """Store what reviews came to; outlives a loss of power. Raises `SettlementConflict`."""
        if steps:
            await self._database.write(partial(standings.store, steps=steps, at=at), is_durable=True)

    async def claim_alerts(
        self, now: datetime, *, sinks: Sequence[str], holder: str, lease_until: datetime, limit: int
    ) -> Sequence[Outgoing]:
        """Take due messages for a while, in the order of each key."""
        work = partial(
            outbox.claim_alerts, now=now, sinks=sinks, holder=holder, lease_until=lease_until, limit=limit
        )
        return await self._database.write(work)

    async def renew_alert(self, alert_id: str, *, holder: str, lease_until: datetime) -> bool:
        """Keep a message for longer; whether it is still that holder's."""
        work = partial(outbox.renew_alert, alert_id=alert_id, holder=holder, lease_until=lease_until)
        return await self._database.write(work)

    async def alert_delivered(
        self, alert_id: str, *, at: datetime, refused: str | None = None, wakes_others: bool = False
    ) -> None:
        """A message arrived, perhaps not for everybody."""
        work = partial(
            outbox.alert_delivered, alert_id=alert_id, at=at, refused=refused, wakes_others=wakes_others
        )
        await self._database.write(work)

    async def alert_deferred(
        self, alert_id: str, *, next_at: datetime, error: str, holder: str | None = None
    ) -> None:
        """A message is to be tried again then."""
        work = partial(outbox.alert_deferred, alert_id=alert_id, next_at=next_at, error=error, holder=holder)
        await self._database.write(work)

    async def pause_sink(self, sink: str, *, at: datetime, until: datetime) -> None:
        """A sink asked to be left alone until then."""
        await self._database.write(partial(outbox.pause_sink, sink=sink, at=at, until=until))

    async def alert_given_up(
        self, alert_id: str, *, at: datetime, error: str, holder: str | None = None
    ) -> None:
        """A sink will never take a message."""
        work = partial(outbox.alert_given_up, alert_id=alert_id, at=at, error=error, holder=holder)
        await self._database.write(work)

    async def give_up_alerts(
        self, *, but: Collection[str], before: datetime, at: datetime, error: str
    ) -> int:
        """Give up what is pending for any sink but these and was written before that time."""
        work = partial(outbox.give_up_alerts, but=but, before=before, at=at, error=error)
        return await self._database.write(work)

    async def page_openings(self, keys: Collection[str]) -> Sequence[Opening]:
        """What opened the pages of these keys, a message each sink; of what is not yet over."""
        return await self._database.read(partial(openings.page_openings, keys=keys))

    async def refused_ends(self, since: datetime) -> Sequence[RefusedEnd]:
        """What ended since then and was refused for good, of what the sink knows of."""
        return await self._database.read(partial(openings.refused_ends, since=since))

    async def try_again(self, alert_ids: Collection[str], *, at: datetime) -> None:
        """Have messages that were given up delivered once more."""
        await self._database.write(partial(openings.try_again, alert_ids=alert_ids, at=at))

    async def outbox(self, *, dead_since: datetime | None = None) -> Mapping[str, OutboxState]:
        """What waits for each sink, and what was written since then and is dead or partial."""
        return await self._database.read(partial(outbox.outbox_states, dead_since=dead_since))

    async def pages_since(self, since: datetime, *, until: datetime) -> int:
        """How many concerns were opened as a page in that time."""
        return await self._database.read(partial(outbox.pages_since, since=since, until=until))

    async def add_silence(self, silence: Silence) -> None:
        """Keep a silence."""
        await self._database.write(partial(silences.add, one=silence))

    async def end_silence(self, silence_id: SilenceId, *, at: datetime) -> bool:
        """End a silence before its time; whether there was one that had not ended."""
        return await self._database.write(partial(silences.end, silence_id=silence_id, at=at))

    async def silences(self, now: datetime) -> Sequence[Silence]:
        """Those that are in force or still to come."""
        return await self._database.read(partial(silences.current, now=now))
