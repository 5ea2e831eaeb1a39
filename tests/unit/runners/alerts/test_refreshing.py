"""Telling again what lasts, to a sink that forgets it."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from canary.alert import Alert, AlertTransition, Subject
from runners.alerts.contracts import Undelivered
from runners.alerts.refreshing import Lasting, keep_fresh
from runners.contracts import StoreError
from tests.fakes.clock import FakeClock, run_jumping
from tests.unit.runners.alerts.cases import NOON, an_alert


@dataclass
class Forgetful:
    """Knows what fires, by what it was told."""

    name: str = "am"
    firing: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)
    refuses: str = ""

    async def deliver(self, alert: Alert) -> None:
        if alert.key == self.refuses:
            raise Undelivered("503", permanent=False)
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

    answers: list[Lasting | StoreError]

    async def lasting(self) -> Lasting:
        answer = self.answers.pop(0) if self.answers else Lasting()
        if isinstance(answer, StoreError):
            raise answer
        return answer


def lasting_of(*keys: str, known: Sequence[str] | None = None) -> Lasting:
    """So many things last, each a subject of its own; the sink knows of all, or of some."""
    alerts = [an_alert(key=one) for one in (keys if known is None else known)]
    return Lasting(
        [replace(one, concern=replace(one.concern, subject=Subject(one.key))) for one in alerts],
        {Subject(one): f"episode of {one}" for one in keys},
    )


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
    sink = Forgetful()

    kept_fresh(sink, Store([lasting_of("lasts", "over"), lasting_of("lasts")]), seconds=10)

    assert sink.told == ["refresh lasts over", "resolved over"]
    assert sink.firing == {"lasts"}


def test_alert_of_another_occurrence__is_ended_as_the_one_that_was_told() -> None:
    sink, first = Forgetful(), lasting_of("it")
    second = replace(first, episodes={Subject("it"): "another"})

    kept_fresh(sink, Store([first, second]), seconds=10)

    assert sink.told == ["refresh it", "resolved it"]


def test_alert_that_lasts_and_that_another_replica_tells_this_sink_no_more__is_not_ended() -> None:
    # That replica's configuration has no such sink: it strikes it out of what lasts.
    sink = Forgetful()

    kept_fresh(sink, Store([lasting_of("it"), lasting_of("it", known=[])]), seconds=10)

    assert sink.told == ["refresh it"]
    assert sink.firing == {"it"}


def test_end_that_is_not_taken__keeps_no_other_end_from_being_told() -> None:
    sink = Forgetful(refuses="one")

    kept_fresh(sink, Store([lasting_of("one", "two"), lasting_of()]), seconds=10)

    assert sink.told == ["refresh one two", "resolved two"]


def test_store_that_is_away__costs_one_round() -> None:
    sink, lasting = Forgetful(), lasting_of("lasts")

    kept_fresh(sink, Store([StoreError("gone"), lasting, lasting]), seconds=70)

    assert sink.told == ["refresh lasts"]


def test_nothing_lasts__refreshes_all_the_same_for_what_has_ended() -> None:
    sink = Forgetful()

    kept_fresh(sink, Store([]), seconds=70)

    assert sink.told == ["refresh ", "refresh "]
