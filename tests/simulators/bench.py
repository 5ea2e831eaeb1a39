"""A simulated vendor as a bench of the ticketing contract, met by the generic adapter with the preset for it."""

import tempfile
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx

from canary.canary import Canary
from probes.contracts import TicketingSystem
from probes.ticketing.walks import Walks
from runners.config.build_ticketing_http import GenericConfig
from tests.contracts.ticketing_bench import BODY, Ability, Bench
from tests.contracts.ticketing_wire import Wire
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import of_preset, opened
from tests.simulators.gateway import Simulator
from tests.simulators.table import File

T = TypeVar("T")
URL = "https://acme.vendor.test"


class SimulatedBench(Bench):
    """What tests do beside the adapter, through the simulator's tables.

    Subclasses give the simulator, the credentials by the names that the configuration knows them by, and what the
    vendor can't show.

    Attributes:
        preset: its name.
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
        self.desk.plant(
            "an old question", "of long ago", "old@customer.test", created_at=clock.now() - timedelta(days=90)
        )
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
        walks: Walks | None = None,
    ) -> AsyncIterator[TicketingSystem]:
        given = tuple((credentials or self.credentials).items())
        config = _configured(self.preset, given, tuple((changed or {}).items()))
        transport = self.wire.around(httpx.ASGITransport(self.simulator))
        async with opened(config, clock=self.clock, transport=transport, walks=walks) as system:
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
def _configured(
    preset: str, environ: tuple[tuple[str, str], ...], changed: tuple[tuple[str, str], ...]
) -> GenericConfig:
    with tempfile.TemporaryDirectory() as folder:
        return of_preset(Path(folder), preset, URL, dict(environ), dict(changed))
