"""Roundup with the rendered detector as its quarantine: without it launches stop, with it they go on."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from canary.canary import Canary
from canary.hop import Channel, Hop
from canary.observation import Evidence, Observation, Outcome
from canary.quarantine import Mark, Quarantine
from canary.slot import MissedCause, Slot, due_slot
from probes.contracts import Check, Disposal, DisposalAction, Report
from probes.masking import Masker
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clock import SystemClock
from runners.config.load import load
from runners.oneshot import OneShot, RunOptions
from runners.prober import Place, Prober, SignedPaths
from runners.progress import Silent
from runners.quarantine.facts import facts_of
from runners.quarantine.vendors import rendered_for
from runners.store.store import SqlStore, open_store
from tests.fakes.clock import FakeClock
from tests.fakes.world import KEY, World, email_path, prober_of
from tests.generic_desks import ENVIRON, of_preset, opened
from tests.real.servers.process import hand_over
from tests.real.servers.roundup import Roundup, running_roundup
from tests.real.servers.roundup_files import CANARY, PROBER_PASSWORD

TAG = "synthetic"
PATH = replace(email_path(interval_seconds=1.0), quarantine_misses=2)
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class MailgwProbe:
    """Gives a canary's mail to the tracker's own mail gateway, as a mail server's pipe does."""

    roundup: Roundup
    sent: list[Canary]
    channel: Channel = Channel.EMAIL

    async def launch(self, canary: Canary, report: Report) -> None:
        message = EmailMessage()
        message["From"], message["To"] = canary.sender, "support@acme.test"
        message["Subject"], message["Message-ID"] = f"{canary.subject_prefix} hello", canary.message_id
        message.set_content("Hello?\n")
        self.sent.append(canary)
        code = await asyncio.to_thread(self.roundup.deliver, message.as_bytes())
        assert code == 0
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
    """A prober of one path into a real tracker, and its store."""

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
async def intake(roundup: Roundup, folder: Path) -> AsyncIterator[Intake]:
    """The tracker as its preset reads it, with a mark to look for."""
    generic = of_preset(folder, "roundup", roundup.url, {"ROUNDUP_PASSWORD": PROBER_PASSWORD})
    settings = TicketWatcherSettings(
        recognise=SignedPaths([KEY], [PATH.name]).recognise,
        expectation=lambda _: Expectation(target="support@acme.test"),
        disposal=Disposal(DisposalAction.CLOSE, TAG),
        own_addresses=(CANARY,),
        mark=Mark(tag=TAG),
    )
    sent: list[Canary] = []
    clock = SystemClock()
    async with (
        opened(generic, clock=clock) as system,
        open_store(f"sqlite:///{folder}/intake.db", clock=clock) as store,
    ):
        watcher = TicketWatcher(system, settings, clock=clock, masker=Masker())
        prober = replace(
            prober_of(World(FakeClock()), PATH),
            probes={PATH.name: MailgwProbe(roundup, sent)},
            senders={PATH.name: (CANARY,)},
            places={"desk": Place(watcher, Hop.TICKET_CONTENT, tickets=watcher)},
            schedules={PATH.name: due},
        )
        yield Intake(prober, store, sent)


def install(roundup: Roundup, folder: Path) -> None:
    """Put the rendered detector into the tracker, and start its server anew."""
    config = load(folder / "intake.yaml", environ={**ENVIRON, "ROUNDUP_PASSWORD": secrets.token_hex()})
    ((name, text),) = rendered_for(facts_of(config, "desk")).files.items()
    file = roundup.site.home / "detectors" / name
    file.write_text(text)
    hand_over(file, roundup.account)
    roundup.stop()
    roundup.start()


@pytest.fixture(scope="module")
def roundup() -> Iterator[Roundup]:
    with running_roundup(wrong_logins=0) as started:
        started.call("/data/keyword", {"name": TAG}, method="POST")
        yield started


def test_tracker_without_its_rule__stops_launches__and_the_rendered_detector_lets_them_go_on(
    roundup: Roundup, tmp_path: Path
) -> None:
    async def main() -> None:
        async with intake(roundup, tmp_path) as desk:
            assert [await desk.run() for _ in range(3)] == [True, True, False]
            assert (await desk.state()).misses == 2
            assert await desk.refused() == 1

            await asyncio.to_thread(install, roundup, tmp_path)
            mails = roundup.mails_sent()
            assert not await desk.run()

            assert await desk.run(is_by_hand=True)
            assert (await desk.state()).misses == 0
            assert (await desk.state()).marked_at is not None
            assert await desk.run()
            assert await desk.refused() == 2
            assert roundup.mails_sent() == mails

    asyncio.run(main())
