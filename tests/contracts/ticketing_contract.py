"""What every ticketing system must do, the fake, the simulated and the real ones alike."""

from collections.abc import Iterator

import pytest

from canary.observation import Depth
from probes.contracts import Budget, CheckState, TicketingSystem
from tests.contracts.ticketing_bench import (
    BODY,
    KEY,
    MARKER,
    PATH,
    SENDER,
    STRANGER,
    TAG,
    Ability,
    Bench,
    needs,
    new_canary,
    with_system,
)
from tests.contracts.ticketing_blindness import BlindnessContract
from tests.contracts.ticketing_disposal import DisposalContract
from tests.contracts.ticketing_finding import FindingContract
from tests.contracts.ticketing_wire import with_headers

__all__ = [
    "BODY",
    "KEY",
    "MARKER",
    "PATH",
    "SENDER",
    "STRANGER",
    "TAG",
    "TicketingContract",
    "new_canary",
    "with_system",
]


class TicketingContract(FindingContract, DisposalContract, BlindnessContract):
    """Subclasses give a fixture ``bench``."""

    @pytest.fixture(autouse=True)
    def _whole_wire(self, bench: Bench) -> Iterator[None]:
        """No test is spoilt by another."""
        bench.wire.heal()
        bench.wire.calls.clear()
        yield
        bench.wire.heal()
        bench.ebb()

    def test_bench__says_why_of_all_that_it_lacks(self, bench: Bench) -> None:
        assert [one for one, reason in bench.lacks.items() if len(reason.split()) < 3] == []

    def test_check__with_a_good_credential__finds_search_and_close_allowed_and_changes_nothing(
        self, bench: Bench
    ) -> None:
        stranger = bench.open_ticket("unchanged", "by a check", STRANGER)
        before = bench.raw(stranger)

        checks = with_system(bench, lambda system: system.check())

        assert {one.name: one.state for one in checks}["ticket.search"] is CheckState.OK
        known = {CheckState.OK, CheckState.WARN} if Ability.READ_ONLY in bench.lacks else {CheckState.OK}
        assert {one.name: one.state for one in checks}["ticket.close"] in known
        assert bench.raw(stranger) == before

    def test_check__with_a_refused_credential__fails_with_a_remedy(self, bench: Bench) -> None:
        async def main() -> list[tuple[CheckState, bool]]:
            async with bench.refused() as system:
                return [(one.state, bool(one.remedy)) for one in await system.check()]

        assert (CheckState.FAIL, True) in bench.run(main())

    def test_budget__costs_no_call_and_is_a_sequence(self, bench: Bench) -> None:
        async def main(system: TicketingSystem) -> int:
            return len(system.budget())

        assert with_system(bench, main) >= 0

    def test_check__asks_little_and_changes_nothing(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE)
        bench.open_ticket("unchanged", "by a check", STRANGER)
        bench.wire.calls.clear()

        with_system(bench, lambda system: system.check())

        assert bench.wire.writes == []
        assert 0 < len(bench.wire.calls) <= 15

    def test_budget__is_read_from_answers_and_costs_no_call(self, bench: Bench) -> None:
        needs(bench, Ability.WIRE, Ability.BUDGET)
        bench.wire.changes = with_headers(
            **{name.replace("-", "_"): one for name, one in bench.budget_headers.items()}
        )

        async def main(system: TicketingSystem) -> tuple[list[Budget], int]:
            await system.find([new_canary(bench.now())], Depth.POLL)
            bench.wire.calls.clear()
            return list(system.budget()), len(bench.wire.calls)

        windows, calls = with_system(bench, main)

        assert 42 in {one.left for one in windows}
        assert 100 in {one.limit for one in windows}
        assert calls == 0

    def test_name__is_that_of_the_configuration(self, bench: Bench) -> None:
        canary = new_canary(bench.now())
        bench.open_ticket(f"{canary.subject_prefix} named", BODY, SENDER)

        async def main(system: TicketingSystem) -> tuple[str, set[str]]:
            look = await system.find([canary], Depth.DEADLINE)
            return system.name, {one.ref.system for one in look.tickets}

        name, systems = with_system(bench, main)

        assert systems == {name}
