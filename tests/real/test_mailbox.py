"""The mailbox watchers and gauges against Dovecot."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from imapclient import IMAPClient

from canary.canary import Canary
from canary.gauge import GaugeState, Resource
from canary.hop import Hop
from canary.observation import Depth, Observation, Outcome
from canary.reason import Reason
from probes.contracts import CheckState, RemovalState
from probes.mailbox.backlog import MailboxBacklogReader
from probes.mailbox.check import check_mailbox
from probes.mailbox.quota import MailboxCapacityReader
from probes.mailbox.settings import BacklogSettings, CapacitySettings, MailboxSettings
from probes.mailbox.watcher import SenderMailboxWatcher, SupportMailboxWatcher
from probes.masking import Masker, Secret
from probes.servers import Password, Server, TlsMode
from runners.clock import SystemClock
from tests.real.servers.certificates import make_certificates
from tests.real.servers.dovecot import Dovecot, Mailbox, running_dovecot
from tests.real.servers.process import server_directory
from tests.unit.probes.mailbox.mails import acknowledgement, bounce_mail, canary_mail, make_canary, recognise

pytestmark = pytest.mark.real

SUPPORT = "support@acme.test"
SENDER = "canary@probe.test"
STRANGER = b"From: Jo <jo@customer.test>\r\nTo: support@acme.test\r\nSubject: intakecanary? what is this\r\n\r\nMY-PRIVATE-WORDS\r\n"
KIB = 1024


class Reports(list[Observation]):
    async def __call__(self, *observations: Observation) -> None:
        self.extend(observations)


class Literal:
    def __init__(self, value: str) -> None:
        self.value = value

    async def read(self, *, renew: bool = False) -> Secret:
        del renew
        return Secret(self.value)


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with (
        server_directory("tls") as directory,
        running_dovecot(make_certificates(directory), [Mailbox(SUPPORT), Mailbox(SENDER)]) as server,
    ):
        yield server


@pytest.fixture
def mailhost(server: Dovecot) -> Dovecot:
    for address in (SUPPORT, SENDER):
        server.empty(address, is_all=True)
        for folder in ("Junk", "Trash"):
            with contextlib.suppress(Exception):
                server.expunge(address, "mailbox", folder, "all")
    return server


@pytest.fixture
def canary() -> Canary:
    return make_canary(launched_at=datetime.now(UTC))


def settings(mailhost: Dovecot, address: str, *, password: str | None = None) -> MailboxSettings:
    secret = Literal(password or mailhost.mailboxes[address].password)
    server = Server(
        "localhost",
        mailhost.port,
        TlsMode.STARTTLS,
        Password(address, secret),
        ca_files=(str(mailhost.ca_file),),
    )
    return MailboxSettings(address, server, may_remove=True)


@contextlib.asynccontextmanager
async def support(
    mailhost: Dovecot, given: MailboxSettings | None = None
) -> AsyncIterator[SupportMailboxWatcher]:
    watcher = SupportMailboxWatcher(
        given or settings(mailhost, SUPPORT), clock=SystemClock(), recognise=recognise, masker=Masker()
    )
    try:
        yield watcher
    finally:
        await watcher.aclose()


@contextlib.asynccontextmanager
async def sender(mailhost: Dovecot) -> AsyncIterator[SenderMailboxWatcher]:
    watcher = SenderMailboxWatcher(
        settings(mailhost, SENDER), clock=SystemClock(), recognise=recognise, masker=Masker()
    )
    try:
        yield watcher
    finally:
        await watcher.aclose()


async def look(
    watcher: SupportMailboxWatcher | SenderMailboxWatcher,
    canaries: Sequence[Canary],
    depth: Depth = Depth.POLL,
) -> Reports:
    reports = Reports()
    await watcher.look(canaries, depth, reports)
    return reports


def flags_of(mailhost: Dovecot) -> list[tuple[int, tuple[bytes, ...]]]:
    """UIDs and flags by a client of its own, which looks on without touching."""
    with IMAPClient("localhost", port=mailhost.port, ssl=False, timeout=5) as client:
        client.login(SUPPORT, mailhost.mailboxes[SUPPORT].password)
        client.select_folder("INBOX", readonly=True)
        uids = client.search("ALL")
        return sorted(
            (uid, tuple(sorted(one[b"FLAGS"]))) for uid, one in client.fetch(uids, ["FLAGS"]).items()
        )


def test_wrong_password__is_a_blind_look_on_our_side(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost, settings(mailhost, SUPPORT, password="wrong")) as watcher:
            return await look(watcher, [canary])

    (seen,) = asyncio.run(main())

    assert (seen.outcome, seen.reason) == (Outcome.UNKNOWN, Reason.CREDENTIALS_REJECTED)
    assert seen.look is not None
    assert seen.look.is_blind


def test_certificate_that_nobody_vouches_for__is_a_blind_look(mailhost: Dovecot, canary: Canary) -> None:
    given = settings(mailhost, SUPPORT)

    async def main() -> Reports:
        async with support(mailhost, replace(given, server=replace(given.server, ca_files=()))) as watcher:
            return await look(watcher, [canary])

    (seen,) = asyncio.run(main())

    assert seen.reason is Reason.MAILBOX_UNREADABLE
    assert "certificate does not hold" in seen.detail


def test_folder_that_is_gone__is_a_blind_look(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost, replace(settings(mailhost, SUPPORT), folder="Tickets")) as watcher:
            return await look(watcher, [canary], Depth.DEADLINE)

    (seen,) = asyncio.run(main())

    assert seen.reason is Reason.MAILBOX_UNREADABLE


def test_further_folder_that_is_gone__makes_the_look_incomplete(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost, replace(settings(mailhost, SUPPORT), more_folders=("Nope",))) as watcher:
            return await look(watcher, [canary], Depth.DEADLINE)

    (seen,) = asyncio.run(main())

    assert seen.reason is Reason.NOT_SEEN
    assert seen.look is not None
    assert not seen.look.is_complete
    assert "Nope" in seen.detail


def test_mail_delivered_between_search_and_idle__is_seen_every_time(mailhost: Dovecot) -> None:
    """On Dovecot a mail in that gap is missed by the library's own IDLE nearly always."""
    seen: list[Outcome] = []

    async def main() -> None:
        async with support(mailhost) as watcher:
            for number in range(6):
                canary = make_canary(number, launched_at=datetime.now(UTC))
                await look(watcher, [canary])
                mailhost.save(SUPPORT, canary_mail(canary))
                async with asyncio.timeout(5):
                    while (found := (await look(watcher, [canary]))[0]).outcome is not Outcome.OK:
                        await watcher.news()
                seen.append(found.outcome)

    asyncio.run(main())

    assert seen == [Outcome.OK] * 6


