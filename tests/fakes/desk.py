"""A ticketing system in memory: lists, hides, holds aside, refuses and delays as told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import find_tokens
from canary.ticket import Attachment, Ticket, TicketId, TicketRef, TicketState
from canary.traffic import Strangers, Way, way_of
from probes.contracts import (
    Blind,
    Budget,
    Check,
    CheckState,
    Clock,
    Disposal,
    DisposalAction,
    Disposed,
    Look,
    RemovalState,
    View,
)

LOOK_BACK = timedelta(minutes=5)


@dataclass(slots=True)
class FakeDesk:
    """Satisfies `TicketingSystem`.

    Attributes:
        raises: raised by the next looks and disposals, until it is taken away.
        blinded_by: what looks say hid a part of it; ``unread_until``: no more than tickets that were made until then.
        look_seconds: how long a look lasts.
        is_complete: what looks say of themselves.
        accepts_only: disposals are accepted and done only by `work_off`.
        refuses: ids of tickets that it won't dispose of.
        shows_strangers: whether wide looks say when tickets without a token were created.
        looks: the depth and the time of each look, and how many canaries it was for.
    """

    clock: Clock
    marker: str = "intakecanary"
    name: str = "desk"
    tag: str = "synthetic"
    tickets: dict[str, Ticket] = field(default_factory=dict)
    raises: Exception | None = None
    blinded_by: Exception | None = None
    unread_until: datetime | None = None
    look_seconds: float = 0.0
    is_complete: bool = True
    view: View = View.STRONG
    lag_seconds: float = 0.0
    skew_seconds: float | None = 0.0
    budgets: tuple[Budget, ...] = ()
    accepts_only: bool = False
    shows_strangers: bool = False
    refuses: set[str] = field(default_factory=set)
    looks: list[tuple[Depth, datetime, int]] = field(default_factory=list)
    disposals: list[str] = field(default_factory=list)
    promised: dict[str, Disposal] = field(default_factory=dict)

    def open_ticket(
        self,
        subject: str,
        body: str,
        requester: str,
        *,
        cause: str | None = None,
        message_id: str | None = None,
        channel: str | None = None,
        attachments: tuple[Attachment, ...] | None = (),
        tags: frozenset[str] = frozenset(),
    ) -> str:
        """A new ticket; with a cause it is held aside."""
        number = str(len(self.tickets) + 1)
        self.tickets[number] = Ticket(
            ref=TicketRef(self.name, TicketId(number)),
            state=TicketState.DIVERTED if cause is not None else TicketState.TICKET,
            subject=subject,
            body=body,
            requester=requester,
            remote_created_at=self.clock.now(),
            channel=channel,
            tags=tags,
            message_id=message_id,
            attachments=attachments,
            cause=cause,
        )
        return number

    async def find(self, canaries: Sequence[Canary], depth: Depth) -> Look:
        self.looks.append((depth, self.clock.now(), len(canaries)))
        await self.clock.sleep(self.look_seconds)
        self._refuse()
        tokens = {one.token for one in canaries}
        launched = [one.launched_at for one in canaries]
        since = min(launched) - LOOK_BACK if launched else self.clock.now() - timedelta(days=90)
        is_narrow = depth is Depth.POLL and bool(canaries)
        found = [
            ticket
            for ticket in self.tickets.values()
            if (ticket.remote_created_at is None or ticket.remote_created_at >= since)
            and not (is_narrow and (ticket.state is TicketState.DIVERTED or not ticket.is_open))
            and self._bears(ticket, tokens)
        ]
        strangers = self._strangers(since) if self.shows_strangers and not is_narrow else None
        return Look(
            tuple(found),
            self.view,
            self.lag_seconds,
            self.is_complete and self.blinded_by is None,
            since,
            self.skew_seconds,
            strangers,
            blinded_by=self.blinded_by,
            unread_until=self.unread_until,
        )

    async def dispose(self, tickets: Sequence[Ticket], how: Disposal) -> Sequence[Disposed]:
        try:
            self._refuse()
        except Blind as error:
            return [Disposed(one.ref, RemovalState.FAILED, str(error)) for one in tickets]
        return [self._disposed(one, how) for one in tickets]

    def work_off(self) -> None:
        """Do what was promised."""
        for number, how in self.promised.items():
            self._do(number, how)
        self.promised.clear()

    def budget(self) -> Sequence[Budget]:
        return self.budgets

    async def check(self) -> Sequence[Check]:
        try:
            self._refuse()
        except Blind as error:
            return (Check(self.name, "ticket.search", CheckState.FAIL, str(error), "renew the credential"),)
        return tuple(
            Check(self.name, name, CheckState.OK, "it does")
            for name in ("ticket.search", "ticket.close", "clock.skew")
        )

    def _strangers(self, since: datetime) -> Strangers:
        created: dict[Way, list[datetime]] = {}
        for one in self.tickets.values():
            text = f"{one.subject} {one.body} {one.message_id}"
            if one.remote_created_at is None or find_tokens(text) or self.marker in text:
                continue
            if one.remote_created_at >= since:
                created.setdefault(way_of(one.channel), []).append(one.remote_created_at)
        return Strangers(since, {way: tuple(several) for way, several in created.items()})

    def _refuse(self) -> None:
        if self.raises is not None:
            raise self.raises

    def _bears(self, ticket: Ticket, tokens: Collection[str]) -> bool:
        text = "\n".join((ticket.subject or "", ticket.body or "", ticket.message_id or ""))
        words = find_tokens(text)
        if tokens:
            return any(word in tokens for word in words)
        return bool(words) and (self.marker in text or self.tag in ticket.tags)

    def _disposed(self, ticket: Ticket, how: Disposal) -> Disposed:
        number = ticket.ref.id
        now = self.tickets.get(number)
        if now is None or (not now.is_open and how.tag in now.tags):
            return Disposed(ticket.ref, RemovalState.ABSENT, "already gone")
        if number in self.refuses:
            return Disposed(ticket.ref, RemovalState.FAILED, "refused")
        self.disposals.append(number)
        if self.accepts_only:
            self.promised[number] = how
            return Disposed(ticket.ref, RemovalState.ACCEPTED)
        self._do(number, how)
        return Disposed(ticket.ref, RemovalState.DONE)

    def _do(self, number: str, how: Disposal) -> None:
        if how.action is DisposalAction.DELETE:
            del self.tickets[number]
        else:
            before = self.tickets[number]
            self.tickets[number] = replace(before, is_open=False, tags=before.tags | {how.tag})
