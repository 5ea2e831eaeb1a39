"""django-helpdesk through nothing but the configuration that the guide shows: the same contract as its own adapter."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import httpx
import pytest

from canary.observation import Depth
from canary.reason import Reason
from probes.contracts import Blind, CheckState, TicketingSystem
from probes.reasons import explain
from probes.ticketing.generic.adapter import Generic
from runners.clock import SystemClock
from runners.config.load import load
from runners.wiring import checkable
from tests.contracts.ticketing_bench import Ability
from tests.contracts.ticketing_contract import BODY, SENDER, TicketingContract, new_canary
from tests.generic_desks import ENVIRON, of_guide, opened
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
    async def read_with(self, token: str, *, total_seconds: float = 20.0) -> AsyncIterator[Generic]:
        url = self.sandbox.endpoints.desk_url.rstrip("/")
        config = of_guide(self._folder, "ticketing-http.md", "followup_set", url, {"DESK_TOKEN": token})
        transport = self.wire.around(httpx.AsyncHTTPTransport())
        settings = replace(config, timeout_seconds=total_seconds)
        async with opened(settings, clock=SystemClock(), transport=transport) as system:
            yield system


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GenericHelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.poller(running=True, interval_seconds=0.1)
        yield GenericHelpdeskBench(sandbox, tmp_path_factory.mktemp("configuration"))


@pytest.mark.parametrize(
    ("switches", "reason"),
    [
        ({"desk_api_status": 401}, Reason.CREDENTIALS_REJECTED),
        ({"desk_api_status": 403}, Reason.CREDENTIALS_REJECTED),
        ({"desk_api_status": 404}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_status": 429, "desk_api_retry_after_seconds": 7}, Reason.RATE_LIMITED),
        ({"desk_api_status": 500}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_status": 503}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_html": True}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_garbled": True}, Reason.TICKET_API_UNREADABLE),
        ({"desk_api_hang": True}, Reason.TICKET_API_UNREADABLE),
    ],
)
def test_unreadable_api__is_a_blind_look(
    started: GenericHelpdeskBench, switches: dict[str, object], reason: Reason
) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} unseen", BODY, SENDER)
    started.sandbox.faults(**switches)

    async def main() -> None:
        token = started.sandbox.endpoints.desk_token
        async with started.read_with(token, total_seconds=2.0) as system:
            await system.find([canary], Depth.DEADLINE)

    try:
        with pytest.raises(Blind) as caught:
            asyncio.run(main())
    finally:
        started.sandbox.clear_faults()

    fault = explain(caught.value)
    assert fault is not None
    assert fault.reason is reason


def test_system_by_configuration__is_wired_like_any_other(
    started: GenericHelpdeskBench, tmp_path: Path
) -> None:
    url = started.sandbox.endpoints.desk_url.rstrip("/")
    environ = {"DESK_TOKEN": started.sandbox.endpoints.desk_token}
    started.open_ticket("a question", "of anybody", "jane@customer.test")
    of_guide(tmp_path, "ticketing-http.md", "followup_set", url, environ)
    config = load(tmp_path / "intake.yaml", environ={**ENVIRON, **environ})

    async def main() -> dict[str, CheckState]:
        async with checkable(config, clock=SystemClock()) as sources:
            (source,) = [one for one in sources if one.place == "desk"]
            return {one.name: one.state for one in await source.check()}

    states = asyncio.run(main())

    assert states["ticket.search"] is CheckState.OK
    assert states["ticket.close"] is CheckState.OK


class TestHelpdeskByConfiguration(TicketingContract):
    @pytest.fixture
    def bench(self, started: GenericHelpdeskBench) -> GenericHelpdeskBench:
        return started
