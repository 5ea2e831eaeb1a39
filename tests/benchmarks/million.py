"""`python -m tests.benchmarks.million [--paths N] [--each N] [--postgresql] [--keep FILE]`: the page on a store that is full.

The rows go straight into the tables, as a year of `serve` leaves them: canaries and judgements, days, observations of the
last days only, gauges, a few incidents. Then the pages are asked for, and timed, and the command `status` beside the same
on a store of one canary.
"""

import argparse
import asyncio
import sqlite3
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path as FilePath
from statistics import median

import httpx
import psycopg
import yaml

from canary.blame import HopResult, Stop
from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Channel, Hop, route
from canary.instruments import metrics
from canary.observation import Evidence, Observation, Outcome
from canary.path import Path, PathName
from canary.reason import Reason, Side
from canary.signature import CanaryId, mint_id
from canary.verdict import Judgement, Verdict
from probes.masking import Masker
from runners.cli.exits import Exit
from runners.contracts import SHOWN_CHARACTERS, Store
from runners.store import codec, open_store
from runners.web.access import Access
from runners.web.app import build_app
from runners.web.pages import make_ahead
from runners.web.parts import Parts
from tests.benchmarks.cold_start import started
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.scene import Cost
from tests.contracts.store_cases import make_canary
from tests.fakes.clock import FakeClock
from tests.fakes.page_scene import FakeHealth, fake_metrics, make_path
from tests.real.servers.postgresql import running_postgresql

NOW = datetime(2026, 3, 2, 3, 7, tzinfo=UTC)
EVERY_SECONDS = 600.0
RAW_DAYS = 2.0
"""So long raw observations are kept here; of what is older the judgement tells."""
ROUNDS = 7
STARTS = 11
STOP = Stop(Hop.TICKET_CREATED, Reason.NOT_SEEN, Side.TARGET)
BLIND = Stop(Hop.TICKET_CREATED, Reason.TICKET_API_UNREADABLE, Side.PROBER)
_A_BATCH = 20_000
_ID = "aaaaaaaaaaaaaaaa"
_PATH = "path-name-placeholder"
Row = Sequence[object]

CANARY = [
    "id",
    "path",
    "channel",
    "token",
    "marker",
    "sender",
    "launched_at",
    "deadline_at",
    "horizon_at",
    "trace_id",
    "span_id",
    "prober",
    "slot_at",
    "by_hand",
    "launch_ended_at",
    "verdict",
    "settled_at",
    "is_clean",
    "cleaned_at",
    "seconds",
]
JUDGEMENT = ["canary_id", "verdict", "blame", "reason", "side", "settled_by", "stored_at", "body"]
OBSERVATION = ["canary_id", "key", "hop", "outcome", "ended_at", "body"]


@dataclass(frozen=True)
class Made:
    """One canary to be written."""

    id: CanaryId
    path: Path
    launched_at: datetime
    verdict: Verdict
    seconds: float | None


def paths(count: int) -> dict[PathName, Path]:
    """So many paths, in turns of each channel."""
    channels = list(Channel)
    named = {}
    for number in range(count):
        name = PathName(f"path-{number:03}")
        named[name] = replace(make_path(name, channels[number % 3], 10), mailbox="support")
    return named


def history(
    known: dict[PathName, Path],
    each: int,
    *,
    until: datetime = NOW,
    every_seconds: float = EVERY_SECONDS,
) -> Iterator[Made]:
    """Canaries in the order of their launches: a breach in 300, an inconclusive one in 500, now and then a late one."""
    number = 0
    for back in range(each, 0, -1):
        for index, path in enumerate(known.values()):
            number += 1
            at = until - timedelta(seconds=every_seconds * back - index)
            verdict, seconds = Verdict.CONFIRMED, 20.0 + (number * 7919 % 90)
            if number % 300 == 0:
                verdict, seconds = (Verdict.LOST, 0.0) if number % 600 else (Verdict.LATE, 900.0)
            elif number % 500 == 0:
                verdict = Verdict.INCONCLUSIVE
            has_ticket = verdict in {Verdict.CONFIRMED, Verdict.LATE}
            yield Made(
                mint_id(at, (number % 2**32).to_bytes(4, "big")),
                path,
                at,
                verdict,
                seconds if has_ticket else None,
            )


