"""A sink that asks for a pause gets it for all messages, and one that has a pace is never rushed."""

import pytest

from canary.alert import Alert
from runners.alerts.contracts import Undelivered, limit_of, pace_of
from runners.alerts.renewing import Renewing
from tests.fakes.clock import FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.fakes.sink import FakeSink
from tests.unit.runners.alerts.test_delivery import delivered, delivery, message, written


def test_retry_after__holds_back_every_message_of_that_sink_and_none_of_another() -> None:
    store, clock = MemoryStore(), FakeClock()
    times: list[float] = []

    def throttled(alert: Alert) -> Undelivered | None:
        del alert
        times.append(clock.monotonic())
        return Undelivered("429", permanent=False, retry_after_seconds=60.0) if len(times) == 1 else None

    pager, chat = FakeSink("pager", throttled), FakeSink("chat")
    alerts = [message(key=str(one), sink=sink) for one in range(5) for sink in ("pager", "chat")]
    delivered(clock, delivery(store, clock, pager, chat), 62, lambda: written(store, *alerts))

    assert [round(one - times[0]) for one in times] == [0, 60, 60, 60, 60, 60]
    assert (len(pager.taken), len(chat.taken)) == (5, 5)


def test_retry_after__keeps_other_processes_away_too() -> None:
    store, clock = MemoryStore(), FakeClock()
    times: list[float] = []

    def throttled(alert: Alert) -> Undelivered | None:
        del alert
        times.append(clock.monotonic())
        return Undelivered("429", permanent=False, retry_after_seconds=60.0) if len(times) == 1 else None

    async def main() -> None:
        await written(store, message(key="first"))
        await delivery(store, clock, FakeSink("pager", throttled)).drain(1)
        await written(store, message(key="second"))
        await clock.sleep(10)
        other = delivery(store, clock, FakeSink("pager", throttled), holder="b")
        for _ in range(3):
            await other.drain(25)

    run_jumping(clock, main())

    assert [round(one - times[0]) >= 60 for one in times] == [False, True, True]


@pytest.mark.parametrize("is_drained", [False, True])
def test_sink_with_a_pace__gets_one_message_a_second(is_drained: bool) -> None:
    store, clock = MemoryStore(), FakeClock()
    times: list[float] = []

    def note(alert: Alert) -> None:
        del alert
        times.append(clock.monotonic())

    made = delivery(store, clock, FakeSink("chat", note, pace_seconds=1.0))
    alerts = [message(key=str(one), sink="chat") for one in range(4)]

    async def drained() -> None:
        await written(store, *alerts)
        await made.drain()

    if is_drained:
        run_jumping(clock, drained())
    else:
        delivered(clock, made, 10, lambda: written(store, *alerts))

    assert [round(one - times[0], 1) for one in times] == [0.0, 1.0, 2.0, 3.0]


def test_pace_and_limit__are_those_of_the_sink_whose_secret_is_renewed() -> None:
    slow = FakeSink("chat", limit_seconds=90.0, pace_seconds=2.0)

    assert (limit_of(Renewing(slow, [])), pace_of(Renewing(slow, []))) == (90.0, 2.0)