def test_arrival__is_told_by_idle_and_reported_with_relays(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Observation:
        async with support(mailhost) as watcher:
            assert (await look(watcher, [canary]))[0].reason is Reason.NOT_SEEN
            async with asyncio.TaskGroup() as group, asyncio.timeout(5):
                waiting = group.create_task(watcher.news())
                await asyncio.sleep(0.2)
                await asyncio.to_thread(mailhost.save, SUPPORT, canary_mail(canary))
                await waiting
            return (await look(watcher, [canary]))[0]

    seen = asyncio.run(main())

    assert (seen.hop, seen.outcome) == (Hop.MAILBOX_ARRIVAL, Outcome.OK)
    assert seen.remote_at is not None
    assert abs(seen.remote_at - datetime.now(UTC)) < timedelta(seconds=30)
    assert [one.by_host for one in seen.relays] == ["mx.acme.test"]


def test_canary_in_the_spam_folder__is_misrouted(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost) as watcher:
            mailhost.save(SUPPORT, canary_mail(canary), folder="Junk")
            return await look(watcher, [canary], Depth.DEADLINE)

    (seen,) = asyncio.run(main())

    assert (seen.outcome, seen.reason) == (Outcome.FAILED, Reason.MISROUTED)


def test_canary_moved_to_the_trash_before_we_look__arrived(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost) as watcher:
            mailhost.save(SUPPORT, canary_mail(canary), folder="Trash")
            return await look(watcher, [canary], Depth.DEADLINE)

    (seen,) = asyncio.run(main())

    assert seen.outcome is Outcome.OK


def test_kicked_connection__is_opened_anew_without_a_blind_look(mailhost: Dovecot, canary: Canary) -> None:
    async def main() -> Reports:
        async with support(mailhost) as watcher:
            await look(watcher, [canary])
            mailhost.kick(SUPPORT)
            mailhost.save(SUPPORT, canary_mail(canary))
            async with asyncio.timeout(5):
                await watcher.news()
            return await look(watcher, [canary])

    (seen,) = asyncio.run(main())

    assert seen.outcome is Outcome.OK


def test_looks_of_every_kind__change_no_flag_and_leave_the_mail_for_the_fetcher(
    mailhost: Dovecot, canary: Canary
) -> None:
    for raw in (STRANGER, canary_mail(canary), canary_mail(canary, subject="no marker", more="X-Other: 1")):
        mailhost.save(SUPPORT, raw)
    before = flags_of(mailhost)

    async def main() -> None:
        async with support(mailhost) as watcher:
            await look(watcher, [canary])
            await look(watcher, [canary], Depth.DEADLINE)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.3):
                    await watcher.news()

    asyncio.run(main())

    assert flags_of(mailhost) == before
    assert all(b"\\Seen" not in flags for _, flags in before)


