"""The outbox is drained: nothing lost, nothing out of order, and no sink waits for another."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert import Alert, AlertTransition, Subject
from runners.alert_contracts import AlertStep
from runners.alerts import email
from runners.alerts.contracts import Undelivered
from runners.alerts.delivery import DRAIN_SECONDS, LEASE_MARGIN_SECONDS, Delivery, retry_seconds
from runners.contracts import StoreError
from runners.store.outbox import MOST_LEASE, MOST_WAIT
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.sink import Failing, FakeSink, down
from tests.unit.runners.alerts.cases import an_alert

_numbers = count()
SECRET = "planted-secret"


class Mourning(MemoryStore):
    """A store that remembers what was given up."""

    def __init__(self) -> None:
        super().__init__()
        self.dead: list[str] = []

    async def alert_given_up(
        self, alert_id: str, *, at: datetime, error: str, holder: str | None = None
    ) -> None:
        await super().alert_given_up(alert_id, at=at, error=error, holder=holder)
        self.dead.append(alert_id)


def message(number: int = 1, *, key: str = "one", sink: str = "pager") -> Alert:
    """The message of that number; the third one of a key is its end."""
    transition = (AlertTransition.OPENED, AlertTransition.CHANGED, AlertTransition.RESOLVED)[number - 1]
    return replace(
        an_alert(), id=f"{sink}/{key}/{number}", key=key, sink=sink, seq=number, transition=transition
    )


async def written(store: MemoryStore, *alerts: Alert) -> None:
    subject = Subject(f"incident/{next(_numbers)}")
    await store.store_alerts(AlertStep(subject, None, 0, alerts), at=START)


def delivery(store: MemoryStore, clock: FakeClock, *sinks: FakeSink, holder: str = "a") -> Delivery:
    return Delivery(
        store,
        {one.name: one for one in sinks},
        clock,
        holder,
        lambda: 0.5,
        lambda text: text.replace(SECRET, "***"),
    )


def delivered(
    clock: FakeClock, made: Delivery, seconds: float, before: Callable[[], Awaitable[None]]
) -> None:
    """Let it run for so long."""

    async def main() -> None:
        await before()
        try:
            async with clock.timeout(seconds):
                await made.run()
        except TimeoutError:
            return

    run_jumping(clock, main())


def test_messages_of_a_key__arrive_in_order_at_once() -> None:
    store, clock, pager = MemoryStore(), FakeClock(), FakeSink("pager")

    delivered(
        clock, delivery(store, clock, pager), 1, lambda: written(store, message(3), message(1), message(2))
    )

    assert [one.seq for one in pager.taken] == [1, 2, 3]
    assert asyncio.run(store.outbox()) == {}


def test_sink_that_hangs__holds_up_no_other() -> None:
    store, clock = MemoryStore(), FakeClock()
    stuck, chat = FakeSink("pager", hangs=True), FakeSink("chat")

    delivered(
        clock,
        delivery(store, clock, stuck, chat),
        3,
        lambda: written(store, message(), *(message(sink="chat", key=str(one)) for one in range(5))),
    )

    assert len(chat.taken) == 5
    assert stuck.tried == 1


def test_delivery_that_takes_too_long__is_given_back_and_tried_again() -> None:
    store, clock, stuck = MemoryStore(), FakeClock(), FakeSink("pager", hangs=True)

    delivered(clock, delivery(store, clock, stuck), 60, lambda: written(store, message()))

    assert stuck.tried == 3  # at 0, 25 and 55 s
    assert (asyncio.run(store.outbox())["pager"].last_error or "") == "pager: took longer than 20 s"


def test_sink_that_says_how_long_it_needs__gets_that_time_and_keeps_its_message_as_long() -> None:
    store, clock = MemoryStore(), FakeClock()
    slow, other = FakeSink("pager", hangs=True, limit_seconds=90), FakeSink("pager")

    async def main() -> None:
        await written(store, message())
        async with asyncio.TaskGroup() as group:
            running = group.create_task(delivery(store, clock, slow).run())
            await clock.sleep(89)
            await delivery(store, clock, other, holder="b").drain(seconds=0.5)
            assert (slow.tried, other.taken) == (1, [])
            await clock.sleep(2)
            running.cancel()

    run_jumping(clock, main())

    assert asyncio.run(store.outbox())["pager"].last_error == "pager: took longer than 90 s"


def test_sink_that_is_down_for_hours__loses_nothing() -> None:
    store, clock = MemoryStore(), FakeClock()
    up_at = clock.now() + timedelta(hours=6)
    pager = FakeSink("pager", lambda alert: down(alert) if clock.now() < up_at else None)

    delivered(
        clock,
        delivery(store, clock, pager),
        6 * 3600 + 400,
        lambda: written(store, message(1), message(2), message(3), message(1, key="two")),
    )

    assert [one.seq for one in pager.taken if one.key == "one"] == [1, 2, 3]
    assert [one.seq for one in pager.taken if one.key == "two"] == [1]
    assert pager.tried < 200


def test_sink_that_is_back__gets_all_that_waited_at_once() -> None:
    store, clock = MemoryStore(), FakeClock()
    up_at = clock.now() + timedelta(minutes=30)
    pager = FakeSink("pager", lambda alert: down(alert) if clock.now() < up_at else None)
    took_at: list[datetime] = []
    deliver = pager.deliver

    async def noted(alert: Alert) -> str | None:
        said = await deliver(alert)
        took_at.append(clock.now())
        return said

    pager.deliver = noted  # type: ignore[method-assign]
    made = delivery(store, clock, pager)
    delivered(clock, made, 3600, lambda: written(store, *(message(1, key=key) for key in "abcdef")))

    assert len(took_at) == 6
    assert took_at[-1] - took_at[0] <= timedelta(seconds=5)


def test_message_that_is_refused_for_good__is_dead_and_lets_the_next_one_pass() -> None:
    store, clock = MemoryStore(), FakeClock()

    def refusing(alert: Alert) -> Undelivered | None:
        return Undelivered(f"400 bad key {SECRET}", permanent=True) if alert.seq == 1 else None

    pager = FakeSink("pager", refusing)
    delivered(
        clock,
        delivery(store, clock, pager),
        1,
        lambda: written(store, message(1), message(3)),
    )

    assert [one.seq for one in pager.taken] == [3]
    state = asyncio.run(store.outbox())["pager"]
    assert (state.dead, state.last_error) == (1, "400 bad key ***")
    assert asyncio.run(store.outbox())["pager"].dead == 1


def test_retry_after__is_honoured_where_it_is_longer() -> None:
    store, clock = MemoryStore(), FakeClock()
    times: list[float] = []

    def throttled(alert: Alert) -> Undelivered:
        del alert
        times.append(clock.monotonic())
        return Undelivered("429", permanent=False, retry_after_seconds=120.0)

    delivered(
        clock, delivery(store, clock, FakeSink("pager", throttled)), 130, lambda: written(store, message())
    )

    assert [round(one - times[0]) for one in times] == [0, 120]


def test_fault_of_a_sink__is_logged_and_counts_as_not_permanent(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = MemoryStore(), FakeClock()
    broken = FakeSink("pager", lambda _: KeyError("routing_key"))
    chat = FakeSink("chat")

    delivered(
        clock,
        delivery(store, clock, broken, chat),
        6,
        lambda: written(store, message(), message(sink="chat")),
    )

    state = asyncio.run(store.outbox())["pager"]
    assert (state.pending, state.dead, state.last_error) == (1, 0, "pager: a fault of the prober, KeyError")
    assert len(chat.taken) == 1
    assert any(one.exc_info for one in caplog.records)


def test_wake__delivers_at_once_and_without_it_within_five_seconds() -> None:
    store, clock, pager = MemoryStore(), FakeClock(), FakeSink("pager")
    made = delivery(store, clock, pager)
    waited: list[float] = []

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            running = group.create_task(made.run())
            for is_told in (True, False):
                await clock.sleep(12)
                began, had = clock.monotonic(), len(pager.taken)
                await written(store, message(key=str(is_told)))
                if is_told:
                    made.wake()
                while len(pager.taken) == had:
                    await clock.sleep(0.1)
                waited.append(clock.monotonic() - began)
            running.cancel()

    run_jumping(clock, main())

    assert waited[0] < 0.2
    assert waited[1] <= 5.1


class _Failing(MemoryStore):
    """A store that fails at every call but each third."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def _fail(self) -> None:
        self.calls += 1
        if self.calls % 3:
            raise StoreError(f"the database is gone {SECRET}")

    async def claim_alerts(self, *args: object, **more: object) -> object:  # type: ignore[override]
        self._fail()
        return await super().claim_alerts(*args, **more)  # type: ignore[arg-type]

    async def alert_delivered(self, *args: object, **more: object) -> None:
        self._fail()
        await super().alert_delivered(*args, **more)  # type: ignore[arg-type]


