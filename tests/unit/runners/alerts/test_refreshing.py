"""Telling again what lasts, to a sink that forgets it."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from canary.alert import Alert, AlertTransition
from runners.alerts.refreshing import keep_fresh
from runners.contracts import StoreError
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.alerts.cases import NOON, an_alert


@dataclass
class Forgetful:
    """Knows what fires, by what it was told."""

    name: str = "am"
    firing: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)

    async def deliver(self, alert: Alert) -> None:
        self.told.append(f"{alert.transition} {alert.key}")
        if alert.transition is AlertTransition.RESOLVED:
            self.firing.discard(alert.key)
        else:
            self.firing.add(alert.key)

    async def refresh(self, still_open: Sequence[Alert]) -> None:
        self.told.append(f"refresh {' '.join(one.key for one in still_open)}")
        self.firing |= {one.key for one in still_open}


@dataclass
class Store:
    """Answers with what is next; an error is raised."""

    answers: list[Sequence[Alert] | StoreError]

    async def lasting(self) -> Sequence[Alert]:
        answer = self.answers.pop(0) if self.answers else ()
        if isinstance(answer, StoreError):
            raise answer
        return answer


def kept_fresh(sink: Forgetful, store: Store, *, seconds: float) -> None:
    """Keep a sink fresh for so long."""
    clock = FakeClock(NOON)

    async def main() -> None:
        with contextlib.suppress(TimeoutError):
            async with clock.timeout(seconds):
                await keep_fresh(sink, store.lasting, clock=clock)

    run_jumping(clock, main())


def test_alert_that_ended_while_it_was_told_again__is_ended_again_at_once() -> None:
    # Another process delivered the end between our reading and our telling.
    sink, lasting = Forgetful(), [an_alert(key="lasts"), an_alert(key="over")]

    kept_fresh(sink, Store([lasting, lasting[:1]]), seconds=10)

    assert sink.told == ["refresh lasts over", "resolved over"]
    assert sink.firing == {"lasts"}


def test_store_that_is_away__costs_one_round() -> None:
    sink, lasting = Forgetful(), [an_alert(key="lasts")]

    kept_fresh(sink, Store([StoreError("gone"), lasting, lasting]), seconds=70)

    assert sink.told == ["refresh lasts"]


def test_nothing_lasts__refreshes_all_the_same_for_what_has_ended() -> None:
    sink = Forgetful()

    kept_fresh(sink, Store([]), seconds=70)

    assert sink.told == ["refresh ", "refresh "]
