"""Redmine, read by its preset alone, held to the contract of every ticketing system."""

import asyncio
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket
from probes.contracts import Blind, CheckState, Disposal, DisposalAction, RemovalState
from tests.contracts.ticketing_contract import (
    BODY,
    SENDER,
    STRANGER,
    TAG,
    TicketingContract,
    new_canary,
    with_system,
)
from tests.real.desks_more import RedmineBench
from tests.real.servers.redmine import running_redmine
from tests.real.servers.redmine_files import MINIMAL_RIGHTS

CLOSE = Disposal(DisposalAction.CLOSE, TAG)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedmineBench]:
    with running_redmine(rights=(*MINIMAL_RIGHTS, "delete_issues")) as redmine:
        yield RedmineBench(redmine, tmp_path_factory.mktemp("configuration"))


class TestRedmine(TicketingContract):
    @pytest.fixture
    def bench(self, started: RedmineBench) -> RedmineBench:
        return started


def mailed(bench: RedmineBench, canary: Canary) -> None:
    """Send a canary's mail as a mail server's pipe hands it over."""
    message = EmailMessage()
    message["From"], message["To"] = canary.sender, "support@acme.test"
    message["Subject"], message["Message-ID"] = f"{canary.subject_prefix} Grüße", canary.message_id
    message.set_content(BODY)
    code, said = bench.redmine.deliver(message.as_bytes())
    assert code == 0, said


def closed(bench: RedmineBench, tickets: tuple[Ticket, ...]) -> list[tuple[RemovalState, str]]:
    answers = with_system(bench, lambda system: system.dispose(tickets, CLOSE))
    return [(one.state, one.detail) for one in answers]


def test_mailed_canary__is_found_with_requester_and_text(started: RedmineBench) -> None:
    canary = new_canary(started.now())
    mailed(started, canary)

    look = with_system(started, lambda system: system.find([canary], Depth.POLL))

    (ticket,) = look.tickets
    assert (ticket.requester, ticket.subject) == (canary.sender, f"{canary.subject_prefix} Grüße")
    assert "".join((ticket.body or "").split()) == "".join(BODY.split())


def test_close__where_the_role_has_no_workflow__is_told_as_failed(started: RedmineBench) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} no workflow", BODY, SENDER)
    look = with_system(started, lambda system: system.find([canary], Depth.DEADLINE))

    with started.redmine.without_workflow():
        ((state, detail),) = closed(started, tuple(look.tickets))
        checks = with_system(started, lambda system: system.check())

    assert state is RemovalState.FAILED
    assert "did not make it" in detail
    assert {one.name: one.state for one in checks}["ticket.close"] is CheckState.FAIL


def test_delete__of_a_number_that_a_strangers_issue_has_by_now__leaves_it_alone(
    started: RedmineBench,
) -> None:
    canary = new_canary(started.now())
    ticket_id = started.open_ticket(f"{canary.subject_prefix} deleted by hand", BODY, SENDER)
    look = with_system(started, lambda system: system.find([canary], Depth.DEADLINE))
    started.redmine.call(f"/issues/{ticket_id}.json", method="DELETE")
    reused = started.open_ticket("a customer's question", "where is it?", STRANGER)

    answers = with_system(
        started, lambda system: system.dispose(look.tickets, Disposal(DisposalAction.DELETE, TAG))
    )

    assert reused == ticket_id
    assert [one.state for one in answers] == [RemovalState.ABSENT]
    assert started.redmine.issues()[-1]["subject"] == "a customer's question"


def test_find__with_a_wrong_key__where_all_is_private__is_blind(started: RedmineBench) -> None:
    canary = new_canary(started.now())

    async def main() -> None:
        async with started.refused() as system:
            await system.find([canary], Depth.DEADLINE)

    with started.redmine.all_private(), pytest.raises(Blind, match="401"):
        asyncio.run(main())
