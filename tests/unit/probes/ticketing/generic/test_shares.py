"""Our share of the windows, kept by all processes that count in one place."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from canary.call_share import Grant, Stretch, Want
from probes.contracts import Blind, Uncounted
from probes.http_wire import Answer
from probes.ticketing.generic.budgets import Budgets, BudgetSettings, Window
from probes.ticketing.generic.conversions import As
from probes.ticketing.generic.picking import Pick
from probes.ticketing.generic.shares import Shares
from probes.ticketing.shared_calls import OwnCalls, SharedCalls
from tests.fakes.clock import FakeClock, run_jumping


def header(name: str) -> Pick:
    return Pick(key=f"budget.{name}", header=name, steps=(As.TEXT,))


ACCOUNT = Window(
    "account", {"remaining": header("X-Left"), "limit": header("X-Max"), "reset": header("X-Reset")}
)
SILENT = {"remaining": header("X-Left"), "limit": header("X-Max")}


class Gone(OwnCalls):
    """A store that can be taken away."""

    is_down = False
    takes = 0

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        self.takes += 1
        if self.is_down:
            raise Uncounted("the store can't be read", retry_after_seconds=5.0)
        return await super().take_calls(account, wants, now=now)

    async def stretches(self, account: str) -> Sequence[Stretch]:
        if self.is_down:
            raise Uncounted("the store can't be read", retry_after_seconds=5.0)
        return await super().stretches(account)


@dataclass
class Vendor:
    """A window of so many calls, from one multiple of its length to the next; counts what it is asked."""

    clock: FakeClock
    limit: int = 20
    seconds: float = 60.0
    made: list[float] = field(default_factory=list)
    tells: bool = True

    def ask(self) -> Answer:
        at = self.clock.monotonic()
        self.made.append(at)
        begun = at // self.seconds
        left = self.limit - sum(one // self.seconds == begun for one in self.made)
        reset = (begun + 1) * self.seconds - at
        told = {"X-Left": str(left), "X-Max": str(self.limit), "X-Reset": str(round(reset))}
        return Answer(200, told if self.tells else {}, b"", "GET x", "desk")


class Process:
    """One process that asks the vendor."""

    def __init__(self, vendor: Vendor, shared: SharedCalls, settings: BudgetSettings) -> None:
        self.vendor = vendor
        self.budgets = Budgets(settings, vendor.clock)
        self.shares = Shares(settings, self.budgets, shared, vendor.clock)

    async def call(self) -> None:
        self.budgets.admit("desk")
        counted = await self.shares.admit("desk")
        self.budgets.note(self.vendor.ask())
        await self.shares.heard(counted)

    async def calls(self, most: int) -> int:
        """One look of so many calls, as far as it comes."""
        made = 0
        async with self.shares.turn():
            for _ in range(most):
                try:
                    await self.call()
                except Blind:
                    break
                made += 1
        return made


def settings(*windows: Window, share: float = 0.5, reserve: float = 0.2) -> BudgetSettings:
    return BudgetSettings(windows, reserve_share=reserve, own_share=share, account="desk.acme.test")


def test_several_processes__take_the_share_together_and_no_more() -> None:
    async def main() -> list[int]:
        vendor, shared = Vendor(FakeClock()), OwnCalls()
        several = [Process(vendor, shared, settings(ACCOUNT)) for _ in range(3)]
        return [await one.calls(6) for one in several]

    assert asyncio.run(main()) == [6, 4, 0]


def test_share_that_is_used_up__says_until_when_and_begins_anew_then() -> None:
    clock = FakeClock()

    async def main() -> None:
        vendor, shared = Vendor(clock), OwnCalls()
        one, other = (Process(vendor, shared, settings(ACCOUNT)) for _ in range(2))
        assert await one.calls(99) == 10
        with pytest.raises(
            Blind, match="10 of them were ours, of all processes together, of which 10"
        ) as caught:
            await other.call()
        assert caught.value.status == 429
        wait = caught.value.retry_after_seconds
        assert wait is not None
        clock.advance(wait)
        assert await other.calls(99) == 10

    asyncio.run(main())


def test_what_was_taken_ahead_and_not_asked__is_given_back_at_the_end_of_the_look() -> None:
    async def main() -> None:
        clock = FakeClock()
        vendor, shared = Vendor(clock, limit=100), Gone()
        one = Process(vendor, shared, settings(ACCOUNT))
        await one.calls(8)
        shared.takes = 0

        await one.calls(8)
        (kept,) = await shared.stretches("desk.acme.test")

        assert shared.takes <= 2
        assert kept.taken == 16
        await one.calls(1)
        (kept,) = await shared.stretches("desk.acme.test")
        assert kept.taken == 17

    asyncio.run(main())


def test_window_that_answers_tell_of__is_known_to_a_process_before_its_first_call() -> None:
    async def main() -> None:
        vendor, shared = Vendor(FakeClock()), OwnCalls()
        await Process(vendor, shared, settings(ACCOUNT)).calls(99)

        with pytest.raises(Blind, match="were ours"):
            await Process(vendor, shared, settings(ACCOUNT)).call()

    asyncio.run(main())


def test_window_that_no_answer_tells_of_any_more__holds_nobody_up() -> None:
    async def main() -> None:
        vendor, shared = Vendor(FakeClock()), OwnCalls()
        await Process(vendor, shared, settings(ACCOUNT)).calls(9)
        vendor.tells = False

        assert await Process(vendor, shared, settings()).calls(30) == 30

    asyncio.run(main())


def test_store_that_is_down__asks_nothing_and_goes_on_when_it_is_back() -> None:
    async def main() -> None:
        vendor, shared = Vendor(FakeClock(), limit=100), Gone()
        one = Process(vendor, shared, settings(ACCOUNT))
        await one.call()
        shared.is_down = True
        before = len(vendor.made)

        with pytest.raises(Uncounted) as caught:
            await one.call()

        assert caught.value.retry_after_seconds == 5.0
        assert len(vendor.made) == before
        shared.is_down = False
        assert await one.calls(5) == 5

    asyncio.run(main())


def test_nothing_to_keep__asks_no_store() -> None:
    async def main() -> None:
        vendor, shared = Vendor(FakeClock(), limit=100), Gone()
        shared.is_down = True

        assert await Process(vendor, shared, settings(ACCOUNT, share=1.0)).calls(9) == 9
        assert shared.takes == 0

    asyncio.run(main())


def test_declared_window__is_counted_by_all_together() -> None:
    clock = FakeClock()
    window = Window("declared", {}, at_most=10, seconds=60.0)

    async def main() -> None:
        vendor, shared = Vendor(clock, tells=False), OwnCalls()
        one, other = (Process(vendor, shared, settings(window, share=1.0)) for _ in range(2))
        assert [await one.calls(5), await other.calls(5)] == [5, 3]  # 20 % of 10 are reserved

        clock.advance(66)
        assert await other.calls(1) == 1
        (told,) = other.shares.seen(())
        assert (told.left, told.limit, told.usable) == (9, 10, 7)

    asyncio.run(main())


@pytest.mark.parametrize(("limit", "ours"), [(1, 1), (2, 2), (4, 4), (5, 4), (10, 8)])
def test_reserve_of_a_declared_window__is_of_whole_requests(limit: int, ours: int) -> None:
    window = Window("declared", {}, at_most=limit, seconds=60.0)

    async def main() -> int:
        vendor = Vendor(FakeClock(), tells=False)
        return await Process(vendor, OwnCalls(), settings(window, share=1.0)).calls(99)

    assert asyncio.run(main()) == ours


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_limit_of_the_configuration__keeps_a_reserve_where_answers_tell_nothing(share: float) -> None:
    window = Window("minute", {}, limit=10, lasts_seconds=60.0)

    async def main() -> int:
        vendor = Vendor(FakeClock(), tells=False)
        return await Process(vendor, OwnCalls(), settings(window, share=share)).calls(99)

    assert asyncio.run(main()) == {1.0: 8, 0.5: 5}[share]


def test_limit_of_the_configuration__keeps_a_reserve_where_answers_tell_what_is_left() -> None:
    window = Window("minute", {"remaining": header("X-Left")}, limit=20, lasts_seconds=60.0)

    async def main() -> int:
        vendor = Vendor(FakeClock())
        return await Process(vendor, OwnCalls(), settings(window, share=1.0)).calls(99)

    assert asyncio.run(main()) == 16


def test_window_of_a_day__is_shared_until_midnight() -> None:
    clock = FakeClock()  # at noon
    window = Window("day", SILENT, is_day=True)

    async def main() -> None:
        vendor, shared = Vendor(clock, limit=10, seconds=86400.0), OwnCalls()
        one, other = (Process(vendor, shared, settings(window)) for _ in range(2))
        assert [await one.calls(3), await other.calls(9)] == [3, 2]
        clock.advance(11 * 3600)
        assert await one.calls(1) == 0
        with pytest.raises(Blind) as caught:
            await one.call()
        assert caught.value.retry_after_seconds == 3601.0

    asyncio.run(main())


def test_window_that_refills_all_the_time__lets_the_share_of_a_minute_be_asked() -> None:
    clock = FakeClock()

    async def main() -> int:
        vendor, shared = Vendor(clock, limit=40, seconds=1.8), OwnCalls()
        one = Process(vendor, shared, settings(Window("bucket", SILENT)))
        made = 0
        for _ in range(60):
            made += await one.calls(1)
            clock.advance(0.9)
        return made

    assert asyncio.run(main()) == 20


def test_words_for_check__say_what_all_may_and_have_made() -> None:
    async def main() -> list[str]:
        vendor, shared = Vendor(FakeClock()), OwnCalls()
        await Process(vendor, shared, settings(ACCOUNT)).calls(4)
        other = Process(vendor, shared, settings(ACCOUNT))
        await other.calls(1)
        return other.shares.states()

    assert asyncio.run(main()) == [
        "account: of 20 requests all processes on this store may make 10 together (50%), and have made 5"
    ]


class Slow(OwnCalls):
    """A store that takes its time."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock

    async def take_calls(self, account: str, wants: Sequence[Want], *, now: datetime) -> Sequence[Grant]:
        await self._clock.sleep(0.01)
        return await super().take_calls(account, wants, now=now)


