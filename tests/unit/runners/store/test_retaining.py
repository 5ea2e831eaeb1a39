"""What is dropped is dropped some at a time, and what is not done is done the next time."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

from canary.verdict import Verdict
from runners.contracts import Store
from runners.retention import KEPT
from runners.store import open_store, retaining
from tests.contracts.store_cases import NOON, after, judged, make_canary, seen_at, settlement
from tests.fakes.clock import FakeClock

DAY_31 = NOON + timedelta(days=31)


async def filled(store: Store, count: int) -> None:
    """So many clean canaries with an observation each."""
    some = [make_canary(number) for number in range(1, count + 1)]
    await store.record(*some, holder="host-a", lease_until=after(30))
    await store.append(*(seen_at(one) for one in some))
    await store.settle(settlement(judged(some[0], Verdict.CONFIRMED), version=0))
    await store.settle(*(settlement(judged(one, Verdict.CONFIRMED), version=1) for one in some[1:]))
    await store.finish_clean(*(one.id for one in some), at=after(70))


async def left(store: Store, count: int) -> int:
    """How many of the canaries still have what was seen of them."""
    seen = await store.observations_of([make_canary(number).id for number in range(1, count + 1)])
    return sum(1 for observations in seen.values() if observations)


def test_one_round_a_time__drops_no_more_than_a_transaction_may_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retaining, "MOST_ROUNDS", 1)

    async def main() -> list[int]:
        async with open_store(f"sqlite:///{tmp_path / 'intake.db'}", clock=FakeClock()) as store:
            await filled(store, 450)
            found = []
            for _ in range(3):
                await store.forget(DAY_31, keep=KEPT)
                found.append(await left(store, 450))
            return found

    assert asyncio.run(main()) == [250, 50, 0]


def test_write_that_fails_in_the_middle__keeps_what_was_done_and_the_rest_is_done_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = retaining.thin, []

    def fails_the_second_time(*some: object, **named: object) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise LookupError
        return real(*some, **named)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(retaining, "thin", fails_the_second_time)

    async def main() -> tuple[int, int]:
        async with open_store(f"sqlite:///{tmp_path / 'intake.db'}", clock=FakeClock()) as store:
            await filled(store, 450)
            with pytest.raises(LookupError):
                await store.forget(DAY_31, keep=KEPT)
            before = await left(store, 450)
            await store.forget(DAY_31, keep=KEPT)
            return before, await left(store, 450)

    assert asyncio.run(main()) == (250, 0)


def test_canaries_to_be_thinned__are_found_by_the_index_of_those_that_were_not(tmp_path: Path) -> None:
    file = tmp_path / "intake.db"

    async def make() -> None:
        async with open_store(f"sqlite:///{file}", clock=FakeClock()) as store:
            assert list(await store.leftovers()) == []

    asyncio.run(make())
    statement = retaining._TO_BE_THINNED.params(b_before=NOON)
    asked = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    with closing(sqlite3.connect(file)) as connection:
        plan = connection.execute(
            f"EXPLAIN QUERY PLAN {asked}", [1] * len(asked.positiontup or [])
        ).fetchall()

    assert [row[3] for row in plan] == ["SEARCH canary USING INDEX ix_canary_unthinned (launched_at<?)"]
