"""The fake desk, held to the contract of every ticketing system."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

import pytest

from canary.canary import Canary
from canary.ticket import Attachment
from probes.contracts import Blind, TicketingSystem
from tests.contracts.ticketing_bench import BODY, Ability, Bench
from tests.contracts.ticketing_contract import TicketingContract
from tests.contracts.ticketing_wire import Wire
from tests.fakes.clock import FakeClock
from tests.fakes.desk import FakeDesk


class FakeBench(Bench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.WIRE: "it is a fake of the adapter itself, and speaks no HTTP",
        Ability.FLOOD: "it has no pages that a flood could fill",
        Ability.PAGES: "it has no pages",
        Ability.LAG: "tests set its lag by hand, for what is made of it",
        Ability.VERSIONS: "it knows no version of a ticket",
        Ability.SAME_ID: "its numbers run on",
        Ability.APPENDING: "a mail is always a ticket of its own",
        Ability.READ_ONLY: "it has no rights",
        Ability.SILENCE: "it has no credential",
        Ability.BUDGET: "its budgets are set by the tests",
    }

    def __init__(self) -> None:
        self.wire = Wire()
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

    async def pause(self) -> None:
        await self.clock.sleep(0)

    def mail(self, canary: Canary, *, attachment: bytes) -> None:
        file = Attachment("invoice.pdf", sha256(attachment).hexdigest())
        self.desk.open_ticket(
            f"{canary.subject_prefix} Grüße",
            BODY,
            canary.sender,
            message_id=canary.message_id,
            channel="email",
            attachments=(file,),
        )

    def divert(self, subject: str, body: str, requester: str) -> str:
        self.desk.open_ticket(subject, body, requester, cause="suspended as spam")
        return "suspended as spam"

    async def catch_up(self) -> None:
        self.desk.work_off()

    def promise_only(self) -> None:
        self.desk.accepts_only = True

    def delete_by_hand(self, ticket_id: str) -> None:
        del self.desk.tickets[ticket_id]


class TestFakeDesk(TicketingContract):
    @pytest.fixture
    def bench(self) -> FakeBench:
        return FakeBench()
