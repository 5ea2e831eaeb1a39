"""Roundup, read by its preset alone, held to the contract of every ticketing system."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from canary.observation import Depth
from probes.contracts import Disposal, DisposalAction, Look, TicketingSystem
from tests.contracts.ticketing_contract import (
    BODY,
    SENDER,
    TAG,
    TicketingContract,
    new_canary,
    with_system,
)
from tests.real.desks_more import RoundupBench
from tests.real.servers.roundup import running_roundup
from tests.real.servers.roundup_files import MINIMAL_RIGHTS, RETIRE


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoundupBench]:
    with running_roundup(rights=(*MINIMAL_RIGHTS, RETIRE), wrong_logins=0) as roundup:
        yield RoundupBench(roundup, tmp_path_factory.mktemp("configuration"))


class TestRoundup(TicketingContract):
    @pytest.fixture
    def bench(self, started: RoundupBench) -> RoundupBench:
        return started


def test_mailed_canary__is_found_with_requester_text_and_message_id(started: RoundupBench) -> None:
    canary = new_canary(started.now())
    message = EmailMessage()
    message["From"], message["To"] = canary.sender, "support@acme.test"
    message["Subject"], message["Message-ID"] = f"{canary.subject_prefix} Grüße", canary.message_id
    message.set_content(BODY)

    code = started.roundup.deliver(message.as_bytes())
    look = with_system(started, lambda system: system.find([canary], Depth.POLL))

    (ticket,) = look.tickets
    assert code == 0
    assert (ticket.requester, ticket.message_id) == (canary.sender, canary.message_id)
    assert "".join((ticket.body or "").split()) == "".join(BODY.split())


def test_close__keeps_the_keywords_that_somebody_else_gave(started: RoundupBench) -> None:
    canary = new_canary(started.now())
    ticket_id = started.open_ticket(f"{canary.subject_prefix} keywords", BODY, SENDER)
    started.roundup.call("/data/keyword", {"name": "vip"}, method="POST")
    started.roundup.change(f"issue/{ticket_id}", {"keyword": ["vip"]})

    async def main(system: TicketingSystem) -> frozenset[str]:
        look = await system.find([canary], Depth.DEADLINE)
        await system.dispose(look.tickets, Disposal(DisposalAction.CLOSE, TAG))
        return (await system.find([canary], Depth.DEADLINE)).tickets[0].tags

    assert with_system(started, main) == {"vip", TAG}


def test_strangers_issue_without_a_message__hides_no_canary(started: RoundupBench) -> None:
    started.open_ticket("a question with a text", "of whoever", SENDER)
    canary = new_canary(started.now())
    number = started.roundup.call("/data/issue", {"title": "no text at all"}, method="POST").body["data"][
        "id"
    ]

    async def main(system: TicketingSystem) -> Look:
        looks = [
            await system.find([canary], Depth.DEADLINE) for _ in range(10)
        ]  # what stands there of other tests is read 40 a look
        return looks[-1]

    look = with_system(started, main)

    assert not started.roundup.call(f"/data/issue/{number}").body["data"]["attributes"]["messages"]
    assert (look.tickets, look.is_complete, look.blinded_by) == ((), True, None)