def _hops(path: Path, verdict: Verdict, at: datetime) -> tuple[HopResult, ...]:
    found = []
    for number, hop in enumerate(route(path.channel)):
        is_stop = hop is Hop.TICKET_CREATED and verdict is not Verdict.CONFIRMED
        begin = at + timedelta(seconds=number)
        found.append(
            HopResult(
                hop, Outcome.FAILED if is_stop else Outcome.OK, Evidence.OBSERVED, begin, begin + timedelta(seconds=1),
                1.0, Reason.NOT_SEEN if is_stop else None, detail="250 2.0.0 queued as 4c1f",
            )
        )  # fmt: skip
    return tuple(found)


def _bodies(known: Iterable[Path]) -> dict[tuple[Channel, Verdict], str]:
    """A judgement's text for each channel and verdict; id and path are put in for each canary."""
    made = {}
    for path in known:
        for verdict in Verdict:
            stop = (
                None if verdict is Verdict.CONFIRMED else BLIND if verdict is Verdict.INCONCLUSIVE else STOP
            )
            judgement = Judgement(
                CanaryId(_ID), PathName(_PATH), verdict, stop, (), (), _hops(path, verdict, NOW), None, NOW, None, 42.0
            )  # fmt: skip
            made[path.channel, verdict] = codec.dumps(judgement)
    return made


