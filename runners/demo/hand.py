"""The stagehand of the demonstration: runs the prober, tells what happens, notes what came out other than it should."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from canary.hop import Hop
from canary.incident import Incident
from canary.observation import Outcome
from canary.path import PathName
from canary.quantity import duration
from canary.reason import Reason
from canary.verdict import Verdict
from probes.contracts import Clock
from runners.cli.live import LiveProgress
from runners.cli.output import Output, Style
from runners.cli.waterfall import waterfall
from runners.cli.words import clock as clock_words
from runners.config.load import load
from runners.contracts import Record, Store
from runners.demo.stage import Patience, Stage, write_configuration
from runners.oneshot import OneShot, RunOptions, RunResult
from runners.wiring import wired

EMAIL, PORTAL, FORM = PathName("support-email"), PathName("support-portal"), PathName("contact-form")
WAYS = (EMAIL, PORTAL, FORM)


class Interrupted(Exception):
    """A signal came while a run was under way."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@dataclass(slots=True)
class Stagehand:
    """What the acts work with, and what has come out other than it should."""

    stage: Stage
    configuration: Path
    output: Output
    clock: Clock
    store: Store
    wrong: list[str] = field(default_factory=list)
    load_seconds: float = 1.0
    """What a page of the healthy portal takes on this machine."""

    def wait_at_most(self, patience: Patience) -> None:
        """Change how long the next runs wait."""
        write_configuration(self.stage, patience)

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

    async def run(self, *paths: PathName, launches: bool = True) -> RunResult:
        """One `intake-prober run` (or `sweep`), as cron would start it: with parts of its own; no path: all of them."""
        config = load(self.configuration)
        progress = LiveProgress(self.output)
        async with wired(config, clock=self.clock, store=self.store, progress=progress) as prober:
            shot = OneShot(prober, self.store, clock=self.clock, progress=progress)
            result = await shot.run(RunOptions(paths=paths, launches=launches))
        if result.interrupted_by is not None:
            raise Interrupted(result.interrupted_by)  # the run took the signal; it was meant for all of us
        return result

    async def incidents(self, path: PathName) -> list[Incident]:
        """What the store has of one path."""
        return list(await self.store.incidents(path=path, since=None, limit=10))

    async def has_noted(self, record: Record | None, hop: Hop) -> bool:
        """Whether a hop was passed, also if that came after the verdict: a ticket may be found before its page is read."""
        seen = await self.store.observations(record.canary.id) if record is not None else ()
        return any(one.hop is hop and one.outcome is Outcome.OK for one in seen)

    async def show_waterfall(self, record: Record) -> None:
        """Show a canary hop by hop."""
        observations = await self.store.observations(record.canary.id)
        for line in waterfall(record, observations, self.output):
            self.say(line)

    def show_incident(self, incident: Incident) -> None:
        """Show an incident: blame, detection, impact."""
        state = "open" if incident.is_open else "resolved"
        self.say(f"incident {state}: {incident.path} stopped at {incident.stop.hop} ({incident.stop.reason})")
        found = duration((incident.opened_at - incident.onset_at).total_seconds())
        self.say(f"  since {clock_words(incident.onset_at)}, found {found} later")
        until = clock_words(incident.impact_until) if incident.impact_until else "now"
        self.say(f"  whoever wrote between {clock_words(incident.impact_from)} and {until} may be affected")


def records_of(result: RunResult, path: PathName) -> Iterator[Record]:
    """What a run came to for one path, oldest first."""
    return (record for record in result.records if record.canary.path == path)


def newest(result: RunResult, path: PathName) -> Record | None:
    """The canary that a run launched for one path."""
    return next(reversed([*records_of(result, path)]), None)


def is_confirmed(record: Record | None) -> bool:
    """Whether a canary came through."""
    return record is not None and record.verdict is Verdict.CONFIRMED


def is_breached(record: Record | None, hop: Hop, reason: Reason) -> bool:
    """Whether a canary did not, and this hop is blamed for this reason."""
    judgement = record.judgement if record is not None else None
    return (
        judgement is not None
        and judgement.verdict is Verdict.BREACHED
        and judgement.stop is not None
        and (judgement.stop.hop, judgement.stop.reason) == (hop, reason)
    )


def has_passed(record: Record | None, hop: Hop) -> bool:
    """Whether a canary was seen at a hop."""
    hops = record.judgement.hops if record is not None and record.judgement is not None else ()
    return any(one.hop is hop and one.ended_at is not None and one.reason is None for one in hops)


def seconds_at(record: Record | None, hop: Hop) -> float | None:
    """How long a hop took; None where that is not known."""
    hops = record.judgement.hops if record is not None and record.judgement is not None else ()
    found = next((one for one in hops if one.hop is hop), None)
    if found is None or found.seconds is not None or found.began_at is None or found.ended_at is None:
        return found.seconds if found is not None else None
    return (found.ended_at - found.began_at).total_seconds()


def detail_of(record: Record | None, hop: Hop) -> str:
    """What was noted at a hop."""
    hops = record.judgement.hops if record is not None and record.judgement is not None else ()
    return next((one.detail or "" for one in hops if one.hop is hop), "")
