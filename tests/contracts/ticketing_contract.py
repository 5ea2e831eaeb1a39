"""What every ticketing system must do, the fake and the real ones alike."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from canary.canary import Canary, Token
from canary.hop import Channel
from canary.observation import Depth
from canary.path import PathName
from canary.signature import mint_id, mint_token
from canary.ticket import Ticket
from canary.trace import trace_id
from probes.contracts import (
    CheckState,
    Disposal,
    DisposalAction,
    RemovalState,
    TicketingSystem,
    View,
)

MARKER = "intakecanary"
TAG = "synthetic"
KEY = b"a signing key of the tests"
PATH = PathName("support-email")
SENDER = "canary@probe.test"
STRANGER = "jane@customer.test"
BODY = "Guten Tag,\n\nich kann mich seit heute früh nicht anmelden.\nBitte helfen Sie mir.\n\nViele Grüße"
_COUNT = itertools.count(1)
T = TypeVar("T")


class DeskBench(Protocol):
    """A ticketing system with what the suite needs to know and to do beside it."""

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter, connected with a good credential."""
        ...

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        """The adapter with a credential that the system refuses."""
        ...

    def now(self) -> datetime:
        """Our time."""
        ...

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        """Make a ticket and wait until it is there; its id."""
        ...

    def raw(self, ticket_id: str) -> bytes:
        """All that the system shows of a ticket, byte for byte."""
        ...

    def mails_sent(self) -> int:
        """How many mails it has sent to anybody."""
        ...


def new_canary(now: datetime, *, sender: str = SENDER, key: bytes = KEY) -> Canary:
    """A canary launched now, with a token of its own."""
    canary_id = mint_id(now, next(_COUNT).to_bytes(4, "big"))
    return Canary(
        id=canary_id,
        path=PATH,
        channel=Channel.EMAIL,
        token=Token(mint_token(canary_id, PATH, key)),
        marker=MARKER,
        sender=sender,
        launched_at=now,
        deadline_at=now + timedelta(minutes=10),
        horizon_at=now + timedelta(hours=24),
        trace_id=trace_id(canary_id),
        prober="tests",
    )


