"""A schedule that rests at night and over weekends: no alarm for its rest, and no week of silence after it."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path as File

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canary.alert import AlertKind, Severity
from canary.incident import IncidentKind, Progress
from canary.path import Path
from canary.slot import Slot, slots_took
from canary.verdict import Verdict
from runners.advice import launches_per_hour
from runners.alerting import Alerting
from runners.config.cron import Cron, parse_cron
from runners.contracts import PathFacts
from runners.housekeeping import Housekeeping
from runners.orders import Orders
from runners.progress import Silent
from runners.states import PathState, stale_since, view_path
from tests.contracts.store_cases import incident_of, make_canary, opened
from tests.fakes.clock import FakeClock
from tests.fakes.memory_store import MemoryStore
from tests.fakes.world import World, email_path, prober_of
from tests.unit.runners.config.examples import changed, read
from tests.unit.runners.test_alerting import REFUSED, Scene, form_path, mail_path

WEEKDAYS = "*/10 8-20 * * mon-fri UTC"
FRIDAY_EVENING = datetime(2026, 3, 6, 20, 52, tzinfo=UTC)
MONDAY = datetime(2026, 3, 9, tzinfo=UTC)


def resting(path: Path, text: str = WEEKDAYS) -> Path:
    """It, as it is built of a cron schedule."""
    cron = parse_cron(text)
    return replace(
        path,
        interval_seconds=cron.longest_gap_seconds(),
        usual_gap_seconds=cron.usual_gap_seconds(),
        moments=cron,
    )


def state(now: datetime, *, verdict_at: datetime) -> PathState:
    facts = PathFacts(verdict_at, verdict_at, verdict_at, ((verdict_at, Verdict.CONFIRMED),))
    return view_path(resting(email_path()), facts, incidents=[], recent=[], gauges=[], now=now).state


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (MONDAY - timedelta(hours=12), PathState.OK),
        (MONDAY + timedelta(hours=8, minutes=20), PathState.OK),
        (MONDAY + timedelta(hours=8, minutes=22), PathState.STALE),
        (MONDAY + timedelta(days=4), PathState.STALE),
    ],
    ids=["sunday", "third-slot-of-monday", "after-its-deadline", "friday"],
)
def test_path_that_rests_over_the_weekend__is_stale_three_slots_after_it_and_not_before(
    now: datetime, expected: PathState
) -> None:
    assert state(now, verdict_at=FRIDAY_EVENING) is expected


@given(
    text=st.sampled_from([WEEKDAYS, "0 9,17 * * *", "30 2 * * * Europe/Berlin", "*/5 22-23,0-4 * * *"]),
    verdict_before=st.integers(min_value=0, max_value=6 * 24 * 60),
    now_after=st.integers(min_value=0, max_value=6 * 24 * 60),
)
def test_staleness__is_three_slots_whose_deadline_passed_without_a_verdict(
    text: str, verdict_before: int, now_after: int
) -> None:
    path = resting(email_path(), text)
    now = MONDAY + timedelta(minutes=now_after, seconds=1)
    verdict_at = MONDAY - timedelta(minutes=verdict_before)

    is_stale = stale_since(path, verdict_at, now) is not None

    due_by = now - timedelta(seconds=path.slo.deadline_seconds)
    assert is_stale == (_moments_between(parse_cron(text), verdict_at, due_by) >= 3)


def _moments_between(cron: Cron, after: datetime, until: datetime) -> int:
    count = 0
    at = cron.next(after)
    while at is not None and at <= until:
        count += 1
        at = cron.next(at)
    return count


def test_slots_of_a_steady_schedule__take_their_intervals_and_those_of_none_nothing() -> None:
    assert slots_took(email_path(), 3, MONDAY) == timedelta(minutes=30)
    assert slots_took(replace(email_path(), interval_seconds=None), 3, MONDAY) is None


def test_blindness_of_a_path_that_rests__pages_after_an_hour_also_at_night() -> None:
    path = resting(mail_path())
    s = Scene(paths=(path,), clock=FakeClock(FRIDAY_EVENING))
    s.opened(path, REFUSED, kind=IncidentKind.BLIND)
    s.heard()

    s.clock.advance(3601)
    s.review()

    told = [one for one in s.heard() if one.concern.kind is AlertKind.BLINDNESS]
    assert Severity.PAGE in {one.severity for one in told}


def test_proof_of_four_days_ago__sends_no_customer_to_a_path_that_rests_at_night() -> None:
    mail, form = mail_path(), resting(replace(form_path(), ticketing="other"))
    s = Scene(paths=(mail, form), clock=FakeClock(MONDAY + timedelta(hours=9)))
    progress = Progress(confirmed=(s.clock.now(),))
    asyncio.run(s.store.store_progress(form.name, progress, version=0, changes=[], at=s.clock.now()))
    s.clock.advance(4 * 86400.0)

    s.opened(mail)

    assert {one.working for one in s.heard()} == {()}


def test_canaries_of_one_deadline__may_all_be_outstanding_while_the_schedule_runs() -> None:
    clock = FakeClock(MONDAY + timedelta(hours=9))
    store = MemoryStore()
    path = resting(email_path(deadline_seconds=1800.0))
    slot = Slot(path.name, clock.now())
    prober = replace(prober_of(World(clock), path), schedules={path.name: lambda _: slot})
    orders = Orders(prober, store, clock=clock, progress=Silent(), holder="here")

    async def ordered() -> int:
        for number in range(4):
            one = replace(make_canary(number, launched_at=clock.now()), path=path.name)
            await store.record(one, holder="here", lease_until=clock.now())
        return len(await orders.orders([], only_due=True))

    assert asyncio.run(ordered()) == 1


@pytest.mark.parametrize(
    ("claimed_at", "now", "is_open"),
    [
        (MONDAY + timedelta(hours=9), MONDAY + timedelta(hours=11), False),
        (FRIDAY_EVENING, MONDAY - timedelta(hours=12), True),
    ],
    ids=["runs-no-more", "rests"],
)
def test_replica_that_rests__is_there_and_one_that_let_three_slots_pass_is_not(
    claimed_at: datetime, now: datetime, *, is_open: bool
) -> None:
    clock, store = FakeClock(now), MemoryStore()
    canary, other = make_canary(), resting(email_path("another"))
    for day in range(3):
        launched = make_canary(10 + day, launched_at=now - timedelta(days=day, minutes=1))
        asyncio.run(store.record(launched, holder="x", lease_until=now))
    asyncio.run(store.claim(Slot(other.name, claimed_at), holder="x", at=claimed_at))
    asyncio.run(
        store.store_progress(
            canary.path,
            Progress(target=incident_of(canary)),
            version=0,
            changes=[opened(canary)],
            at=now,
        )
    )
    prober = prober_of(World(clock), other)
    alerting = Alerting(prober, store, clock=clock)
    house = Housekeeping(prober, store, clock=clock, progress=Silent(), alerting=alerting, holder="here")

    asyncio.run(house.retire())

    [incident] = asyncio.run(store.incidents(path=canary.path, since=None, limit=9))
    assert incident.is_open is is_open


def test_cron_path__is_built_with_its_moments_and_its_usual_gap(tmp_path: File) -> None:
    config = read(tmp_path, changed("every: 10m", f'cron: "{WEEKDAYS}"'))

    (built,) = config.paths.values()

    assert (built.path.usual_seconds, built.path.interval_seconds) == (600.0, 213000.0)
    assert stale_since(built.path, FRIDAY_EVENING, MONDAY) is None
    assert stale_since(built.path, FRIDAY_EVENING, MONDAY + timedelta(hours=12)) is not None
    assert set(launches_per_hour(config).values()) == {6.0}
