"""A small pretend intake for tests of the runners: one probe, one desk, no network. Not a proof of any protocol."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.hop import Channel, Hop, route
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.path import Path, PathName, Slo
from canary.reason import Reason
from canary.signature import CanaryId
from canary.slot import Slot, due_slot
from canary.ticket import Ticket, TicketId, TicketRef
from probes.contracts import ABOVE_CAP, Check, RemovalState, Removed, Report
from probes.masking import Masker
from runners.prober import Place, Prober
from tests.fakes.clock import FakeClock

KEY = b"0123456789abcdef0123456789abcdef"
SENDER = "canary@probe.example"


def email_path(
    name: str = "support-email", *, deadline_seconds: float = 60.0, interval_seconds: float | None = 600.0
) -> Path:
    return Path(
        name=PathName(name),
        channel=Channel.EMAIL,
        route=route(Channel.EMAIL, without=(Hop.MAILBOX_ARRIVAL, Hop.REPLY_RECEIVED)),
        slo=Slo(deadline_seconds=deadline_seconds, horizon_seconds=3600.0),
        interval_seconds=interval_seconds,
        ticketing="desk",
    )


@dataclass
class World:
    """What happens to a canary here: how soon its ticket comes, and what fails."""

    clock: FakeClock
    ticket_after_seconds: float | None = 2.0
    tickets_each: int = 1
    is_quarantined: bool | None = None
    desk_is_blind: bool = False
    removal: RemovalState = RemovalState.DONE
    removal_seconds: float = 0.0
    launch_seconds: float = 0.5
    launch_error: BaseException | None = None
    refusal: Reason | None = None
    no_connection: bool = False
    quit_seconds: float = 0.0
    """How long the launch still takes after its last hop."""
    last_words: Reason | None = None
    """A flaw of `smtp.auth` of which the launch speaks only at its very end."""
    sent: dict[CanaryId, Canary] = field(default_factory=dict)
    removed: list[CanaryId] = field(default_factory=list)
    looks: list[tuple[Depth, int]] = field(default_factory=list)

    def observation(self, canary: Canary, hop: Hop, outcome: Outcome = Outcome.OK) -> Observation:
        now = self.clock.now()
        return Observation(canary.id, hop, outcome, Evidence.OBSERVED, now, now, seconds=0.0, place="world")


class FakeProbe:
    """Reports the launch hops as passed, unless the world says otherwise."""

    channel = Channel.EMAIL

    def __init__(self, world: World) -> None:
        self._world = world

    async def launch(self, canary: Canary, report: Report) -> None:
        world = self._world
        await report(world.observation(canary, Hop.DNS))
        await world.clock.sleep(world.launch_seconds)
        if world.launch_error is not None:
            raise world.launch_error
        if world.no_connection:
            refused = world.observation(canary, Hop.SMTP_CONNECT, Outcome.FAILED)
            await report(replace(refused, reason=Reason.REFUSED, rules_out_ticket=True))
            return
        for hop in (Hop.SMTP_CONNECT, Hop.SMTP_TLS, Hop.SMTP_AUTH):
            if hop is not Hop.SMTP_AUTH or world.last_words is None:
                await report(world.observation(canary, hop))
        accepted = world.observation(canary, Hop.SMTP_ACCEPT)
        if world.refusal is not None:
            accepted = replace(accepted, outcome=Outcome.FAILED, reason=world.refusal, rules_out_ticket=True)
        else:
            world.sent[canary.id] = canary
        await report(accepted)
        await world.clock.sleep(world.quit_seconds)
        if world.last_words is not None:
            await report(replace(world.observation(canary, Hop.SMTP_AUTH), reason=world.last_words))

    async def check(self) -> Sequence[Check]:
        return ()


class FakeDeskWatcher:
    """Sees the tickets of the world; one poll a second."""

    def __init__(self, world: World, place: str = "desk") -> None:
        self._world = world
        self.place = place

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        world = self._world
        world.looks.append((depth, len(canaries)))
        for canary in canaries:
            tickets = self._tickets(canary) if not world.desk_is_blind else []
            now = world.clock.now()
            facts = LookFacts(depth, is_complete=not world.desk_is_blind, is_blind=world.desk_is_blind)
            if not tickets:
                reason = Reason.TICKET_API_UNREADABLE if world.desk_is_blind else Reason.NOT_SEEN
                seen = Observation(
                    canary.id,
                    Hop.TICKET_CREATED,
                    Outcome.UNKNOWN,
                    Evidence.OBSERVED,
                    now,
                    now,
                    reason=reason,
                    place=self.place,
                    look=facts,
                )
                await report(seen)
            for ticket in tickets:
                created = replace(
                    world.observation(canary, Hop.TICKET_CREATED),
                    ticket=ticket,
                    place=self.place,
                    look=facts,
                    remote_at=ticket.remote_created_at,
                    skew_seconds=0.0,
                )
                await report(created)
                await report(replace(created, hop=Hop.TICKET_CONTENT))

    def _tickets(self, canary: Canary) -> list[Ticket]:
        world = self._world
        if canary.id not in world.sent or world.ticket_after_seconds is None:
            return []
        created_at = canary.launched_at + timedelta(seconds=world.ticket_after_seconds)
        if world.clock.now() < created_at:
            return []
        return [
            Ticket(
                TicketRef(self.place, TicketId(f"{canary.id}-{n}")),
                requester=canary.sender,
                remote_created_at=created_at,
                is_quarantined=world.is_quarantined,
            )
            for n in range(world.tickets_each)
        ]

    async def news(self) -> None:
        await self._world.clock.sleep(1.0)

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        await self._world.clock.sleep(self._world.removal_seconds)
        if self._world.desk_is_blind:
            return [
                Removed(one, "ticket", self.place, "", RemovalState.FAILED, "no answer") for one in canaries
            ]
        found: list[Removed] = []
        for canary in canaries:
            self._world.removed.append(canary.id)
            for ticket in self._tickets(canary):
                is_above = len(found) >= at_most
                state = RemovalState.FAILED if is_above else self._world.removal
                detail = ABOVE_CAP if is_above else ""
                found.append(Removed(canary, "ticket", self.place, ticket.ref.id, state, detail))
        return found


def prober_of(world: World, *paths: Path) -> Prober:
    known = paths or (email_path(),)
    probe = FakeProbe(world)
    return Prober(
        name="test",
        marker="intakecanary",
        paths={path.name: path for path in known},
        probes={path.name: probe for path in known},
        senders={path.name: (SENDER,) for path in known},
        places={"desk": Place(FakeDeskWatcher(world), Hop.TICKET_CONTENT)},
        sender_places={},
        gauges=(),
        keys=(KEY,),
        masker=Masker(),
        schedules={path.name: _every(path) for path in known if path.interval_seconds is not None},
    )


def _every(path: Path) -> Callable[[datetime], Slot | None]:
    interval = timedelta(seconds=path.interval_seconds or 0)
    return lambda now: due_slot(path.name, interval, now)
