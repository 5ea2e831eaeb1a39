"""The demonstration's story: five acts, each with what must come true; exit 0 only if all of it did."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from canary.gauge import Gauge, GaugeName, GaugeState, Resource
from canary.hop import Hop
from canary.incident import Incident
from canary.reason import Reason
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.cli.exits import Exit
from runners.cli.interrupt import run_loop
from runners.cli.live import LiveProgress
from runners.cli.output import Output, Style, open_output
from runners.cli.waterfall import waterfall
from runners.cli.words import clock as clock_words
from runners.cli.words import duration, gauge_words
from runners.clock import SystemClock
from runners.config.load import load
from runners.contracts import CanaryQuery, Record, Store
from runners.demo.stage import Stage, StageError, stage, write_configuration
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.store import open_store
from runners.wiring import wired

DEADLINE = "6s"
QUOTA_BYTES = 200 * 1024
DRAIN_SECONDS = 10.0


@dataclass(slots=True)
class Stagehand:
    """What the acts work with, and what has come out other than it should."""

    stage: Stage
    configuration: Path
    output: Output
    clock: Clock
    store: Store
    wrong: list[str] = field(default_factory=list)

    def title(self, number: int, text: str) -> None:
        """Begin an act."""
        self.output.answer("")
        self.output.answer(self.output.paint(f"{number}. {text}", Style.STRONG))

    def say(self, text: str) -> None:
        """Tell what happens."""
        self.output.answer(f"   {text}")

    def expect(self, statement: str, *, holds: bool) -> None:
        """Note whether something came true, and show it."""
        mark = (
            self.output.paint("as it should", Style.GOOD) if holds else self.output.paint("WRONG", Style.BAD)
        )
        self.output.answer(f"   {mark}: {statement}")
        if not holds:
            self.wrong.append(statement)

    async def run(self, *, launches: bool = True) -> RunResult:
        """One `intake-prober run` (or `sweep`), as cron would start it: with parts of its own."""
        config = load(self.configuration)
        progress = LiveProgress(self.output)
        async with wired(config, clock=self.clock, store=self.store, progress=progress) as prober:
            shot = OneShot(prober, self.store, clock=self.clock, progress=progress)
            result = await shot.run(RunOptions(launches=launches))
        if result.interrupted_by is not None:
            raise _Interrupted(result.interrupted_by)  # the run took the signal; it was meant for all of us
        return result

    async def incidents(self) -> list[Incident]:
        """What the store has."""
        return list(await self.store.incidents(path=None, since=None, limit=10))


async def works(hand: Stagehand) -> None:
    """Act 1."""
    hand.title(1, "The intake works")
    result = await hand.run()
    record = _only(result)
    await _show_waterfall(hand, record)
    hand.expect("the canary is confirmed", holds=record.verdict is Verdict.CONFIRMED)
    hand.expect("its acknowledgement came back", holds=_passed(record, Hop.REPLY_RECEIVED))
    hand.expect("the run exits 0", holds=result.exit_code == 0)


async def fills(hand: Stagehand) -> None:
    """Act 2."""
    hand.title(2, "The support mailbox fills: the warning comes before anything is lost")
    hand.stage.mailbox("fill", share=0.85)
    result = await hand.run()
    gauge = _capacity(result)
    if gauge is not None:
        hand.say(gauge_words(gauge))
    hand.expect("mail still comes through", holds=_only(result).verdict is Verdict.CONFIRMED)
    hand.expect("the capacity gauge warns", holds=gauge is not None and gauge.state is GaugeState.WARN)


async def is_full(hand: Stagehand) -> None:
    """Act 3."""
    hand.title(3, "The mailbox is full: SMTP still says 250, every component is up, and no ticket comes")
    hand.stage.mailbox("fill", share=1.0)
    for _ in range(2):
        result = await hand.run()
        record = _only(result)
        stop = record.judgement.stop if record.judgement is not None else None
        hand.expect(
            "breached, and blamed on mailbox.arrival: mailbox_full",
            holds=record.verdict is Verdict.BREACHED
            and stop is not None
            and (stop.hop, stop.reason) == (Hop.MAILBOX_ARRIVAL, Reason.MAILBOX_FULL),
        )
        hand.expect("the run exits 1", holds=result.exit_code == 1)
    incidents = await hand.incidents()
    for incident in incidents:
        _show_incident(hand, incident)
    hand.expect("one incident is open", holds=[one.is_open for one in incidents] == [True])


async def drains(hand: Stagehand) -> None:
    """Act 4."""
    hand.title(4, "The mailbox is emptied: the backlog drains, and what was delayed is called late")
    hand.stage.mailbox("empty")
    hand.stage.flush()
    late: list[Record] = []
    ends_at = hand.clock.monotonic() + DRAIN_SECONDS
    while len(late) < 2 and hand.clock.monotonic() < ends_at:  # noqa: PLR2004 -- both breached canaries
        result = await hand.run(launches=False)
        late += [record for record in result.records if record.verdict is Verdict.LATE]
        await hand.clock.sleep(0.2)
    for record in late:
        seconds = record.judgement.seconds if record.judgement is not None else None
        hand.say(f"canary {record.canary.id} came {duration(seconds)} after its launch")
    hand.expect("both breached canaries are late, none is lost", holds=len(late) == 2)  # noqa: PLR2004
    for _ in range(2):
        result = await hand.run()
        hand.expect("the next canary is confirmed", holds=_only(result).verdict is Verdict.CONFIRMED)
    incidents = await hand.incidents()
    for incident in incidents:
        _show_incident(hand, incident)
    hand.expect("the incident is resolved", holds=[one.is_open for one in incidents] == [False])


async def is_clean(hand: Stagehand) -> None:
    """Act 5."""
    hand.title(5, "Nothing is left behind")
    await hand.run(launches=False)
    state = hand.stage.state()
    desk = state["desk"]
    mails = {address: box["messages"] for address, box in state["mailboxes"].items()}
    records = await hand.store.canaries(CanaryQuery(limit=50))
    hand.say(f"{len(records)} canaries, {desk['tickets_total']} tickets, {desk['tickets_open']} of them open")
    hand.expect("no ticket is open", holds=desk["tickets_open"] == 0)
    hand.expect("no mail is left in any mailbox", holds=not any(mails.values()))
    hand.expect("no leftover is known", holds=not await hand.store.leftovers())


class _Interrupted(Exception):
    """A signal came while a run was under way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


