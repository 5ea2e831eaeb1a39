"""Looks into one ticketing system for all canaries at once; verifies, compares, reports, and removes what is ours."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canary.canary import Canary
from canary.content import Finding, compare
from canary.gauge import Gauge
from canary.hop import Hop
from canary.observation import Depth, Evidence, LookFacts, Observation, Outcome
from canary.reason import Reason
from canary.requester import Standing, standing
from canary.signature import CanaryId, find_tokens, launched_at_of
from canary.ticket import Ticket, TicketState
from canary.trial import is_trials
from probes.contracts import (
    ABOVE_CAP,
    Blind,
    Check,
    Clock,
    Disposed,
    RemovalState,
    Removed,
    Report,
    TicketingSystem,
)
from probes.masking import Masker
from probes.reasons import answered, explain
from probes.servers import SecretUnavailable
from probes.ticketing.api_gauge import Answer, api_gauges
from probes.ticketing.look_span import LookSpan, span_of, was_read
from probes.ticketing.pace import Pace
from probes.ticketing.settings import TicketWatcherSettings

KIND = "ticket"
_NOT_OURS_TO_TOUCH = (
    "its requester is not the canary's address: close it by hand, or list that address under `requesters:`"
)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A ticket with a token that verifies and a requester of ours, found without knowing its canary.

    Attributes:
        launched_at: as its token says, aware UTC.
        is_trial: `ticketing try --create` opened it.
    """

    canary_id: CanaryId
    launched_at: datetime
    ticket: Ticket
    is_trial: bool = False


