"""What a page or a command asks of many canaries walks an index: SQLite says how it would go about it."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Executable
from sqlalchemy.dialects import sqlite

from runners.store import canaries, glances, open_store
from tests.fakes.clock import FakeClock


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("plans") / "intake.db"

    async def make() -> None:
        async with open_store(f"sqlite:///{made}", clock=FakeClock()) as store:
            assert list(await store.leftovers()) == []

    asyncio.run(make())
    return made


def plan(file: Path, statement: Executable) -> list[str]:
    """What SQLite would do for it."""
    asked: Any = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    with closing(sqlite3.connect(file)) as connection:
        rows = connection.execute(f"EXPLAIN QUERY PLAN {asked}", [1] * len(asked.positiontup or []))
        return [row[3] for row in rows]


def test_end_of_an_id__is_found_by_its_index(file: Path) -> None:
    assert plan(file, canaries._ENDING) == ["SEARCH canary USING INDEX ix_canary_end (<expr>=?)"]


def test_beginning_of_an_id__is_found_by_the_key(file: Path) -> None:
    assert plan(file, canaries._BEGINNING) == [
        "SEARCH canary USING INDEX sqlite_autoindex_canary_1 (id>? AND id<?)"
    ]


def test_newest_canaries_of_several_paths__are_read_in_the_order_of_the_index(file: Path) -> None:
    steps = plan(file, glances._together(glances._newest, 2))

    assert [one for one in steps if "canary" in one] == [
        "SEARCH canary USING INDEX ix_canary_path_launched_at (path=? AND launched_at<?)"
    ] * 2
    assert [one for one in steps if "TEMP B-TREE" in one] == []
