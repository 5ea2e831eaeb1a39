"""The fake desk, held to the contract of every ticketing system."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import pytest

from probes.contracts import Blind, TicketingSystem
from tests.contracts.ticketing_contract import TicketingContract
from tests.fakes.clock import FakeClock
from tests.fakes.desk import FakeDesk


class FakeBench:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.desk = FakeDesk(self.clock)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[TicketingSystem]:
        yield self.desk

    @asynccontextmanager
    async def refused(self) -> AsyncIterator[TicketingSystem]:
        self.desk.raises = Blind("desk: our credential is refused", status=401)
        yield self.desk
        self.desk.raises = None

    def now(self) -> datetime:
        return self.clock.now()

    def open_ticket(self, subject: str, body: str, requester: str) -> str:
        return self.desk.open_ticket(subject, body, requester)

    def raw(self, ticket_id: str) -> bytes:
        return json.dumps(repr(self.desk.tickets[ticket_id])).encode()

    def mails_sent(self) -> int:
        return 0


class TestFakeDesk(TicketingContract):
    @pytest.fixture
    def bench(self) -> FakeBench:
        return FakeBench()