class TicketWatcher:
    """One ticketing system as a `Watcher`. Keeps no fact of a canary: whatever it saw is in its reports."""

    def __init__(
        self, system: TicketingSystem, settings: TicketWatcherSettings, *, clock: Clock, masker: Masker
    ) -> None:
        self._system = system
        self._settings = settings
        self._clock = clock
        self._masker = masker
        self._pace = Pace(settings.pace, clock)
        self._turn = asyncio.Lock()
        self._answer: Answer | None = None

    @property
    def place(self) -> str:
        """The system's name in the configuration."""
        return self._system.name

    async def look(self, canaries: Sequence[Canary], depth: Depth, report: Report) -> None:
        """One look-up for all of them, at most one a second however often this is called.

        Reports `ticket.created` and `ticket.content` for each ticket of each canary, a look in vain for each that
        was not there, a blind look for each if the system can't be read. Never raises for what the system does.
        """
        if not canaries:
            return
        async with self._turn:
            if self._pace.hush_seconds > 0:
                now = self._clock.now()
                left = self._pace.left_alone(self.place)
                await self._report_blind(canaries, depth, left, began_at=now, report=report)
                return
            await self._pace.turn()
            began_at = self._clock.now()
            try:
                look = await self._system.find(canaries, depth)
            except (Blind, SecretUnavailable) as error:
                self._pace.was_blind(canaries, error if isinstance(error, Blind) else None)
                self._blinded(error)
                await self._report_blind(canaries, depth, error, began_at=began_at, report=report)
                return
            ended_at = self._clock.now()
            self._answer = Answer(ended_at)
            by_canary = self._by_canary(look.tickets, canaries)
            missing = [one for one in canaries if not _has_ticket(by_canary[one.id])]
            goes_on = look.walk is not None and look.walk.is_under_way
            self._pace.looked(canaries, missing, goes_on=goes_on)
            if look.blinded_by is not None:
                self._pace.was_refused(look.blinded_by)
                self._blinded(look.blinded_by)
                hidden = [one for one in canaries if not by_canary[one.id] and not look.is_complete_for(one)]
                await self._report_blind(hidden, depth, look.blinded_by, began_at=began_at, report=report)
                canaries = [one for one in canaries if one not in hidden]
        spans = {one.id: span_of(look, one, depth, began_at=began_at, ended_at=ended_at) for one in canaries}
        await report(
            *(seen for one in canaries for seen in self._seen(one, by_canary[one.id], spans[one.id]))
        )

    async def news(self) -> None:
        """Return when another look may pay; never, while nothing is outstanding. Cancellable."""
        wait = self._pace.wait_seconds(self._system.budget())
        if wait is None:
            await asyncio.Event().wait()
            return
        await self._clock.sleep(wait)

    async def remove(self, canaries: Sequence[Canary], *, at_most: int) -> Sequence[Removed]:
        """Find and dispose of the canaries' tickets: a verified token *and* a requester of ours, else not touched.

        Repeatable: a ticket that is closed already is answered as absent. A system that can't be read, or not
        whole, is answered as failed for each canary of which nothing was found; so is a ticket above ``at_most``.
        """
        how = self._settings.disposal
        if how is None or not canaries:
            return ()
        if self._pace.hush_seconds > 0:
            return tuple(self._not_removed(one, str(self._pace.left_alone(self.place))) for one in canaries)
        async with self._turn:
            await self._pace.turn()
            try:
                look = await self._system.find(canaries, Depth.DEADLINE)
            except (Blind, SecretUnavailable) as error:
                self._pace.was_refused(error)
                return tuple(self._not_removed(one, str(error)) for one in canaries)
        owners: dict[str, Canary] = {}
        tickets: list[Ticket] = []
        rewritten: list[Removed] = []
        by_canary = self._by_canary(look.tickets, canaries)
        for canary in canaries:
            for ticket in by_canary[canary.id]:
                match self._standing(canary, ticket):
                    case Standing.OURS | Standing.LISTED:
                        owners[ticket.ref.id] = canary
                        tickets.append(ticket)
                    case Standing.REWRITTEN | Standing.UNREADABLE if ticket.is_open:
                        left = Disposed(ticket.ref, RemovalState.FAILED, _NOT_OURS_TO_TOUCH)
                        rewritten.append(self._removed(canary, left))
                    case _:
                        pass  # a stranger's that bears our token: nothing of ours
        now, later = tickets[:at_most], tickets[at_most:]
        disposed = await self._system.dispose(now, how) if now else ()
        removed = [self._removed(owners[one.ref.id], one) for one in disposed] + rewritten
        removed += [
            self._removed(owners[one.ref.id], Disposed(one.ref, RemovalState.FAILED, ABOVE_CAP))
            for one in later
        ]
        unread = [one for one in canaries if not was_read(look, one)]
        if unread:
            found = {one.canary.id for one in removed}
            detail = "not all tickets could be read: it is not known whether one is left"
            removed += [self._not_removed(one, detail) for one in unread if one.id not in found]
        return tuple(removed)

    async def orphans(self) -> tuple[Sequence[Orphan], bool]:
        """Our leftovers of which no store knows: marker or tag, a token that verifies, a requester of ours.

        Only tickets that are still open; a trial's own is one whoever asked (`is_trials`). The caller leaves out those that its store knows, and young ones, which may be
        another prober's that are still out. With it, whether all tickets could be read.

        Raises:
            Blind: the system can't be read.
            SecretUnavailable: our credential can't be had.
        """
        async with self._turn:
            await self._pace.turn()
            look = await self._system.find((), Depth.DEADLINE)
        found = []
        for ticket in look.tickets:
            canary_id, token = self._owner(ticket)
            if canary_id is None or not ticket.is_open:
                continue
            is_trial = is_trials(ticket, canary_id, token)
            if is_trial or self._is_of_ours(ticket):
                found.append(Orphan(canary_id, launched_at_of(canary_id), ticket, is_trial))
        return tuple(found), look.is_complete

    async def remove_orphans(self, orphans: Sequence[Orphan]) -> Sequence[Disposed]:
        """Dispose of them; each is verified once more. With ``cleanup: none`` nothing is done."""
        how = self._settings.disposal
        if how is None:
            return ()
        ours = []
        for ticket, canary_id in ((one.ticket, one.canary_id) for one in orphans):
            owner, token = self._owner(ticket)
            if owner == canary_id and (self._is_of_ours(ticket) or is_trials(ticket, canary_id, token)):
                ours.append(ticket)
        return await self._system.dispose(ours, how) if ours else ()

    def gauges(self) -> Sequence[Gauge]:
        """The gauge `ticket.api` as the last look left it; none before there was one."""
        if self._answer is None:
            return ()
        return api_gauges(self.place, self._answer, self._system.budget())

    async def check(self) -> Sequence[Check]:
        """What `intake-prober check` says of this system; changes nothing."""
        return await self._system.check()

    def _blinded(self, error: Exception) -> None:
        """Nothing, or not all, could be seen: the gauge says so, too."""
        self._answer = Answer(self._clock.now(), _unread_by(error), self._masker.detail(str(error)))

    def _by_canary(
        self, tickets: Iterable[Ticket], canaries: Sequence[Canary]
    ) -> dict[CanaryId, list[Ticket]]:
        found: dict[CanaryId, list[Ticket]] = {one.id: [] for one in canaries}
        for ticket in tickets:
            canary_id = self._owner(ticket)[0]
            if canary_id in found:
                found[canary_id].append(ticket)
        return found

    def _owner(self, ticket: Ticket) -> tuple[CanaryId | None, str]:
        """Whose ticket it is: the first token that verifies, of the subject before the Message-ID and the body."""
        for text in (ticket.subject, ticket.message_id, ticket.body):
            for token in find_tokens(text or ""):
                canary_id = self._settings.recognise(token)
                if canary_id is not None:
                    return canary_id, token
        return None, ""

    def _standing(self, canary: Canary, ticket: Ticket) -> Standing:
        expectation = self._settings.expectation(canary)
        return standing(
            ticket.requester,
            sender=canary.sender,
            forwarders=expectation.forwarders,
            target=expectation.target,
        )

    def _is_of_ours(self, ticket: Ticket) -> bool:
        return any(
            standing(ticket.requester, sender=address).may_be_cleaned
            for address in self._settings.own_addresses
        )

    def _seen(self, canary: Canary, tickets: Sequence[Ticket], span: LookSpan) -> Iterable[Observation]:
        is_intact = False
        for ticket in tickets:
            yield self._created(canary, ticket, span)
            if ticket.state is TicketState.TICKET:
                content = self._content(canary, ticket, span)
                is_intact = is_intact or content.outcome is Outcome.OK
                if content.outcome is Outcome.OK or not span.is_in_the_making(ticket):
                    yield content
        if not is_intact and span.may_tell(canary):
            yield self._in_vain(canary, tickets, span)

    def _in_vain(self, canary: Canary, tickets: Sequence[Ticket], span: LookSpan) -> Observation:
        """That no ticket was there, or, at the hop after it, none that is intact: both leave the deadline unmet."""
        has_ticket = _has_ticket(tickets)
        what = "intact ticket" if has_ticket else "ticket"
        return Observation(
            canary_id=canary.id,
            hop=Hop.TICKET_CONTENT if has_ticket else Hop.TICKET_CREATED,
            outcome=Outcome.UNKNOWN,
            evidence=Evidence.OBSERVED,
            began_at=span.blank_since,
            ended_at=span.ended_at,
            reason=Reason.NOT_SEEN,
            detail=f"no {what} of it in {self.place}"
            if span.look.is_complete
            else "not all tickets were read",
            place=self.place,
            look=span.look,
            skew_seconds=span.skew_seconds,
        )

    def _created(self, canary: Canary, ticket: Ticket, span: LookSpan) -> Observation:
        is_diverted = ticket.state is TicketState.DIVERTED
        cause = ticket.cause or "it does not say why"
        requester = self._standing(canary, ticket)
        return Observation(
            canary_id=canary.id,
            hop=Hop.TICKET_CREATED,
            outcome=Outcome.FAILED if is_diverted else Outcome.OK,
            evidence=Evidence.OBSERVED,
            began_at=span.began_at,
            ended_at=span.ended_at,
            reason=Reason.DIVERTED if is_diverted else None,
            detail=self._masker.detail(f"{self.place} holds it aside: {cause}") if is_diverted else "",
            place=self.place,
            ticket=replace(
                _without_text(ticket, requester), is_quarantined=self._is_quarantined(ticket, requester)
            ),
            look=span.look,
            remote_at=ticket.remote_created_at,
            skew_seconds=span.skew_seconds,
            facts={"intake.ticket.lookups": self._pace.looks_for(canary.id)},
        )

    def _is_quarantined(self, ticket: Ticket, requester: Standing) -> bool | None:
        """Whether the vendor's rule caught it; of a stranger's that bears our token the rule need know nothing."""
        if self._settings.mark is None or requester in {Standing.STRANGER, Standing.UNREADABLE}:
            return None
        return self._settings.mark.borne_by(ticket)

    def _content(self, canary: Canary, ticket: Ticket, span: LookSpan) -> Observation:
        expectation = self._settings.expectation(canary)
        requester = self._standing(canary, ticket)
        findings = compare(canary, expectation.content, ticket, requester=requester)
        is_damaged = any(one.is_damage for one in findings)
        return Observation(
            canary_id=canary.id,
            hop=Hop.TICKET_CONTENT,
            outcome=Outcome.FAILED if is_damaged else Outcome.OK,
            evidence=Evidence.OBSERVED,
            began_at=span.began_at,
            ended_at=span.ended_at,
            reason=findings[0].reason if findings else None,
            detail=self._masker.detail(_told(findings)),
            place=self.place,
            ticket=_without_text(ticket, requester),
            look=span.look,
            remote_at=ticket.remote_created_at,
            skew_seconds=span.skew_seconds,
        )

    async def _report_blind(
        self,
        canaries: Sequence[Canary],
        depth: Depth,
        error: Exception,
        *,
        began_at: datetime,
        report: Report,
    ) -> None:
        ended_at = self._clock.now()
        status, came = answered(error)
        await report(
            *(
                Observation(
                    canary_id=canary.id,
                    hop=Hop.TICKET_CREATED,
                    outcome=Outcome.UNKNOWN,
                    evidence=Evidence.OBSERVED,
                    began_at=began_at,
                    ended_at=ended_at,
                    reason=_unread_by(error),
                    detail=self._masker.detail(str(error)),
                    place=self.place,
                    look=LookFacts(depth, is_complete=False, is_blind=True, status=status, answered=came),
                )
                for canary in canaries
            )
        )

    def _removed(self, canary: Canary, disposed: Disposed) -> Removed:
        return Removed(canary, KIND, self.place, disposed.ref.id, disposed.state, disposed.detail)

    def _not_removed(self, canary: Canary, detail: str) -> Removed:
        return Removed(canary, KIND, self.place, "", RemovalState.FAILED, self._masker.detail(detail))


def _unread_by(error: Exception) -> Reason:
    """Why nothing, or not all, could be seen."""
    fault = explain(error)
    return fault.reason if fault is not None else Reason.TICKET_API_UNREADABLE


def _has_ticket(tickets: Sequence[Ticket]) -> bool:
    """Whether it became a ticket; what is held aside may still become one."""
    return any(one.state is TicketState.TICKET for one in tickets)


def _without_text(ticket: Ticket, requester: Standing) -> Ticket:
    """The ticket as it may be kept: without its body, and of a stranger's (who sent our token) without any word."""
    if requester in {Standing.STRANGER, Standing.UNREADABLE}:
        return replace(ticket, subject=None, body=None, requester=None, message_id=None, attachments=None)
    return replace(ticket, body=None)


def _told(findings: Sequence[Finding]) -> str:
    return "; ".join(one.detail for one in findings)
