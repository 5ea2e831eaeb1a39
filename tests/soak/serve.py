"""`serve` with two hundred e-mail paths, one canary a minute each: memory, lag, CPU, and how soon the page answers."""

import json
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from tests.real.intake import standard, write_intake
from tests.sandbox import Sandbox
from tests.soak.desk import Desk, fetching
from tests.soak.memory_parts import Parts, growth_words, read_parts, second_half, table
from tests.soak.past import give_past

_PAUSE = threading.Event()
SENDERS = 20
UP_SECONDS = 180.0
"""A machine with other work starts it slowly, and the first page of a store with a past is more to read."""
MOST_LAG_SECONDS = 1.0
MOST_PAGE_SECONDS = 0.1
MOST_GROWTH_BYTES = 8 * 2**20
"""From half-way to the end, of all but SQLite's, which the sizes of its caches bound."""
MOST_SQLITE_BYTES = 32 * 2**20
"""The page caches are allowed 24 MiB; the rest is for statements and the schema."""
MOST_SHOWN = 8


@dataclass(frozen=True)
class Lag:
    """How late one canary was recorded: after its slot, so many seconds after the first launch of all."""

    seconds: float
    path: str
    after_seconds: float


@dataclass
class Held:
    """What was measured.

    Attributes:
        rss: of the daemon, in bytes, every ten seconds.
        parts: what that is made of, as the daemon's process itself counts.
        traced: which lines of code hold how much more than at first, if that was asked for.
        launched: when each canary was, in seconds since the epoch.
        pages: seconds that the overview took.
    """

    rss: list[int] = field(default_factory=list)
    parts: list[Parts] = field(default_factory=list)
    traced: str = ""
    launched: list[float] = field(default_factory=list)
    files: list[int] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    statuses: list[float] = field(default_factory=list)
    cpu_seconds: float = 0.0
    seconds: float = 0.0
    lags: list[float] = field(default_factory=list)
    longest: list[Lag] = field(default_factory=list)
    verdicts: dict[str, int] = field(default_factory=dict)
    missed: int = 0


def soak(
    sandbox: Sandbox,
    directory: Path,
    *,
    paths: int,
    minutes: float,
    past_minutes: int = 0,
    is_traced: bool = False,
) -> tuple[Held, list[str]]:
    """Serve for so long; what was measured, and the laws that were broken.

    Args:
        sandbox: where the mails go.
        directory: for configuration and store.
        paths: how many are served.
        minutes: for how long.
        past_minutes: so long a past the store has: a page that draws the last 48 canaries has them from the start.
        is_traced: whether each of Python's objects is counted by the line that made it; costs time, and memory.
    """
    looks = directory / "memory.jsonl"
    with fetching(sandbox) as desk:
        sandbox.poller(running=False)
        port = _free_port()
        tree = _tree(directory, sandbox, desk, paths=paths, port=port)
        intake = write_intake(directory, tree)
        give_past(directory / "intake.db", list(tree["paths"]), minutes=past_minutes)
        began = time.time()
        with subprocess.Popen(
            _inside(intake.command("serve"), looks, is_traced=is_traced),
            stdout=subprocess.DEVNULL,
            stderr=(directory / "serve.log").open("w"),
        ) as process:
            try:
                held = _measure(process, port, minutes)
            finally:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(60)
                finally:
                    if process.poll() is None:
                        process.kill()
    _read_store(directory / "intake.db", held, began=began)
    held.parts = read_parts(looks)
    traced = looks.with_suffix(".traced")
    held.traced = traced.read_text() if traced.exists() else ""
    return held, _broken(held, process.returncode)


def say(held: Held) -> None:
    """Print what was measured."""
    canaries = sum(held.verdicts.values())
    lines = {
        "canaries": f"{canaries} in {held.seconds / 60:.1f} min: {held.verdicts}, {held.missed} slots missed",
        "scheduler lag": _quantiles(held.lags),
        "the longest": ", ".join(
            f"{one.seconds:.2f} s ({one.path}, {one.after_seconds:.0f} s after the start)"
            for one in held.longest[:MOST_SHOWN]
        ),
        "the overview": _quantiles(held.pages),
        "status.json": _quantiles(held.statuses),
        "memory": f"{_over_time(held.rss)} MiB, evenly over the time; {held.files[-1]} files",
        "made of, in MiB": "".join(f"\n{one}" for one in table(held.parts)),
        "a thousand canaries more, in the second half": growth_words(held.parts, held.launched),
        "CPU": f"{held.cpu_seconds / held.seconds:.2f} of a core, {1000 * held.cpu_seconds / max(1, canaries):.0f} ms a canary",
    }
    if held.traced:
        lines["Python's objects, by the line that made them"] = f"\n{held.traced}"
    sys.stdout.write("".join(f"{name}: {text}\n" for name, text in lines.items()))


def _inside(command: list[str], looks: Path, *, is_traced: bool) -> list[str]:
    """The same program, which counts its memory besides."""
    python, _, _, *words = command
    return [python, "-m", "tests.soak.inside", str(looks), *(["--trace"] if is_traced else []), *words]


def _over_time(sizes: list[int], *, points: int = 9) -> str:
    """Some of the sizes in MiB, the first and the last among them."""
    at = [round(number * (len(sizes) - 1) / (points - 1)) for number in range(points)]
    return ", ".join(f"{sizes[one] / 2**20:.0f}" for one in at)


