"""A simulated vendor as a bench of the ticketing contract, met by the generic adapter with a configuration for it."""

import tempfile
import textwrap
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx

from canary.canary import Canary
from probes.contracts import TicketingSystem
from probes.http_wire import HttpSettings
from probes.masking import Masker
from probes.ticketing.generic.opening import open_generic
from runners.config.build_ticketing_http import GenericConfig
from runners.config.load import load
from tests.contracts.ticketing_bench import BODY, MARKER, SENDER, Ability, Bench
from tests.contracts.ticketing_wire import Wire
from tests.fakes.clock import FakeClock, run_jumping
from tests.simulators.gateway import Simulator
from tests.simulators.table import File

T = TypeVar("T")
PRESETS = Path(__file__).parent / "presets"
_AROUND = """\
prober: {signing_keys: [{env: INTAKE_SIGNING_KEY}], marker: intakecanary}
accounts:
  canary: {address: canary@probe.test, smtp: {host: smtp.probe.test, password: {env: INTAKE_SIGNING_KEY}}}
paths:
  support-email: {channel: email, from: [canary], to: support@acme.test, ticketing: desk, every: 10m, deadline: 10m}
"""


class SimulatedBench(Bench):
    """What tests do beside the adapter, through the simulator's tables.

    Subclasses give the simulator, the credentials by the names that the configuration knows them by, and what the
    vendor can't show.

    Attributes:
        preset: the name of the configuration's file.
        log_ins: ends of paths at which credentials are exchanged for others.
        searches: ends of paths at which a POST changes nothing.
        few_rows: what the configuration is changed by, so that it reads one page of two rows.
    """

    lacks: ClassVar[Mapping[Ability, str]] = {}
    preset: ClassVar[str]
    credentials: ClassVar[Mapping[str, str]]
    log_ins: ClassVar[tuple[str, ...]] = ()
    searches: ClassVar[tuple[str, ...]] = ()
    few_rows: ClassVar[Mapping[str, str]] = {}
    lagging_text: ClassVar[Mapping[str, str]] = {}

    def __init__(self, simulator: Simulator, clock: FakeClock) -> None:
        self.simulator = simulator
        self.desk = simulator.desk
        self.clock = clock
        self.wire = Wire(reads=self.searches, spares=self.log_ins)
        self.secret = list(self.credentials.values())[-1]

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected()

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected(credentials=dict.fromkeys(self.credentials, "a-wrong-word-of-the-tests"))

    @asynccontextmanager
    async def connected(
        self,
        *,
        credentials: Mapping[str, str] | None = None,
        changed: Mapping[str, str] | None = None,
    ) -> AsyncIterator[TicketingSystem]:
        text = (PRESETS / f"{self.preset}.yaml").read_text(encoding="utf-8")
        for before, after in (changed or {}).items():
            assert before in text
            text = text.replace(before, after)
        generic = _configured(text, tuple((credentials or self.credentials).items()))
        settings = replace(generic.settings, marker=MARKER, own_addresses=(SENDER,), reads_files=True)
        http = HttpSettings(name="desk", url=settings.url, total_seconds=generic.timeout_seconds)
        async with open_generic(
            settings,
            http,
            generic.secrets,
            clock=self.clock,
            masker=Masker(),
            transport=self.wire.around(httpx.ASGITransport(self.simulator)),
        ) as system:
            yield system

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return run_jumping(self.clock, work)

    async def pause(self) -> None:
        await self.clock.sleep(1)

    def now(self) -> datetime:
        return self.clock.now()

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        return self.shown_id(self.desk.plant(subject, body, requester).id)

    def shown_id(self, number: int) -> str:
        """A ticket's id as the vendor shows it."""
        return str(number)

    def number_of(self, ticket_id: str) -> int:
        """The number in the simulator's table."""
        return int(ticket_id)

    def raw(self, ticket_id: str) -> bytes:
        return self.desk.raw(self.number_of(ticket_id))

    def mails_sent(self) -> int:
        return len(self.desk.mails)

    def short_sighted(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.connected(changed=self.few_rows)

    @asynccontextmanager
    async def lagging(self, seconds: float) -> AsyncIterator[TicketingSystem]:
        self.desk.lag_seconds = seconds
        async with self.connected(changed=self.lagging_text) as system:
            yield system

    def flood(self, count: int) -> None:
        self.desk.strangers(count)

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        self.desk.plant(
            f"{canary.subject_prefix} Grüße",
            BODY,
            canary.sender,
            message_id=canary.message_id,
            files=[File("invoice.pdf", attachment)],
        )

    async def catch_up(self) -> None:
        self.desk.finish_jobs()
        await self.clock.sleep(self.desk.lag_seconds)

    def promise_only(self) -> None:
        self.desk.job_seconds = None

    def append(self, ticket_id: str, text: str) -> None:
        self.desk.append(self.number_of(ticket_id), text)

    def delete_by_hand(self, ticket_id: str) -> None:
        self.desk.bin(self.desk.rows[self.number_of(ticket_id)])

    def give_out_again(self, ticket_id: str, subject: str, body: str, requester: str) -> None:
        self.desk.give_out_again(self.number_of(ticket_id), subject, body, requester)


@cache
def _configured(text: str, environ: tuple[tuple[str, str], ...]) -> GenericConfig:
    body = textwrap.indent(text, "    ")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "intake.yaml"
        file.write_text(f"{_AROUND}ticketing:\n  desk:\n    type: http\n{body}", encoding="utf-8")
        known = {"INTAKE_SIGNING_KEY": "signing-key-of-32-bytes-for-test", "PATH": "/usr/bin:/bin"}
        generic = load(file, environ={**known, **dict(environ)}).ticketing["desk"].generic
    assert generic is not None
    return generic
