"""Calls that are counted in the store: a store that fails is our own blindness, and is asked again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import pytest

from canary.call_share import Grant, Want
from canary.reason import Reason
from probes.contracts import Uncounted
from probes.reasons import explain
from runners.call_contracts import CallStore
from runners.contracts import StoreError
from runners.counted_calls import CallsCountedLate, CountedCalls
from tests.fakes.clock import START
from tests.fakes.memory_store import MemoryStore

WANT = Want("minute", 10, 0.5, calls=1)


class Full(MemoryStore):
    """A store whose disk is full."""

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        del account, wants, now
        raise StoreError("store: the disk is full. Make room.", is_of_disk=True)


def test_store_that_fails__is_no_word_about_the_system() -> None:
    with pytest.raises(Uncounted, match="can't be counted: store: the disk is full") as caught:
        asyncio.run(CountedCalls(Full()).take_calls("desk", [WANT], now=START))

    assert caught.value.retry_after_seconds == 5.0
    fault = explain(caught.value)
    assert fault is not None
    assert fault.reason is Reason.STORE_UNAVAILABLE


def test_store_of_a_check__is_opened_with_the_first_call_that_is_counted_and_closed_at_the_end() -> None:
    told: list[str] = []

    @asynccontextmanager
    async def opening() -> AsyncIterator[CallStore]:
        told.append("opened")
        yield MemoryStore()
        told.append("closed")

    async def main() -> None:
        async with CallsCountedLate(opening) as calls:
            told.append("idle")
            await calls.stretches("desk")
            (grant,) = await calls.take_calls("desk", [WANT], now=START)
            assert grant.calls == 1

    asyncio.run(main())

    assert told == ["idle", "opened", "closed"]


def test_store_of_a_check_that_cannot_be_opened__is_no_word_about_the_system() -> None:
    def opening() -> AbstractAsyncContextManager[CallStore]:
        raise StoreError("store: its address can't be read. Look.")

    async def main() -> None:
        async with CallsCountedLate(opening) as calls:
            await calls.stretches("desk")

    with pytest.raises(Uncounted, match="its address"):
        asyncio.run(main())
