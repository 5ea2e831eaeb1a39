"""What is made before anybody asks, so that the first reader after a start waits for nothing."""

import asyncio
from collections.abc import Mapping
from datetime import datetime

import pytest
from starlette.applications import Starlette

from canary.path import PathName
from runners import serving
from runners.contracts import StoreError
from runners.history import Glance
from runners.web.app import build_app
from runners.web.pages import make_ahead
from tests.fakes.memory_store import MemoryStore
from tests.fakes.page_scene import Scene
from tests.unit.runners.web.asked import Asker


class Counting(MemoryStore):
    readings = 0
    is_gone = False

    async def glances(
        self, windows: Mapping[PathName, int], *, now: datetime, points: int = 0
    ) -> Mapping[PathName, Glance]:
        self.readings += 1
        if self.is_gone:
            raise StoreError("store: it does not answer.")
        return await super().glances(windows, now=now, points=points)


def test_first_page__was_read_before_its_first_reader_came() -> None:
    store = Counting()
    page = Asker(Scene(store=store))

    async def ask() -> tuple[int, int, str]:
        page.app = build_app(page.scene.parts())
        await make_ahead(page.app)
        before = store.readings
        answer = await page.get("/")
        return before, store.readings, answer.text

    before, after, text = asyncio.run(ask())

    assert (before, after) == (2, 2)
    assert "<!doctype" in text


def test_store_that_is_gone_at_the_start__is_read_when_somebody_asks() -> None:
    store = Counting()
    store.is_gone = True
    page = Asker(Scene(store=store))

    async def ask() -> int:
        page.app = build_app(page.scene.parts())
        with pytest.raises(StoreError, match="it does not answer"):
            await make_ahead(page.app)
        store.is_gone = False
        return (await page.get("/")).status_code

    assert asyncio.run(ask()) == 200


def test_page_that_can_t_be_laid_out__is_noted_and_stops_no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[str] = []

    async def broken(_: Starlette) -> None:
        raise ZeroDivisionError("a template divides by planted-4711")

    monkeypatch.setattr(serving, "make_ahead", broken)

    async def ahead() -> None:
        told = asyncio.Event()

        def note(text: str) -> None:
            noted.append(text)
            told.set()

        page = Asker(Scene())
        async with asyncio.TaskGroup() as group:
            loop = group.create_task(serving._make_ahead(build_app(page.scene.parts()), note))
            await told.wait()
            assert not loop.done()
            loop.cancel()

    asyncio.run(ahead())

    assert noted == ["the first page could not be made ahead (ZeroDivisionError): see it at / of the page"]
