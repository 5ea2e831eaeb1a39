"""A clock that was ahead and is set back: launching goes on, and what is dated in the future proves nothing."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from canary.ahead import MOST_AHEAD
from canary.alert import AlertTransition
from canary.gauge import Gauge, GaugeName, GaugeState, fresh
from canary.incident import Progress
from canary.path import Path
from canary.slot import MissedCause
from canary.verdict import Verdict
from runners.asking import ask_status
from runners.cli.exits import Exit
from runners.contracts import CanaryQuery, PathFacts
from runners.schedule import SchedulerTimer
from runners.states import PathState, stale_since, view_path
from tests.fakes.clock import START
from tests.unit.runners.test_alerting import Scene, form_path, mail_path
from tests.unit.runners.test_daemon import MINUTE, PATH, play, scene

SECOND = timedelta(seconds=1)


def test_daemon_whose_clock_was_two_hours_ahead__launches_each_slot_from_then_on() -> None:
    s = scene()
    s.clock.step(7200.0)
    daemon = s.daemon()
    found: list[tuple[int, PathState, Exit]] = []

    async def set_back() -> None:
        s.clock.step(-7200.0)
        for _ in range(3):
            await s.clock.sleep(20 * MINUTE)
            records = await s.store.canaries(CanaryQuery(path=PATH.name, limit=500))
            now = s.clock.now()
            status = await ask_status(s.store, [PATH], now=now)
            slots = [one.canary.slot_at for one in records if one.canary.launched_at <= now]
            assert len(slots) == len(set(slots))
            found.append((len(slots), status.paths[0].view.state, status.exit))

    play(s, 15 * MINUTE, daemon, then=set_back)

    assert found == [(number, PathState.OK, Exit.OK) for number in (3, 5, 7)]


def test_more_verdicts_of_the_future_than_are_looked_at__hide_none_of_now() -> None:
    s = scene()
    s.clock.step(360_000.0)
    daemon = s.daemon()
    found: list[tuple[PathState, Exit, bool]] = []

    async def set_back() -> None:
        s.clock.step(-360_000.0)
        for _ in range(2):
            await s.clock.sleep(20 * MINUTE)
            now = s.clock.now()
            status = await ask_status(s.store, [PATH], now=now)
            pulse = (await s.store.pulses([PATH.name], now=now))[PATH.name]
            is_fresh = stale_since(PATH, pulse.last_verdict_at, now) is None
            found.append((status.paths[0].view.state, status.exit, is_fresh))

    play(s, 150 * MINUTE, daemon, then=set_back)

    assert found == [(PathState.OK, Exit.OK, True)] * 2


def test_canaries_dated_in_the_future__are_not_those_that_are_outstanding() -> None:
    s = scene()
    s.clock.step(7200.0)
    s.world.desk_is_blind = True
    path = replace(PATH, slo=replace(PATH.slo, deadline_seconds=3600.0, horizon_seconds=7200.0))
    daemon = s.daemon(path)

    async def set_back() -> None:
        s.clock.step(-7200.0)
        await s.clock.sleep(30 * MINUTE)

    play(s, 65 * MINUTE, daemon, then=set_back)

    since = START - timedelta(hours=1)
    missed = asyncio.run(s.store.missed(PATH.name, since=since))
    assert MissedCause.OUTSTANDING not in {one.cause for one in missed if one.slot.at < s.clock.now()}


def test_timer_that_is_woken__waits_no_more_for_what_it_waited_for() -> None:
    waits = iter([timedelta(hours=2)])
    begun, announced = asyncio.Event(), asyncio.Event()

    def next_due(now: datetime) -> datetime:
        begun.set()
        return now + next(waits, timedelta(milliseconds=30))

    async def main() -> None:
        timer = SchedulerTimer()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(timer.run({PATH.name: next_due}, lambda _: announced.set()))
            await begun.wait()
            timer.wake()
            await announced.wait()
            running.cancel()

    asyncio.run(main())

    assert announced.is_set()


def _state(*ages: timedelta, path: Path = PATH) -> tuple[PathState, str]:
    """Of a path whose verdicts are so old, newest first."""
    at = [START - one for one in ages]
    facts = PathFacts(at[0], at[0], at[0], tuple((one, Verdict.CONFIRMED) for one in at))
    view = view_path(path, facts, incidents=[], recent=[], gauges=[], now=START)
    return view.state, view.why


def test_verdicts_of_the_future_alone__are_no_proof_and_the_words_say_why() -> None:
    state, why = _state(-timedelta(hours=2), -timedelta(hours=1))

    assert state is PathState.STALE
    assert why == "its verdicts are dated 1 h in the future: the clock was set back, or is wrong"


@pytest.mark.parametrize(
    ("age", "state"),
    [(timedelta(minutes=5), PathState.OK), (timedelta(hours=5), PathState.STALE)],
)
def test_verdict_of_the_future__hides_nothing_of_the_one_before_it(age: timedelta, state: PathState) -> None:
    assert _state(-timedelta(hours=2), age)[0] is state


def test_replica_whose_clock_is_a_little_ahead__proves_what_it_proves() -> None:
    assert _state(-MOST_AHEAD)[0] is PathState.OK
    assert _state(-MOST_AHEAD - SECOND)[0] is PathState.STALE


def test_path_by_hand__is_not_stale_for_a_verdict_of_the_future() -> None:
    by_hand = replace(PATH, interval_seconds=None)

    assert _state(-timedelta(hours=2), path=by_hand)[0] is PathState.OK


def test_pages_of_a_clock_that_was_ahead__hold_none_of_now_back() -> None:
    paths = tuple(mail_path(f"mail-{number}") for number in range(3))
    s = Scene(paths=tuple(replace(one, ticketing=one.name) for one in paths), pages_per_hour=2)
    s.clock.step(3 * 3600.0)
    for one in s.paths[:2]:
        s.opened(one)
    s.heard()
    s.clock.step(-3 * 3600.0)

    s.opened(s.paths[2])

    assert {(one.transition, one.concern.paths) for one in s.heard()} == {
        (AlertTransition.OPENED, (s.paths[2].name,))
    }


def test_page_that_waits_since_a_clock_was_ahead__is_said_to_be_untaken() -> None:
    s = Scene(sinks=frozenset({"pager"}))
    s.clock.step(3 * 3600.0)
    s.opened(mail_path())
    s.clock.step(-3 * 3600.0)
    alerting = s.alerting()
    asyncio.run(alerting.review())

    (words,) = alerting.untaken

    assert words.endswith(": pager: it waits")


def test_proof_of_the_future__sends_no_customer_to_its_path() -> None:
    mail, form = mail_path(), replace(form_path(), ticketing="other")
    s = Scene(paths=(mail, form))
    progress = Progress(confirmed=(s.clock.now() + timedelta(hours=2),))
    asyncio.run(s.store.store_progress(form.name, progress, version=0, changes=[], at=s.clock.now()))

    s.opened(mail)

    assert {one.working for one in s.heard()} == {()}


def test_reading_of_the_future__is_none_and_hides_none_of_now() -> None:
    def reading(age: timedelta, state: GaugeState, place: str = "support") -> Gauge:
        return Gauge(place, GaugeName.MAILBOX_CAPACITY, 10.0, "By", 100.0, START - age, state)

    (only,) = fresh([reading(-timedelta(hours=2), GaugeState.OK)], now=START)

    assert (only.state, only.value) == (GaugeState.UNKNOWN, None)
    assert "in the future" in only.detail
    assert fresh([reading(SECOND, GaugeState.PAGE)], now=START)[0].state is GaugeState.PAGE
