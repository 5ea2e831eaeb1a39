"""django-helpdesk with the rendered receiver as its quarantine."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

import httpx

from canary.canary import Canary
from canary.quarantine import Mark
from canary.ticket import Ticket
from tests.contracts.ticketing_contract import new_canary
from tests.real.desks import HelpdeskBench
from tests.real.helpdesk_project import AGENT_PASSWORD, AGENT_TOKEN, QUEUE_ID, running_project
from tests.real.quarantine_scene import first_seen, hello, intake, rendered, with_the_rule, without_the_rule
from tests.real.sandbox_mail import mails, send, wait_for_mails
from tests.sandbox import Sandbox

RULE = "intake_prober_quarantine.py"
SYSTEM = (
    "{type: helpdesk, url: 'https://desk.acme.test', token: {env: DESK_TOKEN}, quarantine: {group: '%s'}}"
)


@contextmanager
def agent(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """An agent who has logged in to the helpdesk's own pages."""
    with httpx.Client(base_url=sandbox.endpoints.desk_url, timeout=20, trust_env=False) as client:
        client.get("/login/").raise_for_status()
        form = {"username": "agent", "password": AGENT_PASSWORD}
        answer = client.post("/login/", data={**form, "csrfmiddlewaretoken": client.cookies["csrftoken"]})
        assert answer.status_code == 302, "the agent could not log in"
        yield client


def seen_by_agents(sandbox: Sandbox, ticket: Ticket) -> list[str]:
    """In which of an agent's own pages a ticket is: the dashboard, the list of tickets."""
    found = []
    with agent(sandbox) as client:
        dashboard = client.get("/dashboard/")
        dashboard.raise_for_status()
        if f"/tickets/{ticket.ref.id}/" in dashboard.text:
            found.append("dashboard")
        (query,) = re.findall(r"datatables_ticket_list/\w+", client.get("/tickets/").text)
        # its rows come by a request of their own, which the sandbox lets in by token only
        asked = {"draw": 1, "start": 0, "length": 100}
        listed = client.get(f"/{query}", params=asked, headers={"Authorization": f"Token {AGENT_TOKEN}"})
        listed.raise_for_status()
        if any(str(one["id"]) == ticket.ref.id for one in listed.json()["data"]):
            found.append("list")
    return found


def mail_of(sandbox: Sandbox, canary: Canary) -> None:
    send(sandbox, hello(canary, sandbox.support.address))


def acknowledged_from(sandbox: Sandbox, number: int) -> str:
    """The sender of the newest of so many acknowledgements."""
    newest = message_from_bytes(wait_for_mails(sandbox, number, role="canary")[-1])
    return str(newest["From"])


def test_helpdesk_without_its_rule__stops_launches__and_the_rendered_receiver_lets_them_go_on(
    tmp_path: Path,
) -> None:
    receiver = rendered(tmp_path / "rendered", SYSTEM % QUEUE_ID)[RULE]

    async def bare(sandbox: Sandbox) -> None:
        bench = HelpdeskBench(sandbox)
        async with (
            bench.opened() as system,
            intake(system, Mark(group=QUEUE_ID), lambda one: mail_of(sandbox, one), tmp_path) as desk,
        ):
            await without_the_rule(desk)
            canary = new_canary(bench.now())
            mail_of(sandbox, canary)
            ticket = await first_seen(system, canary)
            assert ticket.group == "1"
            assert seen_by_agents(sandbox, ticket) == ["dashboard", "list"]
            assert len(wait_for_mails(sandbox, 3, role="agent")) == 3
            assert acknowledged_from(sandbox, 3) == "Support <support@acme.test>"

    async def ruled(sandbox: Sandbox) -> None:
        bench = HelpdeskBench(sandbox)
        async with (
            bench.opened() as system,
            intake(system, Mark(group=QUEUE_ID), lambda one: mail_of(sandbox, one), tmp_path) as desk,
        ):
            await with_the_rule(desk)
            canary = new_canary(bench.now())
            mail_of(sandbox, canary)
            ticket = await first_seen(system, canary)
            assert ticket.group == QUEUE_ID
            assert seen_by_agents(sandbox, ticket) == []
            assert acknowledged_from(sandbox, 3) == "Canaries <support@acme.test>"
            assert mails(sandbox, role="agent") == []

            customers = bench.open_ticket("a customer's question", "where is it?", "jane@customer.test")
            others = [one for one in sandbox.tickets() if str(one["id"]) == customers]
            assert [one["queue"] for one in others] == [1]

    with running_project(tmp_path / "bare", {}) as sandbox:
        asyncio.run(bare(sandbox))
    with running_project(tmp_path / "ruled", {RULE: receiver}) as sandbox:
        asyncio.run(ruled(sandbox))
