"""What every ticketing system must say when it can't be read: nothing of the target, what it is, and what to do."""

import asyncio

import httpx
import pytest

from canary.observation import Depth
from canary.reason import Reason
from probes.contracts import Blind, CheckState, Look, TicketingSystem
from probes.reasons import explain
from tests.contracts.ticketing_bench import (
    BODY,
    MARKER,
    SENDER,
    STRANGER,
    Ability,
    Bench,
    needs,
    new_canary,
    with_system,
)
from tests.contracts.ticketing_wire import (
    Answering,
    Changing,
    Once,
    breaking,
    emptied,
    only_at,
    renamed,
    saying,
    too_long,
    truncated,
    with_headers,
)

_PAGE = "<!doctype html><html><title>We will be back soon</title></html>"


class BlindnessContract:
    """Subclasses give a fixture ``bench``. What is spoilt, is spoilt between the adapter and the system."""

    @pytest.mark.parametrize(
        ("answers", "reason"),
        [
            pytest.param(saying(401, "{}"), Reason.CREDENTIALS_REJECTED, id="401"),
            pytest.param(saying(403, "{}"), Reason.CREDENTIALS_REJECTED, id="403"),
            pytest.param(saying(404, "{}"), Reason.TICKET_API_UNREADABLE, id="404"),
            pytest.param(saying(429, "{}", Retry_After="7"), Reason.RATE_LIMITED, id="429"),
            pytest.param(saying(429, "slow down", "text/plain"), Reason.RATE_LIMITED, id="429-no-wait"),
            pytest.param(saying(500, "{}"), Reason.TICKET_API_UNREADABLE, id="500"),
            pytest.param(saying(502, _PAGE, "text/html"), Reason.TICKET_API_UNREADABLE, id="502-page"),
            pytest.param(saying(503, _PAGE, "text/html"), Reason.TICKET_API_UNREADABLE, id="503-page"),
            pytest.param(saying(200, _PAGE, "text/html"), Reason.TICKET_API_UNREADABLE, id="200-page"),
            pytest.param(saying(200, _PAGE), Reason.TICKET_API_UNREADABLE, id="200-page-called-json"),
            pytest.param(saying(200, ""), Reason.TICKET_API_UNREADABLE, id="200-nothing"),
            pytest.param(saying(200, "null"), Reason.TICKET_API_UNREADABLE, id="200-null"),
            pytest.param(saying(200, '"ok"'), Reason.TICKET_API_UNREADABLE, id="200-word"),
            pytest.param(saying(200, "[" * 5000), Reason.TICKET_API_UNREADABLE, id="200-deep"),
            pytest.param(lambda _: too_long(), Reason.TICKET_API_UNREADABLE, id="200-endless"),
            pytest.param(breaking(httpx.ConnectError), Reason.TICKET_API_UNREADABLE, id="refused"),
            pytest.param(breaking(httpx.ReadTimeout), Reason.TICKET_API_UNREADABLE, id="silent"),
            pytest.param(breaking(httpx.RemoteProtocolError), Reason.TICKET_API_UNREADABLE, id="broken-off"),
        ],
    )
    @pytest.mark.parametrize("depth", [Depth.POLL, Depth.DEADLINE])
    def test_find__an_answer_that_shows_nothing__is_blind_with_the_reason_and_a_remedy(
        self, bench: Bench, answers: Answering, reason: Reason, depth: Depth
    ) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} behind it", BODY, SENDER)

        error = blind(bench, answers=answers, depth=depth)

        fault = explain(error)
        assert fault is not None
        assert fault.reason is reason
        assert len(str(error).split()) > 5
        assert bench.secret not in str(error)

    @pytest.mark.parametrize("changes", [renamed, truncated])
    @pytest.mark.parametrize("depth", [Depth.POLL, Depth.DEADLINE])
    def test_find__an_answer_of_another_shape__is_blind(
        self, bench: Bench, changes: Changing, depth: Depth
    ) -> None:
        needs(bench, Ability.WIRE)
        bench.open_ticket(f"{new_canary(bench.now()).subject_prefix} there is a row", BODY, SENDER)

        error = blind(bench, changes=changes, depth=depth)

        fault = explain(error)
        assert fault is not None
        assert fault.reason is Reason.TICKET_API_UNREADABLE

    @pytest.mark.parametrize("depth", [Depth.POLL, Depth.DEADLINE])
    def test_find__a_wrong_key_that_gets_200_and_an_empty_list__is_blind(
        self, bench: Bench, depth: Depth
    ) -> None:
        needs(bench, Ability.WIRE, Ability.SILENCE)
        bench.open_ticket(f"{new_canary(bench.now()).subject_prefix} not shown", BODY, SENDER)

        error = blind(bench, answers=only_at(bench.proofs, saying(401, "{}")), changes=emptied, depth=depth)

        fault = explain(error)
        assert fault is not None
        assert fault.reason is Reason.CREDENTIALS_REJECTED

    def test_find__a_wrong_key_that_is_shown_what_everybody_may_see__is_blind(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE, Ability.SILENCE)
        bench.open_ticket("a customer's question", "which everybody may read", STRANGER)

        error = blind(bench, answers=only_at(bench.proofs, saying(401, "{}")), depth=Depth.DEADLINE)

        fault = explain(error)
        assert fault is not None
        assert fault.reason is Reason.CREDENTIALS_REJECTED

    def test_find__throttled__carries_the_wish_to_be_left_alone(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)

        assert blind(bench, answers=saying(429, "{}", Retry_After="7")).retry_after_seconds == 7
        assert blind(bench, answers=saying(429, "{}")).retry_after_seconds in {
            None,
            30,
        }  # ours, where it says none

    def test_find__throttled__does_not_ask_again_at_once(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        bench.wire.calls.clear()

        blind(bench, answers=saying(429, "{}", Retry_After="7"))

        assert len(bench.wire.calls) == 1

    def test_find__a_credential_that_ends_in_between__is_renewed_and_the_look_is_whole(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} renewed", BODY, SENDER)
        bench.wire.answers = Once(
            saying(401, "{}"),
            of=lambda one: not bench.wire.is_write(one),
        )

        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))

        bench.wire.heal()
        assert [one.ref.id for one in look.tickets] == [ticket_id]
        assert look.is_complete

    def test_find__a_later_page_that_is_throttled__is_blind_and_no_half_look(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE, Ability.FLOOD)
        bench.flood(250)
        bench.wire.calls.clear()
        with_system(bench, lambda system: system.find([new_canary(bench.now())], Depth.DEADLINE))
        pages = [one for one in bench.wire.calls if not one.url.path.endswith(bench.proofs)]
        assert len(pages) > 1
        last = Once(
            saying(429, "{}"),
            of=lambda one: not one.url.path.endswith(bench.proofs),
            after=len(pages) - 1,
        )

        error = blind(bench, answers=last, depth=Depth.DEADLINE)

        assert error.status == 429
        assert last.done == 1

    def test_find__after_a_blind_look__sees_again(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} seen again", BODY, SENDER)

        async def main(system: TicketingSystem) -> Look:
            bench.wire.answers = saying(503, _PAGE, "text/html")
            with pytest.raises(Blind):
                await system.find([canary], Depth.POLL)
            bench.wire.heal()
            return await system.find([canary], Depth.POLL)

        assert [one.ref.id for one in with_system(bench, main).tickets] == [ticket_id]

    def test_find__cancelled_in_a_call__leaves_the_adapter_usable(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())
        ticket_id = bench.open_ticket(f"{canary.subject_prefix} cancelled", BODY, SENDER)

        async def main(system: TicketingSystem) -> Look:
            scope = asyncio.TaskGroup()

            def stop(_: httpx.Request) -> httpx.Response | None:
                looking.cancel()
                return None

            bench.wire.answers = stop
            async with scope:
                looking = scope.create_task(system.find([canary], Depth.DEADLINE))
            assert looking.cancelled()
            bench.wire.heal()
            return await system.find([canary], Depth.DEADLINE)

        assert [one.ref.id for one in with_system(bench, main).tickets] == [ticket_id]

    def test_find__sent_on_to_another_host__is_blind_and_does_not_show_our_credential_there(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE)
        bench.wire.calls.clear()

        blind(bench, answers=saying(302, "", Location="https://elsewhere.invalid/tickets"))

        assert {one.url.host for one in bench.wire.calls} == {bench.wire.calls[0].url.host}

    def test_find__a_clock_that_is_ahead__is_known_and_the_look_tells_it(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        canary = new_canary(bench.now())

        def ahead(request: httpx.Request, answer: httpx.Response) -> httpx.Response:
            stamp = (bench.now().timestamp()) + 90
            return with_headers(Date=_http_date(stamp))(request, answer)

        bench.wire.changes = ahead
        look = with_system(bench, lambda system: system.find([canary], Depth.DEADLINE))
        bench.wire.heal()

        assert look.skew_seconds == pytest.approx(90, abs=3)

    def test_check__when_it_can_not_be_read__fails_with_a_remedy_and_does_not_raise(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.WIRE)

        for answers in (saying(503, _PAGE, "text/html"), saying(403, "{}"), breaking(httpx.ConnectError)):
            bench.wire.answers = answers
            checks = with_system(bench, lambda system: system.check())
            bench.wire.heal()
            assert [(one.state, bool(one.remedy)) for one in checks if one.name == "ticket.search"] == [
                (CheckState.FAIL, True)
            ]

    def test_check__with_a_credential_that_may_only_read__says_that_it_may_not_close(
        self, bench: Bench
    ) -> None:
        needs(bench, Ability.READ_ONLY)
        bench.open_ticket(f"{MARKER} to be seen", BODY, SENDER)

        async def main() -> dict[str, CheckState]:
            async with bench.read_only() as system:
                return {one.name: one.state for one in await system.check()}

        states = bench.run(main())

        assert states["ticket.search"] is CheckState.OK
        assert states["ticket.close"] is CheckState.FAIL


def blind(
    bench: Bench,
    *,
    answers: Answering | None = None,
    changes: Changing | None = None,
    depth: Depth = Depth.POLL,
) -> Blind:
    """Look while the answers are spoilt; what the look raises."""

    async def main(system: TicketingSystem) -> Blind:
        bench.wire.answers, bench.wire.changes = answers, changes
        with pytest.raises(Blind) as caught:
            await system.find([new_canary(bench.now())], depth)
        return caught.value

    try:
        return with_system(bench, main)
    finally:
        bench.wire.heal()


def _http_date(stamp: float) -> str:
    from email.utils import formatdate

    return formatdate(stamp, usegmt=True)