def test_removal__takes_our_mails_alone_and_is_repeatable(mailhost: Dovecot, canary: Canary) -> None:
    replay = f"From: mallory@elsewhere.test\r\nSubject: {canary.subject_prefix}\r\n\r\nx\r\n".encode()
    for raw in (STRANGER, canary_mail(canary), replay):
        mailhost.save(SUPPORT, raw)
    mailhost.save(SUPPORT, canary_mail(canary), folder="Junk")

    async def main() -> tuple[list[RemovalState], list[RemovalState]]:
        async with support(mailhost) as watcher:
            first = [one.state for one in await watcher.remove([canary], at_most=600)]
            return first, [one.state for one in await watcher.remove([canary], at_most=600)]

    first, second = asyncio.run(main())

    assert first == [RemovalState.DONE, RemovalState.DONE]
    assert second == [RemovalState.ABSENT]
    assert [one.raw for one in mailhost.messages(SUPPORT)] == [STRANGER, replay]
    assert mailhost.messages(SUPPORT, "Junk") == []


def test_support_mailbox_that_we_may_not_write_to__is_left_alone(mailhost: Dovecot, canary: Canary) -> None:
    mailhost.save(SUPPORT, canary_mail(canary))

    async def main() -> Sequence[object]:
        async with support(mailhost, replace(settings(mailhost, SUPPORT), may_remove=False)) as watcher:
            return await watcher.remove([canary], at_most=600)

    assert asyncio.run(main()) == ()
    assert len(mailhost.messages(SUPPORT)) == 1


def test_acknowledgement_and_bounce__are_each_seen_and_matched(mailhost: Dovecot) -> None:
    answered, bounced, silent = (make_canary(number, launched_at=datetime.now(UTC)) for number in range(3))
    mailhost.save(SENDER, acknowledgement(answered))
    mailhost.save(SENDER, bounce_mail(bounced))
    mailhost.save(SENDER, b"From: news@letter.test\r\nSubject: hello\r\n\r\nMY-PRIVATE-WORDS\r\n")

    async def main() -> Reports:
        async with sender(mailhost) as watcher:
            return await look(watcher, [answered, bounced, silent])

    reports = asyncio.run(main())

    assert [(one.canary_id, one.hop, one.outcome, one.reason) for one in reports] == [
        (answered.id, Hop.REPLY_RECEIVED, Outcome.OK, None),
        (bounced.id, Hop.MAILBOX_ARRIVAL, Outcome.FAILED, Reason.MAILBOX_FULL),
        (bounced.id, Hop.REPLY_RECEIVED, Outcome.UNKNOWN, Reason.NOT_SEEN),
        (silent.id, Hop.REPLY_RECEIVED, Outcome.UNKNOWN, Reason.NOT_SEEN),
    ]
    assert "MY-PRIVATE-WORDS" not in repr(reports)


def test_own_mailbox_that_is_full__is_our_blindness(mailhost: Dovecot, canary: Canary) -> None:
    mailhost.set_quota(SENDER, storage_bytes=100 * KIB)
    try:
        mailhost.save(SENDER, b"Subject: filler\r\n\r\n" + b"x" * 110 * KIB, is_beyond_quota=True)

        async def main() -> Reports:
            async with sender(mailhost) as watcher:
                return await look(watcher, [canary], Depth.DEADLINE)

        (seen,) = asyncio.run(main())
    finally:
        mailhost.set_quota(SENDER)

    assert seen.reason is Reason.OWN_MAILBOX_FULL
    assert seen.look is not None
    assert seen.look.is_blind


