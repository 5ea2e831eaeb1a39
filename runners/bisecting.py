"""Bisect: when an incident opens past the mail server, one canary goes straight to the place behind the mail platform."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

from canary.alert import said_of
from canary.hop import Hop
from canary.incident import Bisected, Incident, IncidentKind
from canary.learnt import note_bisected
from canary.path import PathName, Reply, bisect_name
from canary.slot import Slot
from probes.contracts import Clock
from runners.alerting import Alerting
from runners.config.config import Config, PathConfig
from runners.config.sending import EmailConfig
from runners.contracts import CanaryQuery, SettlementConflict, Store
from runners.launch import LEASE, Order
from runners.prober import Prober
from runners.progress import Progress

ROUND_SECONDS = 15.0
SINCE = timedelta(minutes=30)
"""An incident that opened longer ago gets no bisect canary any more: nobody was there to send it in time."""
_ASKS = frozenset({Hop.MAILBOX_ARRIVAL, Hop.TICKET_CREATED})
_TRIES = 8


def with_bisects(config: Config) -> Config:
    """The configuration with a hidden path, launched by nothing but an incident, for each that names a place to bisect."""
    hidden = {
        bisect_name(name): _hidden(one, one.sending, one.sending.bisect_to)
        for name, one in config.paths.items()
        if isinstance(one.sending, EmailConfig) and one.sending.bisect_to is not None
    }
    return replace(config, paths=MappingProxyType({**config.paths, **hidden})) if hidden else config


def _hidden(path: PathConfig, sending: EmailConfig, to: str) -> PathConfig:
    hops = tuple(hop for hop in path.path.route if hop not in {Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED})
    return replace(
        path,
        path=replace(
            path.path,
            name=bisect_name(path.path.name),
            route=hops,
            reply=Reply.IGNORED,
            mailbox=None,
            interval_seconds=None,
            budgets=MappingProxyType({}),
        ),
        schedule=None,
        jitter_seconds=0.0,
        target=to,
        sending=replace(sending, to=to, bisect_to=None),
    )


class Bisecting:
    """Sends the bisect canaries, and writes into the incident what they came to.

    Any number of processes may do so: the canary's slot is the moment at which the incident opened, and only one can
    claim it.
    """

    def __init__(
        self,
        prober: Prober,
        store: Store,
        *,
        alerting: Alerting,
        clock: Clock,
        progress: Progress,
        holder: str,
        launch: Callable[[Order], Awaitable[None]],
    ) -> None:
        """Keep the parts; ``launch`` records and sends a canary, ``holder`` is this process as no other is called."""
        self._prober = prober
        self._store = store
        self._alerting = alerting
        self._clock = clock
        self._progress = progress
        self._holder = holder
        self._launch = launch

    async def run(self) -> None:
        """Look after the open incidents, for ever; cancel it to stop.

        Raises:
            StoreError: the store can't be read or written.
        """
        while True:
            if any(bisect_name(name) in self._prober.paths for name in self._prober.paths):
                await self.round()
            await self._clock.sleep(ROUND_SECONDS)

    async def round(self) -> None:
        """Send what is to be sent, and note what came of what was sent."""
        for incident in await self._store.open_incidents():
            wanted = incident.is_open and incident.kind is IncidentKind.TARGET and incident.bisected is None
            if wanted and bisect_name(incident.path) in self._prober.paths and incident.stop.hop in _ASKS:
                await self._look_after(incident)

    async def _look_after(self, incident: Incident) -> None:
        hidden = bisect_name(incident.path)
        sent = [
            one
            for one in await self._store.canaries(
                CanaryQuery(path=hidden, since=incident.opened_at - timedelta(minutes=1), limit=50)
            )
            if one.canary.slot_at == incident.opened_at
        ]
        if not sent:
            await self._send(incident, hidden)
            return
        said = said_of(sent[0].verdict)
        if said is not None:
            await self._note(incident, Bisected(sent[0].canary.id, said))

    async def _send(self, incident: Incident, hidden: PathName) -> None:
        now = self._clock.now()
        if now - incident.opened_at > SINCE:
            return
        slot = Slot(hidden, incident.opened_at)
        is_ours = await self._store.claim(slot, holder=self._holder, at=now)
        if not is_ours and not await self._store.take_slot(
            slot, holder=self._holder, claimed_before=now - LEASE, at=now
        ):
            return
        self._progress.note(
            f"{incident.path}: a canary goes past the mail platform, to see where requests stop"
        )
        path = self._prober.paths[hidden]
        await self._launch(Order(path, self._prober.senders[hidden][0], incident.opened_at))

    async def _note(self, incident: Incident, bisected: Bisected) -> None:
        for _ in range(_TRIES):
            progress, version = await self._store.progress(incident.path)
            grown, changes = note_bisected(progress, incident.id, bisected)
            if not changes:
                return
            alerts = (await self._alerting.situation()).take(changes)
            try:
                await self._store.store_progress(
                    incident.path,
                    grown,
                    version=version,
                    changes=changes,
                    at=self._clock.now(),
                    alerts=alerts,
                )
            except SettlementConflict:
                continue
            for change in changes:
                self._progress.changed(change)
            return
