"""A reader beside the writer of the same process."""

import asyncio
import threading
from pathlib import Path

import pytest

from runners.contracts import StoreError
from runners.store import open_store
from runners.store.connecting import connect_to
from tests.fakes.clock import FakeClock


def test_reader_beside_a_writer__reads_while_the_writer_is_in_a_transaction(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/intake.db"
    ended = threading.Event()

    async def read() -> list[object]:
        async with open_store(address, clock=FakeClock()) as writer:
            began = threading.Event()

            def long(_: object) -> None:
                began.set()
                ended.wait(10)

            async with open_store(address, clock=FakeClock(), read_only=True, beside=True) as reader:
                async with asyncio.TaskGroup() as group:
                    group.create_task(writer._database.write(long))
                    await asyncio.to_thread(began.wait, 10)
                    found = list(await reader.path_names())
                    was_free = not ended.is_set()
                    ended.set()
                with pytest.raises(StoreError, match="reading only"):
                    await reader._database.write(long)
                return [found, was_free]

    assert asyncio.run(read()) == [[], True]


def test_reader_beside__keeps_connections_of_its_own() -> None:
    database = connect_to("sqlite:///nowhere.db", is_read_only=True, is_beside=True)

    assert database.is_read_only
    asyncio.run(database.close())