def test_own_mailbox__is_cleaned_of_replies_and_bounces(mailhost: Dovecot, canary: Canary) -> None:
    other = b"From: news@letter.test\r\nSubject: hello\r\n\r\nbody\r\n"
    for raw in (acknowledgement(canary), bounce_mail(canary), other):
        mailhost.save(SENDER, raw)

    async def main() -> list[RemovalState]:
        async with sender(mailhost) as watcher:
            return [one.state for one in await watcher.remove([canary], at_most=600)]

    assert asyncio.run(main()) == [RemovalState.DONE, RemovalState.DONE]
    assert [one.raw for one in mailhost.messages(SENDER)] == [other]


def test_capacity__follows_a_limit_that_was_raised_by_logging_in_afresh(mailhost: Dovecot) -> None:
    reader = MailboxCapacityReader(
        settings(mailhost, SUPPORT), CapacitySettings(), clock=SystemClock(), masker=Masker()
    )
    try:
        limits = []
        for storage_bytes in (200 * KIB, 800 * KIB):
            mailhost.set_quota(SUPPORT, storage_bytes=storage_bytes, messages=50)
            gauges = asyncio.run(reader.read())
            limits.append([(one.resource, one.limit, one.unit) for one in gauges])
    finally:
        mailhost.set_quota(SUPPORT)

    assert limits == [
        [(Resource.STORAGE, 200 * KIB, "By"), (Resource.MESSAGE, 50, "{message}")],
        [(Resource.STORAGE, 800 * KIB, "By"), (Resource.MESSAGE, 50, "{message}")],
    ]


def test_mailbox_without_a_quota__is_measured_against_the_declared_limit(
    mailhost: Dovecot, canary: Canary
) -> None:
    mailhost.save(SUPPORT, canary_mail(canary))
    reader = MailboxCapacityReader(
        settings(mailhost, SUPPORT),
        CapacitySettings(declared_bytes=1000),
        clock=SystemClock(),
        masker=Masker(),
    )

    storage, messages = asyncio.run(reader.read())

    assert storage.limit == 1000
    assert storage.value == len(canary_mail(canary))
    assert (messages.value, messages.limit) == (1, None)


def test_capacity_of_a_mailbox_that_can_not_be_read__is_unknown(mailhost: Dovecot) -> None:
    reader = MailboxCapacityReader(
        settings(mailhost, SUPPORT, password="wrong"),
        CapacitySettings(),
        clock=SystemClock(),
        masker=Masker(),
    )

    (gauge,) = asyncio.run(reader.read())

    assert (gauge.state, gauge.value) == (GaugeState.UNKNOWN, None)


def test_backlog__counts_what_nobody_fetched_and_dates_the_oldest(mailhost: Dovecot) -> None:
    for _ in range(3):
        mailhost.save(SUPPORT, STRANGER)
    reader = MailboxBacklogReader(
        settings(mailhost, SUPPORT), BacklogSettings(), clock=SystemClock(), masker=Masker()
    )

    (gauge,) = asyncio.run(reader.read())

    assert gauge.value == 3
    assert gauge.oldest_at is not None
    assert abs(gauge.oldest_at - datetime.now(UTC)) < timedelta(seconds=30)


def test_backlog_search_that_the_server_refuses__is_unknown(mailhost: Dovecot) -> None:
    reader = MailboxBacklogReader(
        settings(mailhost, SUPPORT),
        BacklogSettings(criteria="NONSENSE"),
        clock=SystemClock(),
        masker=Masker(),
    )

    (gauge,) = asyncio.run(reader.read())

    assert gauge.state is GaugeState.UNKNOWN


def test_check__has_a_line_for_login_folders_quota_idle_and_clock(mailhost: Dovecot) -> None:
    checks = asyncio.run(check_mailbox(settings(mailhost, SUPPORT), clock=SystemClock(), masker=Masker()))

    assert [(one.name, one.state) for one in checks] == [
        ("imap.login", CheckState.OK),
        ("imap.select", CheckState.OK),
        ("imap.folders", CheckState.OK),
        ("imap.quota", CheckState.WARN),
        ("imap.idle", CheckState.OK),
    ]
