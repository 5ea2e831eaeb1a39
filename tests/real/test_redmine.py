"""Redmine, read by its preset alone, held to the contract of every ticketing system."""

from collections.abc import Iterator

import pytest

from tests.contracts.ticketing_contract import TicketingContract
from tests.real.desks_more import RedmineBench
from tests.real.preset_desks import connecting
from tests.real.servers.redmine import running_redmine
from tests.real.servers.redmine_files import MINIMAL_RIGHTS


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedmineBench]:
    folder = tmp_path_factory.mktemp("configuration")
    connect = connecting(folder, "redmine", shown="https://redmine.acme.example", variable="REDMINE_KEY")
    with running_redmine(rights=(*MINIMAL_RIGHTS, "delete_issues")) as redmine:
        yield RedmineBench(redmine, connect)


class TestRedmine(TicketingContract):
    @pytest.fixture
    def bench(self, started: RedmineBench) -> RedmineBench:
        return started
