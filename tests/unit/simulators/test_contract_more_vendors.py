"""Salesforce and GLPI by their presets, held to the contract of every ticketing system.

They have met simulators, that is the published contract, and no tenant.
"""

from collections.abc import Mapping
from typing import ClassVar

import pytest

from tests.contracts.ticketing_bench import SENDER, Ability
from tests.contracts.ticketing_contract import TicketingContract
from tests.fakes.clock import FakeClock
from tests.simulators.bench import SimulatedBench
from tests.simulators.glpi import APP_TOKEN, CAUSES, USER_TOKEN, Glpi
from tests.simulators.salesforce import CLIENT_ID, CLIENT_SECRET, Salesforce, case_id

_AT_ONCE = "it makes a change before it answers"
_NO_RIGHTS = "its API does not tell what our user may do, before it is tried"


class SalesforceBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.SILENCE: "a session that is none is refused with 401 wherever it is used",
        Ability.VERSIONS: "a case has no ETag",
        Ability.JOBS: _AT_ONCE,
        Ability.READ_ONLY: _NO_RIGHTS,
        Ability.LAG: "SOQL reads the table",
        Ability.DIVERTED: "a mail that fails makes no record: only the Automated Case User is told, by mail",
        Ability.PAGES: "the size of a page is the vendor's own",
    }
    preset: ClassVar[str] = "salesforce"
    credentials: ClassVar[Mapping[str, str]] = {
        "SALESFORCE_CLIENT_ID": CLIENT_ID,
        "SALESFORCE_CLIENT_SECRET": CLIENT_SECRET,
    }
    log_ins: ClassVar[tuple[str, ...]] = ("/services/oauth2/token",)
    budget_headers: Mapping[str, str] = {"Sforce-Limit-Info": "api-usage=58/100"}

    def __init__(self) -> None:
        clock = FakeClock()
        super().__init__(Salesforce(clock), clock)

    def shown_id(self, number: int) -> str:
        return case_id(number)

    def number_of(self, ticket_id: str) -> int:
        return int(ticket_id[3:15])


class GlpiBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.SILENCE: "a session that is none is refused with 401 wherever it is used",
        Ability.VERSIONS: "it sends no ETag",
        Ability.JOBS: _AT_ONCE,
        Ability.READ_ONLY: _NO_RIGHTS,
        Ability.LAG: "its search reads the table",
        Ability.BUDGET: "it tells no budget",
        Ability.MESSAGE_ID: "a ticket's Message-ID is not among its search options",
        Ability.TAGS: "it has none without a plug-in",
    }
    preset: ClassVar[str] = "glpi"
    credentials: ClassVar[Mapping[str, str]] = {"GLPI_APP_TOKEN": APP_TOKEN, "GLPI_USER_TOKEN": USER_TOKEN}
    log_ins: ClassVar[tuple[str, ...]] = ("/initSession", "/killSession")
    few_rows: ClassVar[Mapping[str, str]] = {"size: 200": "size: 2", "max_pages: 10": "max_pages: 1"}

    def __init__(self) -> None:
        clock = FakeClock()
        glpi = Glpi(clock)
        glpi.users[SENDER] = 7
        super().__init__(glpi, clock)

    def divert(self, subject: str, body: str, requester: str) -> str:
        cause = "e-mail not found, impossible import"
        self.desk.hold(subject, body, requester, cause=cause)
        return str(CAUSES[cause])


class TestSalesforce(TicketingContract):
    @pytest.fixture
    def bench(self) -> SalesforceBench:
        return SalesforceBench()


class TestGlpi(TicketingContract):
    @pytest.fixture
    def bench(self) -> GlpiBench:
        return GlpiBench()
