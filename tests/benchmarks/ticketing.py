"""What looks into ticketing systems cost: calls, bytes and CPU, with 1, 10 and 200 outstanding canaries."""

import asyncio
import json
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from canary.canary import Canary
from canary.content import ExpectedContent
from canary.observation import Depth, Observation, Outcome
from canary.signature import find_tokens
from probes.contracts import (
    Blind,
    Clock,
    Disposal,
    DisposalAction,
    Disposed,
    RemovalState,
    Report,
    TicketingSystem,
)
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clean import AT_ONCE
from runners.clock import SystemClock
from runners.prober import SignedPaths
from tests.benchmarks.report import Table, ratio
from tests.benchmarks.ticketing_real import RealSystem, measured
from tests.contracts.ticketing_bench import BODY, KEY, PATH, SENDER, TAG, Bench, new_canary
from tests.fakes.answers import Answering
from tests.fakes.busy_desk import BusyDesk, configuration
from tests.fakes.clock import START, FakeClock, run_jumping
from tests.fakes.memory_store import MemoryStore
from tests.generic_desks import configured, opened
from tests.sandbox import Sandbox
from tests.simulators.bench import SimulatedBench
from tests.unit.simulators.test_contract_more_vendors import GlpiBench, SalesforceBench
from tests.unit.simulators.test_contract_vendors import FreshdeskBench, ServiceNowBench, ZammadBench
from tests.unit.simulators.test_contract_zendesk import ZendeskBench

OUTSTANDING = (1, 10, 200)
STRANGERS = 95
"""With none of the numbers of canaries a multiple of 100: a last page that is full may have been cut, says Freshdesk's preset."""
ROUNDS = 9
BIG_PAGE = 1000
PAGING = ("page", "page_size", "status", "offset", "@page_index", "sysparm_offset")
"""What tells one page of a list from another."""
CLOSE = Disposal(DisposalAction.CLOSE, TAG)
VENDORS: tuple[tuple[str, Callable[[], SimulatedBench], str], ...] = (
    (
        "freshdesk",
        FreshdeskBench,
        "files: 1 a ticket at the deadline; 3 to close one: its bulk update would replace the tags that others set",
    ),
    (
        "glpi",
        GlpiBench,
        "who asked: 2 a ticket of ours, 40 a look: its search tells a number only; closes 50 at a time",
    ),
    ("salesforce", SalesforceBench, "closes 200 at a time"),
    ("servicenow", ServiceNowBench, "files: 1 a ticket at the deadline; closes 10 at a time"),
    (
        "zammad",
        ZammadBench,
        "text: 1 a ticket, 40 a look; at the deadline also of strangers, until they are 3 min old: no list shows articles or tags of several tickets",
    ),
    ("zendesk", ZendeskBench, "files: 1 a ticket at the deadline, 40 a look; closes 100 at a time"),
)


@dataclass(slots=True)
class Count:
    """Calls, and the bytes of their answers' bodies."""

    calls: int = 0
    read_bytes: int = 0
    looks: int = 0

    def told(self) -> str:
        looks = f" in {self.looks} looks" if self.looks > 1 else ""
        return f"{self.calls}{looks}, {self.read_bytes / 1024:.1f} KiB"


@dataclass(slots=True)
class Meter:
    """Reads a bench's wire."""

    bench: Bench
    read_bytes: int = 0
    answers: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bench.wire.changes = self._heard

    def _heard(self, request: httpx.Request, response: httpx.Response) -> httpx.Response:
        del request
        self.read_bytes += len(response.content)
        self.answers.append(response.content)
        return response

    async def over(self, work: Callable[[], Awaitable[int]]) -> Count:
        """The cost of a piece of work, which tells how many looks it took."""
        calls, size = len(self.bench.wire.calls), self.read_bytes
        looks = await work()
        return Count(len(self.bench.wire.calls) - calls, self.read_bytes - size, looks)


