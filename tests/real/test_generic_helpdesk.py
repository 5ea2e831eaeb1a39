"""django-helpdesk through nothing but the configuration that the guide shows: the same contract as its own adapter."""

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
from tests.real.desks import HelpdeskBench
from tests.sandbox import Sandbox, start_sandbox


class GenericHelpdeskBench(HelpdeskBench):
    """The sandbox's helpdesk, read by configuration alone."""

    lacks: ClassVar[Mapping[Ability, str]] = {
        **HelpdeskBench.lacks,
        Ability.PAGES: "the guide's configuration is tested as it stands",
    }

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        super().__init__(sandbox)
        self._folder = folder

    def opened(self) -> AbstractAsyncContextManager[TicketingSystem]:  # type: ignore[override]  # another adapter
        return self.read_with(self.sandbox.endpoints.desk_token)

    def refused(self) -> AbstractAsyncContextManager[TicketingSystem]:
        return self.read_with("0" * 40)

    @asynccontextmanager
    async def read_with(self, token: str) -> AsyncIterator[Generic]:
        url = self.sandbox.endpoints.desk_url.rstrip("/")
        config = of_guide(self._folder, "ticketing-http.md", "followup_set", url, {"DESK_TOKEN": token})
        transport = self.wire.around(httpx.AsyncHTTPTransport())
        async with opened(config, clock=SystemClock(), transport=transport) as system:
            yield system


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenericHelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.poller(running=True, interval_seconds=0.1)
        yield GenericHelpdeskBench(sandbox, tmp_path_factory.mktemp("configuration"))


class TestHelpdeskByConfiguration(TicketingContract):
    @pytest.fixture
    def bench(self, started: GenericHelpdeskBench) -> GenericHelpdeskBench:
        return started
