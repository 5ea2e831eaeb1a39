"""What holds while the program is being loaded ends when its work begins."""

import gc
from collections.abc import Iterator

import pytest

from runners.cli.interrupt import run_loop


@pytest.fixture
def collecting_nothing() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("collecting_nothing")
def test_work_in_a_loop__has_its_garbage_collected() -> None:
    async def work() -> bool:
        return gc.isenabled()

    assert run_loop(work())