def test_store_that_fails__is_asked_again_and_nothing_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    store, clock, pager = _Failing(), FakeClock(), FakeSink("pager")

    delivered(
        clock, delivery(store, clock, pager), 120, lambda: written(store, message(1), message(2), message(3))
    )

    assert list(dict.fromkeys(one.seq for one in pager.taken)) == [1, 2, 3]
    assert asyncio.run(store.outbox()) == {}
    assert SECRET not in caplog.text
    assert all(SECRET not in str(vars(one)) for one in caplog.records)


def test_drain__ends_as_soon_as_all_is_delivered_also_what_failed_once() -> None:
    store, clock = MemoryStore(), FakeClock()
    tries = count()
    pager = FakeSink("pager", lambda alert: down(alert) if next(tries) == 0 else None)

    async def main() -> float:
        await written(store, message(1), message(3), message(sink="gone"))
        began = clock.monotonic()
        await delivery(store, clock, pager).drain()
        return clock.monotonic() - began

    assert 5 <= run_jumping(clock, main()) < 10
    assert [one.seq for one in pager.taken] == [1, 3]


def test_drain__of_a_sink_that_is_down__ends_after_half_a_minute() -> None:
    store, clock = MemoryStore(), FakeClock()

    async def main() -> float:
        await written(store, message())
        began = clock.monotonic()
        await delivery(store, clock, FakeSink("pager", down)).drain(seconds=1000)
        return clock.monotonic() - began

    assert run_jumping(clock, main()) == DRAIN_SECONDS
    assert asyncio.run(store.outbox())["pager"].pending == 1


