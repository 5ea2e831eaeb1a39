"""How every ticketing system lets go of our tickets: once, truly, without a word to anybody, and of ours alone."""

from collections.abc import Callable

import httpx

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket
from probes.contracts import Disposal, DisposalAction, RemovalState, TicketingSystem
from tests.contracts.ticketing_bench import (
    BODY,
    SENDER,
    STRANGER,
    TAG,
    Ability,
    Bench,
    needs,
    new_canary,
    with_system,
)
from tests.contracts.ticketing_wire import Once, saying

CLOSE = Disposal(DisposalAction.CLOSE, TAG)
DELETE = Disposal(DisposalAction.DELETE, TAG)


class DisposalContract:
    """Subclasses give a fixture ``bench``."""

    def test_dispose__by_close__closes_and_tags_and_mails_nobody_and_is_repeatable(
        self, bench: Bench
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
        assert Ability.TAGS in bench.lacks or TAG in after.tags
        assert twice in ([RemovalState.DONE], [RemovalState.ABSENT])
        assert bench.mails_sent() == sent

    def test_dispose__by_delete__removes_and_is_repeatable(self, bench: Bench) -> None:
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

    def test_dispose__leaves_every_other_ticket_as_it_was(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        stranger = bench.open_ticket("untouched", "by anybody", STRANGER)
        bench.open_ticket(f"{canary.subject_prefix} ours", BODY, SENDER)
        before = bench.raw(stranger)

        async def main(system: TicketingSystem) -> None:
            look = await system.find([canary], Depth.DEADLINE)
            await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))

        with_system(bench, main)

        assert bench.raw(stranger) == before

    def test_dispose__with_a_refused_credential__answers_failed_for_each(self, bench: Bench) -> None:
        canaries = [new_canary(bench.now()) for _ in range(2)]
        for one in canaries:
            bench.open_ticket(f"{one.subject_prefix} refused", BODY, SENDER)
        look = with_system(bench, lambda system: system.find(canaries, Depth.POLL))

        async def main() -> list[RemovalState]:
            async with bench.refused() as system:
                disposed = await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
                return [one.state for one in disposed]

        assert bench.run(main()) == [RemovalState.FAILED, RemovalState.FAILED]

    def test_dispose__of_nothing__asks_nothing(self, bench: Bench) -> None:
        bench.wire.calls.clear()

        assert list(with_system(bench, lambda system: system.dispose([], CLOSE))) == []

        assert bench.wire.writes == []

    def test_dispose__of_several__answers_for_each_in_their_order(self, bench: Bench) -> None:
        canaries = [new_canary(bench.now()) for _ in range(3)]
        for one in canaries:
            bench.open_ticket(f"{one.subject_prefix} one of three", BODY, SENDER)

        async def main(system: TicketingSystem) -> tuple[list[str], list[tuple[str, RemovalState]]]:
            tickets = (await system.find(canaries, Depth.DEADLINE)).tickets
            disposed = await system.dispose(tickets, CLOSE)
            return [one.ref.id for one in tickets], [(one.ref.id, one.state) for one in disposed]

        ids, answers = with_system(bench, main)

        assert len(ids) == 3
        assert answers == [(one, RemovalState.DONE) for one in ids]

    def test_dispose__of_ten__costs_a_bounded_number_of_calls_each(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canaries = [new_canary(bench.now()) for _ in range(10)]
        for one in canaries:
            bench.open_ticket(f"{one.subject_prefix} one of ten", BODY, SENDER)

        async def main(system: TicketingSystem) -> int:
            tickets = (await system.find(canaries, Depth.DEADLINE)).tickets
            bench.wire.calls.clear()
            await system.dispose(tickets, CLOSE)
            return len(bench.wire.calls)

        assert with_system(bench, main) <= 5 * 10 + 4  # read, tag, close, read back, and its tags

    def test_dispose__of_what_a_person_deleted__says_that_it_is_gone(self, bench: Bench) -> None:
        needs(bench, Ability.BY_HAND)
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} tidied up", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[RemovalState]:
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            bench.delete_by_hand(ticket_id)
            answers = [*await system.dispose(tickets, CLOSE), *await system.dispose(tickets, DELETE)]
            return [one.state for one in answers]

        assert with_system(bench, main) == [RemovalState.ABSENT, RemovalState.ABSENT]

    def test_dispose__when_the_id_now_is_a_strangers__does_not_touch_the_stranger(self, bench: Bench) -> None:
        needs(bench, Ability.SAME_ID)
        for how in (CLOSE, DELETE):
            canary = new_canary(bench.now())
            ticket_id = bench.open_ticket(f"{canary.subject_prefix} gone", BODY, SENDER)
            tickets = with_system(bench, lambda system, canary=canary: system.find([canary], Depth.DEADLINE))  # type: ignore[misc]  # a default binds the loop's value
            bench.give_out_again(ticket_id, "a new question", "of somebody else", STRANGER)
            before = bench.raw(ticket_id)

            answers = with_system(
                bench,
                lambda system, found=tickets, how=how: system.dispose(found.tickets, how),  # type: ignore[misc]  # a default binds the loop's value
            )

            assert bench.raw(ticket_id) == before
            assert [one.state for one in answers] != [RemovalState.DONE]

    def test_dispose__while_it_is_down__is_answered_failed_and_works_when_it_is_back(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} later", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[tuple[RemovalState, bool]]:
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            bench.wire.answers = saying(500, "{}")
            failed = await system.dispose(tickets, CLOSE)
            bench.wire.heal()
            done = await system.dispose(tickets, CLOSE)
            return [(one.state, bool(one.detail)) for one in (*failed, *done)]

        (failed, has_detail), (done, _) = with_system(bench, main)

        assert (failed, has_detail, done) == (RemovalState.FAILED, True, RemovalState.DONE)

    def test_dispose__throttled__answers_for_each_and_asks_no_more(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canaries = [new_canary(bench.now()) for _ in range(3)]
        for one in canaries:
            bench.open_ticket(f"{one.subject_prefix} throttled", BODY, SENDER)

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], int]:
            tickets = (await system.find(canaries, Depth.DEADLINE)).tickets
            bench.wire.calls.clear()
            bench.wire.answers = saying(429, "{}", Retry_After="7")
            answers = await system.dispose(tickets, CLOSE)
            bench.wire.heal()
            return [one.state for one in answers], len(bench.wire.calls)

        assert with_system(bench, main) == ([RemovalState.FAILED] * 3, 1)

    def test_dispose__a_write_that_is_taken_and_changes_nothing__is_not_called_done(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE)
        for status, body in ((204, ""), (200, "{}")):
            canary = new_canary(bench.now())
            ticket_id = bench.open_ticket(f"{canary.subject_prefix} unchanged", BODY, SENDER)
            before = bench.raw(ticket_id)

            states = spoilt(bench, canary, Once(saying(status, body), of=bench.wire.is_write, times=99))

            assert RemovalState.DONE not in states
            assert bench.raw(ticket_id) == before

    def test_dispose__an_answer_that_is_lost__can_be_said_again(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} lost answer", BODY, SENDER)

        def lose(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
            if bench.wire.is_write(request):
                raise httpx.ReadTimeout("lost by the test")
            return answer

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], list[bool]]:
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            bench.wire.changes = lose
            await system.dispose(tickets, CLOSE)
            bench.wire.heal()
            again = await system.dispose(tickets, CLOSE)
            after = (await system.find([canary], Depth.DEADLINE)).tickets
            return [one.state for one in again], [one.is_open for one in after]

        states, is_open = with_system(bench, main)

        assert states in ([RemovalState.DONE], [RemovalState.ABSENT])
        assert is_open in ([], [False])

    def test_dispose__a_version_that_changed_in_between__is_read_again_and_done(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE, Ability.VERSIONS)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} changed in between", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[RemovalState]:
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            bench.wire.answers = Once(saying(412, "{}"), of=bench.wire.is_write)
            return [one.state for one in await system.dispose(tickets, CLOSE)]

        states = with_system(bench, main)

        bench.wire.heal()
        assert states == [RemovalState.DONE]

    def test_dispose__a_version_that_changes_all_the_time__ends_as_failed(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE, Ability.VERSIONS)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} restless", BODY, SENDER)

        states = spoilt(bench, canary, Once(saying(412, "{}"), of=bench.wire.is_write, times=99))

        assert states == [RemovalState.FAILED]
        assert len(bench.wire.writes) <= 5

    def test_dispose__a_change_that_is_only_promised__is_accepted_and_seen_done_later(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.JOBS)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} promised", BODY, SENDER)
        bench.promise_only()

        async def main(system: TicketingSystem) -> tuple[list[RemovalState], list[bool], list[bool]]:
            tickets = (await system.find([canary], Depth.DEADLINE)).tickets
            answers = await system.dispose(tickets, CLOSE)
            before = (await system.find([canary], Depth.DEADLINE)).tickets
            await bench.catch_up()
            after = (await system.find([canary], Depth.DEADLINE)).tickets
            return (
                [one.state for one in answers],
                [one.is_open for one in before],
                [one.is_open for one in after],
            )

        assert with_system(bench, main) == ([RemovalState.ACCEPTED], [True], [False])

    def test_dispose__by_close__keeps_the_words_of_the_ticket(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} kept", BODY, SENDER)

        async def main(system: TicketingSystem) -> list[tuple[str | None, str | None, str | None]]:
            look = await system.find([canary], Depth.DEADLINE)
            await system.dispose(look.tickets, CLOSE)
            after = (await system.find([canary], Depth.DEADLINE)).tickets
            return [(one.subject, one.requester, one.body) for one in (*look.tickets, *after)]

        before, after = with_system(bench, main)

        assert before == after


def spoilt(
    bench: Bench, canary: Canary, answers: Callable[[httpx.Request], httpx.Response | None]
) -> list[RemovalState]:
    """Find the canary's ticket, then close it while the answers are spoilt."""

    async def main(system: TicketingSystem) -> list[RemovalState]:
        tickets = (await system.find([canary], Depth.DEADLINE)).tickets
        assert len(tickets) == 1
        bench.wire.calls.clear()
        bench.wire.answers = answers
        return [one.state for one in await system.dispose(tickets, CLOSE)]

    try:
        return with_system(bench, main)
    finally:
        bench.wire.heal()
