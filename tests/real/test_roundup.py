"""Roundup, read by its preset alone, held to the contract of every ticketing system."""

from collections.abc import Iterator

import pytest

from tests.contracts.ticketing_contract import TicketingContract
from tests.real.desks_more import RoundupBench
from tests.real.preset_desks import connecting
from tests.real.servers.roundup import running_roundup
from tests.real.servers.roundup_files import MINIMAL_RIGHTS, RETIRE


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundupBench]:
    folder = tmp_path_factory.mktemp("configuration")
    connect = connecting(folder, "roundup", shown="https://roundup.acme.example", variable="ROUNDUP_PASSWORD")
    with running_roundup(rights=(*MINIMAL_RIGHTS, RETIRE), wrong_logins=0) as roundup:
        yield RoundupBench(roundup, connect)


class TestRoundup(TicketingContract):
    @pytest.fixture
    def bench(self, started: RoundupBench) -> RoundupBench:
        return started
