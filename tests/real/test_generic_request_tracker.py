"""Request Tracker 5 through nothing but the configuration that the guide shows: the same contract as its own adapter."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from probes.contracts import TicketingSystem
from probes.ticketing.generic.adapter import Generic
from runners.clock import SystemClock
from tests.contracts.ticketing_bench import Ability
from tests.contracts.ticketing_contract import TicketingContract
from tests.generic_desks import of_guide, opened
from tests.real.desks import TrackerBench
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import Mail, running_mail
from tests.real.servers.process import server_directory, unprivileged_account
from tests.real.servers.request_tracker import RequestTracker, running_request_tracker
from tests.real.servers.request_tracker_files import MINIMAL_RIGHTS


class GenericTrackerBench(TrackerBench):
    """The Request Tracker, read by configuration alone."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        **TrackerBench.lacks,
        Ability.PAGES: "the guide's configuration is tested as it stands",
        Ability.FILES: "its contents stand inside the JSON of the list, which `files` can't say",
    }

    def __init__(self, tracker: RequestTracker, mail: Mail, folder: Path) -> None:
        super().__init__(tracker, mail)
        self._folder = folder

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:  # type: ignore[override]  # another adapter
        return self.read_with(self.tracker.token)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.read_with("1-1-" + "0" * 32)

    @asynccontextmanager
    async def read_with(self, token: str) -> AsyncIterator[Generic]:
        url = self.tracker.url.rstrip("/")
        config = of_guide(self._folder, "ticketing-http.md", "REST/2.0/tickets", url, {"RT_TOKEN": token})
        transport = self.wire.around(httpx.AsyncHTTPTransport())
        async with opened(config, clock=SystemClock(), transport=transport) as system:
            yield system


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenericTrackerBench]:
    with (
        server_directory("certificates", unprivileged_account()) as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail, rights=(*MINIMAL_RIGHTS, "DeleteTicket")) as tracker,
    ):
        yield GenericTrackerBench(tracker, mail, tmp_path_factory.mktemp("configuration"))


class TestRequestTrackerByConfiguration(TicketingContract):
    @pytest.fixture
    def bench(self, started: GenericTrackerBench) -> GenericTrackerBench:
        return started
