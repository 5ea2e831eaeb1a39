"""A configuration and a store with a history, for commands that read."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path as FilePath

from canary.canary import Canary, Token, new_canary
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.incident import Settled, step
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome, Relay
from canary.path import Path
from canary.reason import Reason
from canary.signature import mint_id, mint_token
from canary.ticket import Ticket, TicketId, TicketRef
from canary.verdict import Judgement, Verdict, judge
from runners.clock import SystemClock
from runners.config.config import Config
from runners.contracts import AuditEntry, RemovalKind, Settlement, Store, TriedRemoval
from runners.store import open_store
from tests.unit.runners.config.examples import FULL, read

KEY = b"signing-key-of-32-bytes-for-test"
REF = TicketRef("desk", TicketId("17"), "https://desk.acme.example/tickets/17/")
SECONDS = timedelta(seconds=1)


class History:
    """Writes canaries into a store as a run would."""

    def __init__(self, folder: FilePath, text: str = FULL) -> None:
        self.config: Config = read(folder, text)
        self.file = folder / "intake.yaml"
        self.now = SystemClock().now()
        self._count = 0

    @property
    def path(self) -> Path:
        """The first path."""
        return next(iter(self.config.paths.values())).path

    def canary(self, launched_at: datetime, path: Path | None = None) -> Canary:
        """A new canary."""
        self._count += 1
        chosen = path or self.path
        canary_id = mint_id(launched_at, self._count.to_bytes(4, "big"))
        return new_canary(
            chosen,
            canary_id=canary_id,
            token=Token(mint_token(canary_id, chosen.name, KEY)),
            marker="intakecanary",
            sender="canary@probe.example",
            prober="fra-1",
        )

    async def settled(
        self, store: Store, canary: Canary, seen: Sequence[Observation], *, at: datetime
    ) -> Judgement:
        """Record, observe and judge a canary."""
        path = self.config.paths[canary.path].path
        await store.record(canary, holder="test", lease_until=canary.launched_at + timedelta(minutes=1))
        for one in seen:
            await store.append(one)
        await store.launch_ended(canary.id)
        judgement = judge(path, canary, await store.observations(canary.id), at)
        progress, version = await store.progress(path.name)
        settled_at = judgement.settled_at or at
        fact = Settled(canary.id, canary.launched_at, settled_at, judgement.verdict, judgement.stop)
        after, changes = step(path.name, path.incidents, progress, fact)
        await store.settle(
            Settlement(judgement, Verdict.PENDING, after, version, changes, settled_by="test", at=at)
        )
        return judgement


def passed(canary: Canary, hop: Hop, begin: float, end: float, **more: object) -> Observation:
    """A hop that went well."""
    return Observation(
        canary_id=canary.id,
        hop=hop,
        outcome=Outcome.OK,
        evidence=Evidence.OBSERVED,
        began_at=canary.launched_at + begin * SECONDS,
        ended_at=canary.launched_at + end * SECONDS,
        seconds=end - begin,
        **more,  # type: ignore[arg-type]  # the tests' own shorthand
    )


def good(canary: Canary) -> list[Observation]:
    """A canary that came through."""
    ticket = Ticket(REF)
    relay = Relay("mx.acme.example", "smtp.probe.example", "ESMTPS", "4F2", None, 0.4)
    return [
        passed(canary, Hop.DNS, 0, 0.01),
        passed(canary, Hop.SMTP_CONNECT, 0.01, 0.03),
        passed(canary, Hop.SMTP_TLS, 0.03, 0.05),
        passed(canary, Hop.SMTP_AUTH, 0.05, 0.08),
        passed(canary, Hop.SMTP_ACCEPT, 0.08, 0.3),
        passed(canary, Hop.MAILBOX_ARRIVAL, 0.3, 1.2, relays=(relay,), place="support"),
        passed(canary, Hop.TICKET_CREATED, 1.2, 2.5, ticket=ticket, place="desk"),
        passed(canary, Hop.TICKET_CONTENT, 1.2, 2.6, ticket=ticket, place="desk"),
        passed(canary, Hop.REPLY_RECEIVED, 1.2, 3.5, place="canary"),
    ]


def vanished(canary: Canary) -> list[Observation]:
    """A canary that was accepted and never became a ticket."""
    begin = canary.deadline_at + SECONDS
    return [
        *good(canary)[:5],
        *[
            Observation(
                canary_id=canary.id,
                hop=hop,
                outcome=Outcome.UNKNOWN,
                evidence=Evidence.OBSERVED,
                began_at=begin,
                ended_at=begin + SECONDS,
                reason=Reason.NOT_SEEN,
                place=place,
                look=LookFacts(Depth.DEADLINE, is_complete=True),
            )
            for hop, place in ((Hop.MAILBOX_ARRIVAL, "support"), (Hop.TICKET_CREATED, "desk"))
        ],
    ]


def fill(folder: FilePath, *, broken: bool, text: str = FULL) -> History:
    """A store with one confirmed canary and, if asked for, two breached ones after it."""
    history = History(folder, text)

    async def write() -> None:
        async with open_store(history.config.prober.store_url, clock=SystemClock(), prober="fra-1") as store:
            first = history.canary(history.now - timedelta(minutes=45))
            await history.settled(store, first, good(first), at=history.now - timedelta(minutes=44))
            if broken:
                for minutes in (35, 25):
                    canary = history.canary(history.now - timedelta(minutes=minutes))
                    at = canary.deadline_at + 3 * SECONDS
                    await history.settled(store, canary, vanished(canary), at=at)
            entry = AuditEntry(
                history.now, "fra-1", first.id, RemovalKind.TICKET, "desk", "17", "close", "done", ""
            )
            await store.note_removed(TriedRemoval(entry, next_at=None))
            reading = Gauge(
                "support",
                GaugeName.MAILBOX_CAPACITY,
                512.0,
                "By",
                1024.0,
                history.now,
                GaugeState.OK,
                Resource.STORAGE,
            )
            await store.add_gauges([reading])

    asyncio.run(write())
    return history