def test_window_that_anothers_answer_tells_of_meanwhile__does_not_hold_up_a_call() -> None:
    clock = FakeClock()

    async def main() -> None:
        vendor = Vendor(clock, limit=100)
        one = Process(vendor, Slow(clock), settings(Window("declared", {}, at_most=100), ACCOUNT))
        first = await one.shares.admit("desk")

        async with asyncio.TaskGroup() as group:
            second = group.create_task(one.shares.admit("desk"))
            await clock.sleep(0.005)
            one.budgets.note(vendor.ask())
            group.create_task(one.shares.heard(first))

        one.budgets.note(vendor.ask())
        await one.shares.heard(second.result())
        assert (
            "account: of 100 requests all processes on this store may make 50 together (50%), and have made 2"
            in (one.shares.states())
        )

    run_jumping(clock, main())


@pytest.mark.parametrize("seconds", [1.0, 2.0, 3.0])
def test_share_of_a_window_of_seconds_that_answers_tell_of__is_no_share_of_a_minute(seconds: float) -> None:
    clock = FakeClock()
    began = clock.monotonic()

    async def main() -> list[float]:
        vendor, shared = Vendor(clock, limit=10, seconds=seconds), OwnCalls()
        several = [Process(vendor, shared, settings(ACCOUNT)) for _ in range(2)]
        while len(vendor.made) < 70:
            for one in several:
                await one.calls(7)
                with suppress(Blind):
                    await one.call()
            await clock.sleep(0.25)
        return vendor.made

    made = run_jumping(clock, main())

    assert max(sum(one // seconds == two // seconds for two in made) for one in made) <= 5
    assert clock.monotonic() - began <= 14 * (seconds + 1.5)


def test_window_of_a_second__is_known_to_be_short_by_the_first_process_that_asks() -> None:
    clock = FakeClock()

    async def main() -> None:
        vendor, shared = Vendor(clock, limit=10, seconds=1.0), OwnCalls()
        assert await Process(vendor, shared, settings(ACCOUNT)).calls(99) == 5
        with pytest.raises(Blind) as caught:
            await Process(vendor, shared, settings(ACCOUNT)).call()
        assert caught.value.retry_after_seconds is not None
        assert caught.value.retry_after_seconds <= 2.5

    asyncio.run(main())


def test_calls_of_a_short_window__are_written_down_once_each_and_not_twice() -> None:
    async def main() -> int:
        vendor, shared = Vendor(FakeClock(), limit=20, seconds=1.0), Gone()
        one = Process(vendor, shared, settings(ACCOUNT))
        await one.calls(5)
        shared.takes = 0
        one.vendor.clock.advance(5)
        await one.calls(5)
        return shared.takes

    assert asyncio.run(main()) <= 6
