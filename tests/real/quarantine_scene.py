"""A prober of one path into a real ticketing system, and the rule that `render quarantine` writes for it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from canary.canary import Canary
from canary.hop import Channel, Hop
from canary.observation import Depth, Evidence, Observation, Outcome
from canary.quarantine import Mark, Quarantine
from canary.slot import MissedCause, Slot, due_slot
from canary.ticket import Ticket
from probes.contracts import Check, Disposal, DisposalAction, Report, TicketingSystem
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clock import SystemClock
from runners.oneshot import OneShot, RunOptions
from runners.prober import Place, Prober, SignedPaths
from runners.progress import Silent
from runners.store.store import SqlStore, open_store
from tests.fakes.clock import FakeClock
from tests.fakes.world import KEY, World, email_path, prober_of

CANARY = "canary@probe.test"
TAG = "synthetic"
PATH = replace(email_path(interval_seconds=1.0), quarantine_misses=2)
SECOND = timedelta(seconds=1)
_ROOT = Path(__file__).parents[2]
_CONFIGURATION = """\
prober: {{signing_keys: [{{env: INTAKE_SIGNING_KEY}}], marker: intakecanary}}
accounts:
  canary: {{address: {sender}, smtp: {{host: smtp.probe.test, password: {{env: INTAKE_SIGNING_KEY}}}}}}
ticketing:
  desk: {system}
paths:
  support-email: {{channel: email, from: [canary], to: support@acme.test, ticketing: desk, every: 10m, deadline: 10m,
    require_quarantine: true}}
"""


def rendered(folder: Path, system: str, *, sender: str = CANARY, target: str = "desk") -> dict[str, str]:
    """What ``render quarantine`` writes for a system of the configuration, by file name; the page is among it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "intake.yaml").write_text(_CONFIGURATION.format(sender=sender, system=system))
    words = ["render", "quarantine", target, "--output", "rule", "--force"]
    secrets = dict.fromkeys(("DESK_TOKEN", "REDMINE_KEY"), "token-of-nobody-at-all")
    done = subprocess.run(
        [sys.executable, "-m", "runners", *words],
        cwd=folder,
        env={**os.environ, **secrets, "INTAKE_SIGNING_KEY": "k" * 32, "PYTHONPATH": str(_ROOT)},
        check=False,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return {one.name: one.read_text() for one in (folder / "rule").iterdir()}


def hello(canary: Canary, recipient: str = "support@acme.test") -> EmailMessage:
    """A canary's mail."""
    message = EmailMessage()
    message["From"], message["To"] = canary.sender, recipient
    message["Subject"], message["Message-ID"] = f"{canary.subject_prefix} hello", canary.message_id
    message.set_content("Hello?\n")
    return message


@dataclass(frozen=True, slots=True)
class MailProbe:
    """Sends a canary's mail in the way that the system takes it."""

    send: Callable[[Canary], None]
    sent: list[Canary]
    channel: Channel = Channel.EMAIL

    async def launch(self, canary: Canary, report: Report) -> None:
        self.sent.append(canary)
        await asyncio.to_thread(self.send, canary)
        now = SystemClock().now()
        await report(
            Observation(canary.id, Hop.SMTP_ACCEPT, Outcome.OK, Evidence.OBSERVED, now, now, seconds=0.0)
        )

    async def check(self) -> Sequence[Check]:
        return ()


def due(now: datetime) -> Slot | None:
    """A slot a second: each run has one of its own."""
    return due_slot(PATH.name, SECOND, now)


@dataclass(frozen=True, slots=True)
class Intake:
    """A prober of one path into a real system, and its store."""

    prober: Prober
    store: SqlStore
    sent: list[Canary]

    async def run(self, *, is_by_hand: bool = False) -> bool:
        """One run; whether it sent a canary. Its slot is not the one of the run before."""
        last_at = await self.store.last_slot_at(PATH.name)
        if not is_by_hand and last_at is not None:
            await asyncio.sleep(max(0.0, (last_at + SECOND - SystemClock().now()).total_seconds()))
        before = len(self.sent)
        shot = OneShot(self.prober, self.store, clock=SystemClock(), progress=Silent())
        await shot.run(RunOptions(only_due=not is_by_hand))
        return len(self.sent) > before

    async def state(self) -> Quarantine:
        return (await self.store.quarantines([PATH.name]))[PATH.name]

    async def refused(self) -> int:
        """How many slots were kept as missed for the quarantine."""
        missed = await self.store.missed(PATH.name, since=SystemClock().now() - timedelta(days=1))
        return sum(1 for one in missed if one.cause is MissedCause.QUARANTINE)


@asynccontextmanager
async def intake(
    system: TicketingSystem,
    mark: Mark,
    send: Callable[[Canary], None],
    folder: Path,
    *,
    sender: str = CANARY,
) -> AsyncIterator[Intake]:
    """A prober that looks for a mark."""
    settings = TicketWatcherSettings(
        recognise=SignedPaths([KEY], [PATH.name]).recognise,
        expectation=lambda _: Expectation(target="support@acme.test"),
        disposal=Disposal(DisposalAction.CLOSE, TAG),
        own_addresses=(sender,),
        mark=mark,
    )
    sent: list[Canary] = []
    clock = SystemClock()
    async with open_store(f"sqlite:///{folder}/intake.db", clock=clock) as store:
        watcher = TicketWatcher(system, settings, clock=clock, masker=Masker())
        prober = replace(
            prober_of(World(FakeClock()), PATH),
            probes={PATH.name: MailProbe(send, sent)},
            senders={PATH.name: (sender,)},
            places={"desk": Place(watcher, Hop.TICKET_CONTENT, tickets=watcher)},
            schedules={PATH.name: due},
        )
        yield Intake(prober, store, sent)


async def without_the_rule(desk: Intake) -> None:
    """Two canaries go out; then the schedule stops, and says why."""
    assert [await desk.run() for _ in range(3)] == [True, True, False]
    assert (await desk.state()).misses == 2
    assert await desk.refused() == 1


async def with_the_rule(desk: Intake) -> None:
    """It stays stopped until a canary by hand bears the mark; then it goes on by itself."""
    assert not await desk.run()
    assert await desk.run(is_by_hand=True)
    assert (await desk.state()).misses == 0
    assert (await desk.state()).marked_at is not None
    assert await desk.run()
    assert await desk.refused() == 2


async def first_seen(system: TicketingSystem, canary: Canary) -> Ticket:
    """A canary's ticket as the first narrow look that sees it shows it; it is left open."""
    async with asyncio.timeout(60):
        while True:
            look = await system.find([canary], Depth.POLL)
            if look.tickets:
                return look.tickets[0]
            await asyncio.sleep(0.2)
