"""Three daemons on one PostgreSQL, killed, frozen, cut off and stopped by chance: each slot, verdict and alert once.

The hour with two hundred paths is `python -m tests.soak --only replicas`; this is the form of it that takes a minute.
"""

import os
from datetime import timedelta

import pytest

from tests.chaos.replicas.scenario import ORIGIN, Plan, may_still_be_noted, play
from tests.real.servers.postgresql import running_postgresql


@pytest.fixture
def seed() -> int:
    """A new one each time; INTAKE_PROBER_SEED plays one again."""
    return int(os.environ.get("INTAKE_PROBER_SEED", "") or int.from_bytes(os.urandom(4), "big"))


def test_replicas_with_accidents__launch_each_slot_once_settle_once_and_tell_each_incident_in_order(
    seed: int,
) -> None:
    plan = Plan(seed=seed, paths=30, minutes=20.0, speed=20.0, interval_seconds=120.0, deadline_seconds=60.0)

    with running_postgresql() as server:
        outcome = play(plan, server)

    assert outcome.wrong == [], plan
    # A busy machine misses slots, and keeps them as missed: only a test in which little happened would say nothing.
    assert outcome.launched > 100, (plan, outcome)
    # Three paths of three ticketing systems break, and each is told of by itself.
    assert outcome.incidents >= 3, (plan, outcome)
    assert outcome.alerts >= 6, (plan, outcome)
    assert outcome.notified >= 6, (plan, outcome)


@pytest.mark.parametrize(("seconds", "expected"), [(0, True), (270, True), (271, False)])
def test_slot_claimed_in_vain__is_excused_until_the_next_slot_notes_it(
    seconds: int, *, expected: bool
) -> None:
    """A lease of 30 s, an interval of two minutes, and as long again in which a slot may come late."""
    ended_at = ORIGIN + timedelta(seconds=seconds)

    assert may_still_be_noted(ORIGIN, ended_at, timedelta(minutes=2)) is expected
