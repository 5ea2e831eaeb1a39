"""Canary mails through the sandbox's mail platform and helpdesk: what each damage on the way is called."""

import asyncio
import smtplib
from collections.abc import Iterator
from statistics import median

import psutil
import pytest

from canary.canary import Canary
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.contracts import Disposal, DisposalAction
from probes.masking import Masker
from probes.message.compose import AttachedFile, MailSettings, compose, expected_content
from probes.ticketing.settings import Expectation, TicketWatcherSettings
from probes.ticketing.watcher import TicketWatcher
from runners.clock import SystemClock
from runners.prober import SignedPaths
from tests.contracts.ticketing_contract import BODY, KEY, PATH, SENDER, STRANGER, TAG, new_canary
from tests.real.desks import HelpdeskBench
from tests.sandbox import start_sandbox


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HelpdeskBench]:
    with start_sandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        sandbox.poller(running=True, interval_seconds=0.1)
        yield HelpdeskBench(sandbox)


@pytest.fixture
def desk(started: HelpdeskBench) -> Iterator[HelpdeskBench]:
    started.sandbox.clear_faults()
    yield started
    started.sandbox.clear_faults()


def mail_settings(desk: HelpdeskBench) -> MailSettings:
    return MailSettings(
        recipient=desk.sandbox.support.address,
        attachment=AttachedFile("invoice.pdf", b"%PDF-1.4 canary \xff\x00 bytes"),
    )


def watcher_settings(desk: HelpdeskBench) -> TicketWatcherSettings:
    return TicketWatcherSettings(
        recognise=SignedPaths([KEY], [PATH]).recognise,
        expectation=lambda canary: Expectation(
            expected_content(canary, mail_settings(desk)), target=desk.sandbox.support.address
        ),
        disposal=Disposal(DisposalAction.CLOSE, TAG),
        own_addresses=(SENDER,),
    )


def send(desk: HelpdeskBench, canary: Canary) -> None:
    with smtplib.SMTP("127.0.0.1", desk.sandbox.endpoints.mx_port, "client.probe.test", timeout=10) as client:
        client.sendmail(canary.sender, [desk.sandbox.support.address], compose(canary, mail_settings(desk)))


def followed(desk: HelpdeskBench, canary: Canary, *, tickets: int = 1) -> list[Observation]:
    """Look as the runner does until so many tickets of the canary are there; the last look's observations."""
    seen: list[Observation] = []

    async def report(*observations: Observation) -> None:
        seen.extend(observations)

    async def main() -> None:
        async with desk.opened() as system, asyncio.timeout(20):
            watcher = TicketWatcher(system, watcher_settings(desk), clock=SystemClock(), masker=Masker())
            while len([one for one in seen if one.hop is Hop.TICKET_CONTENT]) < tickets:
                seen.clear()
                await watcher.look([canary], Depth.DEADLINE, report)

    asyncio.run(main())
    return seen


def content_of(desk: HelpdeskBench) -> tuple[Outcome, Reason | None]:
    canary = new_canary(desk.now(), sender=desk.sandbox.canary.address)
    send(desk, canary)
    content = [one for one in followed(desk, canary) if one.hop is Hop.TICKET_CONTENT]
    return content[0].outcome, content[0].reason


def test_undamaged_mail__with_html_and_attachment__is_an_intact_ticket(desk: HelpdeskBench) -> None:
    assert content_of(desk) == (Outcome.OK, None)


@pytest.mark.parametrize(
    ("switches", "outcome", "reason"),
    [
        ({"mangle_subject": True}, Outcome.FAILED, Reason.SUBJECT_CHANGED),
        ({"mangle_charset": True}, Outcome.FAILED, Reason.CHARSET_MANGLED),
        ({"truncate_body_bytes": 200}, Outcome.FAILED, Reason.BODY_TRUNCATED),
        ({"drop_attachments": True}, Outcome.FAILED, Reason.ATTACHMENT_MISSING),
        ({"rewrite_sender": "group"}, Outcome.OK, Reason.REQUESTER_REWRITTEN),
        ({"rewrite_sender": "srs"}, Outcome.OK, None),  # only the envelope: the From is still ours
        ({"desk_title_rewrite": "[External] {subject} (ours)"}, Outcome.OK, None),
        ({"desk_title_rewrite": "a ticket"}, Outcome.FAILED, Reason.SUBJECT_CHANGED),
    ],
    ids=["subject", "charset", "truncated", "attachment", "group", "srs", "prefixed", "retitled"],
)
def test_damage_on_the_way__has_its_own_reason(
    desk: HelpdeskBench, switches: dict[str, object], outcome: Outcome, reason: Reason | None
) -> None:
    desk.sandbox.faults(**switches)

    assert content_of(desk) == (outcome, reason)


def test_two_tickets_of_one_mail__are_both_seen_and_both_removed(desk: HelpdeskBench) -> None:
    desk.sandbox.faults(desk_duplicates=2)
    canary = new_canary(desk.now(), sender=desk.sandbox.canary.address)
    send(desk, canary)

    seen = followed(desk, canary, tickets=2)

    async def main() -> int:
        async with desk.opened() as system:
            watcher = TicketWatcher(system, watcher_settings(desk), clock=SystemClock(), masker=Masker())
            return len(await watcher.remove([canary], at_most=600))

    assert len({one.ticket.ref.id for one in seen if one.ticket is not None}) == 2
    assert asyncio.run(main()) == 2


async def delays(desk: HelpdeskBench, count: int) -> tuple[list[float], int]:
    """How long after they could be found canaries are found, one after the other; the most connections open."""
    clock = SystemClock()
    found: list[float] = []
    most = 0
    port = int(desk.sandbox.endpoints.desk_url.rpartition(":")[2])

    async def report(*observations: Observation) -> None:
        if any(one.hop is Hop.TICKET_CREATED and one.outcome is Outcome.OK for one in observations):
            hits.append(clock.monotonic())

    async with desk.opened() as system:
        watcher = TicketWatcher(system, watcher_settings(desk), clock=clock, masker=Masker())
        others = [new_canary(desk.now()) for _ in range(count - 1)]
        for number in range(6):
            hits: list[float] = []
            canary = new_canary(desk.now())
            await watcher.look([canary, *others], Depth.POLL, report)
            await asyncio.sleep(0.15 * number)
            await asyncio.to_thread(desk.open_ticket, f"{canary.subject_prefix} hello", BODY, SENDER)
            there = clock.monotonic()
            while not hits:
                await watcher.news()
                await watcher.look([canary, *others], Depth.POLL, report)
                open_now = [
                    one for one in psutil.Process().net_connections("tcp") if one.raddr[1:] == (port,)
                ]
                most = max(most, len([one for one in open_now if one.status == psutil.CONN_ESTABLISHED]))
            found.append(hits[0] - there)
    return found, most


@pytest.mark.parametrize("count", [1, 10, 200])
def test_ticket_that_can_be_found__is_found_within_a_look_and_half_a_second__on_one_connection(
    desk: HelpdeskBench, count: int
) -> None:
    desk.open_ticket("a customer's question", "x", STRANGER)

    found, most = asyncio.run(delays(desk, count))

    assert median(found) < 1.0
    assert max(found) < 1.6
    assert most == 1
