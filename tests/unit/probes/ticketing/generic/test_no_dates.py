"""Dates that stand for none, as the first or the last day of a calendar: they hide no ticket and end nothing."""

from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from canary.observation import Depth
from probes.contracts import Look
from tests.contracts.ticketing_contract import new_canary
from tests.fakes.answers import Answering
from tests.fakes.clock import FakeClock, run_jumping
from tests.generic_desks import configured, opened

READ = "read: [{get: '/tickets/{{ ticket.id }}', ticket: {body: body}}]"


@pytest.mark.parametrize("skew_seconds", [-100.0, 0.0, 100.0])
@pytest.mark.parametrize("is_ours", [True, False], ids=["ours", "a stranger's"])
@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00", "9999-12-31T00:00:00Z", "0000-00-00 00:00:00"])
@pytest.mark.parametrize("written", ["order: newest_first,", ""])
def test_date_that_stands_for_none__hides_nothing_and_ends_nothing(
    tmp_path: Path, written: str, stamp: str, is_ours: bool, skew_seconds: float
) -> None:
    clock = FakeClock()
    canary = new_canary(clock.now())
    first = {"id": 1, "subject": canary.subject_prefix if is_ours else "Printer", "at": stamp}
    second = {"id": 2, "subject": canary.subject_prefix, "at": clock.now().isoformat()}

    def handle(request: httpx.Request) -> httpx.Response:
        date = format_datetime(clock.now() + timedelta(seconds=skew_seconds), usegmt=True)
        is_list = request.url.path == "/tickets"
        return httpx.Response(
            200, headers={"Date": date}, json={"tickets": [first, second]} if is_list else {"body": "text"}
        )

    async def main() -> Look:
        generic = configured(
            tmp_path,
            f"""
            url: https://desk.acme.test
            ticket: {{id: id, subject: subject, created_at: {{pick: at, as: {{time: rfc3339, zone: UTC}}}}}}
            cleanup: none
            find: {{all: {{get: /tickets, rows: tickets, {written}}}}}
            {READ}
            """,
        )
        async with opened(generic, clock=clock, transport=Answering(handle)) as system:
            return await system.find([canary], Depth.DEADLINE)

    look = run_jumping(clock, main())

    assert look.is_complete
    assert {one.ref.id: one.remote_created_at for one in look.tickets} == {
        **({"1": None} if is_ours else {}),
        "2": clock.now(),
    }
