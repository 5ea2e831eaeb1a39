"""Request Tracker 5, held to the contract of every ticketing system, and what is peculiar to it."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256

import pytest

from canary.canary import Canary
from canary.observation import Depth
from canary.ticket import Ticket
from probes.contracts import CheckState, Disposal, DisposalAction, RemovalState
from tests.contracts.ticketing_contract import BODY, SENDER, TAG, TicketingContract, new_canary, with_system
from tests.real.desks import TrackerBench
from tests.real.servers.certificates import make_certificates
from tests.real.servers.mail import running_mail
from tests.real.servers.process import server_directory, unprivileged_account
from tests.real.servers.request_tracker import running_request_tracker
from tests.real.servers.request_tracker_files import MINIMAL_RIGHTS

CLOSE = Disposal(DisposalAction.CLOSE, TAG)


@pytest.fixture(scope="module")
def started() -> Iterator[TrackerBench]:
    with (
        server_directory("certificates", unprivileged_account()) as directory,
        running_mail(make_certificates(directory)) as mail,
        running_request_tracker(mail, rights=(*MINIMAL_RIGHTS, "DeleteTicket")) as tracker,
    ):
        yield TrackerBench(tracker, mail)


class TestRequestTracker(TicketingContract):
    @pytest.fixture
    def bench(self, started: TrackerBench) -> TrackerBench:
        return started


def mailed(bench: TrackerBench, canary: Canary, *, attachment: bytes) -> Ticket:
    """Send a canary's mail as a customer does and wait for its ticket."""
    message = EmailMessage()
    message["From"], message["To"] = canary.sender, bench.tracker.support_address
    message["Subject"] = f"{canary.subject_prefix} Grüße"
    message["Message-ID"] = canary.message_id
    message.set_content(BODY)
    message.add_alternative(f"<p>{BODY}</p>", subtype="html")
    message.add_attachment(attachment, maintype="application", subtype="pdf", filename="invoice ü.pdf")
    bench._mail.send(message.as_bytes())

    async def main() -> Ticket:
        async with bench.opened() as system, asyncio.timeout(30):
            while True:
                look = await system.find([canary], Depth.POLL)
                if look.tickets:
                    return look.tickets[0]
                await asyncio.sleep(0.2)

    return asyncio.run(main())


def test_mailed_canary__is_read_with_channel_message_id_body_and_attachment(started: TrackerBench) -> None:
    canary = new_canary(started.now())
    content = b"%PDF-1.4 \xff\x00 bytes"

    ticket = mailed(started, canary, attachment=content)

    assert ticket.channel == "email"
    assert ticket.message_id == canary.message_id
    assert "".join((ticket.body or "").split()) == "".join(BODY.split())
    assert ticket.attachments is not None
    assert [(one.name, one.sha256) for one in ticket.attachments] == [
        ("invoice ü.pdf", sha256(content).hexdigest())
    ]


def test_close_as_resolved__mails_the_requester__so_that_rejected_is_the_default(
    started: TrackerBench,
) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} resolved", BODY, SENDER)
    sent = started.mails_sent()

    async def main() -> list[RemovalState]:
        async with started.connected(started.tracker.token, closed_status="resolved") as system:
            look = await system.find([canary], Depth.DEADLINE)
            return [one.state for one in await system.dispose(look.tickets, CLOSE)]

    assert asyncio.run(main()) == [RemovalState.DONE]
    assert started.mails_sent() == sent + 1


def test_close__to_a_status_that_does_not_exist__is_answered_200_and_told_as_failed(
    started: TrackerBench,
) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} no such status", BODY, SENDER)

    async def main() -> tuple[RemovalState, str]:
        async with started.connected(started.tracker.token, closed_status="nosuch") as system:
            look = await system.find([canary], Depth.DEADLINE)
            (answer,) = await system.dispose(look.tickets, CLOSE)
            return answer.state, answer.detail

    state, detail = asyncio.run(main())

    assert state is RemovalState.FAILED
    assert "nosuch" in detail


def test_close__with_a_custom_field_that_the_queue_lacks__is_told_as_failed(started: TrackerBench) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} no such field", BODY, SENDER)

    async def main() -> tuple[RemovalState, str, list[CheckState]]:
        async with started.connected(started.tracker.token, custom_field="Missing") as system:
            look = await system.find([canary], Depth.DEADLINE)
            (answer,) = await system.dispose(look.tickets, CLOSE)
            checks = await system.check()
            return answer.state, answer.detail, [one.state for one in checks if one.name == "ticket.close"]

    state, detail, checks = asyncio.run(main())

    assert state is RemovalState.FAILED
    assert "not tagged" in detail
    assert checks == [CheckState.FAIL]


def test_close__without_a_custom_field__closes(started: TrackerBench) -> None:
    canary = new_canary(started.now())
    ticket_id = started.open_ticket(f"{canary.subject_prefix} untagged", BODY, SENDER)

    async def main() -> list[RemovalState]:
        async with started.connected(started.tracker.token, custom_field=None) as system:
            look = await system.find([canary], Depth.DEADLINE)
            return [one.state for one in await system.dispose(look.tickets, CLOSE)]

    assert asyncio.run(main()) == [RemovalState.DONE]
    assert started.tracker.call(f"ticket/{ticket_id}")[1]["Status"] == "rejected"


def test_find__more_than_one_page__reads_them_all(started: TrackerBench) -> None:
    canaries = [new_canary(started.now()) for _ in range(3)]
    ids = {started.open_ticket(f"{one.subject_prefix} paged", BODY, SENDER) for one in canaries}

    async def main() -> set[str]:
        async with started.connected(started.tracker.token) as system:
            system._per_page = 1
            system._settings = replace(system._settings, most_pages=1000)  # the tests before it made many
            look = await system.find(canaries, Depth.POLL)
            assert look.is_complete
            return {one.ref.id for one in look.tickets}

    assert asyncio.run(main()) == ids


def test_find__a_subject_with_quotes_in_the_queue_name__is_no_injection(started: TrackerBench) -> None:
    canary = new_canary(started.now())
    started.open_ticket(f"{canary.subject_prefix} o'brien", BODY, SENDER)

    look = with_system(started, lambda system: system.find([canary], Depth.DEADLINE))

    assert len(look.tickets) == 1


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Etc/GMT+12"])
def test_find__for_a_user_in_any_time_zone__sees_the_ticket_of_this_minute(
    started: TrackerBench, zone: str
) -> None:
    canary = new_canary(started.now())
    ticket_id = started.open_ticket(f"{canary.subject_prefix} zone", BODY, SENDER)
    started.set_time_zone(zone)

    try:
        look = with_system(started, lambda system: system.find([canary], Depth.POLL))
    finally:
        started.set_time_zone("UTC")

    assert [one.ref.id for one in look.tickets] == [ticket_id]
    assert look.tickets[0].remote_created_at is not None
    assert abs(look.tickets[0].remote_created_at - canary.launched_at) < timedelta(seconds=30)
