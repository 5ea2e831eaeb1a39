"""Freshdesk, Zammad and ServiceNow by their presets, held to the contract of every ticketing system.

They have met simulators, that is the published contract, and no tenant.
"""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from tests.contracts.ticketing_bench import Ability
from tests.contracts.ticketing_contract import TicketingContract
from tests.fakes.clock import FakeClock
from tests.simulators.bench import SimulatedBench
from tests.simulators.freshdesk import API_KEY, Freshdesk
from tests.simulators.servicenow import PASSWORD, ServiceNow, sys_id
from tests.simulators.zammad import TOKEN, Zammad

_AT_ONCE = "it makes a change before it answers"
_NO_RIGHTS = "its API does not tell what our user may do, before it is tried"


class FreshdeskBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.MESSAGE_ID: "its API shows no Message-ID",
        Ability.VERSIONS: "it sends no ETag",
        Ability.JOBS: _AT_ONCE,
        Ability.READ_ONLY: _NO_RIGHTS,
        Ability.LAG: "its search has no filter by requester, and the list is read instead",
    }
    preset: ClassVar[str] = "freshdesk"
    proofs: tuple[str, ...] = ("/agents/me",)
    credentials: ClassVar[Mapping[str, str]] = {"FRESHDESK_KEY": API_KEY}
    few_rows: ClassVar[Mapping[str, str]] = {"per_page: 100": "per_page: 2", "max_pages: 10": "max_pages: 1"}
    budget_headers: Mapping[str, str] = {"X-RateLimit-Total": "100", "X-RateLimit-Remaining": "42"}

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(Freshdesk(clock, calls_a_minute=500), clock)

    def divert(self, subject: str, body: str, requester: str) -> str:
        self.desk.hold(subject, body, requester, cause="spam")
        return "spam"


class ZammadBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.VERSIONS: "it sends no ETag",
        Ability.JOBS: _AT_ONCE,
        Ability.READ_ONLY: _NO_RIGHTS,
        Ability.LAG: "with a condition and no query its search reads the table",
        Ability.DIVERTED: "of mail that it can't process its API shows a number only",
        Ability.BUDGET: "it tells no budget",
        Ability.FLOOD: "bodies are not in its list, so that a flood is read row by row, 40 a look",
    }
    preset: ClassVar[str] = "zammad"
    proofs: tuple[str, ...] = ("/users/me",)
    credentials: ClassVar[Mapping[str, str]] = {"ZAMMAD_TOKEN": TOKEN}
    searches: ClassVar[tuple[str, ...]] = ("/tickets/search",)
    few_rows: ClassVar[Mapping[str, str]] = {"limit: 200": "limit: 2", "max_pages: 10": "max_pages: 1"}

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(Zammad(clock), clock)


class ServiceNowBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.MESSAGE_ID: "an incident has none; its mail in sys_email has, at a call more for each row, also strangers'",
        Ability.VERSIONS: "it sends no ETag",
        Ability.JOBS: _AT_ONCE,
        Ability.READ_ONLY: _NO_RIGHTS,
        Ability.LAG: "the Table API reads the table",
    }
    preset: ClassVar[str] = "servicenow"
    proofs: tuple[str, ...] = ("/table/sys_user",)
    credentials: ClassVar[Mapping[str, str]] = {"SERVICENOW_PASSWORD": PASSWORD}
    few_rows: ClassVar[Mapping[str, str]] = {
        "sysparm_limit: 200": "sysparm_limit: 2",
        "max_pages: 10": "max_pages: 1",
    }
    budget_headers: Mapping[str, str] = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "42"}

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(ServiceNow(clock), clock)

    def shown_id(self, number: int) -> str:
        return sys_id(number)

    def number_of(self, ticket_id: str) -> int:
        return int(ticket_id, 16)

    def divert(self, subject: str, body: str, requester: str) -> str:
        cause = "Ignored: sender is locked out"
        self.desk.hold(subject, body, requester, cause=cause)
        return cause


class TestFreshdesk(TicketingContract):
    @pytest.fixture
    def bench(self) -> FreshdeskBench:
        return FreshdeskBench()


class TestZammad(TicketingContract):
    @pytest.fixture
    def bench(self) -> ZammadBench:
        return ZammadBench()


class TestServiceNow(TicketingContract):
    @pytest.fixture
    def bench(self) -> ServiceNowBench:
        return ServiceNowBench()
