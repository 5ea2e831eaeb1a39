"""A real django-helpdesk with weeks of strangers' tickets: looks that are made anyway learn what is usual, and no more."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canary.gauge import Gauge, GaugeState, Resource
from canary.observation import Depth
from canary.traffic import HOUR, History, Watched, Way
from canary.usual import readings
from probes.contracts import Disposal, DisposalAction
from probes.masking import Masker
from probes.ticketing.listening import Listening
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clock import SystemClock
from runners.prober import SignedPaths
from runners.store import open_store
from tests.contracts.ticketing_contract import BODY, KEY, MARKER, PATH, SENDER, STRANGER, TAG, new_canary
from tests.real.desks import HelpdeskBench, Stranger
from tests.sandbox import start_sandbox

SECRET_WORD = "customers-own-word"
WEEKS = timedelta(weeks=4)
EVERY = HOUR
QUIET = 24 * HOUR


@pytest.fixture(scope="module")
def swept(desk: HelpdeskBench) -> Sequence[Watched]:
    return asyncio.run(lived(desk, sweeps=True))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        bench = HelpdeskBench(sandbox)
        plant(bench, sandbox.directory)
        yield bench


def plant(bench: HelpdeskBench, folder: Path) -> None:
    """Four weeks with a mail every hour, most of them closed by now; then a day in which none came."""
    now = datetime.now(UTC)
    times = [now - WEEKS + EVERY * number for number in range(int((WEEKS - QUIET) / EVERY))]
    bench.insert(
        Stranger(
            f"question {number}", f"{SECRET_WORD} {number}", STRANGER, message_id=f"<{number}@customer.test>"
        )
        for number in range(len(times))
    )
    (file,) = folder.rglob("desk.sqlite3")
    with closing(sqlite3.connect(file, timeout=20)) as database, database:
        rows = database.execute(
            "SELECT id, ticket_id FROM helpdesk_followup WHERE message_id LIKE '%@customer.test>' ORDER BY ticket_id"
        ).fetchall()
        assert len(rows) == len(times)
        # The template from which they were made is no customer's.
        database.execute("DELETE FROM helpdesk_followup WHERE message_id IS NULL")
        stamps = [f"{one.replace(tzinfo=None):%Y-%m-%d %H:%M:%S.%f}" for one in times]
        database.executemany(
            "UPDATE helpdesk_followup SET date = ? WHERE id = ?",
            [(stamp, row[0]) for stamp, row in zip(stamps, rows, strict=True)],
        )
        database.executemany(
            "UPDATE helpdesk_ticket SET created = ?, status = ? WHERE id = ?",
            [(stamp, 4 if row[1] % 5 else 1, row[1]) for stamp, row in zip(stamps, rows, strict=True)],
        )


async def lived(bench: HelpdeskBench, *, sweeps: bool) -> Sequence[Watched]:
    """What a canary's life hears: it is looked for, and cleaned; then somebody sweeps."""
    canary = new_canary(bench.now())
    bench.open_ticket(f"{canary.subject_prefix} hello", BODY, SENDER)
    async with bench.connected(bench.sandbox.endpoints.desk_token, total_seconds=120.0) as desk:
        listening = Listening(desk, SystemClock())
        settings = TicketWatcherSettings(
            recognise=SignedPaths([KEY], [PATH]).recognise,
            expectation=lambda _: Expectation(),
            disposal=Disposal(DisposalAction.CLOSE, TAG),
            own_addresses=(SENDER,),
        )
        watcher = TicketWatcher(listening, settings, clock=SystemClock(), masker=Masker())

        async def report(*_: object) -> None:
            """The canary's own facts are another test's."""

        await watcher.look([canary], Depth.POLL, report)
        assert listening.heard() == ()
        await watcher.remove([canary], at_most=5)
        if sweeps:
            await watcher.orphans()
        return listening.heard()


async def learnt(heard: Sequence[Watched], file: Path) -> History:
    async with open_store(f"sqlite:///{file}", clock=SystemClock()) as store:
        for one in heard:
            await store.note_traffic("desk", one)
        found = await store.traffic("desk")
    assert found is not None
    return found


def gauge_of(history: History) -> Gauge:
    (found,) = [one for one in readings("desk", history) if one.resource is Resource.EMAIL]
    return found


def test_clean_up_alone__shows_the_newest_strangers_and_is_not_enough_to_know_what_is_usual(
    desk: HelpdeskBench, tmp_path: Path
) -> None:
    history = asyncio.run(learnt(asyncio.run(lived(desk, sweeps=False)), tmp_path / "intake.db"))

    age = datetime.now(UTC) - history.newest[Way.EMAIL]
    assert age == pytest.approx(QUIET, abs=EVERY + timedelta(minutes=5))
    assert 0 < sum(history.tickets[Way.EMAIL].values()) <= 200
    assert gauge_of(history).state is GaugeState.UNKNOWN


def test_sweep__learns_four_weeks_at_once_and_tells_that_customers_fell_silent(
    swept: Sequence[Watched], tmp_path: Path
) -> None:
    history = asyncio.run(learnt(swept, tmp_path / "intake.db"))
    gauge = gauge_of(history)

    assert sum(history.tickets[Way.EMAIL].values()) == pytest.approx((WEEKS - QUIET) / EVERY, abs=3)
    assert gauge.state is GaugeState.WARN
    assert gauge.value == pytest.approx(QUIET / EVERY, abs=2)
    assert "one each 1 h or sooner" in gauge.detail


def test_nothing_of_a_stranger__but_counts_and_times_is_heard_or_kept(
    swept: Sequence[Watched], tmp_path: Path
) -> None:
    asyncio.run(learnt(swept, tmp_path / "intake.db"))

    kept = b"".join(one.read_bytes() for one in tmp_path.iterdir())
    said = json.dumps([repr(one) for one in swept])
    for word in (SECRET_WORD, STRANGER, "customer.test", "question", MARKER):
        assert word.encode() not in kept
        assert word not in said
