"""A tenant that gets more tickets than one look may read: each preset walks through them, by time where its vendor can."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from canary.canary import Canary
from canary.observation import Depth
from canary.signature import find_tokens
from tests.contracts.ticketing_bench import BODY, new_canary
from tests.fakes.memory_store import MemoryStore
from tests.simulators.bench import SimulatedBench
from tests.unit.simulators.test_contract_more_vendors import GlpiBench, SalesforceBench
from tests.unit.simulators.test_contract_vendors import FreshdeskBench, ServiceNowBench, ZammadBench
from tests.unit.simulators.test_contract_zendesk import ZendeskBench

SIZE = 20
STRANGERS = 120
MEANWHILE = "it came in meanwhile"
MOST_LOOKS = 15
BY_TIME = (GlpiBench, SalesforceBench, ServiceNowBench, ZammadBench)
OTHERS = (FreshdeskBench, ZendeskBench)
FEW: Mapping[str, Mapping[str, str]] = {
    "freshdesk": {"per_page: 100": f"per_page: {SIZE}", "size: 100": f"size: {SIZE}"},
    "glpi": {"size: 200": f"size: {SIZE}"},
    "salesforce": {},
    "servicenow": {"sysparm_limit: 200": f"sysparm_limit: {SIZE}", "size: 200": f"size: {SIZE}"},
    "zammad": {"limit: 200": f"limit: {SIZE}"},
    "zendesk": {'"page[size]": 100': f'"page[size]": {SIZE}'},
}
IGNORED = {
    "until | iso": "until | strftime('2999-01-01T00:00:00Z')",
    "until | strftime('%Y-%m-%d %H:%M:%S')": "until | strftime('2999-01-01 00:00:00')",
    "later | strftime('%Y-%m-%d %H:%M:%S')": "strftime('2999-01-01 00:00:00')",
}
"""The bound is named, and says nothing: as with a vendor that ignores it."""


@dataclass
class Passed:
    """What a walk to its end was.

    Attributes:
        shown_again: looks after the first with a list in which a ticket is shown that came in after the first.
    """

    canary: Canary
    found: bool = False
    covers: bool = False
    calls: list[int] = field(default_factory=list)
    shown_again: int = 0


def walk(bench: SimulatedBench, more: Mapping[str, str] | None = None) -> Passed:
    """Look until a look is complete; the ticket of ours is the oldest, of a gateway that rewrote sender and subject."""
    now = bench.clock.now()
    passed = Passed(new_canary(now - timedelta(minutes=5)))
    if isinstance(bench, SalesforceBench):
        bench.simulator.long_text_rows = SIZE  # type: ignore[attr-defined]  # the bench's own
    text = f"{BODY} {passed.canary.token}"
    bench.desk.plant("Fwd: question", text, "gateway@acme.test", created_at=now - timedelta(seconds=280))
    bench.desk.strangers(STRANGERS, a_second=0.5)
    answers: list[bytes] = []

    def heard(_: httpx.Request, answer: httpx.Response) -> httpx.Response:
        answers.append(answer.content)
        return answer

    bench.wire.changes = heard
    changed = {**FEW[bench.preset], "max_pages: 10": "max_pages: 2", **(more or {})}

    async def main() -> None:
        async with bench.connected(changed=changed, walks=MemoryStore()) as system:
            for _ in range(MOST_LOOKS):
                calls = len(bench.wire.calls)
                answers.clear()
                look = await system.find([passed.canary], Depth.DEADLINE)
                tokens = {word for one in look.tickets for word in find_tokens(f"{one.subject}\n{one.body}")}
                passed.found = passed.found or str(passed.canary.token) in tokens
                passed.shown_again += any(b"order " in one and MEANWHILE.encode() in one for one in answers)
                passed.calls.append(len(bench.wire.calls) - calls)
                if look.is_complete:
                    passed.covers = look.walk is not None and passed.canary.id in look.walk.covers
                    return
                await bench.clock.sleep(30)
                bench.open_ticket(MEANWHILE, "by somebody else", "late@customer.test")

    bench.run(main())
    return passed


@pytest.mark.parametrize("make", [*BY_TIME, *OTHERS], ids=lambda one: one.preset)
def test_busy_tenant__the_oldest_ticket_is_found_by_looks_of_a_bounded_cost(
    make: type[SimulatedBench],
) -> None:
    passed = walk(make())  # type: ignore[call-arg]  # each bench makes its own simulator

    assert (passed.found, passed.covers) == (True, True)
    assert len(passed.calls) > 2
    assert max(passed.calls) <= (100 if make is ZammadBench else 12)


@pytest.mark.parametrize("make", BY_TIME, ids=lambda one: one.preset)
def test_busy_tenant_of_a_vendor_that_knows_an_end__is_not_read_again_from_the_newest(
    make: type[SimulatedBench],
) -> None:
    assert walk(make()).shown_again == 0  # type: ignore[call-arg]  # each bench makes its own simulator


@pytest.mark.parametrize("make", BY_TIME, ids=lambda one: one.preset)
def test_vendor_that_ignores_the_end__is_read_again_from_the_newest_and_nothing_is_called_missing(
    make: type[SimulatedBench],
) -> None:
    bench = make()  # type: ignore[call-arg]  # each bench makes its own simulator
    text = {"glpi": 2, "servicenow": 1}.get(bench.preset, 0)

    passed = walk(bench, dict([list(IGNORED.items())[text]]))

    assert passed.shown_again > 0
    assert passed.found or not passed.covers
