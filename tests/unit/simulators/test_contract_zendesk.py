"""Zendesk by its preset, held to the contract of every ticketing system.

It has met the simulator, that is the published contract, and no tenant.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import ClassVar

import pytest

from probes.contracts import TicketingSystem
from tests.contracts.ticketing_bench import SENDER, Ability, new_canary
from tests.contracts.ticketing_contract import TicketingContract
from tests.contracts.ticketing_finding import arrived
from tests.fakes.clock import FakeClock
from tests.simulators.bench import SimulatedBench
from tests.simulators.zendesk import CLIENT_ID, CLIENT_SECRET, Zendesk

CAUSE = "Detected as mail loop"


class ZendeskBench(SimulatedBench):
    lacks: ClassVar[Mapping[Ability, str]] = {
        Ability.MESSAGE_ID: "its API shows no Message-ID of a ticket's mail, only of a suspended one's",
        Ability.FILES: "an attachment's address redirects to a temporary one elsewhere, whither our credential does not go",
        Ability.VERSIONS: "bulk updates take no `updated_stamp`, and it sends no ETag",
    }
    preset: ClassVar[str] = "zendesk"
    proofs: tuple[str, ...] = ("/users/me.json",)
    log_ins: ClassVar[tuple[str, ...]] = ("/oauth/tokens",)
    credentials: ClassVar[Mapping[str, str]] = {
        "ZENDESK_CLIENT_ID": CLIENT_ID,
        "ZENDESK_CLIENT_SECRET": CLIENT_SECRET,
    }
    few_rows: ClassVar[Mapping[str, str]] = {
        '"page[size]": 100': '"page[size]": 2',
        "max_pages: 10": "max_pages: 1",
    }
    lagging_text: ClassVar[Mapping[str, str]] = {
        "  wide:\n    when: deadline\n": "  wide:\n    when: poll\n    view: eventual\n    lag: 3m\n",
        "  mine:\n    when: poll\n": "  mine:\n    when: deadline\n",
        'get: /api/v2/tickets.json\n    query: {sort: "-id", "page[size]": 100, include: users}': 'get: /api/v2/search.json\n    query: {query: "type:ticket {{ marker }}", include: users}',
        'page: {cursor: {pick: meta.after_cursor, into: {query: "page[after]"}, more: meta.has_more}}\n    order: newest_first\n    max_pages: 10\n    rows: tickets': "page: {next: {pick: next_page}}\n    rows: results",
    }

    def __init__(self) -> None:
        clock = FakeClock()
        self.zendesk = Zendesk(clock)
        self.zendesk.known.add(SENDER)
        super().__init__(self.zendesk, clock)

    def divert(self, subject: str, body: str, requester: str) -> str:
        self.desk.hold(subject, body, requester, cause=CAUSE)
        return CAUSE

    def read_only(self) -> AbstractAsyncContextManager[TicketingSystem]:
        self.zendesk.may_write = False
        return self.opened()


class TestZendesk(TicketingContract):
    @pytest.fixture
    def bench(self) -> ZendeskBench:
        return ZendeskBench()

    def test_find__a_mail_with_a_file__is_seen_with_the_file_not_compared(self, bench: ZendeskBench) -> None:
        canary = new_canary(bench.now())

        ticket = arrived(bench, canary, attachment=b"%PDF-1.4")

        assert [one.sha256 for one in ticket.attachments or ()] == [None]
