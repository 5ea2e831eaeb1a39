"""Presets under settings that are not the usual ones."""

import pytest

from canary.observation import Depth
from probes.contracts import Disposal, DisposalAction, RemovalState, TicketingSystem
from tests.contracts.ticketing_bench import BODY, SENDER, Ability, new_canary, with_system
from tests.simulators.bench import SimulatedBench
from tests.unit.simulators.test_contract_more_vendors import GlpiBench, SalesforceBench
from tests.unit.simulators.test_contract_vendors import FreshdeskBench, ServiceNowBench, ZammadBench
from tests.unit.simulators.test_contract_zendesk import ZendeskBench

BENCHES = (FreshdeskBench, GlpiBench, SalesforceBench, ServiceNowBench, ZammadBench, ZendeskBench)
TAG = "of-a-canary"


@pytest.fixture(params=BENCHES, ids=lambda one: one.preset)
def bench(request: pytest.FixtureRequest) -> SimulatedBench:
    found: SimulatedBench = request.param()
    return found


def test_tag_of_another_name__is_set_and_read_back(bench: SimulatedBench) -> None:
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} to close", BODY, SENDER)

    async def main(system: TicketingSystem) -> tuple[list[RemovalState], frozenset[str]]:
        tickets = (await system.find([canary], Depth.DEADLINE)).tickets
        done = await system.dispose(tickets, Disposal(DisposalAction.CLOSE, TAG))
        (after,) = (await system.find([canary], Depth.DEADLINE)).tickets
        return [one.state for one in done], after.tags

    states, tags = with_system(bench, main)

    assert states == [RemovalState.DONE]
    assert Ability.TAGS in bench.lacks or TAG in tags