class Target:
    """Where rows go in bulk."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.is_sqlite = url.startswith("sqlite")

    @contextmanager
    def open(self) -> Iterator["Target"]:
        if self.is_sqlite:
            with closing(
                sqlite3.connect(self._url.removeprefix("sqlite:///"), isolation_level=None)
            ) as sqlite:
                sqlite.execute("PRAGMA synchronous = OFF")
                sqlite.execute("PRAGMA cache_size = -200000")
                self._sqlite = sqlite
                yield self
        else:
            with psycopg.connect(self._url.replace("+psycopg", ""), autocommit=True) as connection:
                self._postgresql = connection
                yield self
                connection.execute("VACUUM ANALYZE")

    def write(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        if self.is_sqlite:
            self._sqlite.execute("BEGIN")
            marks = ", ".join("?" * len(columns))
            self._sqlite.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608 -- our own names
            self._sqlite.execute("COMMIT")
            return
        with (
            self._postgresql.cursor() as cursor,
            cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)


def fill(target: Target, known: dict[PathName, Path], made: Iterable[Made], *, until: datetime = NOW) -> int:
    """Write it all; returns how many canaries. Raw observations are of the last days before ``until``."""
    bodies = _bodies(known.values())
    verdicts: Counter[tuple[str, str, str]] = Counter()
    buckets: Counter[tuple[str, str, int]] = Counter()
    total = 0
    batch: list[Made] = []
    for one in made:
        batch.append(one)
        date = one.launched_at.date().isoformat()
        if one.verdict in {Verdict.LATE, Verdict.LOST}:
            verdicts[one.path.name, date, Verdict.BREACHED.value] += 1
        verdicts[one.path.name, date, one.verdict.value] += 1
        if one.seconds is not None:
            buckets[one.path.name, date, bisect_left(metrics.CANARY_DURATION.bounds, one.seconds)] += 1
        if len(batch) == _A_BATCH:
            total += _write(target, batch, bodies, until)
            batch = []
    total += _write(target, batch, bodies, until)
    target.write(
        "day", ("path", "day", "verdict", "canaries"), [(*key, count) for key, count in verdicts.items()]
    )
    target.write(
        "day_seconds",
        ("path", "day", "bucket", "measured"),
        [(*key, count) for key, count in buckets.items()],
    )
    return total


def _write(
    target: Target, batch: Sequence[Made], bodies: dict[tuple[Channel, Verdict], str], until: datetime
) -> int:
    target.write("canary", CANARY, [_canary(one, target.is_sqlite) for one in batch])
    target.write("judgement", JUDGEMENT, [_judgement(one, bodies) for one in batch])
    young = [one for one in batch if until - one.launched_at < timedelta(days=RAW_DAYS)]
    if young:
        target.write("observation", OBSERVATION, [row for one in young for row in _observations(one)])
    return len(batch)


def _instant(at: datetime) -> int:
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def _canary(one: Made, is_sqlite: bool) -> Row:
    at = _instant(one.launched_at)
    settled = at + int((one.seconds or 600.0) * 1e6)
    yes, no = (1, 0) if is_sqlite else (True, False)
    return (
        one.id, one.path.name, one.path.channel.value, f"t{one.id}{one.id[::-1]}abc", "intakecanary",
        "canary@probe.example", at, at + 600_000_000, at + 86_400_000_000, f"{one.id}{one.id}", one.id, "fra-1", at,
        no, at + 5_000_000, one.verdict.value, settled, yes, settled, one.seconds,
    )  # fmt: skip


def _judgement(one: Made, bodies: dict[tuple[Channel, Verdict], str]) -> Row:
    is_good = one.verdict is Verdict.CONFIRMED
    body = bodies[one.path.channel, one.verdict].replace(_ID, one.id).replace(_PATH, one.path.name)
    at = _instant(one.launched_at) + int((one.seconds or 600.0) * 1e6)
    blamed = (None, None, None) if is_good else (STOP.hop.value, STOP.reason.value, STOP.side.value)
    return (one.id, one.verdict.value, *blamed, "fra-1", at, body)


def _observations(one: Made) -> Iterator[Row]:
    for hop in _hops(one.path, one.verdict, one.launched_at):
        assert hop.began_at is not None
        assert hop.ended_at is not None
        seen = Observation(
            one.id, hop.hop, hop.outcome, Evidence.OBSERVED, hop.began_at, hop.ended_at, 1.0, hop.reason,
            detail=hop.detail, place="mx.acme.example", observer="fra-1",
        )  # fmt: skip
        key = seen.key(one.launched_at + timedelta(minutes=10), one.launched_at + timedelta(days=1))
        yield one.id, key, hop.hop.value, hop.outcome.value, _instant(hop.ended_at), codec.dumps(seen)


def _gauges() -> list[Gauge]:
    """A mailbox, read every five minutes for a day, and a certificate."""
    filled = [
        Gauge(
            "support", GaugeName.MAILBOX_CAPACITY, 1e9 + 1e6 * number, "By", 2.0**31, NOW - timedelta(minutes=5 * (288 - number)),
            GaugeState.OK, Resource.STORAGE,
        )
        for number in range(288)
    ]  # fmt: skip
    return [*filled, Gauge("mx.acme.example", GaugeName.CERTIFICATE_EXPIRY, 4e6, "s", None, NOW)]


async def measured(store: Store, known: dict[PathName, Path]) -> list[tuple[str, ...]]:
    """Ask for each page several times; the seconds of the first and of the middle one."""
    clock = FakeClock(NOW)
    parts = Parts(store, lambda: known, clock, Masker(), "fra-1", FakeHealth(), fake_metrics, Access())
    last = await store.points(next(iter(known)), since=NOW - timedelta(days=1), limit=1)
    old = await store.points(
        next(iter(known)), since=NOW - timedelta(days=9999), until=NOW - timedelta(days=80), limit=1
    )
    pages = {
        "overview": "/",
        "a path, 90 days": f"/paths/{next(iter(known))}",
        "a path, 80 days back": f"/paths/{next(iter(known))}?before={(old or last)[0].canary_id}",
        "a canary": f"/canaries/{last[0].canary_id}",
        "a canary by its last letters": f"/canaries/{last[0].canary_id[-SHOWN_CHARACTERS:]}",
        "canaries that breached": "/canaries?verdict=lost",
        "status.json": "/status.json",
    }
    rows: list[tuple[str, ...]] = []
    app = build_app(parts)
    began = time.perf_counter()
    await make_ahead(app)
    rows.append(("made ahead at the start", f"{time.perf_counter() - began:.3f} s", "", ""))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for name, address in pages.items():
            took, size = [], 0
            for _ in range(ROUNDS):
                clock.advance(60.0)  # nothing is handed on from the one before
                began = time.perf_counter()
                answer = await client.get(address)
                took.append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
                size = len(answer.content)
            rows.append(
                (
                    name,
                    f"{took[0]:.3f} s",
                    f"{median(took[1:]):.3f} s",
                    f"{size / 1000:.0f} kB",
                )
            )
    return rows


def status_beside_empty(url: str, known: dict[PathName, Path], folder: FilePath) -> Table:
    """`status` on the store, and on one with next to nothing in it, as processes of their own, alternating."""
    commands = {}
    for name, store in {"nearly empty": f"sqlite:///{folder / 'empty.db'}", "this store": url}.items():
        configuration = folder / f"{name.replace(' ', '-')}.yaml"
        configuration.write_text(yaml.safe_dump(_configured(store, known)))
        commands[name] = [sys.executable, "-m", "runners", "--config", str(configuration), "status"]
    asyncio.run(_begin(f"sqlite:///{folder / 'empty.db'}", next(iter(known.values()))))
    for command in commands.values():  # leaves the bytecode behind that an installation has
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode in {Exit.OK, Exit.BREACH, Exit.BLIND}, done.stderr
        assert str(next(iter(known))) in done.stdout
    found: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(STARTS):
        for name, command in commands.items():
            found[name].append(started(command))
    wall = {name: median(one.wall_seconds for one in costs) for name, costs in found.items()}
    cpu = {name: median(one.cpu_seconds for one in costs) for name, costs in found.items()}
    empty = "nearly empty"
    rows = [
        (
            f"{name}: `status`",
            f"{wall[name]:.3f} s",
            f"{cpu[name]:.3f} s",
            f"{wall[name] - wall[empty]:+.3f} s",
            f"{cpu[name] - cpu[empty]:+.3f} s",
            ratio(wall[name], wall[empty]),
        )
        for name in commands
    ]
    return Table(
        "`status` beside the same on a store of one canary",
        ("store", "wall", "CPU", "wall beyond", "CPU beyond", "ratio"),
        rows,
        f"Medians of {STARTS} starts of each, alternating, with the same {len(known)} paths configured. Aim: under 0.3 s beyond.",
    )


def _configured(store: str, known: dict[PathName, Path]) -> dict[str, object]:
    """Those paths, each by mail: what `status` costs does not depend on how a request is sent."""
    account = {
        "address": "canary@probe.example",
        "smtp": {"host": "smtp.probe.example", "port": 587, "tls": "starttls"},
    }
    return {
        "prober": {"name": "fra-1", "store": store, "signing_keys": [{"env": "INTAKE_SIGNING_KEY"}]},
        "accounts": {"canary": account},
        "ticketing": {"desk": {"type": "helpdesk", "url": "https://desk.example", "token": {"env": "DESK"}}},
        "paths": {
            str(name): {
                "channel": "email",
                "from": ["canary"],
                "to": "support@acme.example",
                "ticketing": "desk",
                "every": "10m",
                "deadline": "10m",
            }
            for name in known
        },
    }


async def _begin(url: str, path: Path) -> None:
    """A store with one canary."""
    clock = FakeClock(NOW)
    async with open_store(url, clock=clock) as store:
        await store.record(make_canary(path=path.name), holder="bench", lease_until=NOW)


async def run(url: str, known: dict[PathName, Path], each: int) -> Table:
    """Fill the store and measure."""
    async with open_store(url, clock=FakeClock(NOW)) as store:
        await store.add_gauges(_gauges())
    began = time.perf_counter()
    target = Target(url)
    with target.open():
        total = fill(target, known, history(known, each))
    sys.stderr.write(f"{total} canaries written in {time.perf_counter() - began:.0f} s\n")
    kind = "SQLite" if target.is_sqlite else "PostgreSQL"
    async with open_store(url, clock=FakeClock(NOW)) as store:
        rows = await measured(store, known)
    return Table(
        f"The page on a store of {total:,} canaries of {len(known)} paths ({kind})",
        ("page", "the first", "the middle of the next six", "size"),
        rows,
        "Asked without a socket; the store's file is in the system's cache, as it is right after it was written.",
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.million", description=__doc__)
    parser.add_argument("--paths", type=int, default=20)
    parser.add_argument("--each", type=int, default=50_000, help="canaries of each path")
    parser.add_argument("--postgresql", action="store_true", help="start one and fill it, instead of SQLite")
    parser.add_argument("--keep", metavar="FILE", help="leave the SQLite store there")
    given = parser.parse_args()
    known = paths(given.paths)
    if given.postgresql:
        with running_postgresql() as server:
            measure(server.new_database(), known, given.each)
    elif given.keep:
        measure(f"sqlite:///{FilePath(given.keep).absolute()}", known, given.each)
    else:
        with tempfile.TemporaryDirectory(prefix="million-") as folder:
            measure(f"sqlite:///{FilePath(folder) / 'intake.db'}", known, given.each)


def measure(url: str, known: dict[PathName, Path], each: int) -> None:
    """Fill that store, measure, and print what came out."""
    sys.stdout.write(f"\n{asyncio.run(run(url, known, each)).markdown()}")
    with tempfile.TemporaryDirectory(prefix="million-status-") as folder:
        sys.stdout.write(f"\n{status_beside_empty(url, known, FilePath(folder)).markdown()}")


if __name__ == "__main__":
    main()