@dataclass(frozen=True, slots=True)
class Matching:
    """The CPU of one look at 200 tickets of which nothing is new.

    Attributes:
        seconds: of the watcher's look, answered out of memory.
        bodies: what was answered.
    """

    seconds: float
    bodies: list[bytes]

    def row(self, name: str) -> Sequence[str]:
        bare = median(_timed_loads(self.bodies) for _ in range(ROUNDS))
        return (
            f"`{name}`",
            f"{sum(map(len, self.bodies)) / 1024:.0f} KiB",
            f"{1000 * self.seconds:.0f} ms",
            f"{1000 * bare:.1f} ms",
            ratio(self.seconds, bare),
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one system with so many canaries."""

    new: Count
    again: Count
    deadline: Count
    clean: Count


@dataclass(frozen=True, slots=True)
class Real:
    """What one of the real systems adds to the tables."""

    rows: Sequence[Sequence[str]]
    matched: Sequence[str]


def tables(sandbox: Sandbox) -> Iterator[Table]:
    begun = measured(sandbox, _of_real)
    simulated = [
        _row(name, one, _of_vendor(make(), one), why) for name, make, why in VENDORS for one in OUTSTANDING
    ]
    matched = [_matched(name, make()) for name, make, _ in VENDORS]
    sys.stderr.write("measured the simulators\n")
    reals = [found for one in begun if (found := one.result()) is not None]
    rows = [row for one in reals for row in one.rows] + simulated
    yield Table(
        "Calls and bytes of a look into a ticketing system",
        (
            "`type`",
            "outstanding",
            "first look, all new",
            "next look",
            "deadline look",
            "look and clean-up",
            "what grows, and why",
        ),
        rows,
        f"Besides the canaries' tickets there are {STRANGERS} of strangers, of the last seconds. Calls without the log-in; bytes"
        f" of the answers' bodies. Clean-up is by {AT_ONCE} at once, each with a deadline look."
        " `helpdesk`, `rt`, `redmine` and `roundup` are the real systems, each with the closed tickets of its rows before;"
        " the others are simulators of the published contract: their calls are exact, their bytes are those of their shapes.",
    )
    yield _matching([*(one.matched for one in reals), *matched])


def _row(name: str, outstanding: int, costs: Costs, why: str) -> Sequence[str]:
    parts = (costs.new, costs.again, costs.deadline, costs.clean)
    return (f"`{name}`", str(outstanding), *(one.told() for one in parts), why)


def _of_vendor(bench: SimulatedBench, outstanding: int) -> Costs:
    bench.flood(STRANGERS)
    canaries = [new_canary(bench.now()) for _ in range(outstanding)]
    for one in canaries:
        bench.desk.plant(f"{one.subject_prefix} Grüße", BODY, one.sender, message_id=one.message_id)
    return bench.run(_of_simulated(bench, canaries))


def _of_real(system: RealSystem) -> Real:
    system.flood(STRANGERS)
    rows: list[Sequence[str]] = []
    matching: Matching | None = None
    for outstanding in OUTSTANDING:
        costs, matching = asyncio.run(_of_real_with(system, outstanding))
        rows.append(_row(system.name, outstanding, costs, system.why))
        sys.stderr.write(f"measured {system.name} with {outstanding}\n")
    assert matching is not None
    return Real(rows, matching.row(system.name))


async def _of_real_with(system: RealSystem, outstanding: int) -> tuple[Costs, Matching | None]:
    bench = system.bench
    canaries = [new_canary(bench.now()) for _ in range(outstanding)]
    system.plant([f"{one.subject_prefix} Grüße" for one in canaries])
    async with bench.opened() as opened_system:
        looks = await _looks(bench, opened_system, canaries)
        is_most = outstanding == OUTSTANDING[-1]
        matching = await _timed(bench, opened_system, canaries) if is_most else None
        return await _costs(bench, opened_system, canaries, looks), matching


async def _of_simulated(bench: SimulatedBench, canaries: Sequence[Canary]) -> Costs:
    async with bench.opened() as system:
        return await _costs(bench, system, canaries, await _looks(bench, system, canaries))


async def _looks(bench: Bench, system: TicketingSystem, canaries: Sequence[Canary]) -> list[Count]:
    meter = Meter(bench)
    depths = (Depth.POLL, Depth.POLL, Depth.DEADLINE)
    return [await meter.over(partial(_until_found, bench, system, canaries, one)) for one in depths]


async def _costs(
    bench: Bench, system: TicketingSystem, canaries: Sequence[Canary], looks: Sequence[Count]
) -> Costs:
    new, again, deadline = looks
    return Costs(new, again, deadline, await Meter(bench).over(lambda: _cleaned(bench, system, canaries)))


async def _until_found(
    bench: Bench, system: TicketingSystem, canaries: Sequence[Canary], depth: Depth
) -> int:
    """Look until all were found and, at the deadline, all was read; how many looks it took.

    As the watcher does, which asks no more for canaries whose tickets it has read; the last of them stays, so that a
    look is made to its end.
    """
    left = {str(one.token): one for one in canaries}
    for looks in range(1, 100):
        asked = list(left.values()) or canaries[:1]
        try:
            look = await system.find(asked, depth)
        except Blind:
            if not isinstance(bench, SimulatedBench):
                raise
            await bench.clock.sleep(60)  # the budget of the minute is used up
            continue
        reads_files = any(one.attachments is not None for one in look.tickets)
        for ticket in look.tickets:
            is_read = ticket.body is not None and (ticket.attachments is not None or not reads_files)
            if is_read or depth is Depth.POLL:
                for word in find_tokens(f"{ticket.subject}\n{ticket.body}"):
                    left.pop(str(word), None)
        if not left and (look.is_complete or depth is Depth.POLL):
            return looks
        if depth is Depth.POLL and len(left) == len(asked):
            return looks  # a narrow look shows no more: django-helpdesk's reads the newest two pages
        if isinstance(bench, SimulatedBench):
            await bench.clock.sleep(1)
    raise AssertionError(f"{len(left)} of {len(canaries)} were never found and read")


async def _cleaned(bench: Bench, system: TicketingSystem, canaries: Sequence[Canary]) -> int:
    """As the cleaner does: so many at once; a minute between, so that no vendor's budget is used up."""
    done: list[Disposed] = []
    for start in range(0, len(canaries), AT_ONCE):
        if isinstance(bench, SimulatedBench):
            await bench.clock.sleep(60)
        look = await system.find(canaries[start : start + AT_ONCE], Depth.DEADLINE)
        done += await system.dispose(look.tickets, CLOSE)
    left = [one for one in done if one.state is RemovalState.FAILED]
    assert len(done) >= len(canaries), len(done)
    assert not left, left[0].detail
    return 1


def _matched(name: str, bench: SimulatedBench) -> Sequence[str]:
    canaries = [new_canary(bench.now()) for _ in range(200)]
    for one in canaries:
        bench.desk.plant(f"{one.subject_prefix} Grüße", BODY, one.sender, message_id=one.message_id)
    return bench.run(_matched_by(bench, canaries)).row(name)


def _matching(rows: Sequence[Sequence[str]]) -> Table:
    """The CPU of one look of the watcher at 200 tickets, answered out of memory; json.loads of the same bytes beside it."""
    return Table(
        "CPU of matching 200 tickets",
        ("`type`", "read", "one look of the watcher", "json.loads of the same bytes", "ratio"),
        rows,
        "A look at which nothing is new: answers out of memory are read, tokens found and verified, tickets compared with what"
        f" their canaries said, and reported. CPU of the thread, median of {ROUNDS} rounds; aim: under 100 ms."
        " The answers are those of the systems of the table above.",
    )


async def _matched_by(bench: SimulatedBench, canaries: Sequence[Canary]) -> Matching:
    async with bench.opened() as system:
        await _until_found(bench, system, canaries, Depth.POLL)
        return await _timed(bench, system, canaries)


async def _timed(bench: Bench, system: TicketingSystem, canaries: Sequence[Canary]) -> Matching:
    """Of a system that has read all of them already."""
    kept: dict[tuple[str, ...], httpx.Response] = {}
    bodies: list[bytes] = []

    def keep(request: httpx.Request, response: httpx.Response) -> httpx.Response:
        kept[_key(request)] = response
        bodies.append(response.content)
        return response

    bench.wire.changes = keep
    watcher = _watcher(bench, system)
    first: list[Observation] = []
    await watcher.look(canaries, Depth.POLL, _into(first))
    passed = sum(one.outcome is Outcome.OK for one in first)
    assert passed, "nothing was found that could be matched"
    bench.wire.changes = None
    bench.wire.answers = lambda request: _again(kept[_key(request)])
    seconds = []
    for _ in range(ROUNDS):
        if isinstance(bench, SimulatedBench):
            await bench.clock.sleep(1)
        seen: list[Observation] = []
        before = time.thread_time()
        await watcher.look(canaries, Depth.POLL, _into(seen))
        seconds.append(time.thread_time() - before)
        assert sum(one.outcome is Outcome.OK for one in seen) == passed
    bench.wire.answers = None
    return Matching(median(seconds), bodies)


def _key(request: httpx.Request) -> tuple[str, ...]:
    """Which request it is, whatever the moment that it names: its path and its page."""
    query = request.url.params
    page = " ".join(query.get(name, "") for name in PAGING)
    body = json.loads(request.content).get("page", "") if request.content.startswith(b"{") else ""
    return request.method, request.url.path, page, str(body)


def _again(response: httpx.Response) -> httpx.Response:
    headers = {name: response.headers[name] for name in ("content-type", "link") if name in response.headers}
    return httpx.Response(response.status_code, headers=headers, stream=_Body(response.content))


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def _watcher(bench: Bench, system: TicketingSystem) -> TicketWatcher:
    settings = TicketWatcherSettings(
        recognise=SignedPaths([KEY], [PATH]).recognise,
        expectation=lambda one: Expectation(ExpectedContent(f"{one.subject_prefix} Grüße", BODY)),
        disposal=CLOSE,
        own_addresses=(SENDER,),
    )
    return TicketWatcher(system, settings, clock=_clock(bench), masker=Masker())


def _clock(bench: Bench) -> Clock:
    return bench.clock if isinstance(bench, SimulatedBench) else SystemClock()


def _into(seen: list[Observation]) -> Report:
    async def report(*observations: Observation) -> None:
        seen.extend(observations)

    return report


def _timed_loads(bodies: Sequence[bytes]) -> float:
    before = time.thread_time()
    for one in bodies:
        json.loads(one or b"null")
    return time.thread_time() - before


def busy(sandbox: Sandbox) -> Iterator[Table]:
    """What a busy tenant costs; needs no servers."""
    del sandbox
    yield _busy()


def _busy() -> Table:
    """A window of two hours, 50 strangers' tickets a second; the process is restarted every ten looks."""
    rows = []
    for size in (100, BIG_PAGE):
        window = timedelta(hours=2) if size == BIG_PAGE else timedelta(minutes=10)
        calls, looks, found = run_jumping(clock := FakeClock(), _walked(clock, size, window))
        most = math.ceil(((window + timedelta(minutes=5)).total_seconds() * 50) / (4 * size - 150)) + 1
        rows.append(
            (
                f"{window.total_seconds() / 60:.0f} min",
                str(size),
                f"{found} of 3",
                str(looks),
                str(most),
                str(calls),
                "10",
            )
        )
    return Table(
        "A tenant with 50 strangers' tickets a second: one deadline look, spread over several",
        ("window", "tickets a page", "ours found", "looks", "looks at most", "calls", "calls a look at most"),
        rows,
        "By a list that is bounded in time, ten pages a look: five, of which four are read twice, against rows that are deleted"
        " meanwhile. The process is restarted after every tenth look, and goes on where the store says. The bound: tickets in the"
        " window / (4 pages less 3 s of traffic) + 1.",
    )


async def _walked(clock: FakeClock, size: int, window: timedelta) -> tuple[int, int, int]:
    store = MemoryStore()
    desk = BusyDesk(clock, since=START - window - timedelta(hours=1), a_second=50)
    canaries = [new_canary(START - window) for _ in range(4)]
    for index, one in enumerate(canaries[:3]):
        desk.plant(f"Fwd: {one.token}", "gateway@acme.test", START - window + index * window / 2.1)
    with TemporaryDirectory() as folder:
        config = configured(Path(folder), configuration("time", size=size, pages=10))
    found: set[str] = set()
    looks = 0
    while True:
        async with opened(config, clock=clock, transport=Answering(desk.handle), walks=store) as system:
            for _ in range(10):
                look = await system.find(canaries, Depth.DEADLINE)
                looks += 1
                found |= {word for one in look.tickets for word in find_tokens(one.subject or "")}
                if look.is_complete:
                    return desk.calls, looks, len(found & {str(one.token) for one in canaries})
                await clock.sleep(1)