def _measure(process: subprocess.Popen[bytes], port: int, minutes: float) -> Held:
    held = Held()
    daemon = psutil.Process(process.pid)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30.0) as page:
        _until_up(page)
        _PAUSE.wait(20)
        began, cpu = time.perf_counter(), sum(daemon.cpu_times()[:2])
        while time.perf_counter() - began < 60 * minutes:
            held.rss.append(daemon.memory_info().rss)
            held.files.append(daemon.num_fds())
            held.pages.append(_seconds(page, "/"))
            held.statuses.append(_seconds(page, "/status.json"))
            _PAUSE.wait(10)
        held.seconds = time.perf_counter() - began
        held.cpu_seconds = sum(daemon.cpu_times()[:2]) - cpu
    return held


def _seconds(page: httpx.Client, address: str) -> float:
    began = time.perf_counter()
    page.get(address).raise_for_status()
    return time.perf_counter() - began


def _until_up(page: httpx.Client) -> None:
    last = time.perf_counter() + UP_SECONDS
    while time.perf_counter() < last:
        try:
            if page.get("/healthz").status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            _PAUSE.wait(0.2)
    raise TimeoutError("serve did not come up")


def _tree(directory: Path, sandbox: Sandbox, desk: Desk, *, paths: int, port: int) -> dict[str, Any]:
    tree = standard(directory, sandbox.endpoints)
    (account,) = tree["accounts"].values()
    local, _, domain = account["address"].partition("@")
    names = [f"sender-{number:02}" for number in range(SENDERS)]
    tree["accounts"] = {
        name: json.loads(json.dumps({**account, "address": f"{local}+{name}@{domain}", "imap": None}))
        for name in names
    }
    for one in tree["accounts"].values():
        del one["imap"]
    tree["ticketing"] = {
        "desk": {"type": "helpdesk", "url": desk.url, "token": "0" * 40, "cleanup_cap": "100000/h"}
    }
    (model,) = tree["paths"].values()
    tree["paths"] = {
        f"path-{number:03}": json.loads(
            json.dumps(
                {
                    **{key: value for key, value in model.items() if key not in {"reply", "mailbox"}},
                    "from": [names[number % SENDERS]],
                    "every": "60s",
                    "deadline": "30s",
                    "horizon": "120s",
                }
            )
        )
        for number in range(paths)
    }
    del tree["mailboxes"]
    tree["web"] = {"listen": f"127.0.0.1:{port}"}
    return yaml.safe_load(yaml.safe_dump(tree))  # type: ignore[no-any-return]


def _read_store(file: Path, held: Held, *, began: float) -> None:
    """What became of the canaries since ``began``, in seconds since the epoch."""
    since = (int(began * 1e6),)
    with sqlite3.connect(file) as store:
        rows = store.execute(
            "SELECT verdict, count(*) FROM canary WHERE launched_at >= ? GROUP BY verdict", since
        ).fetchall()
        held.verdicts = dict(rows)
        rows = store.execute(
            "SELECT slot_at, launched_at, path FROM canary"
            " WHERE slot_at IS NOT NULL AND launched_at >= ? ORDER BY launched_at",
            since,
        ).fetchall()
        begin = rows[0][1] if rows else 0
        held.launched = [launched / 1e6 for _, launched, _ in rows]
        lags = [Lag((launched - slot) / 1e6, path, (launched - begin) / 1e6) for slot, launched, path in rows]
        first = {one.path: one for one in reversed(lags)}
        # The first of each path was due before the start.
        counted = [one for one in lags if one is not first[one.path]]
        held.lags = [one.seconds for one in counted]
        held.longest = sorted(counted, key=lambda one: one.seconds, reverse=True)
        (held.missed,) = store.execute("SELECT count(*) FROM missed_slot").fetchone()


def _broken(held: Held, status: int | None) -> list[str]:
    broken = []
    if status != 0:
        broken.append(f"serve ended with {status}")
    others = {verdict for verdict in held.verdicts if verdict not in {"confirmed", "pending"}}
    if others:
        broken.append(f"verdicts other than confirmed: {held.verdicts}")
    if held.lags and statistics.quantiles(held.lags, n=100)[98] >= MOST_LAG_SECONDS:
        broken.append(f"the lag's 99th percentile is {statistics.quantiles(held.lags, n=100)[98]:.2f} s")
    if not held.parts:
        broken.append("the process did not say what its memory is made of")
    grown = second_half(held.parts)
    if (own := grown.get("rss", 0.0) - grown.get("sqlite", 0.0)) > MOST_GROWTH_BYTES:
        broken.append(f"memory grew by {own / 2**20:.0f} MiB in the second half, SQLite's left out")
    if held.parts and max(one.sqlite for one in held.parts) > MOST_SQLITE_BYTES:
        broken.append(f"SQLite took {max(one.sqlite for one in held.parts) / 2**20:.0f} MiB")
    if statistics.median(held.pages) >= MOST_PAGE_SECONDS:
        broken.append(f"the overview took {statistics.median(held.pages):.3f} s in the middle")
    return broken


def _quantiles(values: list[float]) -> str:
    if len(values) < 3:
        return "too few to say"
    some = statistics.quantiles(values, n=100)
    return f"median {some[49]:.3f} s, 95th percentile {some[94]:.3f} s, 99th {some[98]:.3f} s, longest {max(values):.3f} s"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        port: int = one.getsockname()[1]
        return port
