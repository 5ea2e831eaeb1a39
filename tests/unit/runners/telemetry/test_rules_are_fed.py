"""Every metric that a rule asks for is one that `/metrics` shows, of a store in which something of everything happened."""

import asyncio

import pytest

from dashboards.rules import alert_rules, rule_groups
from runners.telemetry.families import Snapshot
from tests.fakes.full_store import fill, snapshots
from tests.fakes.memory_store import MemoryStore
from tests.unit.dashboards.estates import MANY
from tests.unit.dashboards.promql_names import CATALOGUE, selected

ASKED = sorted(
    {
        name
        for group in rule_groups(MANY)
        for rule in group.rules
        for name, _ in selected(rule.query.text)
        if name in CATALOGUE
    }
)
UNDELIVERED_ONLY = {"intake_prober_outbox_pending", "intake_prober_outbox_oldest_timestamp_seconds"}
"""A sink has an outbox; the scene has no sinks."""


@pytest.fixture(scope="module")
def shown() -> Snapshot:
    async def main() -> Snapshot:
        store = MemoryStore(prober="fra-1")
        await fill(store)
        return await snapshots(store).current()

    return asyncio.run(main())


@pytest.mark.parametrize("name", [one for one in ASKED if one not in UNDELIVERED_ONLY])
def test_metric_of_a_rule__is_exported(shown: Snapshot, name: str) -> None:
    assert name in {one.instrument.prometheus for one in shown.families}


def test_rules__ask_for_what_there_is() -> None:
    assert len(ASKED) > 20
    assert set(ASKED) >= UNDELIVERED_ONLY
    assert alert_rules(MANY)
