"""What every ticketing system's looks show, and what they cost."""

import asyncio
from datetime import UTC, timedelta
from hashlib import sha256

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket, TicketState
from probes.contracts import Disposal, DisposalAction, Look, RemovalState, TicketingSystem, View
from tests.contracts.ticketing_bench import (
    BODY,
    MARKER,
    SENDER,
    STRANGER,
    TAG,
    Ability,
    Bench,
    needs,
    new_canary,
    with_system,
)

_SWEEPS = 8
_LOOKS = 100
"""How often a mail's ticket is looked for, with a pause each, before it is held to be lost."""


class FindingContract:
    """Subclasses give a fixture ``bench``. Times are the system's own, so nothing here waits for a clock."""

    def test_find__with_tickets_of_two_canaries_and_a_stranger__shows_the_canaries_only(
        self, bench: Bench
    ) -> None:
        first, second = new_canary(bench.now()), new_canary(bench.now())
        ids = {bench.open_ticket(f"{one.subject_prefix} login", BODY, SENDER) for one in (first, second)}
        bench.open_ticket("where is my order", "please tell me", STRANGER)

        look = with_system(bench, lambda system: system.find([first, second], Depth.POLL))

        assert {one.ref.id for one in look.tickets} == ids
        assert look.view in set(View)
        assert look.is_complete
        assert look.since <= first.launched_at

    def test_find__shows_subject_body_requester_creation_and_that_it_is_open(self, bench: Bench) -> None:
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

    def test_find__when_nothing_came__is_complete_and_empty(self, bench: Bench) -> None:
        canary = new_canary(bench.now())

        for depth in Depth:
            look = with_system(bench, lambda system, depth=depth: system.find([canary], depth))  # type: ignore[misc]  # a default binds the loop's value
            assert look.tickets == ()
            assert look.is_complete

    def test_find__a_token_in_the_body_alone__is_seen_by_the_wide_look(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket("the gateway rewrote this", f"{BODY}\n{canary.token}\n", SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [one.ref.id for one in look.tickets] == [ticket_id]

    def test_find__two_tickets_of_one_canary__shows_both(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        ids = {bench.open_ticket(f"{canary.subject_prefix} twice", BODY, SENDER) for _ in range(2)}

        look = with_system(bench, lambda system: system.find([canary], Depth.POLL))

        assert {one.ref.id for one in look.tickets} == ids

    def test_find__without_canaries__shows_whatever_bears_marker_and_a_token(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} left over", BODY, SENDER)
        stranger = bench.open_ticket("a customer's question", "no token here", STRANGER)

        async def main(system: TicketingSystem) -> Look:
            look = await system.find([], Depth.DEADLINE)
            for _ in range(_SWEEPS):  # what one look may read is bounded: the next goes on where it ended
                if look.is_complete:
                    break
                look = await system.find([], Depth.DEADLINE)
            return look

        look = with_system(bench, main)

        ids = {one.ref.id for one in look.tickets}
        assert ticket_id in ids
        assert stranger not in ids
        assert look.is_complete

    def test_find__narrow__no_longer_asks_for_what_is_closed_or_says_so(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} closed", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[Ticket]:
            look = await system.find([canary], Depth.DEADLINE)
            await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
            return list((await system.find([canary], Depth.POLL)).tickets)

        assert [one for one in with_system(bench, main) if one.is_open] == []

    def test_find__the_same_ticket_twice__has_the_same_id_and_a_page_at_the_systems_own_address(
        self, bench: Bench
    ) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} again", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[Ticket]:
            looks = [await system.find([canary], depth) for depth in (Depth.DEADLINE, Depth.DEADLINE)]
            return [one for look in looks for one in look.tickets]

        first, second = with_system(bench, main)

        assert first.ref == second.ref
        assert first.ref.url is None or first.ref.id in first.ref.url

    def test_find__a_subject_of_quotes_and_signs__is_shown_as_it_was_sent(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        subject = f"{canary.subject_prefix} O'Brien's \"50 %\" <b>&amp;</b> \\ ^ ß"
        bench.open_ticket(subject, BODY, SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [one.subject for one in look.tickets] == [subject]

    def test_find__a_token_in_capitals__is_the_same_token(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} login".upper(), BODY, SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [one.ref.id for one in look.tickets] == [ticket_id]

    def test_find__a_long_body__is_read_to_its_end(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} long", f"{'word ' * 2000}the end", SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        (ticket,) = look.tickets
        assert (ticket.body or "").rstrip().endswith("the end")

    def test_find__a_canary_whose_sender_was_rewritten__is_seen_by_the_wide_look_as_that_senders(
        self, bench: Bench
    ) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} by a gateway", BODY, "gateway@relay.test")

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [(one.ref.id, one.requester) for one in look.tickets] == [(ticket_id, "gateway@relay.test")]

    def test_find__a_stranger_who_quotes_our_token__is_never_shown_as_our_sender(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket("what is this?", f"somebody sent me {canary.token}", STRANGER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert {one.requester for one in look.tickets} <= {STRANGER}

    def test_find__another_canarys_ticket__is_not_shown_for_this_one(self, bench: Bench) -> None:
        ours, other = new_canary(bench.now()), new_canary(bench.now())
        bench.open_ticket(f"{other.subject_prefix} another's", BODY, SENDER)

        for depth in (Depth.POLL, Depth.DEADLINE):
            look = with_system(bench, lambda system, depth=depth: system.find([ours], depth))  # type: ignore[misc]  # a default binds the loop's value
            assert look.tickets == ()

    def test_find__says_nothing_of_tickets_that_it_did_not_ask_for(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        old = new_canary(bench.now() - timedelta(hours=3))

        async def main(system: TicketingSystem) -> tuple[Look, Look]:
            return await system.find([canary], Depth.POLL), await system.find([canary, old], Depth.POLL)

        young_only, with_old = with_system(bench, main)

        assert young_only.since > bench.now() - timedelta(hours=1)
        assert with_old.since <= old.launched_at

    def test_find__an_append_to_an_older_ticket__is_that_ticket_or_nothing_and_never_blind(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.APPENDING)
        canary = new_canary(bench.now())
        older = bench.open_ticket("an order of last week", "where is it", STRANGER)
        bench.append(older, f"{canary.subject_prefix} appended")

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert {one.ref.id for one in look.tickets} <= {older}

    def test_find__two_at_once__both_see_the_ticket(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} at once", BODY, SENDER)
        looks: list[Look] = []

        async def main(system: TicketingSystem) -> None:
            async def look(depth: Depth) -> None:
                looks.append(await system.find([canary], depth))

            async with asyncio.TaskGroup() as group:
                group.create_task(look(Depth.POLL))
                group.create_task(look(Depth.DEADLINE))

        with_system(bench, main)

        assert [[one.ref.id for one in look.tickets] for look in looks] == [[ticket_id], [ticket_id]]

    def test_find__for_two_hundred_canaries__costs_the_calls_of_one(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        calls: list[int] = []

        async def main(system: TicketingSystem) -> None:
            await system.find([new_canary(bench.now())], Depth.POLL)  # whatever is read once is read now
            for count in (1, 10, 200):
                canaries = [new_canary(bench.now()) for _ in range(count)]
                bench.wire.calls.clear()
                await system.find(canaries, Depth.POLL)
                calls.append(len(bench.wire.calls))

        with_system(bench, main)

        assert calls[1:] == [calls[0]] * 2
        assert calls[0] <= bench.most_calls

    def test_find__changes_nothing(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} only read", BODY, SENDER)
        before = bench.raw(ticket_id)
        bench.wire.calls.clear()

        for depth in Depth:
            with_system(bench, lambda system, depth=depth: system.find([canary], depth))  # type: ignore[misc]  # a default binds the loop's value

        assert bench.wire.writes == []
        assert bench.raw(ticket_id) == before

    def test_find__among_hundreds_of_strangers_tickets__is_bounded_and_does_not_miss_ours(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE, Ability.FLOOD)
        canary = new_canary(bench.now())
        bench.flood(150)
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} in the flood", BODY, SENDER)
        bench.flood(150)
        bench.wire.calls.clear()

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        assert [one.ref.id for one in look.tickets] == [ticket_id]
        assert look.is_complete
        assert len(bench.wire.calls) <= 20

    def test_find__when_it_may_not_read_every_page__does_not_call_itself_complete(self, bench: Bench) -> None:
        needs(bench, Ability.PAGES)
        canary = new_canary(bench.now())
        for number in range(6):
            bench.open_ticket(f"{MARKER} number {number}", BODY, SENDER)

        async def main() -> Look:
            async with bench.short_sighted() as system:
                return await system.find([canary], Depth.DEADLINE)

        assert not bench.run(main()).is_complete

    def test_find__a_mail__is_a_ticket_of_the_channel_email(self, bench: Bench) -> None:
        needs(bench, Ability.MAIL, Ability.CHANNEL)
        canary = new_canary(bench.now())

        assert arrived(bench, canary, attachment=b"%PDF-1.4").channel == "email"

    def test_find__a_mail__keeps_its_message_id(self, bench: Bench) -> None:
        needs(bench, Ability.MAIL, Ability.MESSAGE_ID)
        canary = new_canary(bench.now())

        assert arrived(bench, canary, attachment=b"%PDF-1.4").message_id == canary.message_id

    def test_find__a_mail_with_a_file__shows_the_file_byte_for_byte(self, bench: Bench) -> None:
        needs(bench, Ability.MAIL, Ability.FILES)
        canary = new_canary(bench.now())
        content = b"%PDF-1.4 \xff\x00 bytes"

        ticket = arrived(bench, canary, attachment=content)

        (file,) = ticket.attachments or ()
        assert file.name.endswith("invoice.pdf")  # some put the part's number before it
        assert file.sha256 == sha256(content).hexdigest()

    def test_find__by_an_index_that_lags__says_how_far_it_may_be_behind(self, bench: Bench) -> None:
        needs(bench, Ability.LAG)
        canary = new_canary(bench.now())

        async def main() -> tuple[Look, Look]:
            async with bench.lagging(30) as system:
                bench.flood(1)  # where nothing is shown, nothing can be said of what is not
                await bench.catch_up()
                bench.open_ticket(f"{canary.subject_prefix} not yet shown", BODY, SENDER)
                early = await system.find([canary], Depth.POLL)
                await bench.catch_up()
                return early, await system.find([canary], Depth.POLL)

        early, late = bench.run(main())

        assert early.tickets == ()
        assert early.view is View.EVENTUAL
        assert early.lag_seconds >= 30
        assert len(late.tickets) == 1

    def test_find__what_is_held_aside__is_shown_as_diverted_with_the_systems_cause(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.DIVERTED)
        canary = new_canary(bench.now())
        cause = bench.divert(f"{canary.subject_prefix} held aside", BODY, SENDER)

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        (ticket,) = look.tickets
        assert (ticket.state, ticket.cause, ticket.requester) == (TicketState.DIVERTED, cause, SENDER)

    def test_dispose__what_is_held_aside__removes_it(self, bench: Bench) -> None:
        needs(bench, Ability.DIVERTED)
        canary = new_canary(bench.now())
        bench.divert(f"{canary.subject_prefix} held aside", BODY, SENDER)

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], list[Ticket]]:
            look = await system.find([canary], Depth.DEADLINE)
            disposed = await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
            left = (await system.find([canary], Depth.DEADLINE)).tickets
            return [one.state for one in disposed], [one for one in left if one.is_open]

        states, left = with_system(bench, main)

        assert states in ([RemovalState.DONE], [RemovalState.ACCEPTED])
        assert left == []


def arrived(bench: Bench, canary: Canary, *, attachment: bytes) -> Ticket:
    """Send a canary's mail by the front door and look until its ticket is there."""
    bench.mail(canary, attachment=attachment)

    async def main(system: TicketingSystem) -> Ticket:
        for _ in range(_LOOKS):
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            if tickets:
                return tickets[0]
            await bench.pause()
        raise TimeoutError("the mail became no ticket")

    return with_system(bench, main)
