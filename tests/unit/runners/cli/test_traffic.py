"""Real tickets in `status`, `incidents` and one incident whole."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.traffic import HOUR, Watched, Way
from runners.clock import SystemClock
from runners.store import open_store
from tests.unit.runners.cli.conftest import Run
from tests.unit.runners.cli.filled import fill

WEEKS = timedelta(weeks=4)


def watched(folder: Path) -> datetime:
    """The store has seen four weeks with a ticket every two minutes, up to now."""
    now = SystemClock().now()
    begin = now - WEEKS
    every = HOUR / 30
    times = tuple(begin + every * number for number in range(int(WEEKS / every)))

    async def main() -> None:
        async with open_store(f"sqlite:///{folder / 'intake.db'}", clock=SystemClock()) as store:
            await store.note_traffic("desk", Watched(begin, now, 0.0, {Way.EMAIL: times}))
            silent = Gauge(
                "desk", GaugeName.INTAKE_TRAFFIC, 12.0, "{gap}", 9.0, now, GaugeState.WARN, Resource.EMAIL,
                detail="none for 24 min; at least about 12 would usually have come",
            )  # fmt: skip
            await store.add_gauges([silent])

    asyncio.run(main())
    return now


def test_incidents__say_how_many_tickets_are_at_risk(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)
    watched(tmp_path)

    said = run("incidents")
    (incident,) = run("incidents", "--json").answer("incidents")["incidents"]
    whole = run("incidents", incident["id"], "--json").answer("incidents ID")["incident"]

    assert " tickets would usually have come since" in said.out
    assert incident["tickets_at_risk"] > 20
    assert whole["tickets_at_risk"] == pytest.approx(incident["tickets_at_risk"], abs=2)


def test_incidents__without_history_say_that_it_is_not_known(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=True)

    said = run("incidents")
    (incident,) = run("incidents", "--json").answer("incidents")["incidents"]

    assert "how many tickets are at risk is not known" in said.out
    assert incident["tickets_at_risk"] is None
    assert "how many tickets are at risk is not known" in run("incidents", incident["id"]).out


def test_status__shows_customers_who_fell_silent(run: Run, tmp_path: Path) -> None:
    fill(tmp_path, broken=False)
    watched(tmp_path)

    said = run("status")
    gauges = run("status", "--json").answer("status")["gauges"]

    (gauge,) = [one for one in gauges if one["name"] == "intake.traffic"]
    assert (gauge["place"], gauge["value"], gauge["limit"], gauge["state"]) == ("desk", 12.0, 9.0, "warn")
    assert "intake.traffic" in said.out
    assert "none for 24 min" in said.out