class TicketingContract:
    """Subclasses give a fixture ``bench``. Times are the system's own, so nothing here waits for a clock."""

    def test_find__with_tickets_of_two_canaries_and_a_stranger__shows_the_canaries_only(
        self, bench: DeskBench
    ) -> None:
        first, second = new_canary(bench.now()), new_canary(bench.now())
        ids = {bench.open_ticket(f"{one.subject_prefix} login", BODY, SENDER) for one in (first, second)}
        bench.open_ticket("where is my order", "please tell me", STRANGER)

        look = with_system(bench, lambda system: system.find([first, second], Depth.POLL))

        assert {one.ref.id for one in look.tickets} == ids
        assert look.view in set(View)
        assert look.is_complete
        assert look.since <= first.launched_at

    def test_find__shows_subject_body_requester_creation_and_that_it_is_open(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} Grüße", BODY, SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        (ticket,) = look.tickets
        assert ticket.ref.id == ticket_id
        assert ticket.subject == f"{canary.subject_prefix} Grüße"
        assert "".join((ticket.body or "").split()) == "".join(BODY.split())
        assert ticket.requester == SENDER
        assert ticket.is_open
        assert ticket.remote_created_at is not None
        assert ticket.remote_created_at.tzinfo is UTC
        assert look.skew_seconds is not None
        ours = ticket.remote_created_at - timedelta(seconds=look.skew_seconds)
        assert abs(ours - bench.now()) < timedelta(seconds=60)

    def test_find__when_nothing_came__is_complete_and_empty(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())

        for depth in Depth:
            look = with_system(bench, lambda system, depth=depth: system.find([canary], depth))  # type: ignore[misc]  # a default binds the loop's value
            assert look.tickets == ()
            assert look.is_complete

    def test_find__a_token_in_the_body_alone__is_seen_by_the_wide_look(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket("the gateway rewrote this", f"{BODY}\n{canary.token}\n", SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [one.ref.id for one in look.tickets] == [ticket_id]

    def test_find__two_tickets_of_one_canary__shows_both(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        ids = {bench.open_ticket(f"{canary.subject_prefix} twice", BODY, SENDER) for _ in range(2)}

        look = with_system(bench, lambda system: system.find([canary], Depth.POLL))

        assert {one.ref.id for one in look.tickets} == ids

    def test_find__without_canaries__shows_whatever_bears_marker_and_a_token(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} left over", BODY, SENDER)
        stranger = bench.open_ticket("a customer's question", "no token here", STRANGER)

        look = with_system(bench, lambda system: system.find([], Depth.DEADLINE))

        ids = {one.ref.id for one in look.tickets}
        assert ticket_id in ids
        assert stranger not in ids
        assert look.is_complete

    def test_dispose__by_close__closes_and_tags_and_mails_nobody_and_is_repeatable(
        self, bench: DeskBench
    ) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} to close", BODY, SENDER)
        how = Disposal(DisposalAction.CLOSE, TAG)
        sent = bench.mails_sent()

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], Ticket, list[RemovalState]]:
            look = await system.find([canary], Depth.DEADLINE)
            once = await system.dispose(look.tickets, how)
            (after,) = (await system.find([canary], Depth.DEADLINE)).tickets
            twice = await system.dispose(look.tickets, how)
            return [one.state for one in once], after, [one.state for one in twice]

        once, after, twice = with_system(bench, main)

        assert once == [RemovalState.DONE]
        assert not after.is_open
        assert TAG in after.tags
        assert twice in ([RemovalState.DONE], [RemovalState.ABSENT])
        assert bench.mails_sent() == sent

    def test_find__narrow__no_longer_asks_for_what_is_closed_or_says_so(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} closed", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[Ticket]:
            look = await system.find([canary], Depth.DEADLINE)
            await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
            return list((await system.find([canary], Depth.POLL)).tickets)

        assert [one for one in with_system(bench, main) if one.is_open] == []

    def test_dispose__by_delete__removes_and_is_repeatable(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} to delete", BODY, SENDER)
        how = Disposal(DisposalAction.DELETE, TAG)

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], int, list[RemovalState]]:
            look = await system.find([canary], Depth.DEADLINE)
            once = await system.dispose(look.tickets, how)
            left = len((await system.find([canary], Depth.DEADLINE)).tickets)
            twice = await system.dispose(look.tickets, how)
            return [one.state for one in once], left, [one.state for one in twice]

        once, left, twice = with_system(bench, main)

        assert once == [RemovalState.DONE]
        assert left == 0
        assert twice in ([RemovalState.DONE], [RemovalState.ABSENT])

    def test_dispose__leaves_every_other_ticket_as_it_was(self, bench: DeskBench) -> None:
        canary = new_canary(bench.now())
        stranger = bench.open_ticket("untouched", "by anybody", STRANGER)
        bench.open_ticket(f"{canary.subject_prefix} ours", BODY, SENDER)
        before = bench.raw(stranger)

        async def main(system: TicketingSystem) -> None:
            look = await system.find([canary], Depth.DEADLINE)
            await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))

        with_system(bench, main)

        assert bench.raw(stranger) == before

    def test_dispose__with_a_refused_credential__answers_failed_for_each(self, bench: DeskBench) -> None:
        canaries = [new_canary(bench.now()) for _ in range(2)]
        for one in canaries:
            bench.open_ticket(f"{one.subject_prefix} refused", BODY, SENDER)
        look = with_system(bench, lambda system: system.find(canaries, Depth.POLL))

        async def main() -> list[RemovalState]:
            async with bench.refused() as system:
                disposed = await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
                return [one.state for one in disposed]

        assert asyncio.run(main()) == [RemovalState.FAILED, RemovalState.FAILED]

    def test_check__with_a_good_credential__finds_search_and_close_allowed_and_changes_nothing(
        self, bench: DeskBench
    ) -> None:
        stranger = bench.open_ticket("unchanged", "by a check", STRANGER)
        before = bench.raw(stranger)

        checks = with_system(bench, lambda system: system.check())

        assert {one.name: one.state for one in checks}["ticket.search"] is CheckState.OK
        assert {one.name: one.state for one in checks}["ticket.close"] is CheckState.OK
        assert bench.raw(stranger) == before

    def test_check__with_a_refused_credential__fails_with_a_remedy(self, bench: DeskBench) -> None:
        async def main() -> list[tuple[CheckState, bool]]:
            async with bench.refused() as system:
                return [(one.state, bool(one.remedy)) for one in await system.check()]

        assert (CheckState.FAIL, True) in asyncio.run(main())

    def test_budget__costs_no_call_and_is_a_sequence(self, bench: DeskBench) -> None:
        async def main(system: TicketingSystem) -> int:
            return len(system.budget())

        assert with_system(bench, main) >= 0


def with_system(bench: DeskBench, work: Callable[[TicketingSystem], Awaitable[T]]) -> T:
    """Do something with the connected adapter on a loop of its own."""

    async def main() -> T:
        async with bench.opened() as system:
            return await work(system)

    return asyncio.run(main())