ACTS = (works, fills, is_full, drains, is_clean)


def main() -> int:
    """Play the story; returns the exit status."""
    output = open_output(no_color=False)
    try:
        directory = Path(tempfile.mkdtemp(prefix="demo-", dir=_home()))
    except OSError as error:
        output.tell(
            f"intake-prober: {error.filename}: {error.strerror}. The demo keeps its files in .demo of the folder"
            " that it is started in: start it in one that you may write to."
        )
        return Exit.USAGE
    try:
        return run_loop(_play(output, directory))
    except StageError as error:
        output.tell(f"intake-prober: {error}")
        return Exit.BLIND
    except (KeyboardInterrupt, _Interrupted) as interrupt:
        output.tell("intake-prober: interrupted; the sandbox is stopped and its folder removed")
        return 128 + interrupt.number if isinstance(interrupt, _Interrupted) else Exit.INTERRUPTED
    finally:
        shutil.rmtree(directory, ignore_errors=True)


async def _play(output: Output, directory: Path) -> int:
    clock = SystemClock()
    began = clock.monotonic()
    output.tell("starting the sandbox: mail servers and a ticketing system on loopback")
    with stage(directory, cache=_home() / "cache") as running:
        output.tell(f"the sandbox is up after {duration(clock.monotonic() - began)}")
        running.mailbox("quota", storage_bytes=QUOTA_BYTES, messages=None)
        configuration = write_configuration(running, deadline=DEADLINE)
        async with _opened(configuration, clock) as store:
            hand = Stagehand(running, configuration, output, clock, store)
            for act in ACTS:
                await act(hand)
    hand.output.answer("")
    took = duration(clock.monotonic() - began)
    if hand.wrong:
        output.answer(
            output.paint(f"{len(hand.wrong)} things came out other than they should, in {took}.", Style.BAD)
        )
        return Exit.BREACH
    output.answer(
        output.paint(f"Every act came out as it should, in {took}. The sandbox is gone.", Style.GOOD)
    )
    return Exit.OK


@asynccontextmanager
async def _opened(configuration: Path, clock: Clock) -> AsyncIterator[Store]:
    async with open_store(load(configuration).prober.store_url, clock=clock, prober="demo") as store:
        yield store


def _home() -> Path:
    """Where the demonstration keeps its files: in the folder that it is started in."""
    home = Path.cwd() / ".demo"
    home.mkdir(exist_ok=True)
    return home


def _only(result: RunResult) -> Record:
    return result.records[-1]


def _passed(record: Record, hop: Hop) -> bool:
    hops = record.judgement.hops if record.judgement is not None else ()
    return any(one.hop is hop and one.ended_at is not None and one.reason is None for one in hops)


def _capacity(result: RunResult) -> Gauge | None:
    found = [
        one
        for one in result.gauges
        if one.name is GaugeName.MAILBOX_CAPACITY and one.resource is Resource.STORAGE
    ]
    return found[0] if found else None


async def _show_waterfall(hand: Stagehand, record: Record) -> None:
    observations = await hand.store.observations(record.canary.id)
    for line in waterfall(record, observations, hand.output):
        hand.say(line)


def _show_incident(hand: Stagehand, incident: Incident) -> None:
    state = "open" if incident.is_open else "resolved"
    hand.say(f"incident {state}: {incident.path} stopped at {incident.stop.hop} ({incident.stop.reason})")
    hand.say(
        f"  since {clock_words(incident.onset_at)}, found {duration((incident.opened_at - incident.onset_at).total_seconds())} later"
    )
    until = clock_words(incident.impact_until) if incident.impact_until else "now"
    hand.say(f"  whoever wrote between {clock_words(incident.impact_from)} and {until} may be affected")