def test_process_that_ends_in_the_middle__leaves_its_message_to_the_next_one() -> None:
    store, clock = MemoryStore(), FakeClock()
    first, second = FakeSink("pager", hangs=True), FakeSink("pager")

    async def main() -> None:
        await written(store, message())
        async with asyncio.TaskGroup() as group:
            dying = group.create_task(delivery(store, clock, first).run())
            await clock.sleep(1)
            dying.cancel()
        await delivery(store, clock, second, holder="b").drain(seconds=25)
        assert second.taken == []
        await delivery(store, clock, second, holder="b").drain()

    run_jumping(clock, main())

    assert [one.seq for one in second.taken] == [1]


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 5), (1, 10), (2, 20), (5, 160), (6, 300), (7, 300), (10_000, 300)]
)
def test_pause__doubles_up_to_five_minutes(attempts: int, seconds: float) -> None:
    assert retry_seconds(attempts, 0.5) == pytest.approx(seconds)
    assert retry_seconds(attempts, 0.0) == pytest.approx(0.8 * seconds)
    assert retry_seconds(attempts, 1.0) == pytest.approx(1.2 * seconds)


def by_chance(chance: random.Random, *, failing: float, dying: float) -> Failing:
    """Fails so often for now, or for good."""

    def fails(alert: Alert) -> BaseException | None:
        del alert
        at = chance.random()
        if at < dying:
            return Undelivered("400", permanent=True)
        if at < dying + failing:
            return chance.choice([Undelivered("503", permanent=False), ValueError("a fault")])
        return None

    return fails


def assert_in_order(seen: list[int]) -> None:
    """Each may come again, but never after a later one."""
    assert seen == sorted(seen)


@given(
    seed=st.integers(0, 2**32),
    keys=st.integers(1, 4),
    failing=st.floats(0, 0.7),
    dying=st.floats(0, 0.2),
    takes_then_fails=st.booleans(),
)
def test_random_failures_and_two_processes__end_never_before_the_beginning_and_nothing_lost(
    seed: int,
    keys: int,
    failing: float,
    dying: float,
    takes_then_fails: bool,
) -> None:
    chance = random.Random(seed)  # noqa: S311 -- of a test
    store, clock = Mourning(), FakeClock()
    dead = store.dead

    pager = FakeSink(
        "pager", by_chance(chance, failing=failing, dying=dying), takes_then_fails=takes_then_fails
    )

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            running = [
                group.create_task(delivery(store, clock, pager, holder=one).run()) for one in ("a", "b")
            ]
            for number in (1, 2, 3):
                for key in range(keys):
                    await written(store, message(number, key=str(key)))
                    await clock.sleep(chance.random() * 10)
            until = clock.monotonic() + 24 * 3600
            while clock.monotonic() < until and any(one.pending for one in (await store.outbox()).values()):
                await clock.sleep(5)
            for one in running:
                one.cancel()

    run_jumping(clock, main())

    for key in range(keys):
        assert_in_order([one.seq for one in pager.taken if one.key == str(key)])
    arrived = {one.id for one in pager.taken} | set(dead)
    assert arrived == {f"pager/{key}/{number}" for key in range(keys) for number in (1, 2, 3)}
    state = asyncio.run(store.outbox()).get("pager")
    assert (state.pending if state else 0) == 0
    assert (state.dead if state else 0) == len(dead)
    assert len(set(dead)) == len(dead)


def test_message_that_did_not_reach_everybody__is_delivered_and_that_is_kept() -> None:
    class Half(FakeSink):
        async def deliver(self, alert: Alert) -> str | None:
            await super().deliver(alert)
            return "b@acme.example: 550 nobody"

    store, clock, mail = MemoryStore(), FakeClock(), Half("pager")

    delivered(clock, delivery(store, clock, mail), 1, lambda: written(store, message(1)))

    state = asyncio.run(store.outbox(dead_since=START))["pager"]
    assert (state.pending, state.dead, state.partial) == (0, 0, 1)
    assert state.last_error == "b@acme.example: 550 nobody"


def test_no_wait_and_no_lease__is_as_long_as_one_of_a_clock_that_was_set_back() -> None:
    minute = timedelta(minutes=1)

    assert timedelta(seconds=retry_seconds(99, 1.0)) + minute <= MOST_WAIT
    assert timedelta(seconds=email.LIMIT_SECONDS + LEASE_MARGIN_SECONDS) + minute <= MOST_LEASE
